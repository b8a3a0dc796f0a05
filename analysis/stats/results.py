"""What every statistic returns: an estimate that names its interval, its method and the question it answers."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

UNDEFINED = float("nan")
FLOATS = ("estimate", "low", "high", "se", "statistic", "df")  # may be undefined
PRIMARY, PLANNED, SENSITIVITY, EXPLORATORY = "primary", "planned", "sensitivity", "exploratory"


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
    refused : str
        Why no limits are given although there are data, in words; empty where they are.
    se : float
        Standard error of the estimate, where the limits are made from one; else NaN.
    """

    estimate: float
    low: float
    high: float
    level: float
    method: str
    estimand: str
    n: int
    judgments: int
    refused: str = ""
    se: float = UNDEFINED

    @property
    def defined(self) -> bool:
        """Whether there is an estimate at all."""
        return not math.isnan(self.estimate)

    @classmethod
    def undefined(cls, *, level: float, method: str, estimand: str, n: int = 0, judgments: int = 0) -> Self:
        """The result for data that say nothing: an empty arm, a single unit."""
        return cls(UNDEFINED, UNDEFINED, UNDEFINED, level, method, estimand, n, judgments)


@dataclass(frozen=True, slots=True)
class Test:
    """A test of a hypothesis.

    Parameters
    ----------
    statistic : float
        In the unit that `method` says (chi-square, z, t, a difference); NaN when undefined.
    df : float
        Degrees of freedom; NaN where the method has none.
    p : float
        In [0, 1], two-sided unless `method` says otherwise; NaN when undefined.
    method, hypothesis : str
        How it was made, and what is tested, in words.
    n : int
        Units behind it (neurons).
    judgments : int
        Single answers behind it.
    """

    __test__ = False  # or pytest would take it for a class of tests

    statistic: float
    df: float
    p: float
    method: str
    hypothesis: str
    n: int
    judgments: int


@dataclass(frozen=True, slots=True)
class Number:
    """One row of a report: an interval or a test, and where it belongs. `id` is unique and stable within a report.

    `status` says what the frozen plan makes of it: "primary" (the contrast that was promised, one or none), "planned"
    (its fractions and p value), "sensitivity" (the same question under other choices) or "exploratory" (all the rest).
    """

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
    part: str = ""  # a part of the data: "layer third 1", "verdict yes"; "" = all
    status: str = EXPLORATORY
    refused: str = ""  # why no limits are given although there are data
    se: float = UNDEFINED  # standard error, where the limits are made from one
    statistic: float = UNDEFINED  # of a test, in the unit that `method` says
    df: float = UNDEFINED  # of a test; NaN where the method has none

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
        part: str = "",
        status: str = EXPLORATORY,
    ) -> Self:
        """A report row from an interval; the id is made from the kind and the place."""
        name = "/".join([kind, *(place or "all" for place in (size, arm, versus, rater)), *([part] if part else [])])
        where = {"size": size, "arm": arm, "versus": versus, "rater": rater, "part": part, "status": status}
        row: dict[str, Any] = {**asdict(interval), **where}
        return cls(id=name, kind=kind, unit=unit, **row)

    @classmethod
    def of_test(cls, test: Test, *, kind: str, level: float, **place: str) -> Self:
        """A report row from a test: the estimate is its p value, and there are no limits."""
        p = Interval(test.p, UNDEFINED, UNDEFINED, level, test.method, test.hypothesis, test.n, test.judgments)
        return replace(cls.of(p, kind=kind, unit="p", **place), statistic=test.statistic, df=test.df)

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
        found = {key: row.get(key) for key in FLOATS}  # reports of long ago have not all of them
        return cls(**{**row, **{key: UNDEFINED if value is None else float(value) for key, value in found.items()}})


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
