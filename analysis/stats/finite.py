"""Shares of the counted neurons of a layer: sampling without replacement, so a sample of all of them knows all."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from analysis.stats.exact import checked
from analysis.stats.limits import NO_VARIANCE
from analysis.stats.proportions import BadCounts, ClusterMean
from analysis.stats.results import UNDEFINED, Interval

HYPERGEOMETRIC = "exact hypergeometric, equal tails"


def hypergeometric(yes: int, n: int, population: int, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Exact interval for the share of a finite layer, from a simple random sample of its neurons.

    Parameters
    ----------
    yes, n : int
        Yes answers and neurons in the sample, one answer each, 0 <= yes <= n. `n` = 0 gives an undefined result.
    population : int
        Neurons of the layer, at least `n`.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        Limits M/N, M the count of yes neurons in the layer; the sample's share itself when every neuron was judged.

    Raises
    ------
    BadCounts
        When the counts are impossible or the sample is larger than the layer.

    Notes
    -----
    All M with P(X >= yes) > (1 - level)/2 and P(X <= yes) > (1 - level)/2. Both tails are monotone in M, so each end is
    found by bisection. The sample's share need not be one of the M/N: where nearly all neurons were judged, the limits
    are stretched to hold it.

    References
    ----------
    Buonaccorsi, J. P. (1987). A note on confidence intervals for proportions in finite populations. Am. Stat. 41,
    215-218.
    Wang, W. (2015). Exact optimal confidence intervals for hypergeometric parameters. JASA 110, 1491-1499.

    Examples
    --------
    >>> interval = hypergeometric(21, 60, 1024)
    >>> round(interval.low * 1024), round(interval.high * 1024)
    (241, 491)
    """
    checked(yes, n)
    if n > population:
        raise BadCounts(f"{n} neurons judged of a layer of {population}; give the layer's count, at least {n}.")
    if n == 0:
        return Interval.undefined(level=level, method=HYPERGEOMETRIC, estimand=estimand)
    least = _fewest(yes, n, population, (1 - level) / 2)
    most = population - _fewest(n - yes, n, population, (1 - level) / 2)
    share = yes / n
    low, high = min(least / population, share), max(most / population, share)
    return Interval(share, low, high, level, HYPERGEOMETRIC, estimand, n, n)


def finite_mean(mean: ClusterMean, population: int) -> ClusterMean:
    """A mean over sampled neurons as an estimate for the counted neurons of their layer.

    Parameters
    ----------
    mean : ClusterMean
        Of a simple random sample of neurons.
    population : int
        Neurons that the sample was drawn from, at least `mean.n`.

    Returns
    -------
    ClusterMean
        With the variance times 1 - n/N; intervals made from it become a point when every neuron was judged.

    Raises
    ------
    BadCounts
        When the sample is larger than the population.

    Notes
    -----
    The whole variance of a `ClusterMean` comes from which neurons were drawn: it answers the panel question. What
    raters would add (the generalising question) does not shrink however many neurons are judged; correct the neurons'
    part before that is added.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, 3rd ed., section 2.6. Wiley.

    Examples
    --------
    >>> from analysis.stats.proportions import binomial_mean
    >>> finite_mean(binomial_mean(30, 60), 120).variance == binomial_mean(30, 60).variance / 2
    True
    """
    if mean.n > population:
        raise BadCounts(f"{mean.n} neurons judged of {population}; give the count of all neurons, at least {mean.n}.")
    if mean.n == 0:
        return mean
    left = 1 - mean.n / population
    return replace(mean, variance=mean.variance * left, sampled=mean.n / population)


def layered_mean(means: Sequence[ClusterMean], populations: Sequence[int]) -> ClusterMean:
    """Share of all neurons of several layers, from a simple random sample in each.

    Parameters
    ----------
    means : sequence of ClusterMean
        One per layer, each from an own simple random sample.
    populations : sequence of int
        Neurons of each layer. A layer without neurons is left out.

    Returns
    -------
    ClusterMean
        Weights N_h/N, finite population correction in every layer, Satterthwaite's degrees of freedom. Undefined when
        a layer has no judged neuron: nothing is known of it. Without a variance (NaN) when only one neuron of a larger
        layer was judged: nothing is known of how neurons differ there.

    Raises
    ------
    BadCounts
        When a sample is larger than its layer or the two lists differ in length.

    References
    ----------
    Cochran, W. G. (1977). Sampling Techniques, 3rd ed., sections 5.3-5.4. Wiley.

    Examples
    --------
    >>> from analysis.stats.proportions import cluster_mean
    >>> layers = [cluster_mean([1, 0], [1, 1]), cluster_mean([1, 1], [1, 1])]
    >>> layered_mean(layers, [30, 10]).estimate
    0.625
    """
    if len(means) != len(populations):
        raise BadCounts(f"{len(means)} layers with {len(populations)} counts of neurons; give one count per layer.")
    pairs = [(finite_mean(mean, count), count) for mean, count in zip(means, populations, strict=True) if count > 0]
    judged = sum(mean.n for mean, _ in pairs)
    if not pairs or any(mean.n == 0 for mean, _ in pairs):
        return ClusterMean(UNDEFINED, UNDEFINED, 0, 0, True, 0.0)
    total = sum(count for _, count in pairs)
    parts = [(count / total) ** 2 * _unbiased(mean) for mean, count in pairs]
    return ClusterMean(
        estimate=math.fsum(count / total * mean.estimate for mean, count in pairs),
        variance=math.fsum(parts),
        n=judged,
        judgments=sum(mean.judgments for mean, _ in pairs),
        single=False,
        df=_satterthwaite(parts, [mean.n for mean, _ in pairs]),
        sampled=judged / total,
    )


def _unbiased(mean: ClusterMean) -> float:
    """Cochran's s^2/n (1 - n/N): the binomial p(1-p)/n of single answers is too small by (n - 1)/n."""
    if mean.sampled == 1:
        return 0.0
    if not mean.single:
        return mean.variance
    return mean.variance * mean.n / (mean.n - 1) if mean.n > 1 else UNDEFINED


def _satterthwaite(parts: Sequence[float], sizes: Sequence[int]) -> float:
    variance = math.fsum(parts)
    if math.isnan(variance) or variance < NO_VARIANCE:
        return float(sum(sizes) - len(sizes))
    return variance**2 / math.fsum(part**2 / (n - 1) for part, n in zip(parts, sizes, strict=True) if n > 1)


def _fewest(yes: int, n: int, population: int, tail: float) -> int:
    """The smallest count of yes neurons in the layer that makes `yes` or more in the sample likelier than `tail`."""
    low, high = yes, population - (n - yes)
    while low < high:
        middle = (low + high) // 2
        if _at_least(yes, n, middle, population) > tail:
            high = middle
        else:
            low = middle + 1
    return low


def _at_least(yes: int, n: int, count: int, population: int) -> float:
    """P(X >= yes) in a sample of `n` from a layer with `count` yes neurons, by adding up the smaller side."""
    least, most = max(0, n - (population - count)), min(n, count)
    upper = most - yes < yes - least
    k = np.arange(yes, most + 1) if upper else np.arange(least, yes)
    logs = _log_choose(count, k) + _log_choose(population - count, n - k) - _log_choose(population, np.array(n))
    part = float(np.exp(logs).sum())
    return part if upper else 1 - part


def _log_choose(total: int, chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return gammaln(total + 1.0) - gammaln(chosen + 1.0) - gammaln(total - chosen + 1.0)
