"""Staff reads: progress and coverage by seat, never by arm."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Max, Q, QuerySet

from annotation.design import canonical_json
from annotation.models import Evaluator, Judgment, Seat, Study, StudyEvent


@dataclass(frozen=True, slots=True)
class SeatProgress:
    number: int
    pseudonym: str  # empty: nobody sits here yet
    done: int
    total: int
    instructions_read: bool
    practice_done: bool
    last_activity: datetime | None


def study_list() -> QuerySet[Study]:
    """All studies, newest first, with `seats_total`, `seats_taken`, `done` and `total` assignments."""
    return (
        Study.objects.order_by("-id")
        .defer("protocol", "rater_text")
        .annotate(
            seats_total=Count("seats", distinct=True),
            seats_taken=Count("seats", filter=Q(seats__evaluator__isnull=False), distinct=True),
            total=Count("seats__assignments", distinct=True),
            done=Count("seats__assignments", filter=Q(seats__assignments__done_at__isnull=False), distinct=True),
        )
    )


def study_by_slug(slug: str) -> Study | None:
    return Study.objects.filter(slug=slug).first()


def study_progress(study: Study) -> list[SeatProgress]:
    """How far each seat is."""
    seats = (
        Seat.objects.filter(study=study)
        .select_related("evaluator")
        .annotate(total=Count("assignments"), done=Count("assignments__done_at"), last_done=Max("assignments__done_at"))
        .order_by("number")
    )
    return [
        SeatProgress(
            number=seat.number,
            pseudonym=seat.evaluator.pseudonym if seat.evaluator else "",
            done=seat.done,
            total=seat.total,
            instructions_read=seat.instructions_read_at is not None,
            practice_done=seat.practice_done_at is not None,
            last_activity=seat.last_done or seat.practice_done_at or seat.instructions_read_at,
        )
        for seat in seats
    ]


def event_list(study: Study) -> QuerySet[StudyEvent]:
    """The study's log, oldest first."""
    return StudyEvent.objects.filter(study=study).select_related("actor__user").order_by("number")


def evaluators_free(study: Study) -> QuerySet[Evaluator]:
    """Evaluators who may take a seat of the study and have none."""
    return Evaluator.objects.filter(kind=study.rater_kind).exclude(seats__study=study).order_by("pseudonym")


def judgments_sha256(study: Study) -> str:
    """Hash of all judgments of a study, superseded ones included, in the order they were made."""
    rows = (
        Judgment.objects.filter(assignment__seat__study=study)
        .order_by("id")
        .values(
            "version", "is_current", "verdict", "confidence", "rule", "marks", "active_ms", "wall_ms",
            "shown_at", "submitted_at", shown=F("assignment__public_id"),
        )
    )  # fmt: skip
    plain = [
        row | {"shown_at": row["shown_at"].isoformat(), "submitted_at": row["submitted_at"].isoformat()} for row in rows
    ]
    return hashlib.sha256(canonical_json(plain).encode()).hexdigest()
