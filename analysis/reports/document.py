"""The report as data: what `report.json` holds and what pages, figures and tables are drawn from."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from analysis.reports.exclusions import Thresholds
from analysis.stats.results import UNDEFINED, Number
from annotation.design.analysis import MEAN, OBRIEN_FLEMING, PANEL, SUPERPOPULATION

SCHEMA = "blindscope-report/2"
SIMULATED_LABEL = "simulated raters"


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """What was fixed before the first judgment: sizes, arms and their order, the contrast, level and seed."""

    study: str  # slug
    title: str
    rater_kind: str  # "human" or "simulated"
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

    @property
    def sizes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(size for size, _ in self.groups))

    @property
    def arms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(arm for _, arm in self.groups))

    @property
    def treatments(self) -> tuple[str, ...]:
        return tuple(arm for arm in self.arms if arm != self.baseline)


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

    @property
    def simulated(self) -> bool:
        return self.plan.rater_kind == "simulated"

    @property
    def rater_label(self) -> str:
        """How the raters are named wherever the report is shown."""
        return SIMULATED_LABEL if self.simulated else "human raters"

    @property
    def pooled(self) -> bool:
        """Whether pooling over sizes says more than the one size does."""
        return len(self.plan.sizes) > 1

    @property
    def scored(self) -> bool:
        """Whether the study asks questions with right answers and never whether a neuron is interpretable."""
        return not any(number.defined for number in self.select("fraction")) and bool(self.select("score"))

    @property
    def main(self) -> tuple[str, str]:
        """Kinds of the main numbers and of their differences."""
        return ("score", "score_difference") if self.scored else ("fraction", "difference")

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
        )


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {key: None if isinstance(value, float) and math.isnan(value) else value for key, value in row.items()}


def _with_nan(row: dict[str, Any]) -> dict[str, Any]:
    return {key: UNDEFINED if value is None else value for key, value in row.items()}
