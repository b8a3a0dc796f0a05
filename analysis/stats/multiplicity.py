"""P values adjusted for being several: Holm for few confirmatory ones, Benjamini-Hochberg for maps of many."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class BadPValues(ValueError):
    """Numbers that are no p values."""


def holm(p: npt.ArrayLike) -> Array:
    """P values adjusted so that the chance of any false claim among them stays below the level.

    Parameters
    ----------
    p : array_like of float, shape (tests,)
        In [0, 1]; NaN where a test is undefined, which then counts as no test.

    Returns
    -------
    ndarray of float, shape (tests,)
        In the order given; NaN stays NaN.

    Raises
    ------
    BadPValues
        When one lies outside [0, 1].

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scand. J. Stat. 6, 65-70.

    Examples
    --------
    >>> holm([0.01, float("nan"), 0.04, 0.03]).round(4).tolist()
    [0.03, nan, 0.06, 0.06]
    """
    values, order = _sorted(p)
    tests = len(order)
    steps = np.maximum.accumulate(values[order] * np.arange(tests, 0, -1))
    return _placed(steps, order, len(values))


def benjamini_hochberg(p: npt.ArrayLike) -> Array:
    """P values adjusted so that the expected share of false claims among the claims stays below the level.

    Parameters
    ----------
    p : array_like of float, shape (tests,)
        In [0, 1], independent or positively dependent; NaN where a test is undefined, which then counts as no test.

    Returns
    -------
    ndarray of float, shape (tests,)
        In the order given; NaN stays NaN.

    Raises
    ------
    BadPValues
        When one lies outside [0, 1].

    References
    ----------
    Benjamini, Y. & Hochberg, Y. (1995). Controlling the false discovery rate: a practical and powerful approach to
    multiple testing. J. R. Stat. Soc. B 57, 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, float("nan"), 0.04, 0.03]).round(4).tolist()
    [0.03, nan, 0.04, 0.04]
    """
    values, order = _sorted(p)
    tests = len(order)
    raised = values[order] * tests / np.arange(1, tests + 1)
    steps = np.minimum.accumulate(raised[::-1])[::-1]
    return _placed(steps, order, len(values))


def _sorted(p: npt.ArrayLike) -> tuple[Array, npt.NDArray[np.intp]]:
    """The values, and where those that are defined stand, smallest first."""
    values = np.asarray(p, dtype=float).ravel()
    defined = np.flatnonzero(~np.isnan(values))
    if np.any((values[defined] < 0) | (values[defined] > 1)):
        raise BadPValues(f"p values {values.tolist()}; every one must lie in [0, 1] or be NaN.")
    return values, defined[np.argsort(values[defined], kind="stable")]


def _placed(steps: Array, order: npt.NDArray[np.intp], length: int) -> Array:
    adjusted = np.full(length, np.nan)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted
