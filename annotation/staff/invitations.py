"""Invite raters to a study by link, see who used one, take one back."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation.models import Invitation, RaterKind, Seat, Study
from annotation.services.errors import StudyRefused
from annotation.services.invitation_mail import invitation_mail
from annotation.services.invitations import DAYS_MOST, USES_MOST, invitation_create, invitation_revoke

INVITING = (Study.State.FROZEN, Study.State.OPEN)


class InvitationForm(forms.Form):
    uses = forms.IntegerField(
        min_value=1,
        max_value=USES_MOST,
        initial=1,
        label=gettext_lazy("How many may come in by it"),
        help_text=gettext_lazy("Never more than there are free seats, whatever stands here."),
    )
    days = forms.IntegerField(min_value=1, max_value=DAYS_MOST, initial=14, label=gettext_lazy("Days until it expires"))
    anonymous = forms.BooleanField(
        required=False,
        initial=True,
        label=gettext_lazy("They may start without an account"),
        help_text=gettext_lazy("Such a rater gets a personal link and is known to you by a pseudonym only."),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Seats"))
    email = forms.EmailField(
        required=False,
        label=gettext_lazy("E-mail address (may be left empty)"),
        help_text=gettext_lazy("If given, the link is sent there. It is shown here too."),
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Programs are declared and get a token (annotation.staff.tokens); nobody invites them by a link.
        kinds = set(Seat.objects.filter(study=study, kind=RaterKind.HUMAN).values_list("kind", flat=True))
        choices = [(kind, label) for kind, label in RaterKind.choices if kind in kinds]
        self.fields["kind"].choices = choices  # type: ignore[attr-defined]
        if len(choices) == 1:
            self.fields["kind"].initial, self.fields["kind"].widget = choices[0][0], forms.HiddenInput()


@require_http_methods(["GET", "POST"])
@never_cache
def invitations(request: HttpRequest, slug: str) -> HttpResponse:
    """The link is in the one answer to the form (and in a mail), and nowhere else."""
    study = get_object_or_404(Study, slug=slug)
    form = InvitationForm(request.POST if request.method == "POST" else None, study=study)
    if form.is_valid() and (made := _made(request, study, form)) is not None:
        return made
    page = {
        "study": study,
        "form": form,
        "inviting": study.state in INVITING and form.fields["kind"].choices,  # type: ignore[attr-defined]
        "invitations": Invitation.objects.filter(study=study),
        "free": Seat.objects.filter(study=study, evaluator__isnull=True).count(),
    }
    return render(request, "annotation/staff/invitations.html", page)


@require_POST
def take_back(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    row = get_object_or_404(Invitation, study__slug=slug, public_id=public_id)
    invitation_revoke(invitation=row, by=cast(User, request.user))
    messages.success(request, _("That link lets nobody in any more."))
    return redirect("staff:invitations", slug)


def _made(request: HttpRequest, study: Study, form: InvitationForm) -> HttpResponse | None:
    try:
        made = invitation_create(study=study, by=cast(User, request.user), **form.cleaned_data)
    except StudyRefused as refusal:
        form.add_error(None, str(refusal))
        return None
    link = request.build_absolute_uri(reverse("people:join", args=[made.token]))
    if email := form.cleaned_data["email"]:
        invitation_mail(to=email, link=link, study=study)
    page = {"study": study, "link": link, "invitation": made.row, "email": email}
    return render(request, "annotation/staff/invited.html", page)
