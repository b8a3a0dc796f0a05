"""Come in by a link: an invitation, or the personal link of a rater without a password.

Opening a link changes nothing, so that programs which look at links in mails use nothing up; a button does.
"""

from collections.abc import Callable

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotation.models import Invitation
from annotation.services.errors import StudyRefused
from annotation.services.invitation_mail import personal_link_mail
from annotation.services.invitations import (
    invitation_accept,
    invitation_accept_anonymously,
    invitation_accept_as,
    invitation_find,
    personal_link_find,
)
from evalsite.access import EVALUATOR, roles_of
from evalsite.people.forms import AccountForm, EmailForm

BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_http_methods(["GET", "POST"])
@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    invitation = invitation_find(token)
    if invitation is None:
        return render(request, "people/no_invitation.html", status=404)
    act = request.POST.get("act", "") if request.method == "POST" else ""
    limited: HttpResponse | None = ratelimit.consume_or_429(request, action="signup") if act else None
    if limited is not None:
        return limited
    account_form = AccountForm(request.POST if act == "account" else None, initial={"email": invitation.email})
    email_form = EmailForm(request.POST if act == "anonymous" else None, initial={"email": invitation.email})
    take: dict[str, Callable[[], HttpResponse | None]] = {
        "account": lambda: _with_account(request, token, account_form),
        "anonymous": lambda: _anonymously(request, token, email_form),
        "as": lambda: _as(request, token),
    }
    done = take[act]() if act in take else None
    return done or render(request, "people/join.html", _page(request, invitation, account_form, email_form))


@require_http_methods(["GET", "POST"])
@never_cache
def personal(request: HttpRequest, token: str) -> HttpResponse:
    account = personal_link_find(token)
    if account is None or roles_of(account) != {EVALUATOR}:
        return render(request, "people/no_invitation.html", status=404)
    if request.method == "POST":
        return _signed_in(request, account)
    return render(request, "people/personal.html", {"pseudonym": account.evaluator.pseudonym})


def _page(
    request: HttpRequest, invitation: Invitation, account_form: AccountForm, email_form: EmailForm
) -> dict[str, object]:
    roles = roles_of(request.user)
    return {
        "invitation": invitation,
        "account_form": account_form,
        "email_form": email_form,
        "may_join_as": bool(roles) and (EVALUATOR in roles) == (invitation.study_id is not None),
    }


def _with_account(request: HttpRequest, token: str, form: AccountForm) -> HttpResponse | None:
    if request.user.is_authenticated:
        raise Http404
    if not form.is_valid():
        return None
    try:
        account = invitation_accept(token=token, **form.cleaned_data)
    except StudyRefused as refusal:
        form.add_error(None, str(refusal))
        return None
    return _signed_in(request, account)


def _anonymously(request: HttpRequest, token: str, form: EmailForm) -> HttpResponse | None:
    """The personal link is in this one answer (and in a mail), and nowhere else."""
    if request.user.is_authenticated:
        raise Http404
    if not form.is_valid():
        return None
    email = form.cleaned_data["email"]
    try:
        evaluator, made = invitation_accept_anonymously(token=token, email=email)
    except StudyRefused as refusal:
        form.add_error(None, str(refusal))
        return None
    login(request, evaluator.user, backend=BACKEND)
    link = request.build_absolute_uri(reverse("people:personal", args=[made.token]))
    if email:
        personal_link_mail(to=email, link=link)
    return render(request, "people/link.html", {"link": link, "email": email, "pseudonym": evaluator.pseudonym})


def _as(request: HttpRequest, token: str) -> HttpResponse | None:
    if not isinstance(request.user, User):
        raise Http404
    try:
        invitation_accept_as(token=token, account=request.user)
    except StudyRefused as refusal:
        messages.error(request, str(refusal))
        return None
    messages.success(request, _("You are in."))
    return redirect("home")


def _signed_in(request: HttpRequest, account: User) -> HttpResponse:
    login(request, account, backend=BACKEND)
    return redirect("home")
