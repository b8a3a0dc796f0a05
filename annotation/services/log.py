"""The study's log, and the checks that every step shares."""

from typing import Any

from django.contrib.auth.models import User as Account

from annotation.audit import actor_of, event_append
from annotation.models import Study, StudyEvent
from annotation.services.errors import ReasonMissing, StudyWrongState

User = Account | None  # who does it; None: a command on the server
REASON_AT_LEAST = 10  # characters


def event_add(
    study: Study | None,
    by: User,
    action: str,
    reason: str = "",
    *,
    object: tuple[str, str] | None = None,
    old: Any = None,
    new: Any = None,
    **details: Any,
) -> StudyEvent:
    """Add a line to a study's log, or with None to the site's.

    `object` is the kind and the public id of what was acted on (left out: the study), `old` and `new` its values before
    and after. Write no name, user name or address of a person anywhere: a line can never be erased. Use pseudonyms,
    seat numbers and `person_ref`.
    """
    return event_append(study, by, action, reason, object=object, old=old, new=new, details=details)


def person_ref(account: Account) -> tuple[str, str]:
    """An account as the object of a line: by the public id that stands for it in the log."""
    actor = actor_of(account)
    return ("account", actor.public_id if actor else "")


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
