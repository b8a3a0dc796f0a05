"""The formulas of the intervals, for one study or for many at once: used by reports, planner and simulation alike."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Numbers = Any  # a float or an array of them; arrays of one shape, or that broadcast to one
# Below this a variance of shares is rounding error, not information.
NO_VARIANCE = 1e-15


def effective_sizes(
    share: Numbers, variance: Numbers, n: Numbers, judgments: Numbers, *, sampled: float = 0.0, pull: Numbers = 1.0
) -> Array:
    """How many independent answers the judgments are worth.

    Parameters
    ----------
    share, variance : float or ndarray
        Mean over neurons and its sampling variance; a variance of NaN (one neuron) is worth one answer.
    n, judgments : int or ndarray
        Neurons, and the answers about them.
    sampled : float
        Share of a finite population that was judged, for which `variance` is corrected.
    pull : float or ndarray
        How much of the pull towards one answer a neuron applies, in [0, 1].

    Returns
    -------
    ndarray
        In [1, judgments / (1 - sampled)].

    Notes
    -----
    The design effect V n / p(1-p) says how much a neuron's answers agree: 1 when several raters say nothing that one
    would not, 1/R when they are as good as R times as many neurons. From few neurons it is found too small just when
    the share is found too small, and the interval misses. So it is drawn towards 1, where nothing is won by several
    raters: (w d + m) / (w + m) with w = 2 n sqrt(p(1-p)), the neurons that tell something, and m = 1 - n / judgments,
    less than one neuron, and none when each has one answer. The rule was chosen by simulation; docs/statistics.md
    tells what it was compared with.

    Examples
    --------
    >>> float(effective_sizes(0.5, 0.25 / 20, 20, 20)), float(effective_sizes(0.5, 0.125 / 20, 20, 60).round(2))
    (20.0, 38.75)
    """
    share, variance = np.asarray(share, dtype=float), np.asarray(variance, dtype=float)
    if sampled >= 1:
        return np.full(np.broadcast(share, variance).shape, np.inf)
    spread = share * (1 - share)
    alike = variance < NO_VARIANCE
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(alike, 1.0, variance / (1 - sampled) * n / spread)
        weight, added = 2 * n * np.sqrt(spread), pull * (1 - n / judgments)
        drawn = np.where(alike, 1.0, (weight * effect + added) / (weight + added))
        sizes = np.clip(n / drawn / (1 - sampled), 1.0, judgments / (1 - sampled))
    return np.where(np.isnan(variance), 1.0, sizes)


def score_limits(share: Numbers, size: Numbers, quantile: Numbers) -> tuple[Array, Array]:
    """Wilson's limits.

    Parameters
    ----------
    share : float or ndarray
        In [0, 1].
    size : float or ndarray
        Independent answers; infinite: the share itself.
    quantile : float or ndarray
        Standard errors on either side.

    Returns
    -------
    tuple of ndarray
        Lower and upper; exactly 0 for a share of 0, and 1 for 1.

    Examples
    --------
    >>> low, high = score_limits(0.35, 60, 1.959964)
    >>> round(float(low), 3), round(float(high), 3)
    (0.242, 0.476)
    """
    share = np.asarray(share, dtype=float)
    shrink = np.asarray(quantile) ** 2 / size
    centre = (share + shrink / 2) / (1 + shrink)
    half = quantile / (1 + shrink) * np.sqrt(np.maximum(share * (1 - share), 0.0) / size + shrink / (4 * size))
    # At the ends the formula is exact on paper and off by one rounding in floating point.
    low = np.where(share <= 0, 0.0, np.clip(np.minimum(centre - half, share), 0.0, None))
    high = np.where(share >= 1, 1.0, np.clip(np.maximum(centre + half, share), None, 1.0))
    return low, high


def hybrid_limits(
    first: tuple[Numbers, Numbers, Numbers], second: tuple[Numbers, Numbers, Numbers]
) -> tuple[Array, Array]:
    """Newcombe's limits of a difference.

    Parameters
    ----------
    first, second : tuple of float or ndarray
        Share, lower and upper limit; the second is subtracted.

    Returns
    -------
    tuple of ndarray
        Lower and upper, within [-1, 1].

    Examples
    --------
    >>> low, high = hybrid_limits((0.5, 0.4, 0.6), (0.5, 0.4, 0.6))
    >>> round(float(low), 4), round(float(high), 4)
    (-0.1414, 0.1414)
    """
    (share, low, high), (other, other_low, other_high) = first, second
    difference = share - other
    below = np.hypot(share - low, other_high - other)
    above = np.hypot(high - share, other - other_low)
    return np.maximum(-1.0, difference - below), np.minimum(1.0, difference + above)
