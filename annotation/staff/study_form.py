"""The form that describes a study, and its way to and from a StudyDesign."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any

from django import forms
from django.utils.text import slugify

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
from annotation.protocols.display import MATCHED, PEAK, PROPORTIONAL, RANK
from annotation.staff.consent_fields import consent_fields, consent_initial, consent_read
from annotation.staff.pair_form import PairForm, SizeOption, pair_initial
from annotation.staff.section_fields import section_fields, sections_initial, sections_read

SEED_BELOW = 2**31  # short enough to copy by hand
DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(StudyDesign) if field.default is not MISSING}


def _whole_number(name: str, **kwargs: Any) -> forms.IntegerField:
    """A number field with the design's own limits and default."""
    least, most = RANGES[name]
    return forms.IntegerField(min_value=least, max_value=most, initial=DEFAULTS.get(name), **kwargs)


class StudyForm(forms.Form):
    """Everything that a study needs; fields are named as in StudyDesign, so that a refusal lands at its field."""

    title = forms.CharField(max_length=TEXTS["title"][1], help_text="Raters see it: name no arm and no model in it.")
    slug = forms.SlugField(
        max_length=60,
        required=False,
        label="Short name",
        help_text="Part of the study's address: small letters, digits, hyphens. Left empty, it is made from the title.",
    )
    corpus = forms.ChoiceField(help_text="The text that the snippets come from.")
    neurons_per_arm = _whole_number("neurons_per_arm", help_text="For each size and arm. The paper used 60.")
    snippets_per_neuron = _whole_number("snippets_per_neuron", help_text="A neuron's strongest. The paper used 20.")
    context_before = _whole_number("context_before", label="Tokens before the peak")
    context_after = _whole_number("context_after", label="Tokens after the peak")
    display = forms.ChoiceField(
        label="How firing tokens are marked",
        widget=forms.RadioSelect,
        initial=DEFAULTS["display"],
        choices=[
            (PEAK, "Peak: the same number of marked tokens in every snippet of every arm"),
            (MATCHED, "Matched: the same number of tokens in each band for every neuron of every arm"),
            (RANK, "Rank: the same number of tokens in each band for every snippet"),
            (PROPORTIONAL, "Proportional: shaded by strength, as in the paper; it tells the arms apart"),
        ],
    )
    marked_per_snippet = _whole_number(
        "marked_per_snippet",
        label="Marked tokens per snippet",
        help_text="Peak display: the strongest ones, in all arms.",
    )
    bands = _whole_number("bands", label="Bands of shading", help_text="Proportional display only.")
    rater_kind = forms.ChoiceField(
        widget=forms.RadioSelect,
        label="Who rates",
        initial=DEFAULTS["rater_kind"],
        choices=[(HUMAN, "People"), (SIMULATED, "Simulated raters, to try out the whole chain")],
        help_text="A study with simulated raters says so on every page and in every file.",
    )
    raters = _whole_number("raters", label="Raters", help_text="The number of seats.")
    raters_per_neuron = _whole_number("raters_per_neuron", help_text="How many raters see each neuron.")
    instructions = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 12}),
        max_length=TEXTS["instructions"][1],
        initial=DEFAULTS["instructions"],
        help_text="Plain text; an empty line starts a new paragraph. Raters read it before the first neuron.",
    )
    contact = forms.CharField(
        max_length=TEXTS["contact"][1], required=False, help_text="Whom a rater can ask: a name and how to reach them."
    )
    seed = _whole_number(
        "seed",
        help_text="Every random choice follows from it. A fresh one is filled in; change it only to repeat a study.",
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

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"] or slugify(self.cleaned_data.get("title", ""))[:60].strip("-")
        if not slug:
            raise forms.ValidationError("The title gives no short name; write one with letters or digits.")
        holder = Study.objects.filter(slug=slug).first()
        if holder is not None and holder != self.study:
            raise forms.ValidationError(f"There is a study “{slug}” already; choose another short name.")
        return slug

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        valid = [form.is_valid() for form in self.pair_forms]
        chosen = [form for form in self.pair_forms if form.is_valid() and form.cleaned_data["include"]]
        for form in chosen:
            form.check_against(cleaned.get("corpus", ""))
        if not all(valid) or any(form.errors for form in chosen):
            raise forms.ValidationError("Something in the networks below needs your eye.")
        if not chosen:
            raise forms.ValidationError("Choose at least one size of networks.")
        cleaned["pairs"] = [form.pair() for form in chosen]
        return cleaned

    @property
    def sampling_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("sampling.")]

    @property
    def list_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("assignment.")]

    @property
    def consent_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in consent_fields()]

    def design(self) -> StudyDesign | None:
        """The design; or None, with every refusal put at the field that it is about.

        What a stored draft says of things that this form does not ask for stays as it is.
        """
        stored = self.study.design if self.study else {}
        filled = {name: value for name, value in self.cleaned_data.items() if "." not in name}
        try:
            sections = sections_read(self.cleaned_data, stored) | consent_read(self.cleaned_data)
            return design_from_dict({**stored, **filled, **sections})
        except DesignRefused as refusal:
            refuse(self, refusal)
            return None


class TomlForm(forms.Form):
    toml = forms.CharField(
        label="Design as TOML",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 24, "class": "mono", "spellcheck": "false"}),
        help_text="The same text that `manage.py study_create --from FILE.toml` reads.",
    )


def refuse(form: forms.Form, refusal: DesignRefused) -> None:
    """Show each problem at its field; those about a field that the form does not have stand above the form."""
    for name, message in refusal.problems:
        if name in form.fields:
            form.add_error(name, message)
        else:
            form.add_error(None, f"{name}: {message}")


def study_initial(design: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What the form shows first: a stored design, or the paper's values with a fresh seed."""
    if design is not None:
        return dict(design)
    return {"seed": secrets.randbelow(SEED_BELOW)}
