"""Fractions with exact intervals, from one vote per neuron: for whoever needs "at least", and for small layers.

Clopper and Pearson's interval where neurons stand for others; the hypergeometric one where the plan is about the
counted neurons of a layer and they were drawn together. Jeffreys' interval stands beside them.
"""

from collections.abc import Iterator
from dataclasses import replace

from analysis.reports import estimands
from analysis.reports.cells import Counts
from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import Scope
from analysis.reports.population import Populations
from analysis.reports.stratified import Electorate, Votes
from analysis.stats.exact import clopper_pearson, jeffreys
from analysis.stats.finite import hypergeometric
from analysis.stats.results import SENSITIVITY, Number
from annotation.design.analysis import FINITE

EXACT, JEFFREYS = "exact_fraction", "jeffreys_fraction"


def exact_numbers(counts: Counts, populations: Populations, plan: AnalysisPlan) -> Iterator[Number]:
    """Every size and arm by itself; sizes are not pooled, because no exact interval adds up.

    Parameters
    ----------
    counts : mapping of (size, arm) to NeuronCounts
    populations : Populations
        How many neurons there are, for a plan about finite layers.
    """
    for size, arm in plan.groups:
        electorate = Electorate.of([Votes.of(counts[size, arm]) if (size, arm) in counts else Votes()])
        vote, population = electorate.votes[0], drawn_from(populations, plan, size, arm)
        endless, level = estimands.HERE.of(electorate.what), plan.level
        if population is None:
            exact = clopper_pearson(vote.yes, vote.n, level=level, estimand=endless)
        else:
            counted = Scope(population=FINITE).of(electorate.what)
            exact = hypergeometric(vote.yes, vote.n, population, level=level, estimand=counted)
        bayes = jeffreys(vote.yes, vote.n, level=level, estimand=endless)
        for kind, interval in ((EXACT, exact), (JEFFREYS, bayes)):
            told = replace(interval, judgments=vote.judgments, refused=electorate.refused)
            yield Number.of(told, kind=kind, size=size, arm=arm, status=SENSITIVITY)


def drawn_from(populations: Populations, plan: AnalysisPlan, size: str, arm: str) -> int | None:
    """Neurons of the finite population, where one simple random sample was drawn from all its layers together."""
    layers = populations.counts.get((size, arm), {})
    if plan.population != FINITE or not layers or (populations.by_layer and len(layers) > 1):
        return None
    return sum(layers.values())
