"""Seat raters: people who have an account, or a new account whose password is shown once."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from annotation.models import Seat, Study
from annotation.selectors import study_progress
from annotation.services import evaluator_create, seat_assign
from annotation.services.errors import StudyRefused
from annotation.staff.passwords import password_make
from annotation.staff.people_forms import NewRaterForm, SeatForm


@never_cache
def seats(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    act = request.POST.get("act") if request.method == "POST" else None
    seat_form = SeatForm(request.POST if act == "seat" else None, study=study)
    new_form = NewRaterForm(request.POST if act == "new" else None)
    done = _seat_known(request, study, seat_form) or _seat_new(request, study, new_form)
    if done is not None:
        return done
    rows = study_progress(study)
    page = {
        "study": study,
        "seat_form": seat_form,
        "new_form": new_form,
        "free": sum(not row.pseudonym for row in rows),
        "total": len(rows),
    }
    return render(request, "annotation/staff/seats.html", page)


def _seat_known(request: HttpRequest, study: Study, form: SeatForm) -> HttpResponse | None:
    if not form.is_valid():
        return None
    evaluator = form.cleaned_data["evaluator"]
    try:
        seat = seat_assign(study=study, evaluator=evaluator, by=cast(User, request.user))
    except StudyRefused as refusal:
        form.add_error(None, str(refusal))
        return None
    seated = {"rater": evaluator.pseudonym, "number": seat.number}
    messages.success(request, _("%(rater)s has seat %(number)s.") % seated)
    return redirect("staff:study", slug=study.slug)


def _seat_new(request: HttpRequest, study: Study, form: NewRaterForm) -> HttpResponse | None:
    """The password is in this one answer and nowhere else: not in the session, not in a message, not in the log."""
    if not form.is_valid():
        return None
    username, password = form.cleaned_data["username"], password_make()
    try:
        seat = _account_and_seat(study, username, password, cast(User, request.user))
    except StudyRefused as refusal:
        form.add_error("username", str(refusal))
        return None
    address = request.build_absolute_uri(reverse("home"))
    page = {"study": study, "seat": seat, "username": username, "password": password, "address": address}
    return render(request, "annotation/staff/account.html", page)


@transaction.atomic
def _account_and_seat(study: Study, username: str, password: str, by: User) -> Seat:
    """Both or none: an account whose seat was refused would lock its user name for nothing."""
    evaluator = evaluator_create(username=username, password=password, by=by)
    return seat_assign(study=study, evaluator=evaluator, by=by)
