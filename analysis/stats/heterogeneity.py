"""Whether the difference of shares between two arms is the same in all strata (model sizes), one answer per neuron.

For odds ratios see `analysis.stats.stratified.breslow_day_tarone`.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.stats.results import UNDEFINED, Test
from analysis.stats.stratified import Array, informative

COCHRAN_Q = "Cochran's Q of the differences, inverse variances"
CONTRAST = "z of one stratum's difference less the mean of the others"
SAME_DIFFERENCE = "the difference of shares is the same in every stratum"
LIKE_THE_OTHERS = "the stratum has the same difference of shares as the mean of the others"


def difference_heterogeneity(tables: npt.ArrayLike) -> Test:
    """Whether the difference of shares is the same in all strata.

    Parameters
    ----------
    tables : array_like of int, shape (strata, 4)
        x1, n1, x0, n0.

    Returns
    -------
    Test
        Chi-square with one degree of freedom less than the strata. Undefined with fewer than two, or where the
        difference of one has no variance.

    Raises
    ------
    BadCounts
        When counts are impossible.

    References
    ----------
    Cochran, W. G. (1954). The combination of estimates from different experiments. Biometrics 10, 101-129.

    Examples
    --------
    >>> round(difference_heterogeneity([[36, 60, 21, 60]] * 4 + [[25, 60, 20, 60]]).p, 2)
    0.58
    """
    kept = informative(tables)
    differences, variances = _differences(kept)
    if len(kept) < 2 or not np.all(variances > 0):
        return _undefined(COCHRAN_Q, SAME_DIFFERENCE, kept)
    mean = float((differences / variances).sum() / (1 / variances).sum())
    statistic, df = float(((differences - mean) ** 2 / variances).sum()), float(len(kept) - 1)
    neurons = _neurons(kept)
    return Test(statistic, df, float(stats.chi2.sf(statistic, df)), COCHRAN_Q, SAME_DIFFERENCE, neurons, neurons)


def one_against_the_others(tables: npt.ArrayLike, stratum: int) -> Test:
    """Whether one stratum's difference of shares departs from the plain mean of the others'.

    Parameters
    ----------
    tables : array_like of int, shape (strata, 4)
        x1, n1, x0, n0; no arm of any stratum empty.
    stratum : int
        Row of the one.

    Returns
    -------
    Test
        `statistic` is z, positive where the one has the larger difference. Undefined with fewer than two strata, with
        an empty arm, or without variance.

    Raises
    ------
    BadCounts
        When counts are impossible.

    Examples
    --------
    >>> test = one_against_the_others([[36, 60, 21, 60]] * 4 + [[25, 60, 20, 60]], 4)
    >>> round(test.statistic, 2), round(test.p, 2)
    (-1.69, 0.09)
    """
    every = np.asarray(tables, dtype=float).reshape(-1, 4)
    kept = informative(every)
    if len(kept) < 2 or len(kept) < len(every):
        return _undefined(CONTRAST, LIKE_THE_OTHERS, kept)
    differences, variances = _differences(kept)
    weights = np.full(len(kept), -1 / (len(kept) - 1))
    weights[stratum] = 1.0
    variance = float((weights**2 * variances).sum())
    if variance <= 0:
        return _undefined(CONTRAST, LIKE_THE_OTHERS, kept)
    z, neurons = float((weights * differences).sum()) / math.sqrt(variance), _neurons(kept)
    return Test(z, UNDEFINED, float(2 * stats.norm.sf(abs(z))), CONTRAST, LIKE_THE_OTHERS, neurons, neurons)


def _differences(tables: Array) -> tuple[Array, Array]:
    x1, n1, x0, n0 = tables.T
    p1, p0 = x1 / n1, x0 / n0
    return p1 - p0, p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0


def _undefined(method: str, hypothesis: str, tables: Array) -> Test:
    return Test(UNDEFINED, UNDEFINED, UNDEFINED, method, hypothesis, _neurons(tables), _neurons(tables))


def _neurons(tables: Array) -> int:
    return int(tables[:, [1, 3]].sum())
