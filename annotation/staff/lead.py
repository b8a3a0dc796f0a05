"""Lead a study: the list, one study's page, and its steps from draft to unblinding.

Freezing runs in the request, not as a background task: 180 neurons take a few seconds, the admin is waiting for the
answer anyway, it needs no worker to be running, and a failure rolls back and is said on the page at once.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST, require_safe

from annotation.blinding import BlindPiece, BlindSnippet
from annotation.design import DesignRefused
from annotation.models import Item, Study, StudyEvent, UnblindingRequest
from annotation.selectors import SeatProgress, event_list, study_list, study_progress
from annotation.services import study_close, study_freeze, study_open, study_problems
from annotation.services.errors import StudyRefused
from annotation.services.unblinding import request_open, unblinders_needed
from annotation.staff.allocation import allocation_told
from annotation.staff.confirm import CloseForm, FreezeForm, StepForm, UnblindForm, asks_again, posted
from annotation.staff.leaks import OpenForm
from annotation.staff.panels import panels
from annotation.staff.people_panel import people_panel
from annotation.staff.steps import CLOSE, FREEZE, OPEN, STEPS, UNBLIND, Advice, Step, advice, next_step
from annotation.staff.unblinding import unblind_or_ask

SEATING = (Study.State.FROZEN, Study.State.OPEN)  # states in which a free seat can be given away
FORMS: Mapping[str, type[StepForm]] = {
    FREEZE.name: FreezeForm,
    OPEN.name: OpenForm,
    CLOSE.name: CloseForm,
    UNBLIND.name: UnblindForm,
}
TAKE: Mapping[str, Callable[[Study, User, str], object]] = {
    FREEZE.name: lambda study, by, reason: study_freeze(study=study, by=by, reason=reason),
    OPEN.name: lambda study, by, reason: study_open(study=study, by=by, overrule=reason),
    CLOSE.name: lambda study, by, reason: study_close(study=study, by=by, reason=reason),
    UNBLIND.name: unblind_or_ask,
}
DONE: Mapping[str, str] = {
    FREEZE.name: gettext_noop("The design is frozen. Seat your raters, then open the study."),
    OPEN.name: gettext_noop("The study is open. Raters with a seat can start."),
    CLOSE.name: gettext_noop("The study is closed. No further answer is accepted."),
    UNBLIND.name: gettext_noop("The key is open. The report can be read."),
    "ask": gettext_noop(
        "You have asked for the unblinding. It happens when a second person confirms it, within seven days."
    ),
}


@dataclass(frozen=True, slots=True)
class Pooled:
    """Progress of a whole study. There is no such count by arm anywhere before unblinding."""

    done: int
    total: int

    @classmethod
    def of(cls, seats: list[SeatProgress]) -> "Pooled":
        return cls(done=sum(seat.done for seat in seats), total=sum(seat.total for seat in seats))

    @property
    def left(self) -> int:
        return self.total - self.done


@require_safe
def studies(request: HttpRequest) -> HttpResponse:
    return render(request, "annotation/staff/list.html", {"studies": [_row(study) for study in study_list()]})


def _row(study: Any) -> tuple[Study, Advice]:
    """A study with its counts, as `study_list` gives it, and what to do next."""
    free, left = study.seats_total - study.seats_taken, study.total - study.done
    return study, advice(study, free=free, left=left)


@require_safe
def study(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study.objects.select_related("unblinding__by", "unblinding__confirmed_by"), slug=slug)
    seats, events = study_progress(study), list(event_list(study))
    progress, free = Pooled.of(seats), sum(not seat.pseudonym for seat in seats)
    page = {
        "study": study,
        "states": Study.State.choices,
        "step": next_step(study),
        "can_seat": study.state in SEATING and free > 0 and not study.simulated,
        "seats": seats,
        "progress": progress,
        "advice": advice(study, free=free, left=progress.left),
        "design": study.design,
        "neurons": sum(len(pair["arms"]) for pair in study.design["pairs"]) * study.design["neurons_per_arm"],
        "rejected": _rejected(events),
        "allocation": allocation_told(events),
        "events": events,
        **panels(study),
        "people": people_panel(study),
    }
    return render(request, "annotation/staff/study.html", page)


def _rejected(events: list[StudyEvent]) -> int | None:
    """How many draws were set aside at freeze, all arms together; None before freeze."""
    details: dict[str, Any] = next((event.details for event in events if event.action == "frozen"), {})
    return details.get("rejected")


@require_safe
def protocol(request: HttpRequest, slug: str) -> HttpResponse:
    """The frozen protocol, byte for byte: `sha256sum protocol.json` gives the hash on the study's page."""
    study = get_object_or_404(Study.objects.exclude(protocol_sha256=""), slug=slug)
    headers = {"Content-Disposition": f'attachment; filename="{study.slug}-protocol.json"'}
    return HttpResponse(study.protocol.encode(), content_type="application/json", headers=headers)


@require_safe
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """A neuron of the study, picked by chance, as raters see it. An item leads nowhere, so this unblinds nobody."""
    study = get_object_or_404(Study, slug=slug)
    ids = list(Item.objects.filter(study=study).values_list("pk", flat=True))
    if not ids:
        raise Http404
    item = Item.objects.get(pk=secrets.choice(ids))
    snippets = [BlindSnippet(tuple(BlindPiece(text, band) for text, band in snippet)) for snippet in item.snippets]
    page = {"study": study, "snippets": snippets, "question": study.rater_text["question"]}
    return render(request, "annotation/staff/preview.html", page)


@require_POST
def check(request: HttpRequest, slug: str) -> HttpResponse:
    """Compare what is stored with the frozen protocol."""
    study = get_object_or_404(Study.objects.exclude(protocol_sha256=""), slug=slug)
    problems = study_problems(study)
    for problem in problems:
        messages.error(request, problem)
    if not problems:
        messages.success(request, _("All that is stored matches the frozen protocol."))
    return redirect("staff:study", slug=slug)


@asks_again
def step(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Say what a step does and ask for confirmation; on POST, take it."""
    study = get_object_or_404(Study, slug=slug)
    step = STEPS.get(name)
    if step is None:
        raise Http404
    if next_step(study) is not step:
        messages.info(request, _("Nothing was done: the study is %(state)s.") % {"state": study.get_state_display()})
        return redirect("staff:study", slug=slug)
    if step is UNBLIND and request_open(study) is not None:
        return redirect("staff:unblinding", slug=slug)
    form = posted(request, FORMS[name], study)
    if form.is_valid() and _taken(request, study, step, form):
        return redirect("staff:study", slug=slug)
    progress = Pooled.of(study_progress(study)) if step is CLOSE else None
    persons = unblinders_needed(study) if step is UNBLIND else 0
    page = {"study": study, "step": step, "form": form, "progress": progress, "persons": persons}
    return render(request, "annotation/staff/step.html", page)


def _taken(request: HttpRequest, study: Study, step: Step, form: StepForm) -> bool:
    """Take the step; a refusal goes into the form, with everything typed kept."""
    try:
        taken = TAKE[step.name](study, cast(User, request.user), form.cleaned_data.get("reason", ""))
    except (DesignRefused, StudyRefused) as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, _(DONE["ask" if isinstance(taken, UnblindingRequest) else step.name]))
    return True
