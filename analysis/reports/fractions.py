"""Interpretable fractions and differences: per size and arm, pooled over sizes, for a panel or one rater."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analysis.reports import estimands
from analysis.reports.cells import Counts, NeuronCounts, Place
from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import Scope
from analysis.reports.population import Populations, Read, means_of
from analysis.stats.contrasts import cluster_newcombe
from analysis.stats.proportions import ClusterMean, binomial_mean, cluster_wilson, pool_equal
from analysis.stats.results import Number

Means = Mapping[Place, ClusterMean]
NOTHING = binomial_mean(0, 0)


@dataclass(frozen=True, slots=True)
class Question:
    """What one family of numbers is called and what it answers."""

    fraction: str  # kind of the fractions
    difference: str  # kind of the differences; "" = none are made
    what: str  # what is counted
    scope: Scope
    rater: str = ""
    part: str = ""

    @property
    def words(self) -> str:
        return self.scope.of(self.what)

    @property
    def difference_words(self) -> str:
        return self.scope.of(estimands.difference(self.what))


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the answers about a neuron."""

    name: str
    fraction: str
    difference: str
    what: str
    read: Read

    def question(self, scope: Scope) -> Question:
        return Question(self.fraction, self.difference, self.what, scope)


MEAN = Reading("mean of raters", "fraction", "difference", estimands.MEAN, NeuronCounts.mean)
MAJORITY = Reading(
    "majority vote", "majority_fraction", "majority_difference", estimands.MAJORITY, NeuronCounts.majority
)
UNANIMOUS = Reading("unanimous vote", "unanimous_fraction", "", estimands.UNANIMOUS, NeuronCounts.unanimous)
ANYBODY = Reading("any vote", "any_fraction", "", estimands.ANYBODY, NeuronCounts.anybody)
CANNOT_AS_NO = Reading(
    "cannot judge as no", "fraction_cannot_as_no", "", estimands.CANNOT_AS_NO,
    lambda neurons: neurons.mean_with_cannot(as_yes=False),
)  # fmt: skip
CANNOT_AS_YES = Reading(
    "cannot judge as yes", "fraction_cannot_as_yes", "", estimands.CANNOT_AS_YES,
    lambda neurons: neurons.mean_with_cannot(as_yes=True),
)  # fmt: skip
SKIPPED_AS_NO = Reading(
    "missing as no", "fraction_skipped_as_no", "", estimands.SKIPPED_AS_NO,
    lambda neurons: neurons.mean_with_skipped(as_yes=False),
)  # fmt: skip
SKIPPED_AS_YES = Reading(
    "missing as yes", "fraction_skipped_as_yes", "", estimands.SKIPPED_AS_YES,
    lambda neurons: neurons.mean_with_skipped(as_yes=True),
)  # fmt: skip
READINGS = (MEAN, MAJORITY, UNANIMOUS, ANYBODY, CANNOT_AS_NO, CANNOT_AS_YES, SKIPPED_AS_NO, SKIPPED_AS_YES)


def rater_question(rater: str) -> Question:
    """The same numbers for one rater alone."""
    return Question("rater_fraction", "rater_difference", estimands.RATER, estimands.HERE, rater=rater)


def exclusion_question(name: str, scope: Scope) -> Question:
    """The panel's numbers under other exclusions than the frozen ones."""
    what = f"{estimands.MEAN}, {estimands.EXCLUDING[name]}"
    return Question(f"fraction_excluding_{name}", f"difference_excluding_{name}", what, scope)


def panel_numbers(counts: Counts, scope: Scope, populations: Populations, plan: AnalysisPlan) -> Iterator[Number]:
    """Every reading of the panel's answers: mean of raters, votes, and the bounds for what is missing."""
    for reading in READINGS:
        means = means_of(counts, reading.read, scope, populations)
        yield from family(means, reading.question(scope), plan)


def family(means: Means, question: Question, plan: AnalysisPlan) -> Iterator[Number]:
    """Fractions and differences of one question: each size, then pooled over sizes with equal weights.

    With one size there is nothing to pool.
    """
    for size in plan.sizes:
        yield from _one_size(means, question, plan, size)
    if plan.pooled:
        for arm in plan.arms:
            yield fraction_at(means, question, plan, "", arm)
        for arm in plan.treatments if question.difference else ():
            yield difference_at(means, question, plan, "", arm)


def _one_size(means: Means, question: Question, plan: AnalysisPlan, size: str) -> Iterator[Number]:
    arms = [arm for group_size, arm in plan.groups if group_size == size]
    for arm in arms:
        yield fraction_at(means, question, plan, size, arm)
    for arm in arms if question.difference else ():
        if arm != plan.baseline:
            yield difference_at(means, question, plan, size, arm)


def fraction_at(means: Means, question: Question, plan: AnalysisPlan, size: str, arm: str) -> Number:
    """The fraction of one arm in one size; size empty: pooled."""
    mean, words = mean_at(means, plan, size, arm), question.words
    if not size:
        words = estimands.over_sizes(words, sizes_with(means, plan, arm))
    interval = cluster_wilson(mean, level=plan.level, estimand=words)
    return Number.of(interval, kind=question.fraction, size=size, arm=arm, rater=question.rater, part=question.part)


def difference_at(means: Means, question: Question, plan: AnalysisPlan, size: str, arm: str) -> Number:
    """One arm minus the baseline in one size; size empty: pooled over the sizes that have both."""
    first, second = (mean_at(means, plan, size, side, arm, plan.baseline) for side in (arm, plan.baseline))
    words = question.difference_words
    if not size:
        words = estimands.over_sizes(words, sizes_with(means, plan, arm, plan.baseline))
    interval = cluster_newcombe(first, second, level=plan.level, estimand=words)
    place = {"size": size, "arm": arm, "versus": plan.baseline, "rater": question.rater, "part": question.part}
    return Number.of(interval, kind=question.difference, unit="difference", **place)


def mean_at(means: Means, plan: AnalysisPlan, size: str, arm: str, *arms: str) -> ClusterMean:
    """Mean of an arm in one size, or pooled over the sizes in which it and the other arms have judgments."""
    if size:
        return means.get((size, arm), NOTHING)
    return pool_equal([means[(size, arm)] for size in sizes_with(means, plan, arm, *arms)])


def sizes_with(means: Means, plan: AnalysisPlan, *arms: str) -> list[str]:
    """Sizes in which each of the arms has judgments."""
    return [size for size in plan.sizes if all(means.get((size, arm), NOTHING).n > 0 for arm in arms)]
