"""Forms about raters, and the typed reasons that closing and unblinding ask for."""

from typing import Any

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator

from annotation.models import Evaluator, Study
from annotation.selectors import evaluators_free
from annotation.services.log import REASON_AT_LEAST


class RaterChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.user.get_username()} ({obj.pseudonym})"


class SeatForm(forms.Form):
    """Give a free seat to a rater who has an account."""

    evaluator = RaterChoice(queryset=Evaluator.objects.none(), label="Rater", empty_label="choose")

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        free = evaluators_free(study).select_related("user")
        self.fields["evaluator"].queryset = free  # type: ignore[attr-defined]


class NewRaterForm(forms.Form):
    """An account for a new rater; the password is made by us and shown once."""

    username = forms.CharField(
        max_length=150,
        label="User name",
        validators=[UnicodeUsernameValidator()],
        help_text="For signing in. Tables and files show a pseudonym, never this name.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class StepForm(forms.Form):
    """A step that needs no words: sending the form is the confirmation."""

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study


class CloseForm(StepForm):
    reason = forms.CharField(
        min_length=REASON_AT_LEAST,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Why is the study closed now?",
        help_text="For example: all raters are done.",
    )


class UnblindForm(StepForm):
    reason = forms.CharField(
        min_length=REASON_AT_LEAST,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Why is the key opened now?",
        help_text=f"At least {REASON_AT_LEAST} characters; kept with the study for good.",
    )
    typed_slug = forms.CharField(
        label="Type the study's short name to confirm",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def clean_typed_slug(self) -> str:
        typed = str(self.cleaned_data["typed_slug"])
        if typed != self.study.slug:
            raise forms.ValidationError(f"That is “{typed}”; the study's short name is “{self.study.slug}”.")
        return typed
