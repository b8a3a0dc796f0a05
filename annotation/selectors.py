"""Staff reads: progress and coverage by seat, never by arm."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet
from django.db.models.functions import TruncDate

from annotation.audit import anchor_of
from annotation.design import canonical_json
from annotation.models import (
    Assignment,
    Evaluator,
    Judgment,
    MachineRater,
    ProtocolVersion,
    Seat,
    SeatVacancy,
    Study,
    StudyEvent,
)


@dataclass(frozen=True, slots=True)
class SeatProgress:
    number: int
    kind: str  # who sits or may sit here: human, simulated, machine
    pseudonym: str  # empty: nobody sits here yet
    done: int
    total: int
    instructions_read: bool
    practice_done: bool
    last_activity: datetime | None


def study_list() -> QuerySet[Study]:
    """All studies, newest first, with `seats_total`, `seats_taken`, `done` and `total` assignments."""
    asked = Q(seats__assignments__retired_at__isnull=True)  # a prediction without a rule is neither done nor left
    done = asked & Q(seats__assignments__done_at__isnull=False)
    return (
        Study.objects.order_by("-id")
        .defer("protocol", "rater_text")
        .annotate(
            seats_total=Count("seats", distinct=True),
            seats_taken=Count("seats", filter=Q(seats__evaluator__isnull=False), distinct=True),
            total=Count("seats__assignments", filter=asked, distinct=True),
            done=Count("seats__assignments", filter=done, distinct=True),
        )
    )


def study_by_slug(slug: str) -> Study | None:
    return Study.objects.filter(slug=slug).first()


def study_progress(study: Study) -> list[SeatProgress]:
    """How far each seat is."""
    asked = Q(assignments__retired_at__isnull=True)
    seats = (
        Seat.objects.filter(study=study)
        .select_related("evaluator")
        .annotate(
            total=Count("assignments", filter=asked),
            done=Count("assignments__done_at", filter=asked),
            last_done=Max("assignments__done_at", filter=asked),
        )
        .order_by("number")
    )
    return [
        SeatProgress(
            number=seat.number,
            kind=seat.kind,
            pseudonym=seat.evaluator.pseudonym if seat.evaluator else "",
            done=seat.done,
            total=seat.total,
            instructions_read=seat.instructions_read_at is not None,
            practice_done=seat.practice_done_at is not None,
            last_activity=seat.last_done or seat.practice_done_at or seat.instructions_read_at,
        )
        for seat in seats
    ]


def answers_by_day(study: Study) -> list[tuple[date, int, int]]:
    """UTC day, seat and number of answers that stand."""
    done = Assignment.objects.filter(seat__study=study, done_at__isnull=False).order_by()
    counted = done.annotate(day=TruncDate("done_at")).values_list("day", "seat__number").annotate(answers=Count("pk"))
    return sorted((day, seat, answers) for day, seat, answers in counted)


def event_list(study: Study) -> QuerySet[StudyEvent]:
    """The study's log, oldest first."""
    return StudyEvent.objects.filter(study=study).select_related("actor__user").order_by("number")


def evaluators_free(study: Study) -> QuerySet[Evaluator]:
    """Evaluators who may take a seat of the study and have none."""
    return Evaluator.objects.filter(kind=study.rater_kind).exclude(seats__study=study).order_by("pseudonym")


def machines_declared(study: Study) -> QuerySet[MachineRater]:
    """The programs that rate or rated in a study, as they were declared."""
    here = Q(evaluator__seats__study=study) | Q(evaluator__vacancies__seat__study=study)
    return MachineRater.objects.filter(here).select_related("evaluator").order_by("declared_at", "pk").distinct()


def judgments_sha256(study: Study) -> str:
    """Hash of all judgments of a study, superseded ones included, in the order they were made."""
    rows = (
        Judgment.objects.filter(assignment__seat__study=study)
        .order_by("id")
        .values(
            "version", "is_current", "verdict", "confidence", "rule", "responses", "marks", "active_ms", "wall_ms",
            "shown_at", "submitted_at", shown=F("assignment__public_id"),
        )
    )  # fmt: skip
    plain = [_plain(dict(row)) for row in rows]
    return hashlib.sha256(canonical_json(plain).encode()).hexdigest()


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A judgment to be hashed. Responses that no task asked for are left out, as before there were any."""
    told = {name: value for name, value in row.items() if name != "responses" or value}
    return told | {"shown_at": row["shown_at"].isoformat(), "submitted_at": row["submitted_at"].isoformat()}


@dataclass(frozen=True, slots=True)
class SeatAttention:
    """A seat where something may be wrong: a neuron left on the screen, or a rater who does not come back."""

    number: int
    pseudonym: str
    left: int
    stuck: int  # neurons shown before `STUCK_AFTER` and not answered
    stuck_since: datetime | None
    last_activity: datetime
    silent_days: int  # whole days; 0 if that is not worth a word


STUCK_AFTER, SILENT_AFTER = timedelta(hours=24), timedelta(days=3)


def seats_needing_attention(study: Study, now: datetime) -> list[SeatAttention]:
    """Seats of a running study with answers missing for long, the quietest first. Never by what is shown on them."""
    if study.state != Study.State.OPEN:
        return []
    found = (_attention(seat, study.opened_at, now) for seat in _seats_with_activity(study, now))
    return sorted((seat for seat in found if seat.stuck or seat.silent_days), key=lambda seat: seat.last_activity)


def _seats_with_activity(study: Study, now: datetime) -> QuerySet[Seat]:
    waiting = Q(assignments__done_at__isnull=True)
    stuck = waiting & Q(assignments__shown_at__lt=now - STUCK_AFTER)
    return (
        Seat.objects.filter(study=study, evaluator__isnull=False)
        .select_related("evaluator")
        .annotate(
            left=Count("assignments", filter=waiting),
            stuck=Count("assignments", filter=stuck),
            stuck_since=Min("assignments__shown_at", filter=stuck),
            last_shown=Max("assignments__shown_at"),
            last_done=Max("assignments__done_at"),
            last_draft=Max("assignments__draft__updated_at"),
        )
        .filter(left__gt=0)
        .order_by("number")
    )


def _attention(seat: Any, opened_at: datetime | None, now: datetime) -> SeatAttention:
    times = (
        seat.seated_at, seat.instructions_read_at, seat.practice_done_at,
        seat.last_shown, seat.last_done, seat.last_draft, opened_at,
    )  # fmt: skip
    last = max(moment for moment in times if moment is not None)
    silent = now - last
    return SeatAttention(
        number=seat.number,
        pseudonym=seat.evaluator.pseudonym,
        left=seat.left,
        stuck=seat.stuck,
        stuck_since=seat.stuck_since,
        last_activity=last,
        silent_days=silent.days if silent >= SILENT_AFTER else 0,
    )


def version_at(study: Study, moment: datetime) -> int:
    """Number of the protocol's version that was in force at a moment; 0 before freeze."""
    found = ProtocolVersion.objects.filter(study=study, at__lte=moment).aggregate(number=Max("number"))["number"]
    return int(found or 0)


@dataclass(frozen=True, slots=True)
class VersionKnown:
    """What anybody may learn who has the hash of a protocol: nothing of what is compared in it."""

    title: str  # empty: the protocol does not let it be told
    number: int
    versions: int
    state: str
    frozen_at: datetime
    at: datetime  # since when this version is in force
    anchor: str  # of the log right after freeze


def version_known(sha256: str) -> VersionKnown | None:
    """The protocol of this hash, if it is one of this site."""
    row = ProtocolVersion.objects.filter(sha256=sha256).defer("text", "study__protocol").select_related("study").first()
    if row is None:
        return None
    study = row.study
    frozen = StudyEvent.objects.filter(study=study, action="frozen").select_related("chain").order_by("number").first()
    return VersionKnown(
        title=study.title if study.design.get("blinding", {}).get("named_publicly") else "",
        number=row.number,
        versions=ProtocolVersion.objects.filter(study=study).count(),
        state=study.state,
        frozen_at=study.frozen_at,
        at=row.at,
        anchor=anchor_of(frozen) if frozen else "",
    )


@dataclass(frozen=True, slots=True)
class Sitting:
    """One rater's time on one seat."""

    seat: int
    pseudonym: str
    since: datetime | None
    until: datetime | None  # None: still there


def sittings(study: Study) -> list[Sitting]:
    """Who sat on which seat and when: those who left, and those who are there."""
    left = SeatVacancy.objects.filter(seat__study=study).order_by("left_at", "id")
    past = left.values_list("seat__number", "evaluator__pseudonym", "seated_at", "left_at")
    seats = Seat.objects.filter(study=study, evaluator__isnull=False).order_by("number")
    now = seats.values_list("number", "evaluator__pseudonym", "seated_at")
    return [Sitting(*row) for row in past] + [Sitting(*row, None) for row in now]


def sittings_by_seat(study: Study) -> dict[int, list[Sitting]]:
    """The same by seat, for whoever asks for many moments."""
    found: dict[int, list[Sitting]] = {}
    for row in sittings(study):
        found.setdefault(row.seat, []).append(row)
    return found


def rater_at(rows: list[Sitting], seat: int, moment: datetime) -> str:
    """Pseudonym of who sat on a seat at a moment; empty if that is not known."""
    for row in rows:
        if row.seat == seat and (row.until is None or moment <= row.until):
            return row.pseudonym
    return ""
