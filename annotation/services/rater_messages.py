"""Words to raters: to everybody on a study's seats, or to one of them."""

from django.db import transaction
from django.utils import timezone

from annotation.audit import actor_of
from annotation.models import RaterMessage, Seat, Study
from annotation.services.errors import MessageRefused
from annotation.services.log import User, event_add, locked
from annotation.services.protocol import sha256

LONGEST = 2_000  # characters


@transaction.atomic
def message_send(*, study: Study, text: str, seat: Seat | None = None, by: User = None) -> RaterMessage:
    """Show a message to all raters of a study, or to the one on a seat, until they have read it.

    There is no other choice of readers: a message to some raters only could tell them what they rate.
    """
    row = locked(study, Study.State.FROZEN, Study.State.OPEN, step="write to the raters of")
    text = text.strip()
    if not text or len(text) > LONGEST:
        raise MessageRefused(f"Received {len(text)} characters; write from 1 to {LONGEST}.")
    if seat is not None and (seat.study_id != row.pk or seat.evaluator is None):
        raise MessageRefused(f"Nobody sits on seat {seat.number}; choose another one.")
    evaluator = seat.evaluator if seat else None
    message = RaterMessage.objects.create(study=row, evaluator=evaluator, text=text, sent_by=actor_of(by))
    event_add(
        row, by, "message sent",
        object=("message", message.public_id), to=f"seat {seat.number}" if seat else "all raters",
        text_sha256=sha256(text),
    )  # fmt: skip
    return message


@transaction.atomic
def message_take_back(*, message: RaterMessage, by: User = None) -> RaterMessage:
    """Show a message to nobody any more."""
    if message.taken_back_at is None:
        message.taken_back_at = timezone.now()
        message.save(update_fields=["taken_back_at"])
        event_add(message.study, by, "message taken back", object=("message", message.public_id))
    return message
