"""Two reports side by side: did the second study find what the first one found?

Nothing here decides between "replicated" and "not". Several questions are asked, each with its own answer, because
they can disagree: is each estimate inside the other's interval and prediction interval, do the directions agree, how
large is the difference between the two, and what do both say together.

References
----------
Donner, A. & Zou, G. Y. (2012). Closed-form confidence intervals for functions of the normal mean and standard
deviation. Stat. Methods Med. Res. 21, 347–359 (method of variance estimates recovery, MOVER).
Patil, P., Peng, R. D. & Leek, J. T. (2016). What should researchers expect when they replicate studies? Perspect.
Psychol. Sci. 11, 539–544 (prediction interval of a replication).
DerSimonian, R. & Laird, N. (1986). Meta-analysis in clinical trials. Control. Clin. Trials 7, 177–188.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scipy.stats import norm

from analysis.reports.document import Report
from analysis.stats.results import UNDEFINED, Interval, Number

SCHEMA = "blindscope-comparison/1"
Designs = tuple[Mapping[str, Any], Mapping[str, Any]]
MOVER = "MOVER: from the two intervals, studies independent"
PREDICTION = "prediction interval (Patil, Peng & Leek 2016), from the two intervals"
FIXED = "inverse-variance mean of the two studies, fixed effect; standard errors from the widths of the intervals"
RANDOM = (
    "inverse-variance mean with the DerSimonian–Laird variance between studies; two studies say little about it, so "
    "that the interval is too short where they truly differ"
)
SAME_PLAN = {
    "question": "Question to the raters",
    "rater_kind": "Raters",
    "baseline": "Baseline",
    "asks": "Intervals are about",
    "vote": "What counts for a neuron",
    "population": "Neurons stand for",
    "level": "Confidence level",
}


@dataclass(frozen=True, slots=True)
class Compared:
    """One quantity in both studies.

    Attributes
    ----------
    first, second : Number
    change : Interval
        Second minus first, in the unit of both.
    in_first, in_second : bool or None
        Whether the other study's estimate lies in this one's interval; None: there is no interval.
    predicted : Interval
        Where the second estimate was to be expected from the first one, sampling error of both.
    as_predicted : bool or None
        Whether it lies there.
    same_direction, same_significance : bool or None
        Of differences: both on one side of 0; 0 outside both intervals or inside both. None for shares.
    fixed, random : Interval
        Both studies together.
    """

    first: Number
    second: Number
    change: Interval
    in_first: bool | None
    in_second: bool | None
    predicted: Interval
    as_predicted: bool | None
    same_direction: bool | None
    same_significance: bool | None
    fixed: Interval
    random: Interval


@dataclass(frozen=True, slots=True)
class Difference:
    """Something of the protocol that is not the same; texts as they stand in the two."""

    what: str
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Attributes
    ----------
    main : Compared or None
        The primary contrast of both; None where they did not promise the same one.
    shared : tuple of Compared
        Every main fraction and difference that both have.
    differs : tuple of Difference
    """

    studies: tuple[str, str]
    titles: tuple[str, str]
    simulated: tuple[bool, bool]
    main: Compared | None
    shared: tuple[Compared, ...]
    differs: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON object in full double precision; undefined values are null."""
        return {
            "schema": SCHEMA,
            "studies": list(self.studies),
            "titles": list(self.titles),
            "simulated": list(self.simulated),
            "main": None if self.main is None else _compared_json(self.main),
            "shared": [_compared_json(row) for row in self.shared],
            "differs": [asdict(row) for row in self.differs],
        }


def comparison_make(first: Report, second: Report, designs: Designs = ({}, {})) -> Comparison:
    """Two reports held against each other; the studies are taken as independent of each other.

    Parameters
    ----------
    designs : pair of mapping
        The two frozen designs, for what the reports do not hold: task, display, corpus. Empty: not told.
    """
    shared = tuple(_shared(first, second))
    main = _main(first, second)
    return Comparison(
        studies=(first.plan.study, second.plan.study),
        titles=(first.plan.title, second.plan.title),
        simulated=(first.simulated, second.simulated),
        main=main,
        shared=shared,
        differs=tuple(_differs(first, second, designs)),
    )


def _main(first: Report, second: Report) -> Compared | None:
    """The primary contrasts, if both promised the same arms; what they were pooled over is told by the numbers."""
    ours, theirs = first.primary, second.primary
    if ours is None or theirs is None or (ours.arm, ours.versus) != (theirs.arm, theirs.versus):
        return None
    return None if ours.unit != theirs.unit else compared(ours, theirs)


def _shared(first: Report, second: Report) -> Iterator[Compared]:
    if first.scored != second.scored:
        return  # right answers and verdicts are not one quantity
    for ours_kind, theirs_kind in zip(first.main, second.main, strict=True):
        found = {(number.size, number.arm, number.versus): number for number in second.select(theirs_kind)}
        for number in first.select(ours_kind):
            other = found.get((number.size, number.arm, number.versus))
            if other is not None:
                yield compared(number, other)


def compared(first: Number, second: Number) -> Compared:
    """One quantity in both studies; undefined where one of them has no estimate or no interval."""
    signed = first.unit == "difference" and first.defined and second.defined
    bounded = first.bounded and second.bounded
    predicted = _predicted(first, second)
    return Compared(
        first=first,
        second=second,
        change=_change(first, second),
        in_first=_within(second, first),
        in_second=_within(first, second),
        predicted=predicted,
        as_predicted=predicted.low <= second.estimate <= predicted.high if bounded else None,
        same_direction=(first.estimate > 0) == (second.estimate > 0) if signed else None,
        same_significance=_away_from_zero(first) == _away_from_zero(second) if signed and bounded else None,
        fixed=_together(first, second, between=False),
        random=_together(first, second, between=True),
    )


def _within(number: Number, other: Number) -> bool | None:
    return other.low <= number.estimate <= other.high if number.defined and other.bounded else None


def _away_from_zero(number: Number) -> bool:
    return number.low > 0 or number.high < 0


def _change(first: Number, second: Number) -> Interval:
    """Second minus first.

    The lower limit takes the second's lower part and the first's upper part, as Newcombe's interval does for arms.
    """
    estimate = second.estimate - first.estimate
    low = estimate - math.hypot(second.estimate - second.low, first.high - first.estimate)
    high = estimate + math.hypot(second.high - second.estimate, first.estimate - first.low)
    return _interval(estimate, low, high, first, second, MOVER, "second study minus first study")


def _predicted(first: Number, second: Number) -> Interval:
    low = first.estimate - math.hypot(first.estimate - first.low, second.high - second.estimate)
    high = first.estimate + math.hypot(first.high - first.estimate, second.estimate - second.low)
    words = "estimate of a second study of the second one's size, if both estimate the same value"
    return _interval(first.estimate, low, high, first, second, PREDICTION, words)


def _together(first: Number, second: Number, *, between: bool) -> Interval:
    method = RANDOM if between else FIXED
    words = "mean of both studies" + ("; studies like these two" if between else "; one value in both studies")
    if not (first.bounded and second.bounded):
        return _interval(UNDEFINED, UNDEFINED, UNDEFINED, first, second, method, words)
    errors = [standard_error(number) for number in (first, second)]
    if min(errors) == 0:
        return _interval(UNDEFINED, UNDEFINED, UNDEFINED, first, second, method, words)
    spread = _variance_between(first.estimate, second.estimate, *errors) if between else 0.0
    weights = [1 / (error**2 + spread) for error in errors]
    mean = (weights[0] * first.estimate + weights[1] * second.estimate) / sum(weights)
    half = float(norm.ppf((1 + first.level) / 2)) / math.sqrt(sum(weights))
    return _interval(mean, mean - half, mean + half, first, second, method, words)


def standard_error(number: Number) -> float:
    """What the width of an interval stands for, as if it were symmetric and normal."""
    return (number.high - number.low) / (2 * float(norm.ppf((1 + number.level) / 2)))


def _variance_between(one: float, other: float, error: float, other_error: float) -> float:
    """DerSimonian–Laird for two studies: ((d^2 - (s1^2 + s2^2)) / 2), not below 0.

    Examples
    --------
    >>> round(_variance_between(0.0, 0.4, 0.1, 0.1), 9)  # Q = 8, C = 100: (8 - 1) / 100
    0.07
    """
    weights = (1 / error**2, 1 / other_error**2)
    mean = (weights[0] * one + weights[1] * other) / sum(weights)
    statistic = weights[0] * (one - mean) ** 2 + weights[1] * (other - mean) ** 2
    scale = sum(weights) - (weights[0] ** 2 + weights[1] ** 2) / sum(weights)
    return max(0.0, (statistic - 1) / scale)


def _interval(
    estimate: float, low: float, high: float, first: Number, second: Number, method: str, words: str
) -> Interval:
    whole = first.n + second.n, first.judgments + second.judgments
    return Interval(estimate, low, high, first.level, method, f"{words}: {first.estimand}", *whole)


def _differs(first: Report, second: Report, designs: Designs) -> Iterator[Difference]:
    one, other = asdict(first.plan), asdict(second.plan)
    told = [
        ("Arms", ", ".join(first.plan.arms), ", ".join(second.plan.arms)),
        ("Sizes", ", ".join(first.plan.sizes), ", ".join(second.plan.sizes)),
        *((words, str(one[name]), str(other[name])) for name, words in SAME_PLAN.items()),
        ("Number of raters", str(len(first.raters)), str(len(second.raters))),
        ("Analysis code", first.code_version, second.code_version),
        *_designs_differ(*designs),
    ]
    return (Difference(*row) for row in told if row[1] != row[2])


def _designs_differ(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    names = {
        "protocol": "Task", "display": "Display", "corpus": "Corpus", "snippets_per_neuron": "Snippets per neuron",
        "neurons_per_arm": "Neurons per size and arm", "raters_per_neuron": "Raters per neuron",
    }  # fmt: skip
    if first and second:
        yield from ((words, str(first.get(name, "")), str(second.get(name, ""))) for name, words in names.items())


def _compared_json(row: Compared) -> dict[str, Any]:
    made = {}
    for name in ("change", "predicted", "fixed", "random"):
        interval = asdict(getattr(row, name))
        made[name] = {key: None if value != value else value for key, value in interval.items()}
    for name in ("first", "second"):
        made[name] = getattr(row, name).to_json()
    for name in ("in_first", "in_second", "as_predicted", "same_direction", "same_significance"):
        made[name] = getattr(row, name)
    return made
