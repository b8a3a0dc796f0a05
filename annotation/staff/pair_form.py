"""One size in the form of a study: which networks and controls play which arms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotation.design import ARM_NAME, POST_ACT, POST_LN, RANDOM_DIRECTIONS, RANDOM_SNIPPETS
from neurons.store.basis import NEURONS, Basis

LEFT_OUT = ""
# Arm of a study -> what the paper calls it, and the activation of the network that usually plays it.
ARMS = (
    ("baseline", _("Baseline"), "gelu"),
    ("solu", _("SoLU"), "solu_ln"),
    ("ln_only", _("LayerNorm only (control)"), "gelu_ln"),
)
AFTER_LN, UNTRAINED = "solu_post_ln", "untrained"
# Control arm -> label, what it tells, and the command that makes what it needs.
CONTROLS = (
    (
        AFTER_LN,
        _("SoLU after its LayerNorm"),
        _("Whether features come back through the LayerNorm, at low activations."),
        "harvest_run NETWORK --site post_ln",
    ),
    (
        UNTRAINED,
        _("Untrained network"),
        _("What the text and the architecture alone make readable."),
        "networks_untrained NETWORK",
    ),
    (
        RANDOM_DIRECTIONS,
        _("Random directions"),
        _("Whether neurons are read more easily than any direction in their space. SoLU's: after its LayerNorm."),
        "harvest_run NETWORK --basis random:1024:1",
    ),
)
NAMED = {arm for arm, *_rest in (*ARMS, *CONTROLS)}
OTHER_ROWS = 2  # arms with a name of the author's own, at least
SNIPPETS_VALUE = "|random snippets"  # as one of those; no network's name begins so
SNIPPETS_LABEL = _("Random snippets")


@dataclass(frozen=True, slots=True)
class ArmOption:
    """What an arm can show: a network at a site along its neurons or other directions, with a finished harvest."""

    network: str
    activation: str
    corpora: frozenset[str]  # names of the corpora it was harvested over
    site: str = POST_ACT
    basis: str = NEURONS
    untrained: bool = False

    @property
    def value(self) -> str:
        return option_value(self.network, self.site, self.basis)

    @property
    def label(self) -> str:
        told = [self.activation]
        told += [gettext("after its LayerNorm")] if self.site == POST_LN else []
        told += [] if self.basis == NEURONS else [Basis.parse(self.basis).label]
        return f"{self.network} ({', '.join(told)})"

    def plays(self, arm: str) -> bool:
        """Whether it may be offered for an arm of this name."""
        neurons = self.basis == NEURONS
        plain = neurons and self.site == POST_ACT
        fits = {
            RANDOM_DIRECTIONS: not neurons,
            AFTER_LN: neurons and self.site == POST_LN,
            UNTRAINED: plain and self.untrained,
        }
        return fits.get(arm, plain)


def option_value(network: str, site: str, basis: str) -> str:
    """How a choice is sent by the form: the network alone where nothing else is special."""
    return network if (site, basis) == (POST_ACT, NEURONS) else f"{network}|{site}|{basis}"


def told_of(value: str) -> str | dict[str, str]:
    """What a design says of the arm that was chosen."""
    if value == SNIPPETS_VALUE:
        return {"kind": RANDOM_SNIPPETS}
    if "|" not in value:
        return value
    network, site, basis = value.split("|")
    return {"network": network, "site": site, "basis": basis} | (
        {} if basis == NEURONS else {"kind": RANDOM_DIRECTIONS}
    )


@dataclass(frozen=True, slots=True)
class SizeOption:
    """What can be compared at one size."""

    size: str
    n_layers: int
    options: tuple[ArmOption, ...]

    def option(self, value: str) -> ArmOption | None:
        return next((option for option in self.options if option.value == value), None)


class PairForm(forms.Form):
    """One size: whether it takes part, which layers, and what plays which arm."""

    include = forms.BooleanField(required=False)
    layers = forms.TypedMultipleChoiceField(coerce=int, required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, option: SizeOption, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.option = option
        self.fields["include"].label = gettext("Use %(size)s in this study") % {"size": option.size}
        layers = self.fields["layers"]
        numbers = range(option.n_layers)
        layers.choices = [(number, gettext("layer %d") % number) for number in numbers]  # type: ignore[attr-defined]
        layers.initial = list(numbers)
        for arm, label, activation in ARMS:
            self.fields[f"arm_{arm}"] = self._arm_field(arm, label, activation)
        # A size takes part from the start if it offers a baseline and at least one network to compare it with.
        self.fields["include"].initial = sum(bool(self.fields[f"arm_{arm}"].initial) for arm, *_rest in ARMS) >= 2
        self._add_controls()
        self._add_others()

    def _add_controls(self) -> None:
        for arm, label, tells, command in CONTROLS:
            field = self._arm_field(arm, label)
            field.help_text = tells if len(field.choices) > 1 else format_lazy(_("{} None yet: {}"), tells, command)  # type: ignore[arg-type]
            self.fields[f"arm_{arm}"] = field
        self.fields[f"arm_{RANDOM_SNIPPETS}"] = forms.BooleanField(
            required=False,
            label=SNIPPETS_LABEL,
            help_text=_("With borrowed shading: how often raters see a rule where there is none."),
        )

    def _add_others(self) -> None:
        self.other_rows = max(OTHER_ROWS, int(self.initial.get("others", 0)) + 1)
        for row in range(self.other_rows):
            self.fields[f"other_{row}_name"] = forms.RegexField(
                rf"\A{ARM_NAME.pattern}\Z",
                required=False,
                label=_("Another arm: its name"),
                help_text=_("Small letters, digits, underscores; the same at every size. For imported features, say."),
                error_messages={"invalid": _("Use small letters, digits and underscores, a letter first.")},
            )
            self.fields[f"other_{row}_shows"] = self._arm_field("", _("… and what it shows"), name=f"other_{row}_shows")

    def _arm_field(self, arm: str, label: Any, usually: str = "", *, name: str = "") -> forms.ChoiceField:
        fitting = [option for option in self.option.options if not arm or option.plays(arm)]
        choices: list[tuple[str, Any]] = [(option.value, option.label) for option in fitting]
        choices += [] if arm else [(SNIPPETS_VALUE, SNIPPETS_LABEL)]
        kept = self.initial.get(name or f"arm_{arm}", LEFT_OUT)
        if kept and kept not in dict(choices):
            choices.append((kept, gettext("%(what)s (no finished harvest)") % {"what": kept.replace("|", ", ")}))
        usual = next((option.value for option in fitting if option.activation == usually), LEFT_OUT)
        nothing = _("not in this study") if choices else _("none harvested yet")
        return forms.ChoiceField(label=label, choices=[(LEFT_OUT, nothing), *choices], initial=usual, required=False)

    # -- for the page --------------------------------------------------------------------------------------------------
    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("include", "layers", *(f"arm_{arm}" for arm, *_rest in ARMS))]

    @property
    def control_fields(self) -> list[forms.BoundField]:
        return [self[f"arm_{arm}"] for arm in (*(arm for arm, *_rest in CONTROLS), RANDOM_SNIPPETS)]

    @property
    def other_fields(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"other_{row}_name"], self[f"other_{row}_shows"]) for row in range(self.other_rows)]

    @property
    def shows_controls(self) -> bool:
        """Whether something is chosen or wrong among the controls, so that they have to be seen."""
        fields = [*self.control_fields, *(field for pair in self.other_fields for field in pair)]
        return any(field.value() or field.errors for field in fields)

    # -- what was chosen -----------------------------------------------------------------------------------------------
    def chosen(self) -> dict[str, str]:
        """Name of the field -> value, for everything that shows a harvest."""
        names = [f"arm_{arm}" for arm, *_rest in (*ARMS, *CONTROLS)]
        names += [f"other_{row}_shows" for row in range(self.other_rows)]
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data.get(name)}

    def arms(self) -> dict[str, Any]:
        """Arm -> what a design says of it, for the arms that take part."""
        arms: dict[str, Any] = {}
        for name, value in self.chosen().items():
            own = self.cleaned_data.get(name.replace("_shows", "_name"), "")
            arms[own if name.startswith("other_") else name.removeprefix("arm_")] = told_of(value)
        if self.cleaned_data[f"arm_{RANDOM_SNIPPETS}"]:
            arms[RANDOM_SNIPPETS] = {"kind": RANDOM_SNIPPETS}
        return arms

    def pair(self) -> dict[str, Any]:
        return {"size": self.option.size, "layers": self.cleaned_data["layers"], "arms": self.arms()}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        names = list(NAMED | {RANDOM_SNIPPETS})
        for row in range(self.other_rows):
            name, shows = cleaned.get(f"other_{row}_name", ""), cleaned.get(f"other_{row}_shows", LEFT_OUT)
            if shows and not name and f"other_{row}_name" not in self.errors:
                self.add_error(f"other_{row}_name", _("Give this arm a name."))
            if name and not shows:
                self.add_error(f"other_{row}_shows", _("Choose what this arm shows, or leave out its name."))
            if name and (name in names):
                self.add_error(f"other_{row}_name", _("There is an arm of this name above; choose another."))
            names.append(name)
        return cleaned

    def check_against(self, corpus: str) -> None:
        """Put an error at every arm whose network was not harvested over the study's corpus."""
        arms = self.arms()
        for name, value in self.chosen().items():
            option = self.option.option(value)
            if value != SNIPPETS_VALUE and (option is None or corpus not in option.corpora):
                told = value.replace("|", ", ")
                message = gettext("%(what)s has no finished harvest over the corpus “%(corpus)s”; harvest it first.")
                self.add_error(name, message % {"what": told, "corpus": corpus})
        if len(arms) < 2:
            self.add_error(None, gettext("Choose at least two arms: with one there is nothing to compare."))
        if not self.cleaned_data["layers"]:
            self.add_error("layers", gettext("Choose at least one layer."))


def pair_initial(pair: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the form of a size shows of a stored design; None: the size takes no part."""
    if pair is None:
        return {"include": False}
    found: dict[str, Any] = {f"arm_{arm}": LEFT_OUT for arm in NAMED}
    others = []
    for arm in pair["arms"]:
        option = ArmOption(arm["network"], "", frozenset(), arm.get("site", POST_ACT), arm.get("basis", NEURONS), True)
        if arm.get("kind") == RANDOM_SNIPPETS and arm["name"] == RANDOM_SNIPPETS:
            found[f"arm_{RANDOM_SNIPPETS}"] = True
        elif arm["name"] in NAMED and option.plays(arm["name"]):
            found[f"arm_{arm['name']}"] = option.value
        else:
            others.append((arm["name"], SNIPPETS_VALUE if arm.get("kind") == RANDOM_SNIPPETS else option.value))
    for row, (name, shows) in enumerate(others):
        found |= {f"other_{row}_name": name, f"other_{row}_shows": shows}
    return {"include": True, "layers": pair["layers"], "others": len(others), **found}
