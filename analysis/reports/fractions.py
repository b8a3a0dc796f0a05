"""Interpretable fractions and differences: per size and arm, pooled over sizes, for a panel or one rater."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from analysis.reports import estimands
from analysis.reports.cells import NeuronCounts, Place
from analysis.reports.document import AnalysisPlan
from analysis.stats.contrasts import cluster_newcombe
from analysis.stats.proportions import ClusterMean, binomial_mean, cluster_wilson, pool_equal
from analysis.stats.results import Number

Means = Mapping[Place, ClusterMean]
NOTHING = binomial_mean(0, 0)


@dataclass(frozen=True, slots=True)
class Question:
    """What one family of numbers is called and what it answers."""

    fraction: str  # kind of the fractions
    fraction_estimand: str
    difference: str = ""  # kind of the differences; "" = none are made
    difference_estimand: str = ""
    rater: str = ""


PANEL = Question("fraction", estimands.PANEL, "difference", estimands.PANEL_DIFFERENCE)
MAJORITY = Question("majority_fraction", estimands.MAJORITY, "majority_difference", estimands.MAJORITY_DIFFERENCE)
CANNOT_AS_NO = Question("fraction_cannot_as_no", estimands.CANNOT_AS_NO)
CANNOT_AS_YES = Question("fraction_cannot_as_yes", estimands.CANNOT_AS_YES)


def rater_question(rater: str) -> Question:
    """The same numbers for one rater alone."""
    return Question("rater_fraction", estimands.RATER, "rater_difference", estimands.RATER_DIFFERENCE, rater=rater)


def exclusion_question(name: str) -> Question:
    """The panel's numbers under other exclusions than the frozen ones."""
    return Question(
        f"fraction_excluding_{name}",
        f"{estimands.PANEL}; {estimands.EXCLUDING[name]}",
        f"difference_excluding_{name}",
        f"{estimands.PANEL_DIFFERENCE}; {estimands.EXCLUDING[name]}",
    )


def panel_numbers(counts: Mapping[Place, NeuronCounts], plan: AnalysisPlan) -> Iterator[Number]:
    """Mean of raters (the main numbers), majority vote, and the bounds for 'cannot judge'."""
    readings: list[tuple[Question, Callable[[NeuronCounts], ClusterMean]]] = [
        (PANEL, NeuronCounts.mean),
        (MAJORITY, NeuronCounts.majority),
        (CANNOT_AS_NO, lambda neurons: neurons.mean_with_cannot(as_yes=False)),
        (CANNOT_AS_YES, lambda neurons: neurons.mean_with_cannot(as_yes=True)),
    ]
    for question, read in readings:
        yield from family({place: read(neurons) for place, neurons in counts.items()}, question, plan)


def family(means: Means, question: Question, plan: AnalysisPlan) -> Iterator[Number]:
    """Fractions and differences of one question: each size, then pooled over sizes with equal weights."""
    for size in plan.sizes:
        yield from _one_size(means, question, plan, size)
    for arm in plan.arms:
        sizes = _sizes_with(means, plan, arm)
        pooled = pool_equal([means[(size, arm)] for size in sizes])
        yield _fraction(pooled, question, plan, estimands.over_sizes(question.fraction_estimand, sizes), "", arm)
    if question.difference:
        for arm in plan.treatments:
            sizes = _sizes_with(means, plan, arm, plan.baseline)
            pair = [pool_equal([means[(size, side)] for size in sizes]) for side in (arm, plan.baseline)]
            words = estimands.over_sizes(question.difference_estimand, sizes)
            yield _difference(pair[0], pair[1], question, plan, words, "", arm)


def _one_size(means: Means, question: Question, plan: AnalysisPlan, size: str) -> Iterator[Number]:
    arms = [arm for group_size, arm in plan.groups if group_size == size]
    for arm in arms:
        yield _fraction(means.get((size, arm), NOTHING), question, plan, question.fraction_estimand, size, arm)
    if question.difference:
        baseline = means.get((size, plan.baseline), NOTHING)
        for arm in (arm for arm in arms if arm != plan.baseline):
            mean = means.get((size, arm), NOTHING)
            yield _difference(mean, baseline, question, plan, question.difference_estimand, size, arm)


def _sizes_with(means: Means, plan: AnalysisPlan, *arms: str) -> list[str]:
    """Sizes in which each of the arms has judgments: a difference is pooled over these only."""
    return [size for size in plan.sizes if all(means.get((size, arm), NOTHING).n > 0 for arm in arms)]


def _fraction(mean: ClusterMean, question: Question, plan: AnalysisPlan, words: str, size: str, arm: str) -> Number:
    interval = cluster_wilson(mean, level=plan.level, estimand=words)
    return Number.of(interval, kind=question.fraction, size=size, arm=arm, rater=question.rater)


def _difference(
    first: ClusterMean, second: ClusterMean, question: Question, plan: AnalysisPlan, words: str, size: str, arm: str
) -> Number:
    interval = cluster_newcombe(first, second, level=plan.level, estimand=words)
    place = {"size": size, "arm": arm, "versus": plan.baseline, "rater": question.rater}
    return Number.of(interval, kind=question.difference, unit="difference", **place)
