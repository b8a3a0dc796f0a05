"""A provider's ids of people: kept as keyed hashes, and forgotten on request."""

import hashlib
import hmac
import secrets

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotation.models import CrowdPerson, CrowdSubmission, Evaluator


def id_hash(provider: str, external_id: str) -> str:
    """Hash of a provider's id under a key of this installation: the same id gives the same hash, and no way back."""
    key = (settings.CROWD_HASH_KEY or settings.SECRET_KEY).encode()
    return hmac.new(key, f"crowd:{provider}:{external_id}".encode(), hashlib.sha256).hexdigest()


@transaction.atomic
def crowd_person_erase(*, person: CrowdPerson) -> CrowdPerson:
    """Cut the tie between a provider's person and an evaluator, for good. Answers and submissions stay, without it."""
    row = CrowdPerson.objects.select_for_update().get(pk=person.pk)
    row.external_id, row.id_hash, row.erased_at = "", f"erased-{secrets.token_hex(16)}", timezone.now()
    row.save(update_fields=["external_id", "id_hash", "erased_at"])
    for submission in CrowdSubmission.objects.filter(person=row):
        submission.session_id, submission.session_hash = "", f"erased-{secrets.token_hex(16)}"
        submission.save(update_fields=["session_id", "session_hash"])
    return row


def evaluator_crowd_erase(evaluator: Evaluator) -> None:
    """The same for whoever an evaluator is at a provider; nothing to do for others."""
    person = CrowdPerson.objects.filter(evaluator=evaluator, erased_at__isnull=True).first()
    if person is not None:
        crowd_person_erase(person=person)
