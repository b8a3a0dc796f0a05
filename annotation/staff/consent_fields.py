"""Form fields for the design's section on consent, named "consent.field" as refusals name them."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.design import KEEP, SET_ASIDE, ConsentDesign

SECTION = "consent"
EXAMPLE = _(
    "Plain text; empty: nobody is asked. Say who runs the study and what for, what is asked and how long it takes, "
    "what is kept and for how long, who sees it, and whom to ask. What leaving means is added below it from your "
    "choices here."
)


def consent_fields() -> dict[str, forms.Field]:
    least = ConsentDesign.TEXTS["text"][1]
    return {
        "consent.text": forms.CharField(
            label=_("What raters agree to before they start"),
            required=False,
            max_length=least,
            widget=forms.Textarea(attrs={"rows": 8}),
            help_text=EXAMPLE,
        ),
        "consent.required": forms.BooleanField(label=_("Only who agrees may rate"), required=False),
        "consent.ask_conflicts": forms.BooleanField(
            label=_("Ask whether the rater has built, trained or written about the models"), required=False
        ),
        "consent.withdrawal": forms.ChoiceField(
            required=False,
            label=_("Answers of a rater who stops, or whose person is erased"),
            choices=[(KEEP, _("stand, under the pseudonym")), (SET_ASIDE, _("are set aside and count no more"))],
        ),
        "consent.erase_words": forms.BooleanField(
            label=_("Erasing a person also erases the words in the answers"), required=False
        ),
    }


def consent_initial(design: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields show first: a stored design, or the defaults."""
    stored = design.get(SECTION, {})
    return {name: stored.get(_field(name), getattr(ConsentDesign(), _field(name))) for name in consent_fields()}


def consent_read(cleaned: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The section as the design takes it; where nobody is asked, nothing about asking is kept."""
    read = {_field(name): cleaned[name] for name in consent_fields() if cleaned.get(name) not in (None, "")}
    if "text" not in read:
        read.pop("required", None)
    return {SECTION: read}


def _field(name: str) -> str:
    return name.partition(".")[2]
