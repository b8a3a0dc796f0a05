"""Amend a frozen protocol: a new version with a reason, and what each version changed."""

import difflib
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from annotation.design import DesignRefused, design_from_dict, design_to_dict
from annotation.models import ProtocolVersion, Study
from annotation.services import study_amend
from annotation.services.errors import StudyRefused
from annotation.services.versions import Change, version_changes
from annotation.staff.confirm import ReasonForm, asks_again, posted

# Fields of the form -> place in the design.
TEXTS = ("instructions", "contact")
PLAN = ("closing_rule", "analysis")
THRESHOLDS = ("least_catches_right", "least_seconds", "most_seconds", "exclude_beyond_times", "most_beyond_times")


class AmendForm(ReasonForm):
    question = gettext_lazy("Why is the protocol amended?")
    example = gettext_lazy("Stands in the new version for good; name no person.")

    instructions = forms.CharField(
        label=gettext_lazy("Instructions to raters"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=gettext_lazy("Empty: the instructions of the task. Raters read the new text from now on."),
    )
    contact = forms.CharField(label=gettext_lazy("Whom raters may ask"), required=False)
    consent = forms.CharField(
        label=gettext_lazy("What raters agree to"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("If it changes, every rater is asked again before the next answer."),
    )
    least_catches_right = forms.FloatField(label=gettext_lazy("Least share of catch trials right"))
    least_seconds = forms.IntegerField(label=gettext_lazy("Least seconds of a credible answer"))
    most_seconds = forms.IntegerField(label=gettext_lazy("Most seconds of a credible answer"))
    exclude_beyond_times = forms.BooleanField(
        label=gettext_lazy("Leave answers beyond these times out"), required=False
    )
    most_beyond_times = forms.FloatField(label=gettext_lazy("Largest share of answers beyond these times"))
    closing_rule = forms.CharField(
        label=gettext_lazy("When the study is closed"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    analysis = forms.CharField(
        label=gettext_lazy("How it is analysed"), required=False, widget=forms.Textarea(attrs={"rows": 4})
    )

    reserve_used = forms.IntegerField(
        label=gettext_lazy("Rounds of the reserve in use"),
        required=False,
        min_value=0,
        help_text=gettext_lazy(
            "Each is one more neuron of every stratum, at the end of raters' lists. It cannot be taken back."
        ),
    )

    field_order = (*TEXTS, "consent", *THRESHOLDS, *PLAN, "reserve_used", "reason", "password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not design_from_dict(self.study.design).sampling.reserve:
            del self.fields["reserve_used"]

    @property
    def groups(self) -> list[tuple[str, list[Any]]]:
        """The fields under headings, as the page shows them."""
        named = (
            (_("What raters read"), (*TEXTS, "consent")),
            (_("Thresholds of quality: before the first answer only"), THRESHOLDS),
            (_("Plan: recorded with the number of answers given by then"), PLAN),
            (_("Neurons in reserve: before any rater guesses the arms"), ("reserve_used",)),
        )
        shown = [(heading, [self[name] for name in names if name in self.fields]) for heading, names in named]
        return [(heading, fields) for heading, fields in shown if fields]

    @property
    def last(self) -> list[Any]:
        return [self[name] for name in ("reason", "password") if name in self.fields]

    def changes(self) -> dict[str, Any]:
        """What is typed, as changes of the design."""
        data, design = self.cleaned_data, design_to_dict(design_from_dict(self.study.design))
        used = data.get("reserve_used")
        return {
            **{name: _lines(data[name]) for name in TEXTS},
            "sampling": design["sampling"] | ({"reserve_used": used} if used is not None else {}),
            "consent": design["consent"] | {"text": _lines(data["consent"])},
            "quality": design["quality"] | {name: data[name] for name in THRESHOLDS},
            "plan": design["plan"] | {name: _lines(data[name]) for name in PLAN},
        }


@asks_again
def amend(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study.objects.exclude(protocol_sha256=""), slug=slug)
    form = posted(request, AmendForm, study, initial=_initial(study))
    if form.is_valid() and (version := _amended(request, study, form)) is not None:
        return redirect("staff:version", slug=slug, number=version.number)
    return render(request, "annotation/staff/amend.html", {"study": study, "form": form})


@require_safe
def version(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """One version of the protocol: when, by whom, why, and what it changed."""
    row = get_object_or_404(
        ProtocolVersion.objects.select_related("study", "by__user"), study__slug=slug, number=number
    )
    changes = [(change, _word_diff(change)) for change in version_changes(row)]
    return render(request, "annotation/staff/version.html", {"study": row.study, "version": row, "changes": changes})


@require_safe
def version_file(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """A version, byte for byte: `sha256sum` of the file gives the hash on its page."""
    row = get_object_or_404(ProtocolVersion, study__slug=slug, number=number)
    headers = {"Content-Disposition": f'attachment; filename="{slug}-protocol-{number}.json"'}
    return HttpResponse(row.text.encode(), content_type="application/json", headers=headers)


def _amended(request: HttpRequest, study: Study, form: AmendForm) -> ProtocolVersion | None:
    by = cast(User, request.user)
    try:
        version = study_amend(study=study, changes=form.changes(), reason=form.cleaned_data["reason"], by=by)
    except (DesignRefused, StudyRefused) as refusal:
        form.add_error(None, str(refusal))
        return None
    messages.success(request, _("Version %(number)s of the protocol is in force.") % {"number": version.number})
    return version


def _initial(study: Study) -> dict[str, Any]:
    design = design_to_dict(design_from_dict(study.design))
    return {
        **{name: design[name] for name in TEXTS},
        "consent": design["consent"]["text"],
        **{name: design["quality"][name] for name in THRESHOLDS},
        **{name: design["plan"][name] for name in PLAN},
        "reserve_used": design["sampling"]["reserve_used"],
    }


def _lines(text: str) -> str:
    """Browsers send line ends of their own."""
    return text.replace("\r\n", "\n")


def _word_diff(change: Change) -> list[tuple[str, str]]:
    """A change of a text as ("same" | "old" | "new", words) parts; of anything else as its two values."""
    old, new = (str(value) for value in (change.old, change.new))
    if not (isinstance(change.old, str) and isinstance(change.new, str)):
        return [("old", old), ("new", new)]
    one, other = _words(old), _words(new)
    parts: list[tuple[str, str]] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(("same", "".join(one[a:b])))
            continue
        parts += [(name, "".join(words)) for name, words in (("old", one[a:b]), ("new", other[c:d])) if words]
    return parts


def _words(text: str) -> list[str]:
    """Words with the spaces after them, so that joined they are the text."""
    words: list[str] = []
    for sign in text:
        if words and (sign.isspace() or not words[-1][-1:].isspace()):
            words[-1] += sign
        else:
            words.append(sign)
    return words
