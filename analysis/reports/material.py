"""What every part of a report is made from, prepared once: codes, exclusions, counts, populations and the plan."""

from dataclasses import dataclass
from typing import Self

import pandas as pd

from analysis.reports.cells import Counts, neuron_counts
from analysis.reports.document import AnalysisPlan, PopulationRow
from analysis.reports.estimands import Scope
from analysis.reports.exclusions import COUNTS, Exclusions, exclusion_codes, exclusions_made
from analysis.reports.population import Populations, population_rows, populations_of, scope_of
from analysis.reports.ratings import Codes, Ratings, ratings_read
from analysis.reports.scores import asks_verdict


@dataclass(frozen=True, slots=True)
class Material:
    """Attributes
    ----------
    plan : AnalysisPlan
    table : DataFrame
        The long table of raters of the plan's kind, for parts that need answers question by question.
    shown : Ratings
        First showings in the task that asks for a verdict, with everybody in.
    why : ndarray of int
        Why each of these is left out by the frozen thresholds; see `exclusion_codes`.
    excluding : Exclusions
        What of them counts under the frozen thresholds, under none and under stricter ones.
    repeated : Ratings
        What counts, with showings that came again.
    every_task : Ratings
        First showings in all tasks that count.
    counts : Counts
        Answers per neuron of what counts.
    layers : tuple of PopulationRow
    populations : Populations
    scope : Scope
        The panel question for the plan's population.
    """

    plan: AnalysisPlan
    table: pd.DataFrame
    shown: Ratings
    why: Codes
    excluding: Exclusions
    repeated: Ratings
    every_task: Ratings
    counts: Counts
    layers: tuple[PopulationRow, ...]
    populations: Populations
    scope: Scope

    @classmethod
    def of(
        cls, judgments: pd.DataFrame, raters: pd.DataFrame, plan: AnalysisPlan, strata: pd.DataFrame | None = None
    ) -> Self:
        """From the tables of `analysis.frames`; declared raters of another kind than the plan's stay out."""
        own = (judgments["rater_kind"] == plan.rater_kind).to_numpy(dtype=bool)
        table = judgments if own.all() else judgments[own]
        everything = ratings_read(table, plan)
        verdicts = everything.where(asks_verdict(table)[everything.row])
        shown = verdicts.first_showings()
        excluding = exclusions_made(shown, raters, plan)
        rows = tuple(population_rows(strata, plan))
        populations = populations_of(rows, plan)
        return cls(
            plan=plan,
            table=table,
            shown=shown,
            why=exclusion_codes(shown, raters, plan.thresholds),
            excluding=excluding,
            repeated=_counted(verdicts, raters, plan),
            every_task=_counted(everything.first_showings(), raters, plan),
            counts=neuron_counts(excluding.frozen),
            layers=rows,
            populations=populations,
            scope=scope_of(plan, populations),
        )

    @property
    def frozen(self) -> Ratings:
        """What counts."""
        return self.excluding.frozen


def _counted(ratings: Ratings, raters: pd.DataFrame, plan: AnalysisPlan) -> Ratings:
    return ratings.where(exclusion_codes(ratings, raters, plan.thresholds) == COUNTS)
