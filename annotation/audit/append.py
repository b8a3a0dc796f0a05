"""The one writer of the log."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotation.audit.record import Entry, record_sha256, record_text
from annotation.models import LogActor, LogChain, Study, StudyEvent

COMMAND, NO_ROLE = "command", "no role"


@transaction.atomic
def event_append(
    study: Study | None,
    by: User | None,
    action: str,
    reason: str = "",
    *,
    object: tuple[str, str] | None = None,
    old: Any = None,
    new: Any = None,
    details: dict[str, Any] | None = None,
) -> StudyEvent:
    """Add a line to a study's log, or to the site's (no study).

    Nobody's name or address may stand in it: whoever acted is named by a public id, and `object` is one too.
    """
    chain, actor = _locked(study), actor_of(by)
    entry = Entry(
        chain=chain.public_id,
        number=chain.length + 1,
        at=timezone.now(),
        actor=actor.public_id if actor else "",
        role=role_of(by),
        action=action,
        object=object or (("study", study.slug) if study else ("site", LogChain.SITE)),
        old=old,
        new=new,
        reason=reason,
        details=details or {},
        previous=chain.head_sha256,
    )
    event = _written(chain, study, actor, entry)
    LogChain.objects.filter(pk=chain.pk).update(length=event.number, head_sha256=event.sha256)
    return event


def actor_of(user: User | None) -> LogActor | None:
    """How the log names an account."""
    return None if user is None else LogActor.objects.get_or_create(user=user)[0]


def role_of(user: User | None) -> str:
    """The groups of an account now, in words."""
    if user is None:
        return COMMAND
    groups = sorted(user.groups.values_list("name", flat=True))
    return ", ".join([*(["superuser"] if user.is_superuser else []), *groups])[:120] or NO_ROLE


def _locked(study: Study | None) -> LogChain:
    """The chain's row, locked until the transaction ends: two writers never build on the same line.

    It is the last lock that a service takes, so it cannot close a ring of waiting transactions.
    """
    name = f"study:{study.pk}" if study else LogChain.SITE
    LogChain.objects.get_or_create(name=name, defaults={"study": study})
    return LogChain.objects.select_for_update(of=("self",)).get(name=name)


def _written(chain: LogChain, study: Study | None, actor: LogActor | None, entry: Entry) -> StudyEvent:
    text = record_text(entry)
    return StudyEvent.objects.create(
        chain=chain,
        number=entry.number,
        study=study,
        at=entry.at,
        actor=actor,
        role=entry.role,
        action=entry.action,
        object_kind=entry.object[0],
        object_id=entry.object[1],
        old=entry.old,
        new=entry.new,
        reason=entry.reason,
        details=entry.details,
        record=text,
        sha256=record_sha256(text),
    )
