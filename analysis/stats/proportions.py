"""Intervals for one fraction: Wilson, and Wilson with the neuron as the unit when several raters judged each neuron."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.stats.limits import effective_sizes, score_limits
from analysis.stats.results import UNDEFINED, Interval

WILSON = "Wilson"
CLUSTER_WILSON = "cluster Wilson"
FINITE = " with finite population correction"


class BadCounts(ValueError):
    """Counts that cannot come from any ratings."""


@dataclass(frozen=True, slots=True)
class ClusterMean:
    """Mean of neuron scores with its sampling variance; what intervals and pooling are made from.

    Parameters
    ----------
    estimate : float
        Mean over neurons, in [0, 1]; NaN without neurons.
    variance : float
        Sampling variance of `estimate`; NaN when one neuron was judged by several raters.
    n : int
        Neurons.
    judgments : int
        Answers behind them; the most that the effective sample size can be.
    single : bool
        True when every neuron has exactly one answer, so that the answers are plain independent trials.
    df : float
        Degrees of freedom of `variance`.
    sampled : float
        Share of a finite population that was judged, for which `variance` is corrected; 0 for neurons that stand for
        others without end.
    """

    estimate: float
    variance: float
    n: int
    judgments: int
    single: bool
    df: float
    sampled: float = 0.0


def wilson(yes: int, n: int, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Score interval for a binomial share.

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
        Never outside [0, 1]; exactly 0 at the lower end for `yes` = 0 and 1 at the upper end for `yes` = `n`.

    Raises
    ------
    BadCounts
        When the counts are negative or `yes` is above `n`.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22, 209-212.
    Brown, L. D., Cai, T. T. & DasGupta, A. (2001). Interval estimation for a binomial proportion. Stat. Sci. 16,
    101-133.

    Examples
    --------
    >>> interval = wilson(21, 60)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.242, 0.476)
    """
    return cluster_wilson(binomial_mean(yes, n), level=level, estimand=estimand)


def cluster_mean(yes: npt.ArrayLike, judged: npt.ArrayLike) -> ClusterMean:
    """Mean over neurons of the share of raters who said yes.

    Parameters
    ----------
    yes, judged : array_like of int, shape (neurons,)
        Yes answers and all yes/no answers per neuron. A neuron without an answer is left out.

    Returns
    -------
    ClusterMean
        The neuron is the unit, so the answers of several raters on one neuron may agree as much as they like.

    Notes
    -----
    Every neuron weighs the same, whether two or three raters judged it. With one answer per neuron the variance is the
    binomial p(1-p)/n; otherwise it is the sample variance of the neuron shares over n.

    Examples
    --------
    >>> mean = cluster_mean([3, 0, 2, 1], [3, 3, 3, 3])
    >>> mean.estimate, mean.n, mean.judgments
    (0.5, 4, 12)
    """
    yes_counts, judged_counts = np.asarray(yes, dtype=float), np.asarray(judged, dtype=float)
    if yes_counts.shape != judged_counts.shape or np.any(yes_counts < 0) or np.any(yes_counts > judged_counts):
        raise BadCounts("yes and judged must be of one length with 0 <= yes <= judged for every neuron.")
    seen = judged_counts > 0
    scores = yes_counts[seen] / judged_counts[seen]
    single = bool(np.all(judged_counts[seen] == 1))
    return score_mean(scores, judgments=int(judged_counts.sum()), single=single)


def binomial_mean(yes: int, n: int) -> ClusterMean:
    """Share of yes among independent answers, in the form that pooling takes.

    Parameters
    ----------
    yes, n : int
        Successes and independent trials, 0 <= yes <= n.

    Returns
    -------
    ClusterMean
        With `single` True; the variance is p(1-p)/n.

    Examples
    --------
    >>> binomial_mean(30, 60).estimate
    0.5
    """
    if not 0 <= yes <= n:
        raise BadCounts(f"{yes} yes of {n} judgments is impossible; the first must lie between 0 and the second.")
    if n == 0:
        return ClusterMean(UNDEFINED, UNDEFINED, 0, 0, True, 0.0)
    share = yes / n
    return ClusterMean(share, share * (1 - share) / n, n, n, True, float(n - 1))


def score_mean(scores: npt.NDArray[np.float64], *, judgments: int, single: bool = False) -> ClusterMean:
    """Mean of one score in [0, 1] per neuron.

    Parameters
    ----------
    scores : ndarray of float, shape (neurons,)
        Scores in [0, 1].
    judgments : int
        Answers behind the scores.
    single : bool
        Whether each score is one 0/1 answer.

    Returns
    -------
    ClusterMean

    Examples
    --------
    >>> score_mean(np.array([0.0, 1.0]), judgments=2, single=True).variance
    0.125
    """
    n = len(scores)
    if n == 0:
        return ClusterMean(UNDEFINED, UNDEFINED, 0, 0, True, 0.0)
    mean = math.fsum(scores) / n
    if single:
        variance = mean * (1 - mean) / n
    else:
        variance = float(scores.var(ddof=1)) / n if n > 1 else UNDEFINED
    return ClusterMean(mean, variance, n, judgments, single, float(n - 1))


def pool_equal(means: Sequence[ClusterMean]) -> ClusterMean:
    """Mean of several strata (model sizes) with equal weights.

    Parameters
    ----------
    means : sequence of ClusterMean
        One per stratum, drawn independently. Strata without neurons are left out.

    Returns
    -------
    ClusterMean
        Estimate: mean of the estimates. Variance: sum of the variances over the squared number of strata. Degrees of
        freedom: their sum.

    Notes
    -----
    One stratum pools to itself. A stratum with one neuron judged by several raters has no variance of its own, and so
    the pooled result has none either.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, 3rd ed., section 5.3. Wiley.
    Yan, X. & Su, X. G. (2010). Stratified Wilson and Newcombe confidence intervals. Stat. Biopharm. Res. 2, 329-335.

    Examples
    --------
    >>> a, b = cluster_mean([1, 0], [1, 1]), cluster_mean([1, 1], [1, 1])
    >>> pool_equal([a, b]).estimate
    0.75
    """
    kept = [mean for mean in means if mean.n > 0]
    if not kept:
        return ClusterMean(UNDEFINED, UNDEFINED, 0, 0, True, 0.0)
    count = len(kept)
    return ClusterMean(
        estimate=math.fsum(mean.estimate for mean in kept) / count,
        variance=math.fsum(mean.variance for mean in kept) / count**2,
        n=sum(mean.n for mean in kept),
        judgments=sum(mean.judgments for mean in kept),
        single=all(mean.single for mean in kept),
        df=math.fsum(mean.df for mean in kept),
        sampled=_pooled_sampled(kept),
    )


def _pooled_sampled(means: Sequence[ClusterMean]) -> float:
    if any(mean.sampled == 0 for mean in means):
        return 0.0
    return sum(mean.n for mean in means) / math.fsum(mean.n / mean.sampled for mean in means)


def cluster_wilson(mean: ClusterMean, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Wilson interval on the effective number of independent answers.

    Parameters
    ----------
    mean : ClusterMean
        From `cluster_mean` or `pool_equal`.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        Plain Wilson when every neuron has one answer.

    Notes
    -----
    The effective size is p(1-p)/V, drawn towards the number of neurons as far as few neurons cannot tell what several
    raters win (`analysis.stats.limits.effective_sizes`); at least 1 and at most the number of answers. Without any
    variance (all neurons alike) each neuron counts as one answer; a single neuron with several raters counts as one
    answer. Answers the panel question: these raters, new neurons.

    References
    ----------
    Korn, E. L. & Graubard, B. I. (1998). Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data. Survey Methodology 24, 193-201.
    Saha, K. K., Miller, D. & Wang, S. (2016). A comparison of some approximate confidence intervals for a single
    proportion for clustered binary outcome data. Int. J. Biostat. 12(2).

    Examples
    --------
    >>> one_rater = cluster_wilson(cluster_mean([1] * 21 + [0] * 39, [1] * 60))
    >>> one_rater.method, round(one_rater.low, 3), round(one_rater.high, 3)
    ('Wilson', 0.242, 0.476)
    >>> agreeing = cluster_wilson(cluster_mean([3] * 21 + [0] * 39, [3] * 60))
    >>> agreeing.method, round(agreeing.low, 3), round(agreeing.high, 3)
    ('cluster Wilson', 0.241, 0.477)
    """
    method = (WILSON if mean.single else CLUSTER_WILSON) + (FINITE if mean.sampled else "")
    if mean.n == 0:
        return Interval.undefined(level=level, method=method, estimand=estimand)
    low, high = score_limits(mean.estimate, effective_size(mean), normal_quantile(level))
    return Interval(mean.estimate, float(low), float(high), level, method, estimand, mean.n, mean.judgments)


def effective_size(mean: ClusterMean) -> float:
    """How many independent answers the judgments are worth.

    Parameters
    ----------
    mean : ClusterMean
        With at least one neuron.

    Returns
    -------
    float
        In [1, judgments]; with a finite population up to judgments / (1 - n/N), infinite when all neurons were judged.

    Examples
    --------
    >>> effective_size(cluster_mean([1, 0, 1, 0], [1, 1, 1, 1]))
    4.0
    """
    sizes = effective_sizes(mean.estimate, mean.variance, mean.n, mean.judgments, sampled=mean.sampled)
    return float(sizes)


@lru_cache(maxsize=4096)
def normal_quantile(level: float) -> float:
    """Standard errors on either side of a normal estimate.

    Parameters
    ----------
    level : float
        Confidence level in (0, 1).

    Returns
    -------
    float

    Examples
    --------
    >>> round(normal_quantile(0.95), 6)
    1.959964
    """
    return float(stats.norm.ppf((1 + level) / 2))
