"""Raters from a crowd provider: how they come in, who came, what it costs, and what the provider says differently."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from annotation.models import CrowdEvent, CrowdIntake, CrowdSubmission, Provider, Study
from annotation.services import IntakeRefused, intake_save
from annotation.services.intake import SETTABLE

NOTES = {
    "person_parameter": gettext_lazy("Names of the parameters in the address. The others may be empty."),
    "external_study": gettext_lazy("The study's id at the provider. With it entries of other studies are refused."),
    "signed": gettext_lazy(
        "Prolific: switch on “Secured external URL”. Without it anybody can write the parameters and come in."
    ),
    "audience": gettext_lazy("The host name that the provider signs for, as in the address of this page."),
    "return_url": gettext_lazy("{code} stands for the code. Only hosts that the server's settings allow are taken."),
    "code_complete": gettext_lazy("Shown when every answer is stored, and not before."),
    "code_screened_out": gettext_lazy("For who finds no free seat, does not pass the training, or came before."),
    "newcomers_only": gettext_lazy("Nobody who rated in an earlier study of this site."),
    "keep_ids": gettext_lazy(
        "Keep the provider's ids readable, as for bonus payments. Otherwise only a scrambled form is kept, which still "
        "recognises who comes back. They are in no export either way."
    ),
    "reward": gettext_lazy("What one complete submission is paid, for the sum on this page."),
}


class IntakeForm(forms.ModelForm):
    class Meta:
        model = CrowdIntake
        fields = SETTABLE
        labels = {
            "provider": gettext_lazy("Provider"),
            "is_open": gettext_lazy("New raters are let in"),
            "person_parameter": gettext_lazy("Parameter: person"),
            "study_parameter": gettext_lazy("Parameter: study"),
            "session_parameter": gettext_lazy("Parameter: submission"),
            "external_study": gettext_lazy("Study at the provider"),
            "signed": gettext_lazy("Entries must be signed by the provider"),
            "token_parameter": gettext_lazy("Parameter: signature"),
            "audience": gettext_lazy("Our host name"),
            "return_url": gettext_lazy("Address of the way back"),
            "code_complete": gettext_lazy("Code: complete"),
            "code_screened_out": gettext_lazy("Code: screened out"),
            "code_no_consent": gettext_lazy("Code: no consent"),
            "code_timed_out": gettext_lazy("Code: time ran out"),
            "newcomers_only": gettext_lazy("Newcomers only"),
            "keep_ids": gettext_lazy("Keep readable ids"),
            "reward": gettext_lazy("Reward"),
            "currency": gettext_lazy("Currency"),
        }
        help_texts = NOTES

    def _post_clean(self) -> None:
        """Whether the values make sense together is for the service to say."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What the submissions of a study cost so far, all together."""

    complete: Decimal  # complete here, whatever the provider says
    approved: Decimal  # approved at the provider


@require_http_methods(["GET", "POST"])
def intake(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    row = CrowdIntake.objects.filter(study=study).first()
    form = IntakeForm(request.POST if request.method == "POST" else None, instance=row, initial=_initial(request, row))
    if form.is_valid() and _saved(request, study, form):
        return redirect("staff:crowd", slug)
    # A refused change must not show as if it were in force.
    row = CrowdIntake.objects.filter(study=study).first()
    submissions = CrowdSubmission.objects.filter(study=study)
    page = {
        "study": study,
        "intake": row,
        "form": form,
        "entry": _entry(request, row) if row else "",
        "counts": _counts(submissions),
        "unsigned": submissions.filter(was_signed=False).count(),
        "unknown": CrowdEvent.objects.filter(outcome="unknown submission").count(),
        "cost": _cost(row, submissions) if row and row.reward else None,
    }
    return render(request, "annotation/staff/crowd.html", page)


def _initial(request: HttpRequest, row: CrowdIntake | None) -> dict[str, str]:
    if row is not None:
        return {}
    host = request.get_host().partition(":")[0]
    return {"audience": host, "return_url": "https://app.prolific.com/submissions/complete?cc={code}"}


def _saved(request: HttpRequest, study: Study, form: IntakeForm) -> bool:
    try:
        intake_save(study=study, by=cast(User, request.user), **form.cleaned_data)
    except IntakeRefused as refusal:
        form.add_error(refusal.field or None, str(refusal))
        return False
    messages.success(request, _("Saved. The entry link stays the same."))
    return True


def _entry(request: HttpRequest, row: CrowdIntake) -> str:
    """The address to give to the provider, with its placeholders."""
    address = request.build_absolute_uri(reverse("crowd:enter", args=[row.token]))
    named = (row.person_parameter, row.study_parameter, row.session_parameter)
    places = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID") if row.provider == Provider.PROLIFIC else ("…", "…", "…")
    form = "{name}={{{{%{place}%}}}}" if row.provider == Provider.PROLIFIC else "{name}={place}"
    asked = [form.format(name=name, place=place) for name, place in zip(named, places, strict=True) if name]
    return f"{address}?{'&'.join(asked)}"


def _counts(submissions: Any) -> list[tuple[str, int]]:
    statuses = list(submissions.values_list("status", flat=True))
    return [(str(label), statuses.count(status)) for status, label in CrowdSubmission.Status.choices]


def _cost(row: CrowdIntake, submissions: Any) -> Cost:
    reward = row.reward or Decimal(0)
    return Cost(
        complete=reward * submissions.filter(status=CrowdSubmission.Status.COMPLETE).count(),
        approved=reward * submissions.filter(provider_status="APPROVED").count(),
    )
