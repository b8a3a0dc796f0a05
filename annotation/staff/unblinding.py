"""Open the key by two persons: one asks, another one confirms."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotation.models import Study, UnblindingRequest
from annotation.services import study_unblind, unblinding_confirm, unblinding_request, unblinding_withdraw
from annotation.services.errors import StudyRefused
from annotation.services.unblinding import request_open, unblinders_needed
from annotation.staff.confirm import ConfirmUnblindForm, asks_again, posted


def unblind_or_ask(study: Study, by: User, reason: str) -> Study | UnblindingRequest:
    """Unblind where the protocol asks for one person, and ask for it where it asks for two."""
    if unblinders_needed(study) == 1:
        return study_unblind(study=study, reason=reason, by=by)
    return unblinding_request(study=study, reason=reason, by=by)


@asks_again
def confirm(request: HttpRequest, slug: str) -> HttpResponse:
    """The request as the second person sees it; on POST that person confirms."""
    study = get_object_or_404(Study, slug=slug)
    asked = request_open(study)
    if asked is None:
        messages.info(request, _("Nothing was done: nobody is asking for this study to be unblinded."))
        return redirect("staff:study", slug=slug)
    form = posted(request, ConfirmUnblindForm, study)
    if form.is_valid():
        try:
            unblinding_confirm(study=study, by=cast(User, request.user))
        except StudyRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The key is open. The report can be read."))
            return redirect("staff:study", slug=slug)
    page = {"study": study, "form": form, "asked": asked, "is_mine": asked.asked_by == request.user}
    return render(request, "annotation/staff/unblinding.html", page)


@require_POST
def withdraw(request: HttpRequest, slug: str) -> HttpResponse:
    """Take one's own request back, or turn somebody else's down."""
    study = get_object_or_404(Study, slug=slug)
    try:
        unblinding_withdraw(study=study, by=cast(User, request.user))
    except StudyRefused as refusal:
        messages.info(request, str(refusal))
    else:
        messages.success(request, _("The request is withdrawn. The key stays closed."))
    return redirect("staff:study", slug=slug)
