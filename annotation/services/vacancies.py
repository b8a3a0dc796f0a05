"""A rater leaves a seat before the end, and it becomes free for another one."""

from django.db import transaction
from django.utils import timezone

from annotation.models import ArmGuess, Assignment, Draft, Judgment, Seat, SeatVacancy, Study
from annotation.services.errors import SeatRefused
from annotation.services.log import User, event_add, locked


@transaction.atomic
def seat_vacate(*, seat: Seat, keep: bool, reason: str, by: User = None) -> SeatVacancy:
    """Free a seat. Its list and order stay as frozen.

    With `keep` the answers given so far stand, as those of the rater who gave them, and the next rater goes on with the
    rest. Without it the next rater starts the whole list anew; the earlier answers are kept and no longer count.
    """
    study = locked(seat.study, Study.State.FROZEN, Study.State.OPEN, step="free a seat of")
    row = Seat.objects.select_for_update().get(pk=seat.pk)
    if row.evaluator is None or row.seated_at is None:
        raise SeatRefused(f"Nobody sits on seat {row.number} of “{study.title}”; there is nothing to free.")
    answers = Judgment.objects.filter(assignment__seat=row, is_current=True, submitted_at__gte=row.seated_at)
    now = timezone.now()
    vacancy = SeatVacancy.objects.create(
        seat=row,
        evaluator=row.evaluator,
        seated_at=row.seated_at or now,
        left_at=now,
        kept=keep,
        answers=answers.count(),
        reason=reason,
        by=by,
    )
    _list_reset(row, keep)
    event_add(
        study, by, "seat left", reason,
        seat=row.number, evaluator=row.evaluator.pseudonym, answers=vacancy.answers, kept=keep,
    )  # fmt: skip
    _emptied(row)
    return vacancy


def _list_reset(seat: Seat, keep: bool) -> None:
    """Nothing that the next rater will answer remembers that somebody looked at it before."""
    rows = Assignment.objects.filter(seat=seat)
    again = rows.filter(done_at__isnull=True) if keep else rows.filter(retired_at__isnull=True)
    Draft.objects.filter(assignment__in=again).delete()
    if not keep:
        Judgment.objects.filter(assignment__seat=seat, is_current=True).update(is_current=False)
        ArmGuess.objects.filter(assignment__seat=seat).update(
            guess="", certainty=None, reason="", shown_at=None, answered_at=None
        )
    again.update(shown_at=None, done_at=None)


def _emptied(seat: Seat) -> None:
    seat.evaluator = seat.seated_at = None
    seat.instructions_read_at = seat.practice_done_at = seat.screened_out_at = seat.guessing_at = None
    steps = ["instructions_read_at", "practice_done_at", "screened_out_at", "guessing_at"]
    seat.save(update_fields=["evaluator", "seated_at", *steps])
