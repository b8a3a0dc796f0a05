"""Differences between two arms that show different, independently drawn neurons."""

from analysis.stats.limits import hybrid_limits
from analysis.stats.proportions import CLUSTER_WILSON, FINITE, ClusterMean, cluster_wilson
from analysis.stats.results import Interval

NEWCOMBE = "Newcombe"
CLUSTER_NEWCOMBE = "cluster Newcombe"


class LevelsDiffer(ValueError):
    """Two intervals of different confidence levels cannot be combined."""


def newcombe(first: Interval, second: Interval, *, estimand: str = "") -> Interval:
    """Hybrid score interval for a difference of two independent shares.

    Parameters
    ----------
    first, second : Interval
        Score intervals of one level (from `wilson` or `cluster_wilson`); the second is subtracted.
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        Within [-1, 1]; undefined when one of the two is.

    Raises
    ------
    LevelsDiffer
        When the two intervals have different confidence levels.

    Notes
    -----
    Newcombe's method 10: squares and adds the distances of each share to its own limits. Fed with cluster Wilson
    intervals it holds its level with several raters per neuron; every rater must then have judged both arms.

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions: comparison of eleven
    methods. Stat. Med. 17, 873-890.

    Examples
    --------
    >>> from analysis.stats.proportions import wilson
    >>> difference = newcombe(wilson(56, 70), wilson(48, 80))
    >>> round(difference.low, 4), round(difference.high, 4)
    (0.0524, 0.3339)
    """
    if first.level != second.level:
        raise LevelsDiffer(f"Intervals of levels {first.level} and {second.level}; make both with the same level.")
    method = _hybrid(first.method + second.method)
    n, judgments = first.n + second.n, first.judgments + second.judgments
    if not (first.defined and second.defined):
        return Interval.undefined(level=first.level, method=method, estimand=estimand, n=n, judgments=judgments)
    pair = [(one.estimate, one.low, one.high) for one in (first, second)]
    low, high = hybrid_limits(pair[0], pair[1])
    difference = first.estimate - second.estimate
    return Interval(difference, float(low), float(high), first.level, method, estimand, n, judgments)


def _hybrid(methods: str) -> str:
    return (CLUSTER_NEWCOMBE if CLUSTER_WILSON in methods else NEWCOMBE) + (FINITE if FINITE in methods else "")


def cluster_newcombe(first: ClusterMean, second: ClusterMean, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Newcombe's interval with the neuron as the unit.

    Parameters
    ----------
    first, second : ClusterMean
        Two arms, possibly each pooled over the same sizes; the second is subtracted.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        Plain Newcombe when every neuron has one answer.

    Examples
    --------
    >>> from analysis.stats.proportions import cluster_mean
    >>> solu, baseline = cluster_mean([1] * 36 + [0] * 24, [1] * 60), cluster_mean([1] * 21 + [0] * 39, [1] * 60)
    >>> difference = cluster_newcombe(solu, baseline)
    >>> difference.method, round(difference.low, 3), round(difference.high, 3)
    ('Newcombe', 0.071, 0.407)
    """
    pair = [cluster_wilson(mean, level=level) for mean in (first, second)]
    return newcombe(pair[0], pair[1], estimand=estimand)
