"""Evaluators and their seats."""

import secrets

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.models import User as Account
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.models import EVALUATORS, Evaluator, MachineRater, RaterKind, Seat, Study
from annotation.services.errors import EvaluatorRefused, SeatRefused, SeatsTaken
from annotation.services.log import User, event_add, locked

PSEUDONYM_SIGNS = "abcdefghjkmnpqrstwxyz23456789"


@transaction.atomic
def evaluator_create(
    *, username: str, password: str | None, pseudonym: str = "", kind: str = RaterKind.HUMAN, by: User = None
) -> Evaluator:
    """Make an account that can rate and nothing else; without a password it is opened in other ways."""
    users = get_user_model().objects
    if users.filter(username=username).exists():
        raise EvaluatorRefused(f"There is an account {username!r} already; a rater needs one of their own.")
    password_checked(password)
    return _evaluator_of(users.create_user(username=username, password=password), pseudonym, kind)


def password_checked(password: str | None) -> None:
    """Refuse a password that is too easy to guess; none at all is no password."""
    try:
        if password:
            validate_password(password)
    except ValidationError as error:
        raise EvaluatorRefused(f"This password is too easy to guess: {' '.join(error.messages)}") from None


@transaction.atomic
def evaluator_create_keyless(*, kind: str = RaterKind.HUMAN, pseudonym: str = "") -> Evaluator:
    """An account without a password: for raters whom a crowd provider or a token lets in."""
    user = get_user_model().objects.create_user(username=f"{kind}-{secrets.token_hex(8)}")
    user.set_unusable_password()
    user.save(update_fields=["password"])
    return _evaluator_of(user, pseudonym, kind)


def _evaluator_of(user: Account, pseudonym: str, kind: str) -> Evaluator:
    user.groups.add(Group.objects.get_or_create(name=EVALUATORS)[0])
    return Evaluator.objects.create(user=user, pseudonym=_pseudonym_free(pseudonym), kind=kind)


@transaction.atomic
def seat_take(*, study: Study, evaluator: Evaluator, by: User = None, seat: Seat | None = None) -> Seat:
    """Put an evaluator on the first free seat of a frozen or open study, or on the free seat that is named."""
    row = locked(study, Study.State.FROZEN, Study.State.OPEN, step="seat a rater in")
    _may_sit(row, evaluator)
    free = seats_free(row, evaluator.kind).select_for_update()
    seat = (free.filter(pk=seat.pk) if seat else free).first()
    if seat is None:
        raise SeatsTaken(
            f"All seats of “{row.title}” for {evaluator.kind} raters are taken; the design fixed their number."
        )
    seat.evaluator, seat.seated_at = evaluator, timezone.now()
    seat.save(update_fields=["evaluator", "seated_at"])
    event_add(row, by, "seat taken", seat=seat.number, evaluator=evaluator.pseudonym)
    return seat


def seat_assign(*, study: Study, evaluator: Evaluator, by: User) -> Seat:
    """As `seat_take`, by an admin whose name goes into the log."""
    return seat_take(study=study, evaluator=evaluator, by=by)


def seats_free(study: Study, kind: str) -> QuerySet[Seat]:
    """Seats for one kind of rater on which nobody sits."""
    return Seat.objects.filter(study=study, kind=kind, evaluator__isnull=True).order_by("number")


def _may_sit(study: Study, evaluator: Evaluator) -> None:
    if not Seat.objects.filter(study=study, kind=evaluator.kind).exists():
        raise SeatRefused(
            f"{evaluator.pseudonym} is a {evaluator.kind} rater; “{study.title}” has no seats for such raters."
        )
    if evaluator.kind == RaterKind.MACHINE and not MachineRater.objects.filter(evaluator=evaluator).exists():
        raise SeatRefused(f"{evaluator.pseudonym} is a machine that nobody declared; say first what program it is.")
    if Seat.objects.filter(study=study, evaluator=evaluator).exists():
        raise SeatRefused(f"{evaluator.pseudonym} has a seat in “{study.title}” already.")


def _pseudonym_free(wanted: str) -> str:
    if not wanted:
        return "rater-" + "".join(secrets.choice(PSEUDONYM_SIGNS) for _ in range(8))
    if Evaluator.objects.filter(pseudonym=wanted).exists():
        raise EvaluatorRefused(f"The pseudonym {wanted!r} is taken; choose another or leave it empty.")
    return wanted


def account_of(evaluator: Evaluator) -> Account:
    """The account of a rater who is not erased."""
    if evaluator.user is None:
        raise EvaluatorRefused(f"The person behind {evaluator.pseudonym} was erased; nobody can sign in as this rater.")
    return evaluator.user
