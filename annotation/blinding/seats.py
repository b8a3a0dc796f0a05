"""Whose seat it is, whether it may rate now, and where it goes on."""

from django.db.models import Count, F, Q, QuerySet
from django.http import Http404

from annotation.blinding.agreement import consent_missing
from annotation.blinding.pages import BlindProgress
from annotation.blinding.refusals import NotReady, StudyNotOpen, StudyPaused
from annotation.models import ArmGuess, Assignment, CrowdSubmission, Seat, Study
from annotation.protocols.training import Standing, TrainingRule, standing

WAITING, OPEN, PAUSED, CLOSED = "waiting", "open", "paused", "closed"
SEEN_STATES = {
    Study.State.FROZEN.value: WAITING,
    Study.State.OPEN.value: OPEN,
    Study.State.CLOSED.value: CLOSED,
    Study.State.UNBLINDED.value: CLOSED,
}
# A seat may change hands: what was answered on it before is not this rater's, neither to see nor to undo.
OWN = Q(done_at__isnull=True) | Q(done_at__gte=F("seat__seated_at"))


def seats_of(user_id: int) -> QuerySet[Seat]:
    """The user's seats in studies past draft; the protocol and the design stay in the database."""
    return (
        Seat.objects.filter(evaluator__user_id=user_id, study__state__in=SEEN_STATES)
        .select_related("study", "evaluator")
        .defer("study__protocol", "study__design")
    )


def seat_of(user_id: int, study: str, lock: bool = False) -> Seat:
    seats = seats_of(user_id).filter(study__slug=study)
    seat = (seats.select_for_update(of=("self",)) if lock else seats).first()
    if seat is None:
        raise Http404
    return seat


def state_seen(study: Study) -> str:
    """What a rater is told of a study's state."""
    seen = SEEN_STATES[study.state]
    return PAUSED if seen == OPEN and study.paused_at is not None else seen


def open_seat(user_id: int, study: str, lock: bool = False) -> Seat:
    seat = seat_of(user_id, study, lock)
    if seat.study.state != Study.State.OPEN:
        raise StudyNotOpen(f"“{seat.study.title}” is not open for rating at the moment.")
    if seat.study.paused_at is not None:
        raise StudyPaused(f"“{seat.study.title}” is paused. What you have entered is kept; please come back later.")
    if consent_missing(seat):
        raise NotReady("consent")
    return seat


def read_seat(user_id: int, study: str) -> Seat:
    """A seat whose instructions may be read: in an open study after consent, otherwise at any time."""
    seat = seat_of(user_id, study)
    if seat.study.state == Study.State.OPEN and consent_missing(seat):
        raise NotReady("consent")
    return seat


def ready_seat(user_id: int, study: str) -> Seat:
    seat = open_seat(user_id, study)
    if seat.instructions_read_at is None or seat.practice_done_at is None or seat.screened_out_at is not None:
        raise NotReady(where_next(seat))
    return seat


def lock_open(row: Assignment) -> Seat:
    """The assignment's seat, locked for this transaction: two tabs of one rater wait for each other."""
    evaluator = row.seat.evaluator
    if evaluator is None or evaluator.user_id is None:
        raise Http404
    return open_seat(evaluator.user_id, row.seat.study.slug, lock=True)


def own_assignment(user_id: int, public_id: str) -> Assignment:
    row = (
        Assignment.objects.filter(
            OWN, public_id=public_id, seat__evaluator__user_id=user_id, seat__study__state__in=SEEN_STATES
        )
        .select_related("item", "draft", "seat__study", "seat__evaluator")
        .defer("seat__study__protocol", "seat__study__design")
        .first()
    )
    if row is None:
        raise Http404
    return row


def where_next(seat: Seat) -> str:
    if seat.screened_out_at is not None:
        return "screened"
    if consent_missing(seat):
        return "consent"
    if seat.instructions_read_at is None:
        return "instructions"
    if seat.practice_done_at is None and (missing := training_standing(seat).missing):
        return f"practice:{missing[0]}"
    if available_of(seat).exists():
        return "rate"
    if unanswered_of(seat).exists():
        return "waiting"
    return "guess" if seat.guessing_at is not None and guesses_left(seat) else "done"


def from_crowd(seat: Seat) -> bool:
    """Whether the rater came in from a crowd provider and goes back there with a code."""
    return CrowdSubmission.objects.filter(seat=seat, person__evaluator=seat.evaluator_id).exists()


def guesses_left(seat: Seat) -> int:
    return ArmGuess.objects.filter(assignment__seat=seat, answered_at__isnull=True).count()


def training_rule(seat: Seat) -> TrainingRule:
    text = seat.study.rater_text
    return TrainingRule(items=len(text["practice"]), **text.get("training", {}))


def training_standing(seat: Seat) -> Standing:
    own = seat.practice_answers.filter(at__gte=seat.seated_at).order_by("id").values_list("number", "agrees")
    return standing(((number, bool(agrees)) for number, agrees in own), training_rule(seat))


def unanswered_of(seat: Seat) -> QuerySet[Assignment]:
    return Assignment.objects.filter(seat=seat, done_at__isnull=True).order_by("position")


def available_of(seat: Seat) -> QuerySet[Assignment]:
    """What can be answered now: all but predictions from rules that are not written yet."""
    return unanswered_of(seat).filter(Q(rule_from__isnull=True) | Q(rule_from__done_at__isnull=False))


def answered_of(seat: Seat) -> QuerySet[Assignment]:
    return Assignment.objects.filter(OWN, seat=seat, done_at__isnull=False, retired_at__isnull=True)


def next_public_id(seat: Seat) -> str | None:
    return available_of(seat).values_list("public_id", flat=True).first()


def progress_of(seat: Seat) -> BlindProgress:
    """Predictions whose rule was never written count neither as done nor as left."""
    rows = Assignment.objects.filter(OWN, seat=seat, retired_at__isnull=True)
    counts = rows.aggregate(total=Count("id"), done=Count("done_at"))
    return BlindProgress(done=counts["done"], total=counts["total"])
