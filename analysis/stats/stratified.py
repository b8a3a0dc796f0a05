"""Two arms over several strata (model sizes), one answer per neuron: Mantel-Haenszel estimates and their tests.

Each function takes `tables`, shape (strata, 4): x1, n1, x0, n0, the yes answers and neurons of the two arms. They are
right for one answer per neuron only (a single rater, or a majority vote); fed with all answers of several raters they
are the naive method, whose intervals are too short. A stratum in which an arm is empty says nothing and is left out.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.stats.constrained import expected_given_odds_ratio, hypergeometric_variance
from analysis.stats.proportions import BadCounts, normal_quantile
from analysis.stats.results import UNDEFINED, Interval, Test
from analysis.stats.score import MIETTINEN_NURMINEN, difference_limits

Array = npt.NDArray[np.float64]
ODDS_RATIO = "Mantel-Haenszel odds ratio, variance of Robins, Breslow & Greenland 1986"
RISK_RATIO = "Mantel-Haenszel ratio, variance of Greenland & Robins 1985"
RISK_DIFFERENCE = "Mantel-Haenszel difference, variance of Sato 1989"
STRATIFIED_SCORE = f"stratified {MIETTINEN_NURMINEN}, Mantel-Haenszel weights"
CMH = "Cochran-Mantel-Haenszel chi-square without continuity correction"
BRESLOW_DAY = "Breslow-Day chi-square with Tarone's correction"
NO_VARIANCE = "no limits: an arm's answers are all alike and leave no variance; the score interval has limits"
INFINITE = "no estimate and no limits: the ratio would be infinite"
NO_INFORMATION = "neither estimate nor limits: all answers are alike, or an arm is empty in every stratum"


def mantel_haenszel_odds_ratio(tables: npt.ArrayLike, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Odds ratio common to all strata, first arm over second.

    Parameters
    ----------
    tables : array_like of int, shape (strata, 4)
        x1, n1, x0, n0.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        Limits on the scale of the logarithm. `refused` says why where there are none: the ratio is 0 or infinite.

    Raises
    ------
    BadCounts
        When counts are impossible.

    References
    ----------
    Mantel, N. & Haenszel, W. (1959). J. Natl. Cancer Inst. 22, 719-748.
    Robins, J., Breslow, N. & Greenland, S. (1986). Estimators of the Mantel-Haenszel variance consistent in both sparse
    data and large-strata limiting models. Biometrics 42, 311-323.

    Examples
    --------
    >>> interval = mantel_haenszel_odds_ratio([[36, 60, 21, 60]] * 4 + [[25, 60, 20, 60]])
    >>> round(interval.estimate, 3), round(interval.low, 3), round(interval.high, 3)
    (2.436, 1.751, 3.388)
    """
    kept = informative(tables)
    x1, n1, x0, n0 = kept.T
    total = n1 + n0
    with_ = (x1 + n0 - x0) / total
    against = 1 - with_
    r, s = x1 * (n0 - x0) / total, (n1 - x1) * x0 / total
    top, bottom = float(r.sum()), float(s.sum())
    variance = UNDEFINED
    if top > 0 and bottom > 0:
        mixed = (with_ * s + against * r).sum() / (2 * top * bottom)
        variance = float((with_ * r).sum() / (2 * top**2) + mixed + (against * s).sum() / (2 * bottom**2))
    return _ratio(top, bottom, variance, kept, (level, ODDS_RATIO, estimand))


def mantel_haenszel_risk_ratio(tables: npt.ArrayLike, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Ratio of shares common to all strata, first arm over second.

    Parameters
    ----------
    tables : array_like of int, shape (strata, 4)
        x1, n1, x0, n0.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        Limits on the scale of the logarithm. `refused` says why where there are none: the ratio is 0 or infinite.

    Raises
    ------
    BadCounts
        When counts are impossible.

    References
    ----------
    Greenland, S. & Robins, J. M. (1985). Estimation of a common effect parameter from sparse follow-up data. Biometrics
    41, 55-68.

    Examples
    --------
    >>> interval = mantel_haenszel_risk_ratio([[36, 60, 21, 60]] * 4 + [[25, 60, 20, 60]])
    >>> round(interval.estimate, 3), round(interval.low, 3), round(interval.high, 3)
    (1.625, 1.351, 1.954)
    """
    kept = informative(tables)
    x1, n1, x0, n0 = kept.T
    total = n1 + n0
    top, bottom = float((x1 * n0 / total).sum()), float((x0 * n1 / total).sum())
    variance = UNDEFINED
    if top > 0 and bottom > 0:
        variance = float((((x1 + x0) * n1 * n0 - x1 * x0 * total) / total**2).sum()) / (top * bottom)
    return _ratio(top, bottom, variance, kept, (level, RISK_RATIO, estimand))


def mantel_haenszel_risk_difference(tables: npt.ArrayLike, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Difference of shares common to all strata, first arm minus second.

    Parameters
    ----------
    tables : array_like of int, shape (strata, 4)
        x1, n1, x0, n0.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        Within [-1, 1]. `refused` says why where there are no limits: Sato's variance is 0.

    Raises
    ------
    BadCounts
        When counts are impossible.

    References
    ----------
    Sato, T. (1989). On the variance estimator for the Mantel-Haenszel risk difference. Biometrics 45, 1323-1324.

    Examples
    --------
    >>> interval = mantel_haenszel_risk_difference([[36, 60, 21, 60]] * 4 + [[25, 60, 20, 60]])
    >>> round(interval.estimate, 3), round(interval.low, 3), round(interval.high, 3)
    (0.217, 0.139, 0.294)
    """
    kept = informative(tables)
    said = _said(kept, (level, RISK_DIFFERENCE, estimand))
    if not len(kept):
        return Interval(UNDEFINED, UNDEFINED, UNDEFINED, *said, refused=NO_INFORMATION)
    x1, n1, x0, n0 = kept.T
    total = n1 + n0
    weight = float((n1 * n0 / total).sum())
    estimate = float(((x1 * n0 - x0 * n1) / total).sum()) / weight
    p = (n1**2 * x0 - n0**2 * x1 + n1 * n0 * (n0 - n1) / 2) / total**2
    q = (x1 * (n0 - x0) + x0 * (n1 - x1)) / (2 * total)
    variance = float(estimate * p.sum() + q.sum()) / weight**2
    if variance < 1e-15:
        return Interval(estimate, UNDEFINED, UNDEFINED, *said, refused=NO_VARIANCE)
    half = normal_quantile(level) * math.sqrt(variance)
    return Interval(estimate, max(-1.0, estimate - half), min(1.0, estimate + half), *said)


def stratified_miettinen_nurminen(tables: npt.ArrayLike, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Score interval for the difference of shares common to all strata, first arm minus second.

    Parameters
    ----------
    tables : array_like of int, shape (strata, 4)
        x1, n1, x0, n0.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        Within [-1, 1], also where all answers are alike; undefined without a stratum that has both arms.

    Raises
    ------
    BadCounts
        When counts are impossible.

    Notes
    -----
    Mantel-Haenszel weights n1 n0 / N; the variance of every stratum at its constrained maximum of likelihood, times
    N/(N - 1).

    References
    ----------
    Miettinen, O. & Nurminen, M. (1985). Comparative analysis of two rates. Stat. Med. 4, 213-226.

    Examples
    --------
    >>> interval = stratified_miettinen_nurminen([[84, 240, 84, 240], [60, 60, 60, 60]])
    >>> interval.estimate, round(interval.low, 3), round(interval.high, 3)
    (0.0, -0.069, 0.069)
    """
    kept = informative(tables)
    said = _said(kept, (level, STRATIFIED_SCORE, estimand))
    if not len(kept):
        return Interval(UNDEFINED, UNDEFINED, UNDEFINED, *said, refused=NO_INFORMATION)
    x1, n1, x0, n0 = kept.T
    weights = n1 * n0 / (n1 + n0)
    estimate = float((weights * (x1 / n1 - x0 / n0)).sum() / weights.sum())
    low, high = difference_limits(kept, normal_quantile(level))
    return Interval(estimate, low, high, *said)


def cochran_mantel_haenszel(tables: npt.ArrayLike) -> Test:
    """Whether the arms differ in any stratum, all in one direction; without continuity correction.

    Parameters
    ----------
    tables : array_like of int, shape (strata, 4)
        x1, n1, x0, n0.

    Returns
    -------
    Test
        Chi-square with one degree of freedom; with one stratum the N - 1 chi-square of `score_test`. Undefined when in
        every stratum all answers are alike.

    Raises
    ------
    BadCounts
        When counts are impossible.

    References
    ----------
    Mantel, N. & Haenszel, W. (1959). Statistical aspects of the analysis of data from retrospective studies of disease.
    J. Natl. Cancer Inst. 22, 719-748.

    Examples
    --------
    >>> round(cochran_mantel_haenszel([[36, 60, 21, 60]] * 4 + [[25, 60, 20, 60]]).statistic, 2)
    28.34
    """
    kept = informative(tables)
    x1, n1, x0, n0 = kept.T
    total, yes = n1 + n0, x1 + x0
    variance = float((n1 * n0 * yes * (total - yes) / (total**2 * (total - 1))).sum())
    if variance <= 0:
        return _test(UNDEFINED, UNDEFINED, CMH, "no difference between the arms in any stratum", kept)
    statistic = float((x1 - yes * n1 / total).sum()) ** 2 / variance
    return _test(statistic, 1.0, CMH, "no difference between the arms in any stratum", kept)


def breslow_day_tarone(tables: npt.ArrayLike) -> Test:
    """Whether the odds ratio is the same in all strata.

    Parameters
    ----------
    tables : array_like of int, shape (strata, 4)
        x1, n1, x0, n0.

    Returns
    -------
    Test
        Chi-square with one degree of freedom less than the strata in which answers differ. Undefined with fewer than
        two of these, or where the Mantel-Haenszel odds ratio is 0 or infinite.

    Raises
    ------
    BadCounts
        When counts are impossible.

    References
    ----------
    Breslow, N. E. & Day, N. E. (1980). Statistical Methods in Cancer Research I, section 4.4. IARC.
    Tarone, R. E. (1985). On heterogeneity tests based on efficient scores. Biometrika 72, 91-95.

    Examples
    --------
    >>> round(breslow_day_tarone([[36, 60, 21, 60]] * 4 + [[25, 60, 20, 60]]).p, 2)
    0.64
    """
    kept = informative(tables)
    kept = kept[(kept[:, 0] + kept[:, 2] > 0) & (kept[:, 0] + kept[:, 2] < kept[:, 1] + kept[:, 3])]
    hypothesis = "the odds ratio is the same in every stratum"
    common = mantel_haenszel_odds_ratio(kept).estimate
    if len(kept) < 2 or not common > 0:
        return _test(UNDEFINED, UNDEFINED, BRESLOW_DAY, hypothesis, kept)
    x1, n1, x0, n0 = kept.T
    expected = expected_given_odds_ratio(n1, n0, x1 + x0, common)
    variance = hypergeometric_variance(n1, n0, x1 + x0, expected)
    beyond = x1 - expected
    statistic = float((beyond**2 / variance).sum()) - float(beyond.sum()) ** 2 / float(variance.sum())
    return _test(max(0.0, statistic), float(len(kept) - 1), BRESLOW_DAY, hypothesis, kept)


def informative(tables: npt.ArrayLike) -> Array:
    """The strata in which both arms have neurons.

    Parameters
    ----------
    tables : array_like of int, shape (strata, 4)
        x1, n1, x0, n0.

    Returns
    -------
    ndarray of float, shape (strata kept, 4)

    Raises
    ------
    BadCounts
        When there are not four columns, or a count is negative or above its arm.

    Examples
    --------
    >>> informative([[1, 2, 1, 3], [0, 0, 2, 4]]).tolist()
    [[1.0, 2.0, 1.0, 3.0]]
    """
    table = np.asarray(tables, dtype=float)
    if table.size == 0:
        return np.zeros((0, 4))
    if table.ndim != 2 or table.shape[1] != 4:
        raise BadCounts(f"tables of shape {table.shape}; give one row x1, n1, x0, n0 per stratum.")
    if np.any(table < 0) or np.any(table[:, [0, 2]] > table[:, [1, 3]]):
        raise BadCounts(f"impossible counts among {table.tolist()}; every x must lie between 0 and its n.")
    return table[(table[:, 1] > 0) & (table[:, 3] > 0)]


def _ratio(top: float, bottom: float, variance: float, tables: Array, words: tuple[float, str, str]) -> Interval:
    """An interval on the scale of the logarithm, or the reason why there is none."""
    said = _said(tables, words)
    if bottom == 0:
        reason = INFINITE if top > 0 else NO_INFORMATION
        return Interval(UNDEFINED, UNDEFINED, UNDEFINED, *said, refused=reason)
    if top == 0 or not variance > 0:
        return Interval(top / bottom, UNDEFINED, UNDEFINED, *said, refused=NO_VARIANCE)
    factor = math.exp(normal_quantile(words[0]) * math.sqrt(variance))
    ratio = top / bottom
    return Interval(ratio, ratio / factor, ratio * factor, *said)


def _said(tables: Array, words: tuple[float, str, str]) -> tuple[float, str, str, int, int]:
    return (*words, *_sizes(tables))


def _sizes(tables: Array) -> tuple[int, int]:
    neurons = int(tables[:, [1, 3]].sum())
    return neurons, neurons


def _test(statistic: float, df: float, method: str, hypothesis: str, tables: Array) -> Test:
    p = UNDEFINED if math.isnan(statistic) else float(stats.chi2.sf(statistic, df))
    return Test(statistic, df, p, method, hypothesis, *_sizes(tables))
