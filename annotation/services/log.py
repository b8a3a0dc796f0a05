"""The study's log, and the checks that every step shares."""

from typing import Any

from django.contrib.auth.models import User as Account

from annotation.models import Study, StudyEvent
from annotation.services.errors import ReasonMissing, StudyWrongState

User = Account | None  # who does it; None: a command on the server
REASON_AT_LEAST = 10  # characters


def event_add(study: Study, by: User, action: str, reason: str = "", **details: Any) -> StudyEvent:
    return StudyEvent.objects.create(study=study, actor=by, action=action, reason=reason, details=details)


def locked(study: Study, *allowed: str, step: str) -> Study:
    """The study's row, locked for this transaction and in one of the allowed states."""
    row = Study.objects.select_for_update().get(pk=study.pk)
    if row.state not in allowed:
        raise StudyWrongState(
            f"“{row.title}” is {row.state}; to {step} it, it must be {' or '.join(str(state) for state in allowed)}."
        )
    return row


def reason_checked(reason: str, step: str) -> str:
    reason = reason.strip()
    if len(reason) < REASON_AT_LEAST:
        raise ReasonMissing(
            f"Received {len(reason)} characters as the reason to {step}; write at least {REASON_AT_LEAST}."
        )
    return reason
