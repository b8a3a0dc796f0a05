"""The form that asks what to assume of a planned study."""

from dataclasses import fields
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from analysis.planner import Assumptions, PlanRefused, fractions_read
from analysis.planner.assumptions import REAL, WHOLE

DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Assumptions)}
# The first ones decide the numbers; the second ones the costs; the third ones are rarely touched.
GROUPS = (
    (_("The study"), ("fractions", "sizes", "neurons_per_arm", "raters", "raters_per_neuron")),
    (_("How neurons and raters differ"), ("neuron_sd", "rater_sd", "rater_arm_sd")),
    (_("Time and money"), ("minutes_per_item", "extra_items", "pay_per_hour", "fee", "budget")),
    (_("Simulation"), ("level", "replicates", "seed")),
)
WORDS: dict[str, tuple[Any, Any]] = {
    "sizes": (_("Model sizes"), _("Pooled with equal weights.")),
    "neurons_per_arm": (_("Neurons per size and arm"), _("The SoLU paper had 60.")),
    "raters": (_("Raters"), ""),
    "raters_per_neuron": (_("Raters per neuron"), _("As many as raters: fully crossed.")),
    "neuron_sd": (
        _("Spread of neurons (logits)"),
        _("How clearly neurons differ. The results tell what agreement of raters follows from it."),
    ),
    "rater_sd": (_("Spread of raters (logits)"), _("Bars that differ in all arms alike; 0.5 is common.")),
    "rater_arm_sd": (_("Spread of raters within an arm (logits)"), _("A rater's own leaning towards one arm.")),
    "minutes_per_item": (_("Minutes per item"), _("1 to 2 in the SoLU paper.")),
    "extra_items": (_("Extra items"), _("Repeats, catch trials and training as a share of the items: 0.1 is 10 %.")),
    "pay_per_hour": (_("Pay per hour"), _("0: unpaid.")),
    "fee": (_("Fee"), _("What a crowd provider takes, as a share of the pay.")),
    "budget": (_("Budget"), _("0: none given.")),
    "level": (_("Confidence level"), ""),
    "replicates": (_("Simulated studies"), _("Large studies are simulated less often.")),
    "seed": (_("Seed"), _("The same seed gives the same numbers.")),
}


class PlanForm(forms.Form):
    """Fields are named as in `Assumptions`, so that a refusal lands at its field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["fractions"] = forms.CharField(
            label=_("Expected fractions"),
            max_length=400,
            initial=", ".join(f"{name}={share:g}" for name, share in DEFAULTS["fractions"]),
            help_text=_(
                "Share of Yes in each arm, as in baseline=0.35, solu=0.60. The others are held against the first."
            ),
        )
        for name, (label, help_text) in WORDS.items():
            told: dict[str, Any] = {"label": label, "help_text": help_text, "initial": DEFAULTS[name]}
            least, most = (WHOLE | REAL)[name]
            kind: Any = forms.IntegerField if name in WHOLE else forms.FloatField
            self.fields[name] = kind(min_value=least, max_value=most, **told)
            if name in REAL:
                self.fields[name].widget.attrs["step"] = "any"

    @property
    def groups(self) -> list[tuple[Any, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in GROUPS]

    def assumptions(self) -> Assumptions | None:
        """What was filled in, if it can be simulated; else every fault stands at its field."""
        if not self.is_valid():
            return None
        try:
            values = self.cleaned_data | {"fractions": fractions_read(self.cleaned_data["fractions"])}
            return Assumptions(**values)
        except PlanRefused as refusal:
            for name, message in refusal.problems:
                self.add_error(name, message)
            return None
