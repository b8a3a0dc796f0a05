"""The primary contrast under every other choice that could have been frozen: what is counted, who is excluded.

Each cell is one difference between the same two arms at the same place. Its `part` names the cell: the reading of the
answers, whose raters and which neurons, and the exclusions. The cell that the plan chose is among them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.reports import estimands
from analysis.reports.cells import Counts, neuron_counts
from analysis.reports.dawid import dawid_numbers
from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import Scope
from analysis.reports.exclusions import Exclusions
from analysis.reports.fractions import (
    ANYBODY,
    CANNOT_AS_NO,
    CANNOT_AS_YES,
    MAJORITY,
    MEAN,
    SKIPPED_AS_NO,
    SKIPPED_AS_YES,
    UNANIMOUS,
    Means,
    Question,
    Reading,
    difference_at,
)
from analysis.reports.generalising import generalising_difference
from analysis.reports.models import model_numbers
from analysis.reports.population import Populations, means_of, scope_of
from analysis.reports.ratings import Ratings
from analysis.reports.stratified import stratified_numbers
from analysis.stats.results import SENSITIVITY, Number
from annotation.design.analysis import FINITE, GENERALISING, PANEL, SUPERPOPULATION

KIND = "sensitivity"
READINGS = (MEAN, MAJORITY, UNANIMOUS, ANYBODY, CANNOT_AS_NO, CANNOT_AS_YES)
# Missing answers all for one side: how they are read in the treatment, and how in the baseline.
BOUNDS = (
    ("missing against the difference", estimands.SKIPPED_AGAINST, SKIPPED_AS_NO, SKIPPED_AS_YES),
    ("missing for the difference", estimands.SKIPPED_FOR, SKIPPED_AS_YES, SKIPPED_AS_NO),
)
# Kinds of differences by models and by stratified tables: their reading in the grid, and whose raters they are about.
MODELS = {
    "mixed_difference": ("mixed logistic model", PANEL),
    "mixed_generalising_difference": ("mixed logistic model", GENERALISING),
    "bayesian_difference": ("Bayesian logistic model", GENERALISING),
    "dawid_skene_difference": ("Dawid and Skene's model", PANEL),
    "mantel_haenszel_difference": ("Mantel-Haenszel on the majority vote", PANEL),
    "stratified_score_difference": ("stratified score on the majority vote", PANEL),
    "stratum_score_difference": ("score on the majority vote", PANEL),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One choice of everything; `str` is the `part` of its number."""

    reading: str  # "mean of raters", "majority vote", …, or the name of a model
    asks: str
    population: str
    exclusions: str

    def __str__(self) -> str:
        return f"{self.reading}, {self.asks}, {self.population}, {self.exclusions}"

    @classmethod
    def of(cls, part: str) -> "Cell":
        """The inverse of `str`."""
        return cls(*part.split(", "))


def sensitivity_numbers(excluding: Exclusions, populations: Populations, plan: AnalysisPlan) -> Iterator[Number]:
    """Every cell of the grid; nothing in a study without a contrast, or without a yes or a no."""
    if not plan.compared or not excluding.nobody.judged.any():
        return
    for name, ratings in excluding.named().items():
        counts = neuron_counts(ratings)
        for population in (SUPERPOPULATION, FINITE):
            if population == SUPERPOPULATION or populations.counts:
                yield from _panel_cells(counts, Cell("", PANEL, population, name), populations, plan)
                yield _generalising_cell(ratings, Cell(MEAN.name, GENERALISING, population, name), populations, plan)


def model_cells(numbers: Sequence[Number], excluding: Exclusions, plan: AnalysisPlan) -> Iterator[Number]:
    """The rows of the grid that are models, under every set of exclusions.

    Parameters
    ----------
    numbers : sequence of Number
        Of the report so far, which are those under the frozen thresholds.
    """
    for name, ratings in excluding.named().items():
        same = np.array_equal(ratings.row, excluding.frozen.row)
        for number in numbers if same else _modelled(ratings, plan):
            place = (number.size, number.arm, number.versus) == (plan.place, plan.compared, plan.baseline)
            if number.kind in MODELS and place:
                reading, asks = MODELS[number.kind]
                yield _in_grid(number, Cell(reading, asks, SUPERPOPULATION, name))


def _modelled(ratings: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    yield from model_numbers(ratings, plan)
    yield from dawid_numbers(ratings, plan)
    yield from stratified_numbers(neuron_counts(ratings), plan)


def _panel_cells(counts: Counts, cell: Cell, populations: Populations, plan: AnalysisPlan) -> Iterator[Number]:
    """The panel's differences under one set of exclusions, for one population."""
    scope = scope_of(plan, populations, PANEL, cell.population)

    def means(reading: Reading) -> Means:
        return means_of(counts, reading.read, scope, populations)

    for reading in READINGS:
        yield _cell_number(means(reading), reading.what, replace(cell, reading=reading.name), scope, plan)
    for name, what, ours, theirs in BOUNDS:
        baseline = {place: mean for place, mean in means(theirs).items() if place[1] == plan.baseline}
        yield _cell_number({**means(ours), **baseline}, what, replace(cell, reading=name), scope, plan)


def _generalising_cell(ratings: Ratings, cell: Cell, populations: Populations, plan: AnalysisPlan) -> Number:
    scope = scope_of(plan, populations, GENERALISING, cell.population)
    number = generalising_difference(ratings, scope, populations, plan, plan.place, plan.compared)
    return _in_grid(number, cell)


def _cell_number(means: Means, what: str, cell: Cell, scope: Scope, plan: AnalysisPlan) -> Number:
    question = Question("", KIND, what, scope)
    return _in_grid(difference_at(means, question, plan, plan.place, plan.compared), cell)


def _in_grid(number: Number, cell: Cell) -> Number:
    """The same number as a cell of the grid."""
    words = f"{number.estimand}; {estimands.EXCLUDING[cell.exclusions]}"
    name = "/".join([KIND, *number.id.split("/")[1:5], str(cell)])
    return replace(number, id=name, kind=KIND, part=str(cell), estimand=words, status=SENSITIVITY)
