"""Messages of the provider: each taken in once, whatever order they come in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from annotation.models import CrowdEvent, CrowdSubmission, Provider
from annotation.providers.prolific_api import status_name
from annotation.services.crowd import provider_status_apply
from annotation.services.crowd_ids import id_hash

SUBMISSION_CHANGED = "submission.status.change"


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was found to be genuine."""

    event_id: str
    sent_at: datetime
    body: dict[str, Any]


def crowd_event_take(*, message: Message) -> CrowdEvent:
    """Act on a message and keep a line of it; a message that came before changes nothing and gives back its line."""
    earlier = _earlier(message)
    if earlier is not None:
        return earlier
    try:
        with transaction.atomic():
            return _taken(message)
    except IntegrityError:
        # The same message came over another connection in this very moment; its transaction did the work.
        earlier = _earlier(message)
        if earlier is None:
            raise
        return earlier


def _earlier(message: Message) -> CrowdEvent | None:
    found: CrowdEvent | None = CrowdEvent.objects.filter(provider=Provider.PROLIFIC, event_id=message.event_id).first()
    return found


def _taken(message: Message) -> CrowdEvent:
    event_type = str(message.body.get("event_type") or "")
    status = status_name(str(message.body.get("status") or ""))
    submission = _submission(message) if event_type == SUBMISSION_CHANGED else None
    outcome = "noted"
    if submission is not None:
        submission, outcome = provider_status_apply(submission=submission, status=status, at=message.sent_at)
    elif event_type == SUBMISSION_CHANGED:
        outcome = "unknown submission"
    return CrowdEvent.objects.create(
        provider=Provider.PROLIFIC,
        event_id=message.event_id,
        event_type=event_type[:60],
        status=status,
        submission=submission,
        sent_at=message.sent_at,
        outcome=outcome,
    )


def _submission(message: Message) -> CrowdSubmission | None:
    session = id_hash(Provider.PROLIFIC, str(message.body.get("resource_id") or ""))
    found: CrowdSubmission | None = CrowdSubmission.objects.filter(session_hash=session).first()
    return found
