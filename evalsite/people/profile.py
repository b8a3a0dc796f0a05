"""Everybody's own account: ways in, sessions, and for raters the way out."""

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.design import KEEP, consent_promises
from annotation.models import Evaluator, Seat, Study
from annotation.services.errors import StudyRefused
from annotation.services.invitations import personal_link_make
from annotation.services.leaving import LEAVABLE, consent_rules, rater_erase, rater_withdraw
from evalsite.access import EVALUATOR, roles_in


@require_safe
@never_cache
def profile(request: HttpRequest) -> HttpResponse:
    evaluator = Evaluator.objects.filter(user=request.user.pk).first()
    page = {
        "roles": sorted(roles_in(request) - {EVALUATOR}),
        "evaluator": evaluator,
        "studies": _leavable(evaluator),
        "second_factor": is_mfa_enabled(request.user),
        "second_factor_needed": settings.STAFF_MFA and evaluator is None,
        "oidc": bool(settings.SOCIALACCOUNT_PROVIDERS),
    }
    return render(request, "people/profile.html", page)


@require_POST
@never_cache
def new_link(request: HttpRequest) -> HttpResponse:
    """A rater's new personal link, shown once; an earlier one stops working."""
    evaluator = _evaluator(request)
    made = personal_link_make(evaluator=evaluator)
    link = request.build_absolute_uri(reverse("people:personal", args=[made.token]))
    return render(request, "people/link.html", {"link": link, "pseudonym": evaluator.pseudonym})


@require_http_methods(["GET", "POST"])
@never_cache
def leave(request: HttpRequest, study: str) -> HttpResponse:
    """Stop taking part in one study."""
    evaluator = _evaluator(request)
    seat = get_object_or_404(Seat.objects.select_related("study"), evaluator=evaluator, study__slug=study)
    if request.method == "POST":
        try:
            rater_withdraw(evaluator=evaluator, study=seat.study)
        except StudyRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("You take no further part in “%(title)s”.") % {"title": seat.study.title})
            return redirect("evaluator:home")
    rules = consent_rules(seat.study)
    page = {
        "title": seat.study.title,
        "open": seat.study.state in LEAVABLE,
        "kept": rules.withdrawal == KEEP,
        "promises": consent_promises(rules),
        "slug": study,
    }
    return render(request, "people/leave.html", page)


@require_http_methods(["GET", "POST"])
@never_cache
def erase(request: HttpRequest) -> HttpResponse:
    """Erase the own person; the account is gone with the answer."""
    evaluator = _evaluator(request)
    if request.method == "POST" and request.POST.get("sure") == "yes":
        rater_erase(evaluator=evaluator)
        logout(request)
        return render(request, "people/erased.html")
    return render(request, "people/erase.html", {"pseudonym": evaluator.pseudonym, "asked": request.method == "POST"})


def _evaluator(request: HttpRequest) -> Evaluator:
    if not request.user.is_authenticated:
        raise Http404
    return get_object_or_404(Evaluator, user=request.user)


def _leavable(evaluator: Evaluator | None) -> list[Study]:
    if evaluator is None:
        return []
    return list(Study.objects.filter(seats__evaluator=evaluator, state__in=LEAVABLE).order_by("-id"))
