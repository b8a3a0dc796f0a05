"""All raters of the site by pseudonym, and the erasure of a person."""

from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from annotation.models import Evaluator, PersonErasure
from annotation.services.errors import StudyRefused
from annotation.services.leaving import rater_erase


class EraseForm(forms.Form):
    typed = forms.CharField(
        label=gettext_lazy("Type the pseudonym to confirm"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args: object, pseudonym: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.pseudonym = pseudonym

    def clean_typed(self) -> str:
        typed = str(self.cleaned_data["typed"])
        if typed != self.pseudonym:
            raise forms.ValidationError(_("That is not the pseudonym of this rater."))
        return typed


@require_safe
def raters(request: HttpRequest) -> HttpResponse:
    """Who rates. User names stand here only, so that somebody who asks to be erased can be found."""
    people = Evaluator.objects.select_related("user").annotate(
        studies=Count("seats__study", distinct=True), left=Count("vacancies", distinct=True)
    )
    page = {
        "raters": people.order_by("-id")[:500],
        "erasures": PersonErasure.objects.select_related("study", "evaluator").order_by("-id")[:200],
    }
    return render(request, "annotation/staff/people_raters.html", page)


@require_http_methods(["GET", "POST"])
def erase(request: HttpRequest, pseudonym: str) -> HttpResponse:
    evaluator = get_object_or_404(Evaluator.objects.select_related("user"), pseudonym=pseudonym, user__isnull=False)
    form = EraseForm(request.POST if request.method == "POST" else None, pseudonym=pseudonym)
    if form.is_valid():
        try:
            rater_erase(evaluator=evaluator, by=cast(User, request.user))
        except StudyRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("The person is erased; %(pseudonym)s leads to nobody.") % {"pseudonym": pseudonym}
            )
            return redirect("staff:raters")
    return render(request, "annotation/staff/erase.html", {"evaluator": evaluator, "form": form})
