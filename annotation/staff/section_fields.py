"""Form fields for the design's sections on sampling and lists, named "section.field" as refusals name them."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.design import AssignmentDesign, BlindingDesign, SamplingDesign, Section
from annotation.design.analysis import AnalysisDesign
from annotation.design.crowd import DISCARD, KEEP, CrowdDesign
from annotation.design.guess import GuessDesign
from annotation.design.licence import LICENCE_TEXTS, NO_LICENCE
from annotation.design.plan import PlanDesign
from annotation.design.quality import QualityDesign
from annotation.design.training import TrainingDesign

SECTIONS: dict[str, type[Section]] = {
    "sampling": SamplingDesign,
    "assignment": AssignmentDesign,
    "training": TrainingDesign,
    "quality": QualityDesign,
    "guess": GuessDesign,
    "blinding": BlindingDesign,
    "crowd": CrowdDesign,
    "plan": PlanDesign,
    "analysis": AnalysisDesign,
}
CORPORA = "sampling.more_corpora"
ONE_LINE = 60  # characters
LEFT_ANSWERS = [
    (DISCARD, _("are set aside: the next rater starts the list anew")),
    (KEEP, _("stand: the next rater goes on with the rest")),
]
CHOICES: dict[str, list[tuple[str, Any]]] = {
    "training.on_fail": [("repeat", _("practise again")), ("screen_out", _("be screened out after some rounds"))],
    "crowd.on_return": LEFT_ANSWERS,
    "crowd.on_timeout": LEFT_ANSWERS,
    "analysis.question": [
        ("panel", _("these raters, new neurons")),
        ("generalising", _("new raters and new neurons (three raters or more)")),
    ],
    "analysis.vote": [
        ("mean", _("mean over neurons of the share of raters who said yes")),
        ("majority", _("share of neurons that most of their raters call interpretable")),
    ],
    "analysis.population": [
        ("superpopulation", _("neurons drawn in the same way")),
        ("finite", _("the counted neurons of these layers")),
    ],
    "plan.data_licence": [
        *((name, licence.title) for name, licence in LICENCE_TEXTS.items() if name != NO_LICENCE),
        (NO_LICENCE, _("none: ask us first")),
    ],
    "analysis.spending": [("obrien_fleming", _("late (O’Brien–Fleming)")), ("pocock", _("evenly (Pocock)"))],
    "sampling.sizes": [
        ("equal", _("equally many from every size")),
        ("proportional", _("in proportion to a size's living neurons")),
    ],
    "sampling.layers": [
        ("pooled", _("from all layers together, by chance")),
        ("equal", _("equally many from every layer")),
        ("proportional", _("in proportion to a layer's living neurons")),
    ],
}
WORDS: dict[str, tuple[Any, Any]] = {
    "sampling.sizes": (_("Sizes"), _("Every arm of a size gives equally many neurons in any case.")),
    "sampling.layers": (_("Layers"), ""),
    "sampling.reserve": (
        _("Reserve"),
        _("Neurons drawn beyond the sample, sealed and on nobody's list, for a recorded amendment."),
    ),
    CORPORA: (_("More corpora"), _("Every neuron is shown once for each, to the same raters.")),
    "assignment.calibration": (_("Neurons for all raters"), _("Of every size and arm, on every rater's list.")),
    "assignment.repeats": (_("Repeats"), _("Share of a rater's items that come again later, unannounced.")),
    "assignment.repeat_distance": (_("Least distance of a repeat"), _("Other items in between.")),
    "assignment.block": (_("Items in a block"), _("Sizes and arms are mixed evenly in every block; 0: no blocks.")),
    "assignment.machine_raters": (_("Machine raters"), _("Declared programs, with seats and lists of their own.")),
    "assignment.machine_raters_per_neuron": (_("Machine raters per neuron"), _("0: all of them.")),
    "training.least_right": (
        _("Practice: least share right"),
        _("0 to 1, of the practice items in one round. 0: practice explains, and nobody can fail."),
    ),
    "training.on_fail": (_("After a round that was not passed"), ""),
    "training.rounds": (_("Rounds before somebody is screened out"), ""),
    "quality.planted_catches": (
        _("Planted catch trials"),
        _("Per rater: items with one word as rule. A careful rater says Yes."),
    ),
    "quality.pooled_catches": (
        _("Pooled catch trials"),
        _("Per rater: every snippet from another neuron. A careful rater says No."),
    ),
    "quality.least_catches_right": (
        _("Exclude raters with fewer catch trials right"),
        _("Share from 0 to 1; 0 excludes nobody. Fixed now, so that it cannot follow from the answers."),
    ),
    "quality.least_seconds": (_("Least active seconds of an answer"), ""),
    "quality.most_seconds": (_("Most active seconds of an answer"), ""),
    "quality.exclude_beyond_times": (_("Leave out answers outside these times"), _("Otherwise they are only flagged.")),
    "guess.items": (
        _("Items whose arm raters guess at the end"),
        _("Per rater, when the verdicts are locked. It tests the blind; 0: not asked."),
    ),
    "crowd.on_return": (
        _("Crowd provider: answers of who gives the place back"),
        _("For raters from Prolific or another provider. Either way the seat becomes free."),
    ),
    "crowd.on_timeout": (_("Crowd provider: answers of who runs out of time"), ""),
    "blinding.unblinders": (_("People it takes to open the key"), ""),
    "blinding.leak_limit": (
        _("Largest leak"),
        _("Area under the curve with which a page's form may tell two arms; above it the study does not open."),
    ),
    "blinding.named_publicly": (
        _("Name the study on the public page that knows its protocol"),
        _("Otherwise it is called a study of this site."),
    ),
    "plan.closing_rule": (
        _("When the study is closed"),
        _("A rule that does not look at the answers, such as: when all raters are through, or after four weeks."),
    ),
    "plan.analysis": (_("How it is analysed"), _("What is compared, beyond the standard report.")),
    "plan.data_licence": (_("Licence of the data"), _("Written into every export once the study is unblinded.")),
    "analysis.question": (_("The main interval is about"), _("For new raters it is wider, and honest about them.")),
    "analysis.vote": (_("What is counted"), ""),
    "analysis.population": (_("Neurons stand for"), ""),
    "analysis.baseline": (_("Baseline"), _("Name of an arm; empty: “baseline”, else the first arm.")),
    "analysis.treatment": (_("Compared with it"), _("Name of an arm; empty: the first of the others.")),
    "analysis.size": (_("Size of the main comparison"), _("Empty: all sizes, equally weighted.")),
    "analysis.level": (_("Confidence level"), ""),
    "analysis.looks": (_("Looks at the data"), _("Planned analyses, the last one included.")),
    "analysis.spending": (_("Error is spent"), _("Over several looks.")),
    "analysis.bayesian_answers": (
        _("Bayesian model up to"),
        _("Answers in a comparison; above it only the other models are fitted. 0: never."),
    ),
}


def section_fields(corpora: list[str]) -> dict[str, forms.Field]:
    """A field for everything in the sections; left empty, it keeps the design's default."""
    return {name: _field(name, corpora) for name in WORDS}


def sections_initial(design: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields show first: a stored design, or the defaults."""
    found = {}
    for name in WORDS:
        section, _dot, field = name.partition(".")
        stored = design.get(section, {})
        found[name] = stored[field] if field in stored else getattr(SECTIONS[section](), field)
    return found


def sections_read(cleaned: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The sections as the design takes them: what was filled in, over what is stored."""
    read: dict[str, dict[str, Any]] = {section: dict(stored.get(section, {})) for section in SECTIONS}
    for name in WORDS:
        section, _dot, field = name.partition(".")
        # A text can be taken away again; a number that was taken away leaves the one that is stored.
        may_be_empty = field in SECTIONS[section].TEXTS and name in cleaned
        if may_be_empty or cleaned.get(name) not in (None, ""):
            read[section][field] = cleaned[name]
    return read


def _field(name: str, corpora: list[str]) -> forms.Field:
    label, help_text = WORDS[name]
    section, _dot, field = name.partition(".")
    told: dict[str, Any] = {"label": label, "help_text": help_text, "required": False}
    if name == CORPORA:
        choices = [(corpus, corpus) for corpus in corpora]
        return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **told)
    if name in CHOICES:
        return forms.ChoiceField(choices=CHOICES[name], **told)
    if field in SECTIONS[section].SHARES:
        least, most = SECTIONS[section].SHARES[field]
        return forms.FloatField(min_value=least, max_value=most, widget=forms.NumberInput({"step": "0.01"}), **told)
    if field in SECTIONS[section].SWITCHES:
        return forms.BooleanField(**told)
    if field in SECTIONS[section].TEXTS:
        most = SECTIONS[section].TEXTS[field][1]
        widget = forms.Textarea(attrs={"rows": 2}) if most > ONE_LINE else forms.TextInput()
        return forms.CharField(max_length=most, widget=widget, **told)
    smallest, largest = SECTIONS[section].RANGES[field]
    return forms.IntegerField(min_value=smallest, max_value=largest, **told)
