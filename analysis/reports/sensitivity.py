"""The primary contrast under every other choice that could have been frozen: what is counted, who is excluded.

Each cell is one difference between the same two arms at the same place. Its `part` names the cell: the reading of the
answers, whose raters and which neurons, and the exclusions. The cell that the plan chose is among them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from analysis.reports import estimands
from analysis.reports.cells import Counts, neuron_counts
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
from analysis.reports.population import Populations, means_of, scope_of
from analysis.reports.ratings import Ratings
from analysis.stats.results import SENSITIVITY, Number
from annotation.design.analysis import FINITE, GENERALISING, PANEL, SUPERPOPULATION

KIND = "sensitivity"
READINGS = (MEAN, MAJORITY, UNANIMOUS, ANYBODY, CANNOT_AS_NO, CANNOT_AS_YES)
# Missing answers all for one side: how they are read in the treatment, and how in the baseline.
BOUNDS = (
    ("missing against the difference", estimands.SKIPPED_AGAINST, SKIPPED_AS_NO, SKIPPED_AS_YES),
    ("missing for the difference", estimands.SKIPPED_FOR, SKIPPED_AS_YES, SKIPPED_AS_NO),
)


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
    """Every cell of the grid; nothing in a study without a contrast."""
    if not plan.compared:
        return
    for name, ratings in excluding.named().items():
        counts = neuron_counts(ratings)
        for population in (SUPERPOPULATION, FINITE):
            if population == SUPERPOPULATION or populations.counts:
                yield from _panel_cells(counts, Cell("", PANEL, population, name), populations, plan)
                yield _generalising_cell(ratings, Cell(MEAN.name, GENERALISING, population, name), populations, plan)


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
