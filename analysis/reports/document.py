"""The report as data: what `report.json` holds and what pages, figures and tables are drawn from."""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from analysis.reports.thresholds import Thresholds
from analysis.stats.results import PRIMARY, UNDEFINED, Number
from annotation.design.analysis import GENERALISING, MAJORITY, MEAN, OBRIEN_FLEMING, PANEL, SUPERPOPULATION
from annotation.design.sampling import POOLED

SCHEMA = "blindscope-report/3"
LABELS = {"human": "human raters", "simulated": "simulated raters", "machine": "machine raters"}
# Kinds of the main numbers and of their differences, by question and vote.
MAIN = {
    (PANEL, MEAN): ("fraction", "difference"),
    (PANEL, MAJORITY): ("majority_fraction", "majority_difference"),
    (GENERALISING, MEAN): ("generalising_fraction", "generalising_difference"),
}
# The same in studies that never ask whether a neuron is interpretable, by question.
SCORED = {PANEL: ("score", "score_difference"), GENERALISING: ("generalising_score", "generalising_score_difference")}


class PlanImpossible(ValueError):
    """A plan that names what the study does not have, or asks for what nobody can answer."""


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """What was fixed before the first judgment: sizes, arms and their order, the contrast, level and seed."""

    study: str  # slug
    title: str
    rater_kind: str  # "human", "simulated", or "machine" for ratings made elsewhere
    question: str
    groups: tuple[tuple[str, str], ...]  # size and arm, in the order of the design
    baseline: str  # the arm that the others are compared with
    protocol_sha256: str
    seed: int  # of the bootstrap
    level: float = 0.95
    resamples: int = 2000
    thresholds: Thresholds = field(default_factory=Thresholds)  # what excludes raters and answers
    # What the frozen section `analysis` of the design says; the meaning stands there.
    asks: str = PANEL
    vote: str = MEAN
    population: str = SUPERPOPULATION
    treatment: str = ""  # of the primary contrast; "" = the first arm beside the baseline
    size: str = ""  # of the primary contrast; "" = all
    looks: int = 1
    spending: str = OBRIEN_FLEMING
    permutations: int = 10_000
    bayesian_answers: int = 250
    layers: str = POOLED  # how neurons were drawn from layers: "pooled", "equal" or "proportional"

    def __post_init__(self) -> None:
        for name, named, known in (("treatment", self.treatment, self.treatments), ("size", self.size, self.sizes)):
            if named and named not in known:
                raise PlanImpossible(f"The plan's {name} is {named!r}; the study has {', '.join(known) or 'none'}.")
        if self.size and self.treatment and (self.size, self.treatment) not in self.groups:
            raise PlanImpossible(f"The plan compares {self.treatment!r} at {self.size!r}, which does not have it.")
        if (self.asks, self.vote) not in MAIN:
            raise PlanImpossible(
                f"The plan asks the {self.asks} question of the {self.vote} vote; ask the panel question, or for the "
                "mean of raters."
            )

    @property
    def sizes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(size for size, _ in self.groups))

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(arm for _, arm in self.groups))

    @property
    def treatments(self) -> tuple[str, ...]:
        return tuple(arm for arm in self.arms if arm != self.baseline)

    @property
    def pooled(self) -> bool:
        """Whether pooling over sizes says more than the one size does."""
        return len(self.sizes) > 1

    @property
    def compared(self) -> str:
        """The arm that the primary contrast compares with the baseline; empty where there is none."""
        here = (arm for arm in self.treatments if not self.place or (self.place, arm) in self.groups)
        return self.treatment or next(here, "")

    @property
    def place(self) -> str:
        """Size of the primary contrast; empty: all sizes, equally weighted."""
        return self.size or ("" if self.pooled else next(iter(self.sizes), ""))


@dataclass(frozen=True, slots=True)
class FlowRow:
    """How neurons and judgments of one size and arm came through the study."""

    size: str
    arm: str
    drawn: int
    rejected: int
    neurons: int  # accepted draws: items in the study
    assigned: int  # places on raters' lists
    shown: int
    yes: int
    no: int
    cannot: int
    unanswered: int  # shown, but no answer came
    excluded: int  # answered, and left out of the numbers by the frozen thresholds
    not_shown: int
    scored: int = 0  # answered in a task that asks for no verdict


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """Draws of one size and arm that were turned down for one reason."""

    size: str
    arm: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class ExcludedRow:
    """Answers of one size and arm that the frozen thresholds leave out for one reason."""

    size: str
    arm: str
    reason: str
    raters: int  # whose answers these are
    count: int


@dataclass(frozen=True, slots=True)
class PopulationRow:
    """How many neurons of one layer could be shown, and how many were drawn; None where nothing is counted."""

    size: str
    arm: str
    layer: int
    neurons: int | None
    drawn: int


@dataclass(frozen=True, slots=True)
class TimeRow:
    """Response times in seconds; NaN where none was measured."""

    id: str
    measure: str  # "active" (page in view and in use) or "wall" (from shown to submitted)
    arm: str  # "" = all arms
    third: int  # 1, 2, 3 of the rater's list; 0 = the whole list
    n: int
    median: float
    first_quartile: float
    third_quartile: float


@dataclass(frozen=True, slots=True)
class Report:
    plan: AnalysisPlan
    raters: tuple[str, ...]
    judgments: int
    input_sha256: str
    code_version: str
    numbers: tuple[Number, ...]
    flow: tuple[FlowRow, ...]
    rejected: tuple[RejectedRow, ...]
    times: tuple[TimeRow, ...]
    excluded: tuple[ExcludedRow, ...] = ()
    populations: tuple[PopulationRow, ...] = ()

    @property
    def simulated(self) -> bool:
        return self.plan.rater_kind == "simulated"

    @property
    def rater_label(self) -> str:
        """How the raters are named wherever the report is shown."""
        return LABELS[self.plan.rater_kind]

    @property
    def pooled(self) -> bool:
        """Whether pooling over sizes says more than the one size does."""
        return self.plan.pooled

    @property
    def scored(self) -> bool:
        """Whether the study asks questions with right answers and never whether a neuron is interpretable."""
        return is_scored(self.numbers)

    @property
    def main(self) -> tuple[str, str]:
        """Kinds of the main numbers and of their differences, as the plan asks for them."""
        return main_kinds(self.numbers, self.plan)

    @property
    def primary(self) -> Number | None:
        """The contrast that the plan promised; None in a study of one arm."""
        return next((number for number in self.numbers if number.status == PRIMARY), None)

    def of_status(self, status: str) -> tuple[Number, ...]:
        """All numbers that the plan makes primary, planned, sensitivity or exploratory."""
        return tuple(number for number in self.numbers if number.status == status)

    def select(self, kind: str) -> tuple[Number, ...]:
        return tuple(number for number in self.numbers if number.kind == kind)

    def number(self, number_id: str) -> Number:
        return next(number for number in self.numbers if number.id == number_id)

    def to_json(self) -> dict[str, Any]:
        """A JSON object in full double precision; undefined values are null."""
        return {
            "schema": SCHEMA,
            "raters_are": self.rater_label,
            "simulated": self.simulated,
            "plan": {**asdict(self.plan), "thresholds": self.plan.thresholds.as_json()},
            "raters": list(self.raters),
            "judgments": self.judgments,
            "input_sha256": self.input_sha256,
            "code_version": self.code_version,
            "numbers": [number.to_json() for number in self.numbers],
            "flow": [asdict(row) for row in self.flow],
            "rejected": [asdict(row) for row in self.rejected],
            "times": [_without_nan(asdict(row)) for row in self.times],
            "excluded": [asdict(row) for row in self.excluded],
            "populations": [asdict(row) for row in self.populations],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        limits = {key: value for key, value in data["plan"]["thresholds"].items() if value is not None}
        groups = tuple((size, arm) for size, arm in data["plan"]["groups"])
        plan = {**data["plan"], "groups": groups, "thresholds": Thresholds(**limits)}
        return cls(
            plan=AnalysisPlan(**plan),
            raters=tuple(data["raters"]),
            judgments=data["judgments"],
            input_sha256=data["input_sha256"],
            code_version=data["code_version"],
            numbers=tuple(Number.from_json(row) for row in data["numbers"]),
            flow=tuple(FlowRow(**row) for row in data["flow"]),
            rejected=tuple(RejectedRow(**row) for row in data["rejected"]),
            times=tuple(TimeRow(**_with_nan(row)) for row in data["times"]),
            # Reports of schema 2 have neither.
            excluded=tuple(ExcludedRow(**row) for row in data.get("excluded", ())),
            populations=tuple(PopulationRow(**row) for row in data.get("populations", ())),
        )


def is_scored(numbers: Iterable[Number]) -> bool:
    """Whether there are answers with a right and a wrong, and no verdicts."""
    scored = False
    for number in numbers:
        if number.kind == "fraction" and number.defined:
            return False
        scored = scored or number.kind == SCORED[PANEL][0]
    return scored


def main_kinds(numbers: Iterable[Number], plan: AnalysisPlan) -> tuple[str, str]:
    """Kinds of the main numbers and of their differences, as the plan asks for them."""
    return SCORED[plan.asks] if is_scored(numbers) else MAIN[plan.asks, plan.vote]


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}


def _with_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {key: UNDEFINED if value is None else value for key, value in row.items()}
