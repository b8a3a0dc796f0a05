"""Forms about raters."""

from typing import Any

from django import forms
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _

from annotation.models import Evaluator, Study
from annotation.selectors import evaluators_free


class RaterChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.user.get_username()} ({obj.pseudonym})"


class SeatForm(forms.Form):
    """Give a free seat to a rater who has an account."""

    evaluator = RaterChoice(queryset=Evaluator.objects.none(), label=_("Rater"), empty_label=_("choose"))

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        free = evaluators_free(study).select_related("user")
        self.fields["evaluator"].queryset = free  # type: ignore[attr-defined]


class NewRaterForm(forms.Form):
    """An account for a new rater; the password is made by us and shown once."""

    username = forms.CharField(
        max_length=150,
        label=_("User name"),
        validators=[UnicodeUsernameValidator()],
        help_text=_("For signing in. Tables and files show a pseudonym, never this name."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
