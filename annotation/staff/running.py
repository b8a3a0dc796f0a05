"""While a study runs: pause it and let it go on, write to raters, and hand a seat over."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from annotation.models import Evaluator, RaterMessage, Seat, Study
from annotation.selectors import evaluators_free
from annotation.services import message_send, message_take_back, seat_hand_over, study_pause, study_resume
from annotation.services.errors import StudyRefused
from annotation.services.log import REASON_AT_LEAST
from annotation.services.rater_messages import LONGEST
from annotation.staff.confirm import StepForm, posted
from annotation.staff.people_forms import RaterChoice


class MessageForm(StepForm):
    to = forms.ChoiceField(label=gettext_lazy("To"))
    text = forms.CharField(
        label=gettext_lazy("Message"),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Plain text. Say nothing of arms, networks or results."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        seats = Seat.objects.filter(study=self.study, evaluator__isnull=False).select_related("evaluator")
        self.seats = {str(seat.number): seat for seat in seats}
        cast(forms.ChoiceField, self.fields["to"]).choices = [
            ("all", _("all raters")),
            *((number, _("seat %(number)s") % {"number": number}) for number in self.seats),
        ]

    @property
    def seat(self) -> Seat | None:
        return self.seats.get(self.cleaned_data["to"])


class HandOverForm(StepForm):
    to = RaterChoice(
        queryset=Evaluator.objects.none(),
        label=gettext_lazy("Next rater"),
        empty_label=gettext_lazy("nobody yet: the seat is free"),
        required=False,
    )
    answers = forms.ChoiceField(
        label=gettext_lazy("The answers given so far"),
        choices=[
            ("keep", gettext_lazy("stand, as those of the rater who gave them; the next one goes on with the rest")),
            ("anew", gettext_lazy("are kept and no longer count; the next one starts the list anew")),
        ],
        widget=forms.RadioSelect,
        initial="keep",
    )
    reason = forms.CharField(
        label=gettext_lazy("Why?"),
        min_length=REASON_AT_LEAST,
        max_length=200,
        help_text=gettext_lazy("Kept in the log for good; name no person."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        free = evaluators_free(self.study).select_related("user")
        self.fields["to"].queryset = free  # type: ignore[attr-defined]


@require_POST
def pause(request: HttpRequest, slug: str) -> HttpResponse:
    """Pause a study, or let a paused one go on; the field `act` says which."""
    study = get_object_or_404(Study, slug=slug)
    go_on = request.POST.get("act") == "resume"
    try:
        (study_resume if go_on else study_pause)(study=study, by=cast(User, request.user))
    except StudyRefused as refusal:
        messages.info(request, str(refusal))
    else:
        paused = _("The study is paused. Raters keep what they have entered and can come back when it goes on.")
        messages.success(request, _("The study goes on.") if go_on else paused)
    return redirect("staff:study", slug=slug)


def write(request: HttpRequest, slug: str) -> HttpResponse:
    """The messages of a study, and a form for a new one; `?seat=2` is about one seat."""
    study = get_object_or_404(Study, slug=slug)
    form = posted(request, MessageForm, study, initial=_reminder(request.GET.get("seat", "")))
    if form.is_valid():
        try:
            message_send(study=study, text=form.cleaned_data["text"], seat=form.seat, by=cast(User, request.user))
        except StudyRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The message is on the raters' pages until they have read it."))
            return redirect("staff:messages", slug=slug)
    sent = RaterMessage.objects.filter(study=study).select_related("sent_by__user", "evaluator")
    page = {"study": study, "form": form, "sent": sent.annotate(read=Count("read_by")).order_by("-pk")}
    return render(request, "annotation/staff/messages.html", page)


@require_POST
def take_back(request: HttpRequest, slug: str, message: str) -> HttpResponse:
    row = get_object_or_404(RaterMessage.objects.select_related("study"), study__slug=slug, public_id=message)
    message_take_back(message=row, by=cast(User, request.user))
    messages.success(request, _("The message is shown to nobody any more."))
    return redirect("staff:messages", slug=slug)


def hand_over(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Give a seat to somebody else; the list of neurons, its order and the answers stay."""
    study = get_object_or_404(Study, slug=slug)
    seat = get_object_or_404(Seat.objects.select_related("evaluator"), study=study, number=number)
    form = posted(request, HandOverForm, study)
    if form.is_valid() and _handed_over(request, seat, form):
        return redirect("staff:study", slug=slug)
    done = seat.assignments.filter(done_at__gte=seat.seated_at).count() if seat.seated_at else 0
    page = {"study": study, "seat": seat, "form": form, "done": done}
    return render(request, "annotation/staff/hand_over.html", page)


def _handed_over(request: HttpRequest, seat: Seat, form: HandOverForm) -> bool:
    data, by = form.cleaned_data, cast(User, request.user)
    try:
        seat_hand_over(seat=seat, keep=data["answers"] == "keep", reason=data["reason"], to=data["to"], by=by)
    except StudyRefused as refusal:
        form.add_error(None, str(refusal))
        return False
    messages.success(request, _("Seat %(number)s is handed over.") % {"number": seat.number})
    return True


def _reminder(seat: str) -> dict[str, str]:
    if not seat.isdigit():
        return {"to": "all"}
    text = _("There are neurons left on your list. Will you go on? If something is in your way, please tell us.")
    return {"to": seat, "text": text}
