"""Response times: medians and quartiles, whole and by thirds of a rater's list."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.stats.results import UNDEFINED


@dataclass(frozen=True, slots=True)
class TimeSummary:
    """Median and quartiles of response times, in seconds; NaN without answers."""

    n: int
    median: float
    first_quartile: float
    third_quartile: float


def time_summary(seconds: npt.ArrayLike) -> TimeSummary:
    """Median and quartiles of response times.

    Parameters
    ----------
    seconds : array_like of float, shape (answers,)
        Times in seconds, at least 0. NaN (no time measured) is left out.

    Returns
    -------
    TimeSummary
        Quartiles by linear interpolation.

    References
    ----------
    Hyndman, R. J. & Fan, Y. (1996). Sample quantiles in statistical packages. Am. Stat. 50, 361-365 (type 7).

    Examples
    --------
    >>> time_summary([1, 2, 3, 4])
    TimeSummary(n=4, median=2.5, first_quartile=1.75, third_quartile=3.25)
    """
    values = np.asarray(seconds, dtype=float)
    values = values[~np.isnan(values)]
    if len(values) == 0:
        return TimeSummary(0, UNDEFINED, UNDEFINED, UNDEFINED)
    first, median, third = (float(value) for value in np.quantile(values, [0.25, 0.5, 0.75]))
    return TimeSummary(len(values), median, first, third)


def thirds(order: npt.ArrayLike, length: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Which third of its rater's list each answer lies in.

    Parameters
    ----------
    order : array_like of int, shape (answers,)
        Place in the rater's list, from 1.
    length : array_like of int, shape (answers,) or scalar
        Length of that list, at least 1.

    Returns
    -------
    ndarray of int, shape (answers,)
        1, 2 or 3.

    Examples
    --------
    >>> thirds([1, 2, 3, 4, 5, 6], 6).tolist()
    [1, 1, 2, 2, 3, 3]
    """
    places, lengths = np.asarray(order, dtype=float), np.asarray(length, dtype=float)
    return np.clip(np.ceil(3 * places / lengths), 1, 3).astype(np.int64)
