"""Keys to the API, and the programs that rate with them."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from annotation.models import ApiToken, MachineRater, RaterKind, Seat, Study, TokenRole
from annotation.services.errors import TokenRefused
from annotation.services.log import User, event_add, reason_checked
from annotation.services.people import evaluator_create_keyless, seat_take

PREFIX = "bsk_"  # tells a leaked key as one of ours
HINT_CHARS = 10
MOST_DAYS = 366
USED_TO_THE = timedelta(minutes=1)  # a busy program does not write its last use at every request


@transaction.atomic
def token_create(
    *,
    role: str,
    label: str,
    days: int,
    study: Study | None = None,
    seat: Seat | None = None,
    reason: str = "",
    by: User = None,
) -> tuple[ApiToken, str]:
    """A new token and its key, which is shown now and never again.

    A token for a seat of people must be explained, because it lets a program answer where a person is expected.
    """
    _may_be(role, label, days, study, seat)
    if seat is not None and seat.kind == RaterKind.HUMAN:
        reason = reason_checked(reason, "let a program answer for a person")
    key = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        sha256=_hash(key),
        hint=key[:HINT_CHARS],
        label=label.strip(),
        role=role,
        study=study,
        seat=seat,
        evaluator=seat.evaluator if seat else None,
        made_by=by,
        expires_at=timezone.now() + timedelta(days=days),
    )
    event_add(study, by, "token made", reason, token=token.hint, role=role, seat=seat.number if seat else None)
    return token, key


@transaction.atomic
def token_revoke(*, token: ApiToken, by: User = None) -> ApiToken:
    """From now on the key opens nothing."""
    row = ApiToken.objects.select_for_update().get(pk=token.pk)
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        event_add(row.study, by, "token revoked", token=row.hint, role=row.role)
    return row


def token_find(key: str) -> ApiToken | None:
    """The token of a key, if it opens anything now; notes that it was used.

    A token dies with its expiry, with the account of the admin who made it, and with its rater's leaving of the seat.
    """
    now = timezone.now()
    live = Q(made_by__isnull=True) | Q(made_by__is_active=True)
    sits = ~Q(role=TokenRole.EVALUATOR) | Q(evaluator__user__is_active=True, seat__evaluator=F("evaluator"))
    found = (
        ApiToken.objects.filter(live, sits, sha256=_hash(key), revoked_at__isnull=True, expires_at__gt=now)
        .select_related("study", "made_by", "evaluator")
        .defer("study__protocol", "study__rater_text", "study__design")
        .first()
    )
    if found is not None and (found.used_at is None or now - found.used_at > USED_TO_THE):
        ApiToken.objects.filter(pk=found.pk).update(used_at=now)
    return found


@transaction.atomic
def machine_declare(
    *, study: Study, name: str, version: str, model: str = "", description: str = "", days: int, by: User = None
) -> tuple[MachineRater, ApiToken, str]:
    """Seat a program that rates, under its declared name, on a seat that the protocol keeps for machines."""
    if not name.strip() or not version.strip():
        raise TokenRefused(f"Received the name {name!r} and the version {version!r}; a machine rater needs both.")
    evaluator = evaluator_create_keyless(kind=RaterKind.MACHINE, pseudonym=f"machine-{secrets.token_hex(4)}")
    machine = MachineRater.objects.create(
        evaluator=evaluator,
        name=name.strip(),
        version=version.strip(),
        model=model.strip(),
        description=description.strip(),
        declared_by=by,
    )
    seat = seat_take(study=study, evaluator=evaluator, by=by)
    declared = {"name": machine.name, "version": machine.version, "model": machine.model}
    event_add(study, by, "machine rater declared", evaluator=evaluator.pseudonym, seat=seat.number, declared=declared)
    token, key = token_create(
        role=TokenRole.EVALUATOR, label=f"{machine}, seat {seat.number}"[:80], days=days, study=study, seat=seat, by=by
    )
    return machine, token, key


def _may_be(role: str, label: str, days: int, study: Study | None, seat: Seat | None) -> None:
    if role not in TokenRole.values:
        raise TokenRefused(f"Received the role {role!r}; choose one of: {', '.join(TokenRole.values)}.")
    if not label.strip() or len(label) > 80:
        raise TokenRefused(f"Received {label!r} as the label; write 1 to 80 characters that say whose token it is.")
    if not 1 <= days <= MOST_DAYS:
        raise TokenRefused(f"Received {days} days; a token lives from 1 to {MOST_DAYS} days.")
    if (study is None) != (role == TokenRole.CREATOR) or (seat is None) == (role == TokenRole.EVALUATOR):
        raise TokenRefused(
            f"A token of the role {role!r} was asked for study {study} and seat {seat}; a creator's has neither, an "
            "evaluator's both, any other a study."
        )
    if seat is not None and (seat.evaluator is None or seat.study_id != getattr(study, "pk", None)):
        raise TokenRefused(f"Nobody sits on seat {seat.number} of {study}; seat a rater there first.")


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
