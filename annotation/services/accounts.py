"""Who has which role, and whose account is closed. An owner decides, and the site's log remembers."""

from collections.abc import Collection

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.models import User as Account
from django.db import transaction
from django.db.models import Q, QuerySet

from annotation.models import EVALUATORS, STAFF_ROLES
from annotation.services.errors import AccountRefused
from annotation.services.log import User, event_add, person_ref


def staff_accounts() -> QuerySet[Account]:
    """Everybody who does not rate."""
    return get_user_model().objects.exclude(groups__name=EVALUATORS).order_by("-is_active", "username")


@transaction.atomic
def roles_set(*, account: Account, roles: Collection[str], by: User) -> Account:
    """Give one of the staff these roles and no others."""
    row = _locked(account)
    if unknown := set(roles) - set(STAFF_ROLES):
        raise AccountRefused(f"Received the role {', '.join(sorted(unknown))}; known are {', '.join(STAFF_ROLES)}.")
    if "owner" not in roles:
        _another_owner(row)
    old = sorted(row.groups.filter(name__in=STAFF_ROLES).values_list("name", flat=True))
    row.groups.remove(*Group.objects.filter(name__in=STAFF_ROLES))
    row.groups.add(*(Group.objects.get_or_create(name=role)[0] for role in roles))
    if old != sorted(roles):
        event_add(None, by, "roles changed", object=person_ref(row), old=old, new=sorted(roles))
    return row


@transaction.atomic
def account_close(*, account: Account, by: User) -> Account:
    """Let nobody sign in with this account; it can be opened again."""
    row = _locked(account)
    _another_owner(row)
    return _active_set(row, False, by)


@transaction.atomic
def account_open(*, account: Account, by: User) -> Account:
    return _active_set(_locked(account), True, by)


def _active_set(account: Account, active: bool, by: User) -> Account:
    if account.is_active != active:
        account.is_active = active
        account.save(update_fields=["is_active"])
        event_add(None, by, "account opened again" if active else "account closed", object=person_ref(account))
    return account


def _locked(account: Account) -> Account:
    row = get_user_model().objects.select_for_update().get(pk=account.pk)
    if row.groups.filter(name=EVALUATORS).exists():
        raise AccountRefused("This is a rater's account; a rater has no other role.")
    return row


def _another_owner(account: Account) -> None:
    """Refuse to leave the site without anybody who can appoint others."""
    owners = get_user_model().objects.filter(Q(groups__name="owner") | Q(is_superuser=True), is_active=True).distinct()
    if owners.filter(pk=account.pk).exists() and not owners.exclude(pk=account.pk).exists():
        raise AccountRefused("This is the only owner; make somebody else an owner first.")


def second_factor_log(*, account: Account, by: User) -> None:
    """Remember that somebody's second factors were taken away, as when a telephone is lost."""
    event_add(None, by, "second factor reset", object=person_ref(account))
