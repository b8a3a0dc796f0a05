"""Intervals for one share of independent answers that are exact or nearly so: Clopper-Pearson and Jeffreys."""

from scipy import stats

from analysis.stats.proportions import BadCounts
from analysis.stats.results import Interval

CLOPPER_PEARSON = "Clopper-Pearson"
JEFFREYS = "Jeffreys"


def clopper_pearson(yes: int, n: int, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Exact interval for a binomial share: it covers at least as often as it says, and mostly more often.

    Parameters
    ----------
    yes, n : int
        Successes and independent trials, 0 <= yes <= n. `n` = 0 gives an undefined result.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        For "at least" guarantees; Wilson's interval is shorter and covers about as often as it says.

    Raises
    ------
    BadCounts
        When the counts are negative or `yes` is above `n`.

    References
    ----------
    Clopper, C. J. & Pearson, E. S. (1934). The use of confidence or fiducial limits illustrated in the case of the
    binomial. Biometrika 26, 404-413.

    Examples
    --------
    >>> interval = clopper_pearson(0, 60)
    >>> interval.low, round(interval.high, 4)
    (0.0, 0.0596)
    """
    checked(yes, n)
    if n == 0:
        return Interval.undefined(level=level, method=CLOPPER_PEARSON, estimand=estimand)
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, yes, n - yes + 1)) if yes > 0 else 0.0
    high = float(stats.beta.isf(tail, yes + 1, n - yes)) if yes < n else 1.0
    return Interval(yes / n, low, high, level, CLOPPER_PEARSON, estimand, n, n)


def jeffreys(yes: int, n: int, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Equal-tailed interval of the posterior under Jeffreys' prior Beta(1/2, 1/2).

    Parameters
    ----------
    yes, n : int
        Successes and independent trials, 0 <= yes <= n. `n` = 0 gives an undefined result.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        Exactly 0 at the lower end for `yes` = 0 and 1 at the upper end for `yes` = `n`: without that rule the interval
        could never cover a share of 0 or 1.

    Raises
    ------
    BadCounts
        When the counts are negative or `yes` is above `n`.

    References
    ----------
    Brown, L. D., Cai, T. T. & DasGupta, A. (2001). Interval estimation for a binomial proportion. Stat. Sci. 16,
    101-133.

    Examples
    --------
    >>> interval = jeffreys(21, 60)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.2386, 0.4755)
    """
    checked(yes, n)
    if n == 0:
        return Interval.undefined(level=level, method=JEFFREYS, estimand=estimand)
    tail, a, b = (1 - level) / 2, yes + 0.5, n - yes + 0.5
    low = float(stats.beta.ppf(tail, a, b)) if yes > 0 else 0.0
    high = float(stats.beta.isf(tail, a, b)) if yes < n else 1.0
    return Interval(yes / n, low, high, level, JEFFREYS, estimand, n, n)


def checked(yes: int, n: int) -> None:
    """Refuse counts that no answers can give.

    Parameters
    ----------
    yes, n : int
        Successes and trials.

    Raises
    ------
    BadCounts
        Unless 0 <= yes <= n.

    Examples
    --------
    >>> checked(3, 5)
    """
    if not 0 <= yes <= n:
        raise BadCounts(f"{yes} yes of {n} judgments is impossible; the first must lie between 0 and the second.")
