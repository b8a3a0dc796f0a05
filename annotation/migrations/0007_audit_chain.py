"""Chain the logs that exist, and write down the first version of every frozen protocol.

Lines written before this had no hashes, so nobody can know whether they were changed before. Each chain says so itself:
its last line made here is "log chained", with the number of earlier lines. The role of who acted was not kept either
and is "unknown" in them.
"""

import hashlib
import json

from django.db import migrations
from django.utils import timezone

NO_HASH = "0" * 64


def canonical_json(data):
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def actor_of(apps, user_id):
    if user_id is None:
        return None
    return apps.get_model("annotation", "LogActor").objects.get_or_create(user_id=user_id)[0]


def chained(chain, event, actor):
    record = canonical_json(
        {
            "format": "blindscope-log-1",
            "chain": chain.public_id,
            "number": chain.length + 1,
            "at": event.at.isoformat(timespec="microseconds"),
            "actor": actor.public_id if actor else "",
            "role": event.role,
            "action": event.action,
            "object": {"kind": event.object_kind, "id": event.object_id},
            "old": None,
            "new": None,
            "reason": event.reason,
            "details": event.details,
            "previous": chain.head_sha256,
        }
    )
    event.chain, event.number, event.log_actor, event.record = chain, chain.length + 1, actor, record
    event.sha256 = hashlib.sha256(record.encode()).hexdigest()
    chain.length, chain.head_sha256 = event.number, event.sha256
    event.save()


def chain_studies(apps, schema_editor):
    Study, LogChain = apps.get_model("annotation", "Study"), apps.get_model("annotation", "LogChain")
    for study in Study.objects.order_by("id"):
        chain = LogChain.objects.create(name=f"study:{study.pk}", study=study, length=0, head_sha256=NO_HASH)
        chain_events(apps, study, chain)
        chain.save()
        first_version(apps, study)


def chain_events(apps, study, chain):
    StudyEvent = apps.get_model("annotation", "StudyEvent")
    for event in StudyEvent.objects.filter(study=study).order_by("id"):
        event.role, event.object_id = "unknown" if event.actor_id else "command", study.slug
        chained(chain, event, actor_of(apps, event.actor_id))
    if chain.length:
        note = StudyEvent(study=study, at=timezone.now(), action="log chained", role="command", object_kind="log")
        note.object_id, note.details = chain.public_id, {"lines_without_hash_before": chain.length}
        chained(chain, note, None)


def first_version(apps, study):
    if not study.protocol_sha256:
        return
    events = apps.get_model("annotation", "StudyEvent").objects.filter(study=study, action="frozen")
    frozen = events.order_by("id").first()
    apps.get_model("annotation", "ProtocolVersion").objects.create(
        study=study,
        number=1,
        text=study.protocol,
        sha256=study.protocol_sha256,
        by=frozen.log_actor if frozen else None,
        at=study.frozen_at or study.created_at,
    )


class Migration(migrations.Migration):

    dependencies = [('annotation', '0006_audit')]

    operations = [migrations.RunPython(chain_studies, migrations.RunPython.noop)]
