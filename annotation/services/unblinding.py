"""Open the key: by one person or by two, as the frozen protocol says."""

from datetime import timedelta

from django.contrib.auth.models import User as Account
from django.db import transaction
from django.utils import timezone

from annotation.design import design_from_dict
from annotation.models import Seat, Study, Unblinding, UnblindingRequest
from annotation.selectors import judgments_sha256
from annotation.services.errors import UnblindingRefused
from annotation.services.log import User, event_add, locked, reason_checked

State, Outcome = Study.State, UnblindingRequest.Outcome
REQUEST_STANDS = timedelta(days=7)
MAY_UNBLIND = ("unblinder", "owner")  # groups


def unblinders_needed(study: Study) -> int:
    return design_from_dict(study.design).blinding.unblinders


def request_open(study: Study) -> UnblindingRequest | None:
    """The request that waits for a second person; None if there is none or its time is over."""
    rows = UnblindingRequest.objects.filter(study=study, ended_at__isnull=True, expires_at__gt=timezone.now())
    return rows.select_related("asked_by").first()


@transaction.atomic
def study_unblind(*, study: Study, reason: str, by: User = None) -> Study:
    """Open the key, once and on record, over the judgments as they stand; where the protocol asks for one person."""
    row = locked(study, State.CLOSED, step="unblind")
    reason = reason_checked(reason, "unblind")
    if unblinders_needed(row) > 1:
        raise UnblindingRefused(
            f"The protocol of “{row.title}” asks for two persons: one asks for the unblinding, another one confirms it."
        )
    _check_person(row, by)
    return _opened(row, reason, by, None)


@transaction.atomic
def unblinding_request(*, study: Study, reason: str, by: Account) -> UnblindingRequest:
    """The first of two persons asks for the key to be opened."""
    row = locked(study, State.CLOSED, step="unblind")
    reason = reason_checked(reason, "unblind")
    if unblinders_needed(row) == 1:
        raise UnblindingRefused(f"The protocol of “{row.title}” asks for one person only; unblind it.")
    _check_role(by)
    _check_person(row, by)
    for earlier in UnblindingRequest.objects.filter(study=row, ended_at__isnull=True):
        if earlier.expires_at > timezone.now():
            raise UnblindingRefused("Somebody has asked already; confirm that request, or withdraw it.")
        _ended(earlier, Outcome.EXPIRED, None)
    expires_at = timezone.now() + REQUEST_STANDS
    request = UnblindingRequest.objects.create(study=row, asked_by=by, reason=reason, expires_at=expires_at)
    event_add(row, by, "unblinding asked for", reason, expires_at=expires_at.isoformat())
    return request


@transaction.atomic
def unblinding_confirm(*, study: Study, by: Account) -> Study:
    """The second person confirms, and the key opens over the judgments as they stand."""
    row = locked(study, State.CLOSED, step="unblind")
    request = request_open(row)
    if request is None:
        raise UnblindingRefused("There is no request to confirm: none was made, or it was withdrawn or is too old.")
    if request.asked_by is None or request.asked_by == by:
        raise UnblindingRefused("A second person has to confirm: somebody else than who asked.")
    _check_role(by)
    _check_person(row, by)
    _ended(request, Outcome.CONFIRMED, by)
    return _opened(row, request.reason, request.asked_by, by)


@transaction.atomic
def unblinding_withdraw(*, study: Study, by: Account) -> UnblindingRequest:
    """Take a request back, or refuse it; whoever may confirm may do so."""
    row = locked(study, State.CLOSED, step="withdraw the request to unblind")
    request = request_open(row)
    if request is None:
        raise UnblindingRefused("There is no request to withdraw.")
    _ended(request, Outcome.WITHDRAWN, by)
    event_add(row, by, "unblinding request withdrawn", asked_at=request.asked_at.isoformat())
    return request


def _check_role(by: Account) -> None:
    if not by.is_superuser and not by.groups.filter(name__in=MAY_UNBLIND).exists():
        raise UnblindingRefused("This account may not unblind; that takes the role of unblinder or owner.")


def _check_person(study: Study, by: User) -> None:
    """Somebody who rated the study would learn what their answers were about, and is not the one to decide it."""
    if by is not None and Seat.objects.filter(study=study, evaluator__user=by).exists():
        raise UnblindingRefused("This account has a seat in the study; who rates cannot unblind.")


def _ended(request: UnblindingRequest, outcome: str, by: User) -> None:
    request.outcome, request.ended_at, request.ended_by = outcome, timezone.now(), by
    request.save(update_fields=["outcome", "ended_at", "ended_by"])


def _opened(study: Study, reason: str, by: User, confirmed_by: User) -> Study:
    sha256 = judgments_sha256(study)
    Unblinding.objects.create(study=study, by=by, confirmed_by=confirmed_by, reason=reason, judgments_sha256=sha256)
    study.state = State.UNBLINDED
    study.save()
    event_add(
        study, confirmed_by or by, "unblinded", reason,
        judgments_sha256=sha256, persons=2 if confirmed_by else 1,
    )  # fmt: skip
    return study
