"""The form that describes a study, and its way to and from a StudyDesign."""

import json
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from django import forms
from django.utils.text import slugify
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotation.design import (
    HUMAN,
    RANGES,
    SIMULATED,
    TEXTS,
    DesignRefused,
    StudyDesign,
    design_from_dict,
)
from annotation.models import Study
from annotation.protocols import TASKS
from annotation.protocols.display import MATCHED, PEAK, PROPORTIONAL, RANK
from annotation.staff.consent_fields import consent_fields, consent_initial, consent_read
from annotation.staff.pair_form import PairForm, SizeOption, pair_initial
from annotation.staff.section_fields import section_fields, sections_initial, sections_read

SEED_BELOW = 2**31  # short enough to copy by hand
# The display by which arms were hardest to tell (docs/blinding.md); 64 and 32 tokens fill 136 characters.
BEST_BLIND: dict[str, Any] = {"display": MATCHED, "even_characters": 136, "context_before": 64, "context_after": 32}
DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(StudyDesign) if field.default is not MISSING}


def _whole_number(name: str, **kwargs: Any) -> forms.IntegerField:
    """A number field with the design's own limits and default."""
    least, most = RANGES[name]
    return forms.IntegerField(min_value=least, max_value=most, initial=DEFAULTS.get(name), **kwargs)


class StudyForm(forms.Form):
    """Everything that a study needs; fields are named as in StudyDesign, so that a refusal lands at its field."""

    title = forms.CharField(
        max_length=TEXTS["title"][1], label=_("Title"), help_text=_("Raters see it: name no arm and no model in it.")
    )
    slug = forms.SlugField(
        max_length=60,
        required=False,
        label=_("Short name"),
        help_text=_(
            "Part of the study's address: small letters, digits, hyphens. Left empty, it is made from the title."
        ),
    )
    protocol = forms.ChoiceField(
        label=_("Task"),
        initial=DEFAULTS["protocol"],
        required=False,
        choices=[(task.name, task.label) for task in TASKS.values()],
        help_text=_("What raters do with a neuron. The preview shows it."),
    )
    options = forms.CharField(
        label=_("Options of the task"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"}),
        help_text=_("One per line, as name = value; left empty, the task's defaults hold. See docs/tasks.md."),
    )
    corpus = forms.ChoiceField(label=_("Corpus"), help_text=_("The text that the snippets come from."))
    neurons_per_arm = _whole_number(
        "neurons_per_arm", label=_("Neurons per arm"), help_text=_("For each size and arm. The paper used 60.")
    )
    snippets_per_neuron = _whole_number(
        "snippets_per_neuron", label=_("Snippets per neuron"), help_text=_("A neuron's strongest. The paper used 20.")
    )
    context_before = _whole_number("context_before", label=_("Tokens before the peak"))
    context_after = _whole_number("context_after", label=_("Tokens after the peak"))
    even_characters = _whole_number(
        "even_characters",
        required=False,
        label=_("Characters of every snippet"),
        help_text=_("Snippets are cut to this length, so that lengths tell no arm; 0: not cut."),
    )
    display = forms.ChoiceField(
        label=_("How firing tokens are marked"),
        widget=forms.RadioSelect,
        initial=DEFAULTS["display"],
        choices=[
            (PEAK, _("Peak: the same number of marked tokens in every snippet of every arm")),
            (MATCHED, _("Matched: the same number of tokens in each band for every neuron of every arm")),
            (RANK, _("Rank: the same number of tokens in each band for every snippet")),
            (PROPORTIONAL, _("Proportional: shaded by strength, as in the paper; it tells the arms apart")),
        ],
    )
    marked_per_snippet = _whole_number(
        "marked_per_snippet",
        label=_("Marked tokens per snippet"),
        help_text=_("Peak display: the strongest ones, in all arms."),
    )
    bands = _whole_number("bands", label=_("Bands of shading"), help_text=_("Proportional display only."))
    rater_kind = forms.ChoiceField(
        widget=forms.RadioSelect,
        label=_("Who rates"),
        initial=DEFAULTS["rater_kind"],
        choices=[(HUMAN, _("People")), (SIMULATED, _("Simulated raters, to try out the whole chain"))],
        help_text=_("A study with simulated raters says so on every page and in every file."),
    )
    raters = _whole_number("raters", label=_("Raters"), help_text=_("The number of seats."))
    raters_per_neuron = _whole_number(
        "raters_per_neuron", label=_("Raters per neuron"), help_text=_("How many raters see each neuron.")
    )
    instructions = forms.CharField(
        label=_("Instructions"),
        widget=forms.Textarea(attrs={"rows": 12}),
        max_length=TEXTS["instructions"][1],
        required=False,
        help_text=_(
            "Plain text; an empty line starts a new paragraph. Raters read it before the first neuron. Left empty, the "
            "task's own instructions are shown."
        ),
    )
    contact = forms.CharField(
        max_length=TEXTS["contact"][1],
        required=False,
        label=_("Contact"),
        help_text=_("Whom a rater can ask: a name and how to reach them."),
    )
    seed = _whole_number(
        "seed",
        label=_("Seed"),
        help_text=_("Every random choice follows from it. A fresh one is filled in; change it only to repeat a study."),
    )

    def __init__(self, *args: Any, sizes: Sequence[SizeOption], study: Study | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        corpora = sorted({name for size in sizes for option in size.options for name in option.corpora})
        self.fields["corpus"].choices = [(name, name) for name in corpora]  # type: ignore[attr-defined]
        self.fields |= section_fields(corpora) | consent_fields()
        self.initial = {**self.initial, **sections_initial(self.initial), **consent_initial(self.initial)}
        chosen = {pair["size"]: pair for pair in self.initial.get("pairs", ())}
        self.pair_forms = [
            PairForm(
                self.data if self.is_bound else None,
                prefix=f"pair-{number}",
                option=size,
                initial=pair_initial(chosen.get(size.size)) if chosen else None,
            )
            for number, size in enumerate(sizes)
        ]

    def clean_protocol(self) -> str:
        return self.cleaned_data["protocol"] or str(DEFAULTS["protocol"])

    def clean_options(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.cleaned_data["options"])
        except tomllib.TOMLDecodeError as error:
            raise forms.ValidationError(
                gettext("Received text that is no list of name = value: %(error)s.") % {"error": error}
            ) from None

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"] or slugify(self.cleaned_data.get("title", ""))[:60].strip("-")
        if not slug:
            raise forms.ValidationError(gettext("The title gives no short name; write one with letters or digits."))
        holder = Study.objects.filter(slug=slug).first()
        if holder is not None and holder != self.study:
            raise forms.ValidationError(
                gettext("There is a study “%(slug)s” already; choose another short name.") % {"slug": slug}
            )
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        valid = [form.is_valid() for form in self.pair_forms]
        chosen = [form for form in self.pair_forms if form.is_valid() and form.cleaned_data["include"]]
        for form in chosen:
            form.check_against(cleaned.get("corpus", ""))
        if not all(valid) or any(form.errors for form in chosen):
            raise forms.ValidationError(gettext("Something in the networks below needs your eye."))
        if not chosen:
            raise forms.ValidationError(gettext("Choose at least one size of networks."))
        cleaned["pairs"] = [form.pair() for form in chosen]
        return cleaned

    @property
    def sampling_fields(self) -> list[forms.BoundField]:
        return self._section("sampling")

    @property
    def list_fields(self) -> list[forms.BoundField]:
        return self._section("assignment") + self._section("crowd")

    @property
    def quality_fields(self) -> list[forms.BoundField]:
        return self._section("training") + self._section("quality")

    @property
    def blinding_fields(self) -> list[forms.BoundField]:
        return self._section("blinding") + self._section("guess")

    @property
    def plan_fields(self) -> list[forms.BoundField]:
        return self._section("plan")

    @property
    def analysis_fields(self) -> list[forms.BoundField]:
        return self._section("analysis")

    def _section(self, section: str) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith(f"{section}.")]

    @property
    def consent_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in consent_fields()]

    def design(self) -> StudyDesign | None:
        """The design; or None, with every refusal put at the field that it is about.

        What a stored draft says of things that this form does not ask for stays as it is.
        """
        stored = self.study.design if self.study else {}
        asked = {name: value for name, value in self.cleaned_data.items() if "." not in name}
        filled = {name: value for name, value in asked.items() if value is not None}
        try:
            sections = sections_read(self.cleaned_data, stored) | consent_read(self.cleaned_data)
            return design_from_dict({**stored, **filled, **sections})
        except DesignRefused as refusal:
            refuse(self, refusal)
            return None


class TomlForm(forms.Form):
    toml = forms.CharField(
        label=_("Design as TOML"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "class": "mono", "spellcheck": "false"}),
        help_text=_("The same text that `manage.py study_create --from FILE.toml` reads."),
    )


def refuse(form: forms.Form, refusal: DesignRefused) -> None:
    """Show each problem at its field; those about a field that the form does not have stand above the form."""
    for name, message in refusal.problems:
        field = "options" if name.startswith("options.") else name
        if field in form.fields:
            form.add_error(field, message if field == name else f"{name.removeprefix('options.')}: {message}")
        else:
            form.add_error(None, f"{name}: {message}")


def study_initial(design: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the form shows first: a stored design, or the paper's numbers, the best blind and a fresh seed."""
    if design is not None:
        options = "\n".join(f"{name} = {json.dumps(value)}" for name, value in design.get("options", {}).items())
        return {**design, "options": options}
    return {"seed": secrets.randbelow(SEED_BELOW), **BEST_BLIND}
