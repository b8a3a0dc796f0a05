"""Intervals for new raters and new neurons: multi-reader multi-case (MRMC) limits of a fraction and a difference."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.stats.limits import NO_VARIANCE, Array, Numbers, effective_sizes, score_limits
from analysis.stats.mrmc_parts import Cells, Parts, contrast_parts
from analysis.stats.results import UNDEFINED, Interval
from analysis.stats.welch import behrens_fisher_quantile, hillis_quantile, welch_quantile

WELCH, HILLIS, BEHRENS_FISHER = "Welch", "Hillis", "Behrens-Fisher"
QUANTILES: dict[str, Callable[[npt.ArrayLike, float, float], Array]] = {
    WELCH: welch_quantile,
    HILLIS: hillis_quantile,
    BEHRENS_FISHER: behrens_fisher_quantile,
}
LEAST_RATERS = 3
# Three and four raters must not fall below the level, which chance in the neuron part would cost them: their quantile
# is made for a tenth fewer misses, and kept within Behrens-Fisher's, which is never too short.
CAREFUL_BELOW, CAREFUL = 4.0, 0.9
# Raters' shares of yes, where they make up most of the variance, are skewed: a fifth fewer misses.
SKEWED = 0.8


@dataclass(frozen=True, slots=True)
class Spread:
    """Variance of an estimate in its two parts, for one study or many at once; see `mrmc_parts.Parts`."""

    rater: Numbers
    neuron: Numbers
    df: float

    @property
    def variance(self) -> Array:
        return np.asarray(self.rater + self.neuron, dtype=float)

    @property
    def share(self) -> Array:
        """How much of the variance was read off the raters; all of it where there is no variance."""
        variance = self.variance
        some = variance >= NO_VARIANCE
        return np.where(some, self.rater / np.where(some, variance, 1.0), 1.0)


def mrmc_quantile(spread: Spread, level: float, width: str = WELCH) -> Array:
    """Standard errors on either side.

    Parameters
    ----------
    spread : Spread
    level : float
        Confidence level in (0, 1).
    width : {"Welch", "Hillis", "Behrens-Fisher"}

    Examples
    --------
    >>> round(float(mrmc_quantile(Spread(0.0375**2, 0.025**2, 2.0), 0.95, HILLIS)), 3)
    2.732
    """
    quantile = QUANTILES[width]
    if width != WELCH or spread.df >= CAREFUL_BELOW:
        return quantile(spread.share, spread.df, level)
    careful = quantile(spread.share, spread.df, 1 - CAREFUL * (1 - level))
    return np.minimum(careful, behrens_fisher_quantile(spread.share, spread.df, level))


def difference_limits(estimate: Numbers, spread: Spread, level: float, width: str = WELCH) -> tuple[Array, Array]:
    """Limits of a difference, symmetric around it and within [-1, 1].

    Examples
    --------
    >>> low, high = difference_limits(0.2178, Spread(0.0375**2, 0.025**2, 2.0), 0.95, HILLIS)
    >>> round(float(low), 3), round(float(high), 3)
    (0.095, 0.341)
    """
    half = mrmc_quantile(spread, level, width) * np.sqrt(spread.variance)
    return np.maximum(-1.0, estimate - half), np.minimum(1.0, estimate + half)


def fraction_limits(
    estimate: Numbers, spread: Spread, n: Numbers, judgments: Numbers, level: float, width: str = WELCH
) -> tuple[Array, Array]:
    """Wilson's limits on the number of independent answers that this variance amounts to.

    Notes
    -----
    Where raters differ little, this is the panel's effective size with its pull towards one answer a neuron; the
    pull fades as raters make up more of the variance, and never makes the size larger. Where raters differ so much
    that all answers are worth far fewer than there are neurons, the raters' shares, few and skewed, miss more often
    than normal ones would: the quantile then moves to that for a fifth fewer misses.

    Examples
    --------
    >>> low, high = fraction_limits(0.1, Spread(0.0, 0.09 / 60, 4.0), 60, 300, 0.95)
    >>> round(float(low), 3), round(float(high), 3)
    (0.046, 0.203)
    """
    raw = effective_sizes(estimate, spread.variance, n, judgments, pull=0.0)
    pulled = effective_sizes(estimate, spread.variance, n, judgments, pull=np.sqrt(np.maximum(1 - spread.share, 0.0)))
    size = np.minimum(raw, pulled)
    quantile = mrmc_quantile(spread, level, width)
    if width == WELCH:
        careful = welch_quantile(spread.share, spread.df, 1 - SKEWED * (1 - level))
        quantile = quantile + (n / (n + size)) ** 2 * (careful - quantile)
    return score_limits(estimate, size, quantile)


def mrmc_difference(
    *,
    said: npt.ArrayLike,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    arm: npt.ArrayLike,
    size: npt.ArrayLike,
    treatment: int,
    baseline: int,
    level: float = 0.95,
    estimand: str = "",
    population: npt.ArrayLike | None = None,
    width: str = WELCH,
) -> Interval:
    """Difference between two arms as new raters would find it in new neurons.

    Parameters
    ----------
    said : array_like of float, shape (answers,)
        1 for yes and 0 for no, or a score in [0, 1]; a missing answer is not there.
    neuron, rater : array_like of int, shape (answers,)
        Codes from 0.
    arm, size : array_like of int, shape (neurons,)
        Codes of each neuron's arm and stratum. Other arms than the two are left out, and sizes without both.
    treatment, baseline : int
        Codes of arms; the second is subtracted.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.
    population : array_like of float, shape (neurons,), optional
        How many neurons there are of each neuron's size and arm, where the question is about these only. The neuron
        part shrinks, the rater part does not.
    width : {"Welch", "Hillis", "Behrens-Fisher"}
        How many standard errors are laid off; Hillis for the comparison with other software.

    Returns
    -------
    Interval
        Without limits, and with the reason, for fewer than three raters that can be compared, and for arms that were
        judged by different raters. The estimate is given all the same.

    Notes
    -----
    The mean over raters of each rater's own difference, sizes with equal weights. See `contrast_parts` for its variance
    and what is assumed, `welch_quantile` for the width. A rater who judged one arm only, or sizes that nobody
    else judged alike, is left out, and `method` says how many were.

    References
    ----------
    Obuchowski, N. A. & Rockette, H. E. (1995). Commun. Stat. Simul. Comput. 24, 285-308.
    Hillis, S. L. (2014). A marginal-mean ANOVA approach for analyzing multireader multicase radiological imaging data.
    Stat. Med. 33, 330-360.

    Examples
    --------
    >>> said = [1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0]
    >>> few = mrmc_difference(
    ...     said=said, neuron=[0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5], rater=[0, 1] * 6,
    ...     arm=[1, 1, 1, 0, 0, 0], size=[0] * 6, treatment=1, baseline=0,
    ... )
    >>> round(few.estimate, 3), few.refused[:8]
    (0.667, '2 raters')
    """
    arms = np.asarray(arm)
    side = np.where(arms == treatment, 1, np.where(arms == baseline, 0, -1))
    cells = _cells(said, neuron, rater, side, size, np.array([-1.0, 1.0]), population)
    parts = contrast_parts(cells)
    interval = _refused(parts, "MRMC", level, estimand, width)
    if interval is not None:
        return interval
    if parts.variance < NO_VARIANCE:
        why = "all raters found the same and all neurons of an arm are alike: how much either varies cannot be seen."
        return _without_limits(parts, _method("MRMC", width, parts), level, estimand, why)
    low, high = difference_limits(parts.estimate, Spread(parts.rater, parts.neuron, parts.df), level, width)
    return _interval(parts, "MRMC", low, high, level, estimand, width)


def mrmc_fraction(
    *,
    said: npt.ArrayLike,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    size: npt.ArrayLike,
    level: float = 0.95,
    estimand: str = "",
    population: npt.ArrayLike | None = None,
    width: str = WELCH,
) -> Interval:
    """Share of yes as new raters would find it in new neurons of one arm.

    Parameters
    ----------
    said, neuron, rater, size, level, estimand, population, width
        As for `mrmc_difference`; only answers about the arm.

    Returns
    -------
    Interval
        Within [0, 1]; without limits, and with the reason, for fewer than three raters that can be compared.

    Examples
    --------
    >>> said = [1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 0]
    >>> three = mrmc_fraction(said=said, neuron=[0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3], rater=[0, 1, 2] * 4, size=[0] * 4)
    >>> three.estimate, 0 < three.low < 0.5 < three.high < 1
    (0.5, True)
    """
    side = np.zeros(len(np.asarray(size)), dtype=np.int64)
    cells = _cells(said, neuron, rater, side, size, np.array([1.0]), population)
    parts = contrast_parts(cells)
    interval = _refused(parts, "MRMC Wilson", level, estimand, width)
    if interval is not None:
        return interval
    spread = Spread(parts.rater, parts.neuron, parts.df)
    low, high = fraction_limits(parts.estimate, spread, parts.neurons, parts.judgments, level, width)
    return _interval(parts, "MRMC Wilson", low, high, level, estimand, width)


def _cells(
    said: npt.ArrayLike,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    side: npt.NDArray[np.int64],
    size: npt.ArrayLike,
    signs: Array,
    population: npt.ArrayLike | None,
) -> Cells:
    """Answers about neurons of a side, in sizes where every side has some."""
    neurons, sizes = np.asarray(neuron, dtype=np.int64), np.asarray(size, dtype=np.int64)
    judged = np.bincount(neurons, minlength=len(sizes)) > 0
    sides = [set(sizes[judged & (side == code)].tolist()) for code in range(len(signs))]
    kept = sorted(set.intersection(*sides))
    place = np.full(int(sizes.max(initial=0)) + 1, -1)
    place[kept] = np.arange(len(kept))
    cell = np.where((side >= 0) & (place[sizes] >= 0), place[sizes] * len(signs) + side, -1)
    rows = cell[neurons] >= 0
    counts = np.full(len(kept) * len(signs), np.inf)
    if population is not None:
        counts[cell[cell >= 0]] = np.asarray(population, dtype=float)[cell >= 0]
    answers = np.asarray(said, dtype=float)[rows]
    return Cells(answers, neurons[rows], np.asarray(rater, dtype=np.int64)[rows], cell[neurons[rows]], signs, len(kept),
                 counts)  # fmt: skip


def _refused(parts: Parts, name: str, level: float, estimand: str, width: str) -> Interval | None:
    """The result without limits, if there cannot be any."""
    if not parts.judgments:
        return Interval.undefined(level=level, method=_method(name, width, parts), estimand=estimand)
    why = parts.problem
    if not why and parts.compared < LEAST_RATERS:
        why = f"{parts.compared} raters"
    elif not why and parts.groups > parts.compared - 2:
        why = f"{parts.compared} raters in {parts.groups} groups that judged different sizes"
    if not why:
        return None
    if not parts.problem:
        why += ": how much raters differ cannot be told from so few; it takes three who judged alike."
    return _without_limits(parts, _method(name, width, parts), level, estimand, why)


def _without_limits(parts: Parts, method: str, level: float, estimand: str, why: str) -> Interval:
    limits = (UNDEFINED, UNDEFINED)
    return Interval(parts.estimate, *limits, level, method, estimand, parts.neurons, parts.judgments, refused=why)


def _interval(parts: Parts, name: str, low: Array, high: Array, level: float, estimand: str, width: str) -> Interval:
    return Interval(
        parts.estimate,
        float(low),
        float(high),
        level,
        _method(name, width, parts),
        estimand,
        parts.neurons,
        parts.judgments,
        se=float(np.sqrt(parts.variance)),
    )


def _method(name: str, width: str, parts: Parts) -> str:
    left_out = f", {parts.left_out} of the raters left out for judging otherwise" if parts.left_out else ""
    return f"{name}, {width} limits{left_out}"
