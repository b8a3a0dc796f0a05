"""What the frozen plan makes of each number: primary, planned, sensitivity or exploratory.

One number at most is primary: the contrast that was promised. Its arms' fractions and its p value were planned with it.
The same contrast, or its arms' fractions, read, counted or modelled in another way is a sensitivity analysis. All the
rest is exploratory, however interesting it is.
"""

from collections.abc import Iterable
from dataclasses import replace

from analysis.reports.document import SCORED, AnalysisPlan
from analysis.reports.looks import LOOKS, REPEATED
from analysis.stats.results import EXPLORATORY, PLANNED, PRIMARY, SENSITIVITY, Number

PERMUTATION = "permutation_p"
READINGS = (
    "fraction", "majority_fraction", "generalising_fraction", "unanimous_fraction", "any_fraction",
    "fraction_cannot_as_no", "fraction_cannot_as_yes", "fraction_skipped_as_no", "fraction_skipped_as_yes",
    "fraction_excluding_nobody", "fraction_excluding_strict", "exact_fraction", "jeffreys_fraction",
    "score", "generalising_score",
)  # fmt: skip
CONTRASTS = (
    "difference", "majority_difference", "generalising_difference", "difference_excluding_nobody",
    "difference_excluding_strict", "score_difference", "generalising_score_difference",
)  # fmt: skip


def statuses_given(numbers: Iterable[Number], plan: AnalysisPlan, main: tuple[str, str]) -> tuple[Number, ...]:
    """The same numbers, each with its status.

    Parameters
    ----------
    main : tuple of str
        Kinds of the main fractions and differences; see `main_kinds`.
    """
    return tuple(replace(number, status=status_of(number, plan, main)) for number in numbers)


def primary_kind(plan: AnalysisPlan, main: tuple[str, str]) -> str:
    """Kind of the primary contrast: where several looks were planned, the interval that all of them leave."""
    return REPEATED if plan.looks > 1 and main not in SCORED.values() else main[1]


def status_of(number: Number, plan: AnalysisPlan, main: tuple[str, str]) -> str:
    """The status of one number. What a part of the report calls sensitivity is that for the plan's contrast alone."""
    if number.size != plan.place or number.rater or not plan.compared:
        return EXPLORATORY
    contrast = (number.arm, number.versus) == (plan.compared, plan.baseline)
    fraction = number.arm in (plan.compared, plan.baseline) and not number.versus
    if contrast and number.kind in LOOKS:
        return PRIMARY if number.kind == primary_kind(plan, main) else PLANNED
    if not number.part:
        if contrast and number.kind == primary_kind(plan, main):
            return PRIMARY
        if (fraction and number.kind == main[0]) or (contrast and number.kind == PERMUTATION):
            return PLANNED
        if (fraction and number.kind in READINGS) or (contrast and number.kind in CONTRASTS):
            return SENSITIVITY
    return SENSITIVITY if contrast and number.status == SENSITIVITY else EXPLORATORY
