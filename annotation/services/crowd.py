"""Raters from a crowd provider: they come in, finish, or leave before."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotation.design.crowd import DISCARD, KEEP, CrowdDesign
from annotation.models import (
    ArmGuess,
    Assignment,
    CrowdIntake,
    CrowdPerson,
    CrowdSubmission,
    Evaluator,
    RaterKind,
    Seat,
    Study,
)
from annotation.providers.addresses import return_address
from annotation.services.crowd_ids import id_hash
from annotation.services.errors import IntakeRefused, SeatsTaken, SubmissionRefused
from annotation.services.log import User, event_add
from annotation.services.people import evaluator_create_keyless, seat_take
from annotation.services.vacancies import seat_vacate

Status = CrowdSubmission.Status
CODE_OF: dict[str, str] = {
    Status.COMPLETE: "code_complete",
    Status.FULL: "code_screened_out",
    Status.REPEAT: "code_screened_out",
    Status.SCREENED_OUT: "code_screened_out",
    Status.NO_CONSENT: "code_no_consent",
    Status.TIMED_OUT: "code_timed_out",
}
AT_WORK = (Status.STARTED, Status.COMPLETE)
SENT_AWAY = (Status.FULL, Status.REPEAT)  # never sat; may try again
PROVIDER_SAYS = {"RETURNED": Status.RETURNED, "TIMED OUT": Status.TIMED_OUT}


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who says to come in, as the address says or as the provider vouches for."""

    person: str
    study: str
    session: str
    signed: bool


@dataclass(frozen=True, slots=True)
class WayBack:
    """How a participant goes back to the provider."""

    code: str
    address: str  # empty: there is no address, show the code


@transaction.atomic
def crowd_enter(*, intake: CrowdIntake, arrival: Arrival) -> CrowdSubmission:
    """Let a person in: on the seat they have, or on a free one. One participation per person and study.

    All arrivals of a study wait for each other here, so a seat is given once and none is given too much.
    """
    _check_arrival(intake, arrival)
    study = Study.objects.select_for_update().defer("protocol", "rater_text").get(pk=intake.study_id)
    person = _person(intake, arrival)
    submission = CrowdSubmission.objects.select_for_update().filter(study=study, person=person).first()
    if submission is not None and submission.status not in SENT_AWAY:
        return _seat_lost(submission)
    if study.state != Study.State.OPEN or study.paused_at is not None or not intake.is_open:
        raise IntakeRefused("The study takes in nobody at the moment.")
    if submission is None:
        submission = CrowdSubmission(study=study, person=person, was_signed=arrival.signed)
    submission.session_hash = id_hash(intake.provider, arrival.session or arrival.person)
    submission.session_id = arrival.session if intake.keep_ids else ""
    _seated(submission, intake, study, person)
    submission.save()
    return submission


def _seat_lost(submission: CrowdSubmission) -> CrowdSubmission:
    """Who left the seat in another way than over the provider, or had it taken, is not at work any more."""
    row = submission
    if row.status == Status.STARTED and (row.seat is None or row.seat.evaluator_id != row.person.evaluator_id):
        _ended(row, Status.LEFT)
        row.save()
    return row


def _check_arrival(intake: CrowdIntake, arrival: Arrival) -> None:
    if not 1 <= len(arrival.person) <= 120 or len(arrival.session) > 120:
        raise IntakeRefused("The address does not say who comes in.")
    if intake.signed and not arrival.signed:
        raise IntakeRefused("The address is not signed by the provider.")
    if intake.external_study and arrival.study != intake.external_study:
        raise IntakeRefused("The address belongs to another study.")


def _person(intake: CrowdIntake, arrival: Arrival) -> CrowdPerson:
    person, _ = CrowdPerson.objects.get_or_create(
        provider=intake.provider, id_hash=id_hash(intake.provider, arrival.person)
    )
    if intake.keep_ids and person.external_id != arrival.person:
        person.external_id = arrival.person
        person.save(update_fields=["external_id"])
    return person


def _seated(submission: CrowdSubmission, intake: CrowdIntake, study: Study, person: CrowdPerson) -> None:
    """Give the submission a seat, or say why there is none."""
    if intake.newcomers_only and _seen_elsewhere(person, study):
        submission.status = Status.REPEAT
        return
    try:
        with transaction.atomic():
            submission.seat = seat_take(study=study, evaluator=_evaluator(person))
    except SeatsTaken:
        submission.status = Status.FULL
        return
    submission.status = Status.STARTED


def _seen_elsewhere(person: CrowdPerson, study: Study) -> bool:
    return CrowdSubmission.objects.filter(person=person, seat__isnull=False).exclude(study=study).exists()


def _evaluator(person: CrowdPerson) -> Evaluator:
    if person.evaluator is None:
        person.evaluator = evaluator_create_keyless(kind=RaterKind.HUMAN)
        person.save(update_fields=["evaluator"])
    return person.evaluator


@transaction.atomic
def crowd_finish(*, submission: CrowdSubmission) -> CrowdSubmission:
    """Note that a participant is through, and the code that says so. Refused until every answer is stored.

    Who did not pass the training leaves with the code for that, and the seat becomes free.
    """
    row = _seat_lost(_locked(submission))
    if row.status == Status.STARTED and row.seat is not None and row.seat.screened_out_at is not None:
        return crowd_leave(submission=row, status=Status.SCREENED_OUT)
    if row.status == Status.STARTED:
        if row.seat is None or not seat_is_done(row.seat):
            raise SubmissionRefused("Some questions are still open; go on with the study.")
        _ended(row, Status.COMPLETE)
        row.save()
    return row


def seat_is_done(seat: Seat) -> bool:
    """Every item answered, and every guess that the design asks for."""
    items = Assignment.objects.filter(seat=seat)
    guesses = ArmGuess.objects.filter(assignment__seat=seat, answered_at__isnull=True)
    return items.exists() and not items.filter(done_at__isnull=True).exists() and not guesses.exists()


@transaction.atomic
def crowd_leave(*, submission: CrowdSubmission, status: str, by: User = None) -> CrowdSubmission:
    """A participant leaves before the end: the seat becomes free, with the answers kept or not as the design says."""
    row = _locked(submission)
    if row.status not in AT_WORK or status == row.status:
        return row
    keep = _keeps(row.study, status)
    if row.status == Status.COMPLETE and (keep or status != Status.RETURNED):
        return row  # the work is done and stands; only who takes all of it back changes that
    _seat_freed(row, keep, status, by)
    _ended(row, status)
    row.save()
    return row


def _keeps(study: Study, status: str) -> bool:
    policy: dict[str, str] = study.design.get("crowd", {})
    if status == Status.RETURNED:
        return policy.get("on_return", CrowdDesign().on_return) == KEEP
    if status == Status.TIMED_OUT:
        return policy.get("on_timeout", CrowdDesign().on_timeout) == KEEP
    return False  # without consent or training nothing counts


def _seat_freed(row: CrowdSubmission, keep: bool, status: str, by: User) -> None:
    """Free the seat, unless somebody else sits there or the study takes no answers any more."""
    running = row.study.state in {Study.State.FROZEN, Study.State.OPEN}
    if row.seat is not None and row.seat.evaluator_id == row.person.evaluator_id and running:
        seat_vacate(seat=row.seat, keep=keep, reason=f"The rater {Status(status).label}.", by=by)
    elif not running:
        event_add(row.study, by, "submission ended after the study", status=status, policy=KEEP if keep else DISCARD)


def _ended(row: CrowdSubmission, status: str) -> None:
    row.status, row.ended_at = status, timezone.now()
    intake = CrowdIntake.objects.filter(study_id=row.study_id).first()
    row.code_shown = code_of(intake, status) if intake else ""


@transaction.atomic
def provider_status_apply(
    *, submission: CrowdSubmission, status: str, at: datetime, by: User = None
) -> tuple[CrowdSubmission, str]:
    """Take over what the provider says of a submission, and say what came of it. Older news changes nothing."""
    row = _locked(submission)
    if row.provider_status_at is not None and at < row.provider_status_at:
        return row, "older than what is known"
    row.provider_status, row.provider_status_at = status, at
    row.save(update_fields=["provider_status", "provider_status_at"])
    if status not in PROVIDER_SAYS:
        return row, "noted"
    before = row.status
    row = crowd_leave(submission=row, status=PROVIDER_SAYS[status], by=by)
    return row, "noted" if row.status == before else f"{before} → {row.status}"


def code_of(intake: CrowdIntake, status: str) -> str:
    """The code of an outcome; empty if it has none."""
    return getattr(intake, CODE_OF[status]) if status in CODE_OF else ""


def way_back(intake: CrowdIntake, status: str) -> WayBack:
    """Code and address for an outcome. The address leads to an allowed host or nowhere."""
    code = code_of(intake, status)
    return WayBack(code, return_address(intake.return_url, code, settings.CROWD_RETURN_HOSTS) if code else "")


def submission_of(user_id: int, study: str) -> CrowdSubmission | None:
    """The submission with which a signed-in participant takes part in a study."""
    rows: Any = CrowdSubmission.objects.filter(person__evaluator__user_id=user_id, study__slug=study)
    found: CrowdSubmission | None = rows.select_related("study", "seat", "person").first()
    return found


def _locked(submission: CrowdSubmission) -> CrowdSubmission:
    """The submission's row with its study's, locked in the order in which arrivals lock them."""
    study = Study.objects.select_for_update().defer("protocol", "rater_text").get(pk=submission.study_id)
    row = CrowdSubmission.objects.select_for_update().get(pk=submission.pk)
    row.study = study
    return row
