"""Interpretable fractions and differences as new raters, and not only new neurons, would give them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.reports import estimands
from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import Scope
from analysis.reports.population import Populations
from analysis.reports.ratings import Answers, Floats, Ratings
from analysis.stats.mrmc import mrmc_difference, mrmc_fraction
from analysis.stats.results import Number
from annotation.design.analysis import FINITE

FRACTION, DIFFERENCE = "generalising_fraction", "generalising_difference"


@dataclass(frozen=True, slots=True)
class Named:
    """What is counted, and what its numbers are called."""

    what: str = estimands.MEAN
    fraction: str = FRACTION
    difference: str = DIFFERENCE


VERDICTS = Named()


def generalising_numbers(
    ratings: Ratings, scope: Scope, populations: Populations, plan: AnalysisPlan, named: Named = VERDICTS
) -> Iterator[Number]:
    """Each size, then pooled over sizes with equal weights; below three raters without limits, and with the reason.

    Parameters
    ----------
    ratings : Ratings
        First showings that count.
    scope : Scope
        For new raters; says which neurons.
    """
    for size in (*plan.sizes, *([""] if plan.pooled else [])):
        arms = [arm for arm in plan.arms if not size or (size, arm) in plan.groups]
        for arm in arms:
            yield _fraction(ratings, scope, populations, plan, size, arm, named)
        for arm in arms:
            if arm != plan.baseline:
                yield generalising_difference(ratings, scope, populations, plan, size, arm, named)


def _fraction(
    ratings: Ratings, scope: Scope, populations: Populations, plan: AnalysisPlan, size: str, arm: str, named: Named
) -> Number:
    answers = ratings.answers(arms=[arm], size=size)
    interval = mrmc_fraction(
        said=answers.said,
        neuron=answers.neuron,
        rater=answers.rater,
        size=answers.size,
        level=plan.level,
        estimand=_words(scope.of(named.what), plan, answers, size, [arm]),
        population=_populations(answers, ratings, scope, populations),
    )
    return Number.of(interval, kind=named.fraction, size=size, arm=arm)


def generalising_difference(
    ratings: Ratings,
    scope: Scope,
    populations: Populations,
    plan: AnalysisPlan,
    size: str,
    arm: str,
    named: Named = VERDICTS,
) -> Number:
    """One arm minus the baseline in one size; size empty: pooled over the sizes that have both."""
    answers = ratings.answers(arms=[arm, plan.baseline], size=size)
    words = scope.of(estimands.difference(named.what))
    interval = mrmc_difference(
        **answers.plain,
        treatment=plan.arms.index(arm),
        baseline=plan.arms.index(plan.baseline),
        level=plan.level,
        estimand=_words(words, plan, answers, size, [arm, plan.baseline]),
        population=_populations(answers, ratings, scope, populations),
    )
    return Number.of(interval, kind=named.difference, unit="difference", size=size, arm=arm, versus=plan.baseline)


def _words(question: str, plan: AnalysisPlan, answers: Answers, size: str, arms: list[str]) -> str:
    """The question; over all sizes, with the sizes in which each of the arms was judged."""
    if size:
        return question
    seen = [set(answers.size[answers.arm == plan.arms.index(arm)].tolist()) for arm in arms]
    sizes = [name for code, name in enumerate(plan.sizes) if code in set.intersection(*seen)]
    return estimands.over_sizes(question, sizes)


def _populations(answers: Answers, ratings: Ratings, scope: Scope, populations: Populations) -> Floats:
    """How many neurons each judged neuron's size and arm has, infinite where the question or the count does not say."""
    counts = populations.counts if scope.population == FINITE else {}
    places = [
        [float(sum(counts[(size, arm)].values())) if (size, arm) in counts else np.inf for arm in ratings.arms]
        for size in ratings.sizes
    ]
    return np.array(places).reshape(len(ratings.sizes), -1)[answers.size, answers.arm]
