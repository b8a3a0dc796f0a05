"""Links that let people in: raters to a seat of a study, staff to a role.

A link's token is stored as its hash. Whoever holds the link may use it as often as it says, until it expires or is
revoked; the row is locked while it is used, so that it never lets in more.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.models import User as Account
from django.db import transaction
from django.utils import timezone

from annotation.audit import actor_of
from annotation.models import EVALUATORS, Evaluator, Invitation, PersonalLink, RaterKind, Study
from annotation.services.errors import InvitationRefused
from annotation.services.log import User, event_add, person_ref
from annotation.services.people import (
    account_of,
    evaluator_create,
    evaluator_create_keyless,
    password_checked,
    seat_take,
)

DAYS_MOST = 365
USES_MOST = 500


@dataclass(frozen=True, slots=True)
class Made:
    """An invitation or a personal link, and its token, which is known at this moment and never again."""

    row: Invitation | PersonalLink
    token: str


def token_sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def invitation_create(
    *,
    role: str = EVALUATORS,
    study: Study | None = None,
    kind: str = RaterKind.HUMAN,
    uses: int = 1,
    days: int = 14,
    email: str = "",
    anonymous: bool = True,
    by: User = None,
) -> Made:
    """Make a link for so many people and days."""
    _numbers_checked(uses, days)
    if (role == EVALUATORS) != (study is not None):
        raise InvitationRefused("Raters are invited to a study, and staff to a role; give one of the two.")
    if study is not None and study.state not in (Study.State.FROZEN, Study.State.OPEN):
        raise InvitationRefused(f"“{study.title}” is {study.state}; raters are invited to a frozen or open study.")
    token = secrets.token_urlsafe(24)
    row = Invitation.objects.create(
        token_sha256=token_sha256(token),
        role=role,
        study=study,
        kind=kind,
        uses_allowed=uses,
        email=email,
        anonymous=anonymous,
        made_by=actor_of(by),
        expires_at=timezone.now() + timedelta(days=days),
    )
    event_add(
        study, by, "invitation made", object=("invitation", row.public_id), role_offered=role, uses=uses, days=days
    )
    return Made(row, token)


@transaction.atomic
def invitation_revoke(*, invitation: Invitation, by: User = None) -> Invitation:
    """Let nobody in by this link any more; who is in stays."""
    row = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        event_add(row.study, by, "invitation revoked", object=("invitation", row.public_id))
    return row


def invitation_find(token: str) -> Invitation | None:
    """The invitation of a link, while it lets somebody in."""
    row = Invitation.objects.select_related("study").filter(token_sha256=token_sha256(token)).first()
    return row if row is not None and row.state == "open" else None


@transaction.atomic
def invitation_accept(*, token: str, username: str, password: str = "", email: str = "") -> Account:
    """Make the account that a link offers. Without a password its owner signs in by codes sent to the address."""
    row, email = _used(token), email.strip()
    if not password and not email:
        raise InvitationRefused("Give a password, or an e-mail address to which sign-in codes can be sent.")
    email_free(email)
    if row.study is not None:
        evaluator = evaluator_create(username=username, password=password or None, kind=row.kind)
        seat_take(study=row.study, evaluator=evaluator)
        account = account_of(evaluator)
    else:
        account = _staff_account(row, username, password)
    return _email_set(account, email)


@transaction.atomic
def invitation_accept_anonymously(*, token: str, email: str = "") -> tuple[Evaluator, Made]:
    """Let a rater in without a user name; the personal link is the only way back, unless an address is given."""
    row = _used(token)
    if row.study is None or not row.anonymous:
        raise InvitationRefused("This invitation asks for an account.")
    email_free(email)
    evaluator = evaluator_create_keyless(kind=row.kind)
    seat_take(study=row.study, evaluator=evaluator)
    _email_set(account_of(evaluator), email)
    return evaluator, personal_link_make(evaluator=evaluator)


@transaction.atomic
def invitation_accept_as(*, token: str, account: Account) -> Account:
    """Let somebody in who has an account: a rater to one more study, one of the staff to one more role."""
    row, evaluator = _used(token), Evaluator.objects.filter(user=account).first()
    if row.study is not None and evaluator is not None:
        seat_take(study=row.study, evaluator=evaluator)
    elif row.study is None and evaluator is None:
        account.groups.add(_group(row.role))
        event_add(None, account, "role given", object=person_ref(account), new=row.role, invitation=row.public_id)
    else:
        raise InvitationRefused("Whoever leads or reads studies cannot rate, and raters can do nothing else.")
    return account


@transaction.atomic
def personal_link_make(*, evaluator: Evaluator) -> Made:
    """A new link for a rater; an earlier one stops working."""
    token = secrets.token_urlsafe(24)
    row, _ = PersonalLink.objects.update_or_create(
        evaluator=evaluator, defaults={"token_sha256": token_sha256(token), "made_at": timezone.now()}
    )
    return Made(row, token)


def personal_link_find(token: str) -> Account | None:
    """The account that a personal link opens."""
    row = PersonalLink.objects.select_related("evaluator__user").filter(token_sha256=token_sha256(token)).first()
    account = row.evaluator.user if row is not None else None
    return account if account is not None and account.is_active else None


def email_free(email: str) -> None:
    if email and get_user_model().objects.filter(email__iexact=email).exists():
        raise InvitationRefused("This e-mail address cannot be used; give another one.")


def _used(token: str) -> Invitation:
    """The invitation, locked and counted as used once more."""
    rows = Invitation.objects.select_for_update(of=("self",)).select_related("study")
    row = rows.filter(token_sha256=token_sha256(token)).first()
    if row is None or row.state != "open":
        raise InvitationRefused("This link lets nobody in any more. Ask whoever sent it for a new one.")
    row.uses += 1
    row.save(update_fields=["uses"])
    return row


def _staff_account(row: Invitation, username: str, password: str) -> Account:
    users = get_user_model().objects
    if users.filter(username=username).exists():
        raise InvitationRefused("This user name cannot be used; choose another one.")
    password_checked(password)
    account = users.create_user(username=username, password=password or None)
    account.groups.add(_group(row.role))
    event_add(None, account, "account made", object=person_ref(account), new=row.role, invitation=row.public_id)
    return account


def _email_set(account: Account, email: str) -> Account:
    if email:
        account.email = email
        account.save(update_fields=["email"])
    return account


def _group(role: str) -> Group:
    return Group.objects.get_or_create(name=role)[0]


def _numbers_checked(uses: int, days: int) -> None:
    if not 1 <= uses <= USES_MOST:
        raise InvitationRefused(f"Received {uses} uses; give a number from 1 to {USES_MOST}.")
    if not 1 <= days <= DAYS_MOST:
        raise InvitationRefused(f"Received {days} days; give a number from 1 to {DAYS_MOST}.")
