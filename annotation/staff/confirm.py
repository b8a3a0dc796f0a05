"""Steps that ask who is there once more, and why: a reason for the log, and the password of whoever is signed in.

An account without a password shows by its passkey or one-time code that it is there: put `@asks_again` on the view.
"""

from collections.abc import Callable
from typing import Any, cast

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.models import Study
from annotation.services.log import REASON_AT_LEAST

MOST_WRONG, WRONG_SECONDS = 5, 300  # wrong passwords in a row, and how long they count
NO_FILLING = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


def asks_again(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A POST of an account without a password first asks for its passkey or one-time code, then goes on."""
    wrapped: Callable[..., HttpResponse] = reauthentication_required(
        view, allow_get=True, enabled=lambda request: not request.user.has_usable_password()
    )
    return wrapped


class StepForm(forms.Form):
    """A step that needs no words: sending the form is the confirmation."""

    def __init__(self, *args: Any, study: Study, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study, self.user = study, user


class ConfirmForm(StepForm):
    """Asks for the password of whoever is signed in; it stands last in the form."""

    password = forms.CharField(
        label=gettext_lazy("Your password, once more"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.user.has_usable_password():
            self.fields["password"] = self.fields.pop("password")
        else:
            del self.fields["password"]

    def clean_password(self) -> str:
        password, place = str(self.cleaned_data["password"]), f"confirm-wrong:{self.user.pk}"
        if cache.get(place, 0) >= MOST_WRONG:
            raise forms.ValidationError(_("Too many wrong passwords; wait five minutes and try again."))
        if not self.user.check_password(password):
            cache.set(place, cache.get(place, 0) + 1, WRONG_SECONDS)
            raise forms.ValidationError(_("That is not the password of this account."))
        cache.delete(place)
        return ""


class ReasonForm(ConfirmForm):
    """Asks for a reason that is kept for good, and for the password."""

    question, example = gettext_lazy("Why now?"), gettext_lazy("Kept in the log for good; name no person.")

    reason = forms.CharField(min_length=REASON_AT_LEAST, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label, self.fields["reason"].help_text = self.question, self.example


class TypedForm(ReasonForm):
    """Asks for the study's short name too, for what cannot be undone."""

    typed_slug = forms.CharField(
        label=gettext_lazy("Type the study's short name to confirm"), widget=forms.TextInput(attrs=NO_FILLING)
    )

    def clean_typed_slug(self) -> str:
        typed = str(self.cleaned_data["typed_slug"])
        if typed != self.study.slug:
            raise forms.ValidationError(
                _("That is “%(typed)s”; the study's short name is “%(slug)s”.")
                % {"typed": typed, "slug": self.study.slug}
            )
        return typed


class FreezeForm(ReasonForm):
    question = gettext_lazy("Why is the design frozen now?")
    example = gettext_lazy(
        "For example: the pilot is over and the design was agreed on. Kept for good; name no person."
    )


class CloseForm(ReasonForm):
    question = gettext_lazy("Why is the study closed now?")
    example = gettext_lazy("For example: all raters are done. Kept for good; name no person.")


class UnblindForm(TypedForm):
    question = gettext_lazy("Why is the key opened now?")
    field_order = ("reason", "typed_slug", "password")


class ConfirmUnblindForm(TypedForm):
    """The second person: the reason was given by the first."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["reason"]


def posted(request: HttpRequest, form: type[StepForm], study: Study, **kwargs: Any) -> Any:
    """The form with what was sent, or empty."""
    sent = request.POST if request.method == "POST" else None
    return form(sent, study=study, user=cast(User, request.user), **kwargs)
