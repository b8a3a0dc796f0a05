"""Keys to the API: made here, shown once, and taken back; and the programs that rate with them."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation.models import ApiToken, RaterKind, Seat, Study, TokenRole
from annotation.selectors import machines_declared
from annotation.services import StudyRefused, machine_declare, token_create, token_revoke
from annotation.services.tokens import MOST_DAYS

STAFF_ROLES = (TokenRole.ADMIN, TokenRole.MONITOR, TokenRole.AUDITOR, TokenRole.STATISTICIAN)


class DaysForm(forms.Form):
    days = forms.IntegerField(
        min_value=1, max_value=MOST_DAYS, initial=30, label=gettext_lazy("Days until the token expires")
    )


class TokenForm(DaysForm):
    role = forms.ChoiceField(
        choices=[(role.value, role.label) for role in STAFF_ROLES], label=gettext_lazy("What it may do")
    )
    label = forms.CharField(max_length=80, label=gettext_lazy("Whose it is"))
    field_order = ["label", "role", "days"]


class CreatorForm(DaysForm):
    label = forms.CharField(max_length=80, label=gettext_lazy("Whose it is"))
    field_order = ["label", "days"]


class MachineForm(DaysForm):
    name = forms.CharField(max_length=80, label=gettext_lazy("Name of the program"))
    version = forms.CharField(max_length=40, label=gettext_lazy("Version"))
    model = forms.CharField(
        max_length=120, required=False, label=gettext_lazy("Language model behind it (may be left empty)")
    )
    description = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        label=gettext_lazy("Prompt and settings, so that others can repeat it"),
    )
    field_order = ["name", "version", "model", "description", "days"]


@require_http_methods(["GET", "POST"])
@never_cache
def study_tokens(request: HttpRequest, slug: str) -> HttpResponse:
    """The key is in the one answer to the form, and nowhere else."""
    study = get_object_or_404(Study, slug=slug)
    act = request.POST.get("act") if request.method == "POST" else None
    token_form = TokenForm(request.POST if act == "token" else None)
    machine_form = MachineForm(request.POST if act == "machine" else None)
    by = cast(User, request.user)
    made = _made(request, study, token_form, lambda values: token_create(study=study, by=by, **values)) or _made(
        request, study, machine_form, lambda values: machine_declare(study=study, by=by, **values)[1:]
    )
    if made is not None:
        return made
    free = Seat.objects.filter(study=study, kind=RaterKind.MACHINE, evaluator__isnull=True).count()
    page = {
        "study": study,
        "tokens": ApiToken.objects.filter(study=study).select_related("made_by", "seat"),
        "machines": machines_declared(study),
        "machine_seats": Seat.objects.filter(study=study, kind=RaterKind.MACHINE).count(),
        "machine_seats_free": free,
        "token_form": token_form,
        "machine_form": machine_form,
        "now": timezone.now(),
    }
    return render(request, "annotation/staff/tokens.html", page)


@require_http_methods(["GET", "POST"])
@never_cache
def site_tokens(request: HttpRequest) -> HttpResponse:
    """All tokens of the site, and those that make new studies."""
    form = CreatorForm(request.POST if request.method == "POST" else None)
    by = cast(User, request.user)
    made = _made(request, None, form, lambda values: token_create(role=TokenRole.CREATOR, by=by, **values))
    if made is not None:
        return made
    tokens = ApiToken.objects.select_related("study", "made_by", "seat")
    page = {"tokens": tokens, "token_form": form, "now": timezone.now()}
    return render(request, "annotation/staff/site_tokens.html", page)


@require_POST
def revoke(request: HttpRequest, token: int) -> HttpResponse:
    row = get_object_or_404(ApiToken.objects.select_related("study"), pk=token)
    token_revoke(token=row, by=cast(User, request.user))
    messages.success(request, _("That token opens nothing any more."))
    return redirect("staff:tokens", row.study.slug) if row.study else redirect("staff:site_tokens")


def _made(request: HttpRequest, study: Study | None, form: forms.Form, make: Any) -> HttpResponse | None:
    if not form.is_valid():
        return None
    try:
        token, key = make(form.cleaned_data)
    except StudyRefused as refusal:
        form.add_error(None, str(refusal))
        return None
    page = {"study": study, "token": token, "key": key, "site": request.build_absolute_uri("/").rstrip("/")}
    return render(request, "annotation/staff/token_made.html", page)
