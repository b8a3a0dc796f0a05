"""The report's intervals for many replicates at once: as `analysis.stats`, with arrays in place of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.planner.model import Array
from analysis.stats.limits import effective_sizes, hybrid_limits, score_limits
from analysis.stats.proportions import normal_quantile


@dataclass(frozen=True, slots=True)
class Means:
    """Mean of neuron scores pooled over sizes, in every replicate; see `analysis.stats.proportions.ClusterMean`."""

    estimate: Array
    variance: Array
    n: int
    judgments: int


@dataclass(frozen=True, slots=True)
class Intervals:
    """Estimate, limits and the value that the interval is about, each (replicates,)."""

    estimate: Array
    low: Array
    high: Array
    truth: Array

    @property
    def width(self) -> Array:
        return self.high - self.low

    @property
    def covers(self) -> np.ndarray:
        return (self.low <= self.truth) & (self.truth <= self.high)

    @property
    def excludes_zero(self) -> np.ndarray:
        return (self.low > 0) | (self.high < 0)


def pooled(strata: Sequence[Array], each: int) -> Means:
    """Mean over sizes with equal weights.

    Parameters
    ----------
    strata : sequence of ndarray, (replicates, neurons)
        Share of yes of every neuron, one array per size.
    each : int
        Raters per neuron.
    """
    shares = np.stack([scores.mean(axis=1) for scores in strata])
    if each == 1:
        variances = shares * (1 - shares) / strata[0].shape[1]
    else:
        variances = np.stack([scores.var(axis=1, ddof=1) / scores.shape[1] for scores in strata])
    n = sum(scores.shape[1] for scores in strata)
    return Means(shares.mean(axis=0), variances.sum(axis=0) / len(strata) ** 2, n, n * each)


def intervals(means: Means, truth: Array, level: float) -> Intervals:
    """Cluster Wilson intervals."""
    size = effective_sizes(means.estimate, means.variance, means.n, means.judgments)
    low, high = score_limits(means.estimate, size, normal_quantile(level))
    return Intervals(means.estimate, low, high, truth)


def differences(first: Intervals, second: Intervals) -> Intervals:
    """Newcombe intervals of first minus second."""
    low, high = hybrid_limits((first.estimate, first.low, first.high), (second.estimate, second.low, second.high))
    return Intervals(first.estimate - second.estimate, low, high, first.truth - second.truth)
