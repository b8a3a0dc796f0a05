"""The first and the last page of a rater from a crowd provider."""

import logging
from typing import cast

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotation.blinding import blind_consent, blind_where
from annotation.crowd.arrivals import arrival_read, arrival_sealed, arrival_unsealed
from annotation.models import CrowdIntake, CrowdSubmission
from annotation.providers.prolific_api import ProviderFailed
from annotation.providers.signed_entry import EntryForged
from annotation.services.crowd import (
    AT_WORK,
    Status,
    crowd_enter,
    crowd_finish,
    crowd_leave,
    submission_of,
    way_back,
)
from annotation.services.errors import IntakeRefused, SubmissionRefused

BACKEND = "django.contrib.auth.backends.ModelBackend"
logger = logging.getLogger(__name__)


@require_http_methods(["GET", "POST"])
@never_cache
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """Say what comes, and take the person in when they ask for it: a mere look at the link takes no seat."""
    intakes = CrowdIntake.objects.select_related("study").defer("study__protocol", "study__design")
    intake = get_object_or_404(intakes, token=token)
    if _is_staff(request):
        return _page(request, intake, "staff", 403)
    try:
        if request.method == "POST":
            return _taken_in(request, intake)
        arrival = arrival_read(request.GET, intake)
    except (EntryForged, IntakeRefused) as refusal:
        # What was wrong is for the log, without who came; the page says the same to everybody.
        logger.warning("Entry to %s refused: %s", intake.study.slug, refusal)
        return _page(request, intake, "refused" if isinstance(refusal, EntryForged) else "closed", 403)
    except ProviderFailed as failure:
        logger.error("Entry to %s: %s", intake.study.slug, failure)
        return _page(request, intake, "later", 503)
    page = {**_shown(intake), "entry": intake.token, "sealed": arrival_sealed(arrival, intake)}
    return render(request, "annotation/crowd/enter.html", page)


def _taken_in(request: HttpRequest, intake: CrowdIntake) -> HttpResponse:
    arrival = arrival_unsealed(request.POST.get("arrival", ""), intake)
    submission = crowd_enter(intake=intake, arrival=arrival)
    if submission.status not in AT_WORK:
        return _left(request, intake, submission)
    evaluator = submission.person.evaluator
    if evaluator is None:
        raise Http404
    if request.user != evaluator.user:
        login(request, evaluator.user, backend=BACKEND)
    if submission.status == Status.COMPLETE:
        return redirect("crowd:finish", intake.study.slug)
    return redirect("evaluator:next", intake.study.slug)


@require_http_methods(["GET", "POST"])
@never_cache
def finish(request: HttpRequest, study: str) -> HttpResponse:
    """The code, and the way back.

    A POST says that the participant is through: with every answer stored, or because the training was not passed or the
    consent refused.
    """
    submission = submission_of(request.user.pk, study) if request.user.is_authenticated else None
    intake = CrowdIntake.objects.select_related("study").filter(study__slug=study).first()
    if submission is None or intake is None:
        raise Http404
    if request.method == "POST":
        try:
            _ended(submission)
        except SubmissionRefused:
            return redirect("evaluator:next", study)
        return redirect("crowd:finish", study)
    if submission.status == Status.STARTED:
        return redirect("evaluator:next", study)
    return _left(request, intake, submission)


def _ended(submission: CrowdSubmission) -> None:
    """The end that the gate knows of."""
    user_id, study = cast(User, submission.person.evaluator.user).pk, submission.study.slug  # type: ignore[union-attr]
    where = _where(user_id, study) if submission.status == Status.STARTED else ""
    if where == "consent" and blind_consent(user_id, study).answer == "declined":
        crowd_leave(submission=submission, status=Status.NO_CONSENT)
    else:
        crowd_finish(submission=submission)


def _where(user_id: int, study: str) -> str:
    """Where the rater stands; empty for somebody without a seat."""
    try:
        return blind_where(user_id, study)
    except Http404:
        return ""


def _left(request: HttpRequest, intake: CrowdIntake, submission: CrowdSubmission) -> HttpResponse:
    return _page(request, intake, submission.status, 200)


def _page(request: HttpRequest, intake: CrowdIntake, outcome: str, status: int) -> HttpResponse:
    page = {**_shown(intake), "outcome": outcome, "back": way_back(intake, outcome)}
    return render(request, "annotation/crowd/outcome.html", page, status=status)


def _shown(intake: CrowdIntake) -> dict[str, str]:
    """Plain words and no row: from a study's row a template could reach its design, which names the arms."""
    return {
        "title": intake.study.title,
        "contact": intake.study.rater_text.get("contact", ""),
        "provider": str(intake.get_provider_display()),
        "keeps_ids": "yes" if intake.keep_ids else "",
    }


def _is_staff(request: HttpRequest) -> bool:
    """Whether somebody else than a rater is signed in here: they would lose their session."""
    user = request.user
    return user.is_authenticated and not hasattr(user, "evaluator")
