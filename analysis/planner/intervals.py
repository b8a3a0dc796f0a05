"""The report's intervals for many replicates at once: as `analysis.stats`, with arrays in place of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.planner.model import Array
from analysis.stats.proportions import NO_VARIANCE


@dataclass(frozen=True, slots=True)
class Means:
    """Mean of neuron scores pooled over sizes, in every replicate; see `analysis.stats.proportions.ClusterMean`."""

    estimate: Array
    variance: Array
    n: int
    judgments: int
    df: float
    single: bool


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
    df = float(n - len(strata))
    return Means(shares.mean(axis=0), variances.sum(axis=0) / len(strata) ** 2, n, n * each, df, each == 1)


def intervals(means: Means, truth: Array, level: float) -> Intervals:
    """Cluster Wilson intervals."""
    share, tail = means.estimate, (1 + level) / 2
    quantile = stats.norm.ppf(tail) if means.single else stats.t.ppf(tail, means.df)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.clip(share * (1 - share) / means.variance, 1.0, means.judgments)
    size = np.where(means.variance < NO_VARIANCE, float(means.n), size)
    shrink = quantile**2 / size
    centre = (share + shrink / 2) / (1 + shrink)
    half = quantile / (1 + shrink) * np.sqrt(share * (1 - share) / size + shrink / (4 * size))
    low = np.where(share <= 0, 0.0, np.maximum(0.0, centre - half))
    high = np.where(share >= 1, 1.0, np.minimum(1.0, centre + half))
    return Intervals(share, low, high, truth)


def differences(first: Intervals, second: Intervals) -> Intervals:
    """Newcombe intervals of first minus second."""
    difference = first.estimate - second.estimate
    below = np.hypot(first.estimate - first.low, second.high - second.estimate)
    above = np.hypot(first.high - first.estimate, second.estimate - second.low)
    low, high = np.maximum(-1.0, difference - below), np.minimum(1.0, difference + above)
    return Intervals(difference, low, high, first.truth - second.truth)
