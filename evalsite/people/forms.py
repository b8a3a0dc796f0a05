"""What people type when they come in, and what an owner decides about them."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _

from annotation.models import STAFF_ROLES

ROLE_WORDS = {
    "owner": _("owner: everything, and says who has which role"),
    "admin": _("admin: designs, opens and closes studies, seats raters"),
    "statistician": _("statistician: plans; reads reports after unblinding"),
    "unblinder": _("unblinder: asks for and confirms unblinding"),
    "monitor": _("monitor: sees pooled progress"),
    "auditor": _("auditor: reads logs and protocols, verifies them"),
}
PLAIN = {"autocapitalize": "none", "spellcheck": "false"}


class EmailForm(forms.Form):
    """For a rater without an account."""

    email = forms.EmailField(
        required=False,
        label=_("E-mail address (may be left empty)"),
        help_text=_("Only to send you your link, and sign-in codes if you lose it. It never appears in results."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class AccountForm(forms.Form):
    """For somebody who makes an account."""

    username = forms.CharField(
        max_length=150,
        label=_("User name"),
        validators=[UnicodeUsernameValidator()],
        widget=forms.TextInput(attrs={**PLAIN, "autocomplete": "username"}),
    )
    email = forms.EmailField(
        required=False,
        label=_("E-mail address"),
        help_text=_("For sign-in codes and for a new password. May be left empty if you choose a password."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    password = forms.CharField(
        required=False,
        label=_("Password"),
        help_text=_("At least 10 characters. Leave it empty to sign in by codes sent to your address."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class RolesForm(forms.Form):
    roles = forms.MultipleChoiceField(
        choices=[(role, ROLE_WORDS[role]) for role in STAFF_ROLES],
        required=False,
        label=_("Roles"),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, account: User, **kwargs: Any) -> None:
        held = list(account.groups.filter(name__in=STAFF_ROLES).values_list("name", flat=True))
        super().__init__(*args, **{**kwargs, "initial": {"roles": held}})


class InviteForm(forms.Form):
    role = forms.ChoiceField(
        choices=[(role, ROLE_WORDS[role]) for role in STAFF_ROLES], label=_("Role"), initial="admin"
    )
    email = forms.EmailField(
        required=False,
        label=_("E-mail address"),
        help_text=_("If given, the link is sent there. It is shown here too."),
    )
    days = forms.IntegerField(min_value=1, max_value=365, initial=7, label=_("Days until it expires"))
