"""What every coefficient of agreement starts from: how many raters put each unit in each category."""

import numpy as np
import numpy.typing as npt

from analysis.stats.proportions import BadCounts

Counts = npt.NDArray[np.float64]


def category_counts(said: npt.ArrayLike, unit: npt.ArrayLike, *, units: int, categories: int = 2) -> Counts:
    """Count single answers by unit and category.

    Parameters
    ----------
    said : array_like of int, shape (answers,)
        Category of each answer, 0 … `categories` - 1. A missing answer is simply not there.
    unit : array_like of int, shape (answers,)
        What it is about, 0 … `units` - 1.

    Returns
    -------
    ndarray of float, shape (units, categories)

    Raises
    ------
    BadCounts
        When a category or a unit lies outside its range.

    Examples
    --------
    >>> category_counts([1, 0, 1], [0, 0, 1], units=3).tolist()
    [[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
    """
    category, place = np.asarray(said, dtype=np.int64), np.asarray(unit, dtype=np.int64)
    for codes, limit, name in ((category, categories, "categories"), (place, units, "units")):
        if codes.size and not (codes.min() >= 0 and codes.max() < limit):
            raise BadCounts(f"codes from {codes.min()} to {codes.max()} for {limit} {name}; number them from 0.")
    flat = np.bincount(place * categories + category, minlength=units * categories)
    return flat.reshape(units, categories).astype(float)


def checked(counts: npt.ArrayLike) -> Counts:
    """A table of units by categories without negative counts, as floating point numbers."""
    table = np.asarray(counts, dtype=float)
    if table.ndim != 2 or np.any(table < 0):
        raise BadCounts(f"counts of shape {table.shape}; give a table of units by categories without negative counts.")
    return table


def pairable(counts: npt.ArrayLike) -> Counts:
    """The units with two answers or more: only these say anything about agreement."""
    table = checked(counts)
    return table[table.sum(axis=1) >= 2]
