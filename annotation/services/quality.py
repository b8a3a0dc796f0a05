"""Checks of judgments against the frozen thresholds: stored per judgment, counted per rater, never applied silently.

Which items are catch trials is sealed; here it is asked, and only how a rater did on them is told.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from annotation.design import design_from_dict
from annotation.design.quality import QualityDesign
from annotation.models import Judgment, JudgmentCheck, Seat, Study
from annotation.protocols import TASKS
from annotation.protocols.checks import CATCH, Check, RaterQuality, catch_check, rater_quality, time_checks
from annotation.protocols.task import Answer
from annotation.sealed.keys import CatchRow, catches_read

BATCH = 500


@dataclass(frozen=True, slots=True)
class SeatQuality:
    seat: int
    pseudonym: str
    quality: RaterQuality
    reasons: tuple[str, ...]  # to be left out of the main analysis, by the frozen thresholds


@transaction.atomic
def checks_write(*, study: Study) -> int:
    """Check every judgment that was not checked yet, superseded ones too; returns how many those were."""
    quality, catches = design_from_dict(study.design).quality, catches_read(study)
    waiting = Judgment.objects.filter(assignment__seat__study=study, checks__isnull=True).select_related(
        "assignment__item"
    )
    rows = [
        JudgmentCheck(judgment=judgment, name=check.name, value=check.value, passed=check.passed)
        for judgment in waiting
        for check in _checks(study, judgment, quality, catches)
    ]
    JudgmentCheck.objects.bulk_create(rows, batch_size=BATCH)
    return len({row.judgment_id for row in rows})


def study_quality(study: Study, thresholds: QualityDesign | None = None) -> list[SeatQuality]:
    """How each taken seat did so far, by the frozen thresholds or by others."""
    quality = thresholds or design_from_dict(study.design).quality
    by_seat = _checks_by_seat(study, quality)
    seats = Seat.objects.filter(study=study, evaluator__isnull=False).select_related("evaluator")
    return [_seat_quality(seat, by_seat.get(seat.pk, []), quality) for seat in seats]


def catches_checked(study: Study) -> list[tuple[int, datetime, bool]]:
    """Seat, time and outcome of every answer to a catch trial that counts and could be checked."""
    quality, catches = design_from_dict(study.design).quality, catches_read(study)
    answers = Judgment.objects.filter(assignment__seat__study=study, is_current=True, assignment__item_id__in=catches)
    rows = answers.select_related("assignment__item", "assignment__seat").order_by("pk")
    return [
        (row.assignment.seat.number, row.submitted_at, check.passed)
        for row in rows
        for check in _checks(study, row, quality, catches)
        if check.name == CATCH and check.passed is not None
    ]


def _seat_quality(seat: Any, checks: list[Check], quality: QualityDesign) -> SeatQuality:
    counted = rater_quality(checks)
    reasons = counted.reasons_to_exclude(
        least_catches_right=quality.least_catches_right, most_beyond_times=quality.most_beyond_times
    )
    return SeatQuality(seat.number, seat.evaluator.pseudonym, counted, reasons)


def _checks_by_seat(study: Study, quality: QualityDesign) -> dict[int, list[Check]]:
    """Checks of the current judgments, made from the answers: some may not be stored yet."""
    catches = catches_read(study)
    current = Judgment.objects.filter(assignment__seat__study=study, is_current=True).select_related("assignment__item")
    found: dict[int, list[Check]] = {}
    for judgment in current:
        found.setdefault(judgment.assignment.seat_id, []).extend(_checks(study, judgment, quality, catches))
    return found


def _checks(study: Study, judgment: Judgment, quality: QualityDesign, catches: dict[int, CatchRow]) -> list[Check]:
    checks = list(
        time_checks(judgment.active_ms, least_seconds=quality.least_seconds, most_seconds=quality.most_seconds)
    )
    item = judgment.assignment.item
    if (catch := catches.get(item.pk)) is not None:
        task = TASKS[item.layout.get("task") or study.rater_text["task"]]
        checks.append(catch_check(task, _answer(judgment), expected=catch.expected, truth=catch.truth))
    return checks


def _answer(judgment: Judgment) -> Answer:
    return Answer(
        verdict=judgment.verdict,
        confidence=judgment.confidence,
        rule=judgment.rule,
        marks=tuple(judgment.marks),
        responses=judgment.responses,
    )
