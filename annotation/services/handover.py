"""A seat goes from one rater to another; its list, its order and the answers given so far stay."""

from django.db import transaction

from annotation.models import Evaluator, Seat
from annotation.services.log import User, event_add, reason_checked
from annotation.services.people import seat_take
from annotation.services.vacancies import seat_vacate


@transaction.atomic
def seat_hand_over(*, seat: Seat, keep: bool, reason: str, to: Evaluator | None = None, by: User = None) -> Seat:
    """Free a seat and give it to somebody else at once, or to nobody yet.

    The allocation stays as frozen. With `keep` the answers given so far stand, as those of the rater who gave them;
    without it they are kept and no longer count, and the next rater starts the list anew.
    """
    vacancy = seat_vacate(seat=seat, keep=keep, reason=reason_checked(reason, "hand a seat over"), by=by)
    row = seat_take(study=seat.study, evaluator=to, by=by, seat=seat) if to else Seat.objects.get(pk=seat.pk)
    event_add(
        seat.study, by, "seat handed over", reason,
        object=("seat", str(seat.number)), old=vacancy.evaluator.pseudonym, new=to.pseudonym if to else None,
        kept=keep, answers=vacancy.answers,
    )  # fmt: skip
    return row
