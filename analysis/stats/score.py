"""Two arms with independent neurons and one answer per neuron: score intervals, and the tests that go with them."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from analysis.stats.constrained import (
    expected_given_odds_ratio,
    given_difference,
    given_ratio,
    hypergeometric_variance,
)
from analysis.stats.exact import checked
from analysis.stats.proportions import normal_quantile
from analysis.stats.results import UNDEFINED, Interval, Test

Array = npt.NDArray[np.float64]
MIETTINEN_NURMINEN = "Miettinen-Nurminen score"
KOOPMAN = "Koopman score"
SCORE_TEST = "score test, chi-square with N - 1"
PEARSON = "Pearson's chi-square without continuity correction"
FISHER_MIDP = "Fisher mid-p, two-sided by probability"
EQUAL_SHARES = "both arms have the same share of yes"
NO_UPPER = "no estimate and no upper limit: one arm's answers are all alike, and the ratio may be of any size"
NOTHING_TO_COMPARE = "neither estimate nor limits: the answers of both arms are all alike"
NUDGE = 1e-10  # from an estimate at which the variance is 0
FAR = 20.0  # log of a ratio from which the search starts where the estimate is 0 or infinite
BOUND = 700.0  # log of the largest ratio that is looked at: its exponential still is a number


def miettinen_nurminen(
    x1: int, n1: int, x0: int, n0: int, *, level: float = 0.95, estimand: str = "", corrected: bool = True
) -> Interval:
    """Score interval for the difference of two independent shares, first minus second.

    Parameters
    ----------
    x1, n1, x0, n0 : int
        Yes answers and neurons of the two arms, one answer per neuron.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.
    corrected : bool
        With the factor N/(N - 1) of Miettinen and Nurminen; without it this is the interval of Mee (1984).

    Returns
    -------
    Interval
        Within [-1, 1]; undefined when an arm is empty. Extremes are no exception: 0/60 against 0/60 has limits.

    Raises
    ------
    BadCounts
        When counts are impossible.

    References
    ----------
    Miettinen, O. & Nurminen, M. (1985). Comparative analysis of two rates. Stat. Med. 4, 213-226.

    Examples
    --------
    >>> interval = miettinen_nurminen(36, 60, 12, 60)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.2296, 0.5475)
    """
    method = MIETTINEN_NURMINEN if corrected else "Mee score"
    if _empty(x1, n1, x0, n0):
        return Interval.undefined(level=level, method=method, estimand=estimand, n=n1 + n0, judgments=n1 + n0)
    tables = np.array([[x1, n1, x0, n0]], dtype=float)
    low, high = difference_limits(tables, normal_quantile(level), corrected=corrected)
    return Interval(x1 / n1 - x0 / n0, low, high, level, method, estimand, n1 + n0, n1 + n0)


def score_ratio(
    x1: int, n1: int, x0: int, n0: int, *, level: float = 0.95, estimand: str = "", corrected: bool = True
) -> Interval:
    """Score interval for the ratio of two independent shares, first over second.

    Parameters
    ----------
    x1, n1, x0, n0 : int
        Yes answers and neurons of the two arms, one answer per neuron.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.
    corrected : bool
        With the factor N/(N - 1) of Miettinen and Nurminen; without it this is the interval of Koopman.

    Returns
    -------
    Interval
        Without a yes in the second arm there is no estimate and no upper limit; the lower one is still given and
        `refused` says so. Without a yes in either arm nothing is given.

    Raises
    ------
    BadCounts
        When counts are impossible.

    References
    ----------
    Koopman, P. A. R. (1984). Confidence intervals for the ratio of two binomial proportions. Biometrics 40, 513-517.
    Miettinen, O. & Nurminen, M. (1985). Comparative analysis of two rates. Stat. Med. 4, 213-226.

    Examples
    --------
    >>> interval = score_ratio(36, 60, 21, 60)
    >>> round(interval.estimate, 2), round(interval.low, 2), round(interval.high, 2)
    (1.71, 1.16, 2.6)
    """
    method = (MIETTINEN_NURMINEN if corrected else KOOPMAN) + " for the ratio"
    if _empty(x1, n1, x0, n0):
        return Interval.undefined(level=level, method=method, estimand=estimand, n=n1 + n0, judgments=n1 + n0)
    said = (level, method, estimand, n1 + n0, n1 + n0)
    if x1 + x0 == 0:
        return Interval(UNDEFINED, UNDEFINED, UNDEFINED, *said, refused=NOTHING_TO_COMPARE)
    yes, first, others_yes, second = (np.array([count], dtype=float) for count in (x1, n1, x0, n0))
    quantile = normal_quantile(level) * _inflation(n1 + n0, corrected)

    def distance(log: float) -> float:
        """How far the first share lies from its fit, beyond what the quantile allows."""
        ratio = math.exp(log)
        p1, p0 = given_ratio(yes, first, others_yes, second, ratio)
        spread = math.sqrt(float((p1 * (1 - p1) / n1 + ratio**2 * p0 * (1 - p0) / n0)[0]))
        return (abs(x1 / n1 - ratio * x0 / n0) - quantile * spread) / max(1.0, ratio)

    ratio = math.inf if x0 == 0 else (x1 / n1) / (x0 / n0)
    return _of_ratio(distance, ratio, said)


def score_odds_ratio(
    x1: int, n1: int, x0: int, n0: int, *, level: float = 0.95, estimand: str = "", corrected: bool = True
) -> Interval:
    """Score interval for the odds ratio of two independent shares, first over second.

    Parameters
    ----------
    x1, n1, x0, n0 : int
        Yes answers and neurons of the two arms, one answer per neuron.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.
    corrected : bool
        With the factor N/(N - 1) of Miettinen and Nurminen; without it this is Cornfield's interval without continuity
        correction.

    Returns
    -------
    Interval
        Where the odds ratio is infinite there is no estimate and no upper limit; the lower one is still given and
        `refused` says so. With only yes or only no in both arms nothing is given.

    Raises
    ------
    BadCounts
        When counts are impossible.

    References
    ----------
    Cornfield, J. (1956). A statistical problem arising from retrospective studies. Proc. 3rd Berkeley Symp. 4, 135-148.
    Miettinen, O. & Nurminen, M. (1985). Comparative analysis of two rates. Stat. Med. 4, 213-226.

    Examples
    --------
    >>> interval = score_odds_ratio(9, 13, 4, 14)
    >>> round(interval.estimate, 3), round(interval.low, 4), round(interval.high, 4)
    (5.625, 1.0934, 28.9419)
    """
    method = (MIETTINEN_NURMINEN if corrected else "Cornfield score") + " for the odds ratio"
    if _empty(x1, n1, x0, n0):
        return Interval.undefined(level=level, method=method, estimand=estimand, n=n1 + n0, judgments=n1 + n0)
    said = (level, method, estimand, n1 + n0, n1 + n0)
    if x1 + x0 in (0, n1 + n0):
        return Interval(UNDEFINED, UNDEFINED, UNDEFINED, *said, refused=NOTHING_TO_COMPARE)
    first, second, yes = (np.array([count], dtype=float) for count in (n1, n0, x1 + x0))
    quantile = normal_quantile(level) * _inflation(n1 + n0, corrected)

    def distance(log: float) -> float:
        """How far the first count lies from its expectation, beyond what the quantile allows."""
        expected = expected_given_odds_ratio(first, second, yes, math.exp(log))
        variance = float(hypergeometric_variance(first, second, yes, expected)[0])
        return abs(x1 - float(expected[0])) - quantile * math.sqrt(variance)

    against = (n1 - x1) * x0
    ratio = math.inf if against == 0 else x1 * (n0 - x0) / against
    return _of_ratio(distance, ratio, said)


def score_test(x1: int, n1: int, x0: int, n0: int, *, corrected: bool = True) -> Test:
    """Whether two independent shares are equal: the score test in its N - 1 form, without continuity correction.

    Parameters
    ----------
    x1, n1, x0, n0 : int
        Yes answers and neurons of the two arms, one answer per neuron.
    corrected : bool
        With the factor (N - 1)/N of the score intervals; without it this is Pearson's chi-square.

    Returns
    -------
    Test
        Chi-square with one degree of freedom. Undefined when an arm is empty or all answers are the same.

    Notes
    -----
    Rejects at level a exactly when the Miettinen-Nurminen interval of level 1 - a leaves out 0.

    References
    ----------
    Campbell, I. (2007). Chi-squared and Fisher-Irwin tests of two-by-two tables with small sample recommendations.
    Stat. Med. 26, 3661-3675.

    Examples
    --------
    >>> round(score_test(36, 60, 21, 60).p, 4)
    0.0063
    """
    total, yes, method = n1 + n0, x1 + x0, SCORE_TEST if corrected else PEARSON
    if _empty(x1, n1, x0, n0) or yes in (0, total):
        return Test(UNDEFINED, 1.0, UNDEFINED, method, EQUAL_SHARES, total, total)
    statistic = (x1 * n0 - x0 * n1) ** 2 * (total - corrected) / (n1 * n0 * yes * (total - yes))
    return Test(statistic, 1.0, float(stats.chi2.sf(statistic, 1)), method, EQUAL_SHARES, total, total)


def fisher_midp(x1: int, n1: int, x0: int, n0: int) -> Test:
    """Fisher's exact test with half the weight on tables as probable as the one observed: for small counts.

    Parameters
    ----------
    x1, n1, x0, n0 : int
        Yes answers and neurons of the two arms, one answer per neuron.

    Returns
    -------
    Test
        `statistic` is the probability of the observed table, given its margins. Undefined when an arm is empty or all
        answers are the same: then there is but one table.

    References
    ----------
    Lydersen, S., Fagerland, M. W. & Laake, P. (2009). Recommended tests for association in 2x2 tables. Stat. Med. 28,
    1159-1175.

    Examples
    --------
    >>> round(fisher_midp(0, 16, 15, 72).p, 5)
    0.04466
    """
    total, yes = n1 + n0, x1 + x0
    if _empty(x1, n1, x0, n0) or yes in (0, total):
        return Test(UNDEFINED, UNDEFINED, UNDEFINED, FISHER_MIDP, EQUAL_SHARES, total, total)
    tables = np.arange(max(0, yes - n0), min(n1, yes) + 1)
    chances = stats.hypergeom.pmf(tables, total, yes, n1)
    observed = float(stats.hypergeom.pmf(x1, total, yes, n1))
    alike = np.isclose(chances, observed, rtol=1e-7, atol=0)
    p = float(chances[(chances < observed) & ~alike].sum() + chances[alike].sum() / 2)
    return Test(observed, UNDEFINED, min(1.0, p), FISHER_MIDP, EQUAL_SHARES, total, total)


def difference_limits(tables: Array, quantile: float, *, corrected: bool = True) -> tuple[float, float]:
    """Score limits of a difference common to one or more independent tables, with Mantel-Haenszel weights.

    Parameters
    ----------
    tables : ndarray of float, shape (strata, 4)
        x1, n1, x0, n0, no arm empty.
    quantile : float
        Of the standard normal distribution.
    corrected : bool
        With the factor N/(N - 1) in each stratum.

    Returns
    -------
    low, high : float
        In [-1, 1].

    Examples
    --------
    >>> low, high = difference_limits(np.array([[36.0, 60.0, 21.0, 60.0]]), 1.96)
    >>> round(low, 3), round(high, 3)
    (0.071, 0.413)
    """
    x1, n1, x0, n0 = tables.T
    weights = n1 * n0 / (n1 + n0)
    weights = weights / weights.sum()
    factor = (n1 + n0) / (n1 + n0 - 1) if corrected else np.ones_like(n1)
    estimate = float((weights * (x1 / n1 - x0 / n0)).sum())

    def distance(difference: float) -> float:
        p1, p0 = given_difference(x1, n1, x0, n0, difference)
        variance = (weights**2 * factor * (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)).sum()
        return abs(estimate - difference) - quantile * math.sqrt(float(variance))

    return _crossing(distance, estimate, -1.0), _crossing(distance, estimate, 1.0)


def _empty(x1: int, n1: int, x0: int, n0: int) -> bool:
    checked(x1, n1)
    checked(x0, n0)
    return n1 == 0 or n0 == 0


def _inflation(total: int, corrected: bool) -> float:
    return math.sqrt(total / (total - 1)) if corrected else 1.0


def _crossing(distance: Callable[[float], float], estimate: float, end: float) -> float:
    """Where `distance` turns positive between the estimate and the end of the range."""
    if abs(end - estimate) <= NUDGE or distance(end) <= 0:
        return end
    start = estimate + math.copysign(NUDGE, end - estimate)
    if distance(start) >= 0:
        return estimate
    return float(optimize.brentq(distance, start, end, xtol=1e-14, rtol=1e-14))


def _of_ratio(distance: Callable[[float], float], ratio: float, said: tuple[float, str, str, int, int]) -> Interval:
    """The interval of a ratio, looked for on the scale of its logarithm."""
    if math.isinf(ratio):
        return Interval(UNDEFINED, _ratio_limit(distance, FAR, -1), UNDEFINED, *said, refused=NO_UPPER)
    if ratio == 0:
        return Interval(0.0, 0.0, _ratio_limit(distance, -FAR, 1), *said)
    log = math.log(ratio)
    return Interval(ratio, _ratio_limit(distance, log, -1), _ratio_limit(distance, log, 1), *said)


def _ratio_limit(distance: Callable[[float], float], start: float, direction: int) -> float:
    start += direction * NUDGE
    step = 1.0
    while distance(start + direction * step) < 0 and abs(start + direction * step) < BOUND / 2:
        step *= 2
    return math.exp(float(optimize.brentq(distance, start, start + direction * step, xtol=1e-14, rtol=1e-14)))
