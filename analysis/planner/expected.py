"""Expected interval widths, coverage and power of a planned study, by simulation with the report's own intervals."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit

from analysis.planner.assumptions import WHOLE, Assumptions
from analysis.planner.intervals import Intervals, Means, differences, intervals, pooled
from analysis.planner.model import Array, centres, mean_share

CELLS = 2_000_000  # answers drawn at once: bounds memory
CELLS_IN_ALL = 30_000_000  # … and in one plan: bounds time
LEAST_REPLICATES = 100
CELLS_OF_A_POINT = 3_000_000  # … and in one point of a curve
CURVE_TIMES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # neurons per arm, as multiples of those planned


@dataclass(frozen=True, slots=True)
class Simulated:
    """A mean over replicates with its Monte-Carlo standard error."""

    mean: float
    error: float

    @classmethod
    def of(cls, values: Array) -> "Simulated":
        return cls(float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))))

    @classmethod
    def share(cls, held: np.ndarray) -> "Simulated":
        """A share of replicates; its error is never told as 0."""
        count, n = float(held.sum()), len(held)
        middle = (count + 1) / (n + 2)
        return cls(count / n, math.sqrt(middle * (1 - middle) / n))


@dataclass(frozen=True, slots=True)
class ArmExpected:
    """One arm: the assumed fraction, and the width and coverage of its interval.

    Coverage is for the panel question: how often the interval holds the share of yes that these raters would give to
    all neurons like these.
    """

    arm: str
    fraction: float
    width: Simulated
    coverage: Simulated


@dataclass(frozen=True, slots=True)
class Difference:
    """One arm minus the first: the same, and how often the interval excludes 0 on either side."""

    arm: str
    versus: str
    difference: float
    width: Simulated
    coverage: Simulated
    power: Simulated


@dataclass(frozen=True, slots=True)
class Expected:
    arms: tuple[ArmExpected, ...]
    differences: tuple[Difference, ...]
    replicates: int


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Width and power of the first difference with so many neurons per size and arm."""

    neurons_per_arm: int
    width: Simulated
    power: Simulated


def plan_expected(assumed: Assumptions) -> Expected:
    """Simulate the planned study.

    Parameters
    ----------
    assumed : Assumptions

    Returns
    -------
    Expected
        The same assumptions and seed give the same numbers.

    Notes
    -----
    Every replicate has new neurons and new raters. Its intervals are the report's: cluster Wilson per arm, pooled over
    sizes with equal weights, and cluster Newcombe for differences (`analysis.stats`). They answer the panel question:
    a difference between raters that is the same in all arms costs no width, and none of them covers other raters.

    Examples
    --------
    >>> expected = plan_expected(Assumptions(replicates=200))
    >>> 0.15 < expected.arms[0].width.mean < 0.3
    True
    """
    rng = np.random.default_rng(assumed.seed)
    parts = list(_replicates(assumed, rng, replicates_of(assumed)))
    arms, diffs = ([part[which] for part in parts] for which in (0, 1))
    shown = tuple(_arm(assumed, index, [part[index] for part in arms]) for index in range(len(assumed.fractions)))
    against = tuple(
        _difference(assumed, index, [part[index - 1] for part in diffs]) for index in range(1, len(assumed.fractions))
    )
    return Expected(shown, against, sum(len(part[0].width) for part in arms))


def plan_curve(assumed: Assumptions) -> tuple[CurvePoint, ...]:
    """Width and power over the number of neurons, around the number planned."""
    least, most = WHOLE["neurons_per_arm"]
    most = min(most, int(3 * assumed.neurons_per_arm))
    numbers = sorted({min(most, max(least, round(assumed.neurons_per_arm * times))) for times in CURVE_TIMES})
    return tuple(_point(assumed, number) for number in numbers if _fits(assumed, number))


def replicates_of(assumed: Assumptions) -> int:
    """As many as asked, or as many as the time allows for a large study."""
    return max(LEAST_REPLICATES, min(assumed.replicates, CELLS_IN_ALL // assumed.answers))


def _fits(assumed: Assumptions, number: int) -> bool:
    return assumed.answers // assumed.neurons_per_arm * number * LEAST_REPLICATES <= CELLS_OF_A_POINT


def _point(assumed: Assumptions, number: int) -> CurvePoint:
    two = replace(assumed, neurons_per_arm=number, fractions=assumed.fractions[:2])
    fewer = max(LEAST_REPLICATES, min(assumed.replicates, CELLS_OF_A_POINT // two.answers))
    first = plan_expected(replace(two, replicates=fewer)).differences[0]
    return CurvePoint(number, first.width, first.power)


def _replicates(
    assumed: Assumptions, rng: np.random.Generator, wanted: int
) -> Iterator[tuple[list[Intervals], list[Intervals]]]:
    """Intervals of arms and of differences, for some replicates at a time."""
    at_once = max(1, min(wanted, CELLS // assumed.answers))
    for start in range(0, wanted, at_once):
        yield _chunk(assumed, rng, min(at_once, wanted - start))


def _chunk(assumed: Assumptions, rng: np.random.Generator, count: int) -> tuple[list[Intervals], list[Intervals]]:
    bars = assumed.rater_sd * rng.standard_normal((count, assumed.raters))
    arms = []
    for centre in centres(assumed):
        own = bars + assumed.rater_arm_sd * rng.standard_normal((count, assumed.raters))
        means = _means(assumed, rng, centre + own)
        truth = mean_share(centre + own, assumed.neuron_sd).mean(axis=1)
        arms.append(intervals(means, truth, assumed.level))
    return arms, [differences(arm, arms[0]) for arm in arms[1:]]


def _means(assumed: Assumptions, rng: np.random.Generator, raters: Array) -> Means:
    """Pooled mean and variance of one arm in every replicate; `raters` are their logits, (replicates, raters)."""
    count, n, each = len(raters), assumed.neurons_per_arm, assumed.raters_per_neuron
    seats = (np.arange(n)[:, None] * each + np.arange(each)) % assumed.raters  # raters take turns
    strata = []
    for _ in range(assumed.sizes):
        neurons = assumed.neuron_sd * rng.standard_normal((count, n, 1))
        yes = rng.random((count, n, each)) < expit(raters[:, seats] + neurons)
        strata.append(yes.mean(axis=2))
    return pooled(strata, each)


def _arm(assumed: Assumptions, index: int, parts: Sequence[Intervals]) -> ArmExpected:
    name, fraction = assumed.fractions[index]
    return ArmExpected(name, fraction, Simulated.of(_all(parts, "width")), Simulated.share(_all(parts, "covers")))


def _difference(assumed: Assumptions, index: int, parts: Sequence[Intervals]) -> Difference:
    (name, fraction), (versus, base) = assumed.fractions[index], assumed.fractions[0]
    return Difference(
        name,
        versus,
        fraction - base,
        Simulated.of(_all(parts, "width")),
        Simulated.share(_all(parts, "covers")),
        Simulated.share(_all(parts, "excludes_zero")),
    )


def _all(parts: Sequence[Intervals], name: str) -> Array:
    return np.concatenate([getattr(part, name) for part in parts])
