"""What every statistic returns: an estimate that names its interval, its method and the question it answers."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Self

UNDEFINED = float("nan")


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval.

    Parameters
    ----------
    estimate, low, high : float
        In the unit of the quantity (a share in [0, 1], a difference in [-1, 1], alpha at most 1). NaN when undefined.
    level : float
        Confidence level in (0, 1).
    method : str
        How the interval was made, in words.
    estimand : str
        The question that the interval answers, in words.
    n : int
        Units behind the estimate (neurons).
    judgments : int
        Single answers behind the estimate.
    """

    estimate: float
    low: float
    high: float
    level: float
    method: str
    estimand: str
    n: int
    judgments: int

    @property
    def defined(self) -> bool:
        """Whether there is an estimate at all."""
        return not math.isnan(self.estimate)

    @classmethod
    def undefined(cls, *, level: float, method: str, estimand: str, n: int = 0, judgments: int = 0) -> Self:
        """The result for data that say nothing: an empty arm, a single unit."""
        return cls(UNDEFINED, UNDEFINED, UNDEFINED, level, method, estimand, n, judgments)


@dataclass(frozen=True, slots=True)
class Number:
    """One row of a report: an interval and where it belongs. `id` is unique and stable within a report."""

    id: str
    kind: str  # "fraction", "difference", "rater_fraction", "agreement", …
    unit: str  # "share", "difference", "alpha"
    estimate: float
    low: float
    high: float
    level: float
    method: str
    estimand: str
    n: int
    judgments: int
    size: str = ""  # "" = all sizes
    arm: str = ""  # "" = all arms
    versus: str = ""  # the arm that is subtracted
    rater: str = ""  # "" = the panel

    @classmethod
    def of(
        cls,
        interval: Interval,
        *,
        kind: str,
        unit: str = "share",
        size: str = "",
        arm: str = "",
        versus: str = "",
        rater: str = "",
    ) -> Self:
        """A report row from an interval; the id is made from the kind and the place."""
        name = "/".join([kind, *(part or "all" for part in (size, arm, versus, rater))])
        where = {"size": size, "arm": arm, "versus": versus, "rater": rater}
        row: dict[str, Any] = {**asdict(interval), **where}
        return cls(id=name, kind=kind, unit=unit, **row)

    @property
    def defined(self) -> bool:
        return not math.isnan(self.estimate)

    @property
    def bounded(self) -> bool:
        """Whether an interval could be given as well."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    def to_json(self) -> dict[str, Any]:
        """A JSON object in full double precision; an undefined value is null."""
        return {key: None if _is_nan(value) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> Self:
        """The inverse of `to_json`."""
        bounds = {key: UNDEFINED if row[key] is None else float(row[key]) for key in ("estimate", "low", "high")}
        return cls(**{**row, **bounds})


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
