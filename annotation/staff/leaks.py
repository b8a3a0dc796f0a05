"""What staff see of leak audits, and the form that asks why a study opens above its limit."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from annotation.leaks import Comparison, LeakNumbers, leaks_beyond, numbers_read
from annotation.models import LeakAudit, Study
from annotation.services.leaks import leaks_told
from annotation.services.log import REASON_AT_LEAST
from annotation.staff.confirm import StepForm


@dataclass(frozen=True, slots=True)
class LeakPanel:
    """The last audit of a study: numbers over whole arms, so that it unblinds nobody.

    Attributes
    ----------
    audit : LeakAudit
    earlier : int
        Audits before it.
    rows : tuple of (Comparison, bool)
        Pairs of arms, then each arm and all others; whether the study may not open with it.
    state : {"unmeasured", "within", "chance", "above", "overruled"}
    p_value : float or None
    overruled : str
        Why the study opens all the same, or empty.
    """

    audit: LeakAudit
    earlier: int
    rows: tuple[tuple[Comparison, bool], ...]
    state: str
    p_value: float | None
    overruled: str


def leak_panel(study: Study) -> LeakPanel | None:
    audits = list(LeakAudit.objects.filter(study=study).order_by("-id"))
    if not audits:
        return None
    numbers = numbers_read(audits[0].numbers)
    beyond = leaks_beyond(numbers, audits[0].limit, audits[0].rule)
    overruled = study.design.get("blinding", {}).get("leak_overruled", "")
    return LeakPanel(
        audit=audits[0],
        earlier=len(audits) - 1,
        rows=tuple((found, found in beyond) for found in numbers.comparisons),
        state=_state(audits[0], numbers, overruled),
        p_value=numbers.p_value,
        overruled=overruled,
    )


def _state(audit: LeakAudit, numbers: LeakNumbers, overruled: str) -> str:
    if not audit.passed:
        return "overruled" if overruled else "above"
    if numbers.largest is None:
        return "unmeasured"
    return "chance" if numbers.largest.auc > audit.limit else "within"


class OpenForm(StepForm):
    """Opening needs no words, unless the arms show: then it asks why the study opens all the same."""

    reason = forms.CharField(
        min_length=REASON_AT_LEAST,
        widget=forms.Textarea(attrs={"rows": 3}),
        label=gettext_lazy("Why does the study open although its arms can be told?"),
        help_text=gettext_lazy("Becomes part of the protocol, as an amendment, and of the log and the report."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        panel = leak_panel(self.study)
        if panel is None or panel.state != "above":
            del self.fields["reason"]
        else:
            told = leaks_told(panel.audit)
            self.fields["reason"].help_text = f"{told[0].upper()}{told[1:]}. {self.fields['reason'].help_text}"
