"""How even the frozen allocation is, for the study's page: pooled counts that lead to no arm."""

from typing import Any

from django.utils.translation import gettext as _

from annotation.models import StudyEvent


def allocation_told(events: list[StudyEvent]) -> list[dict[str, Any]]:
    """One row for each kind of rater, as logged at freeze; empty before."""
    details: dict[str, Any] = next((event.details for event in events if event.action == "frozen"), {})
    words = {"people": _("Raters"), "machines": _("Machine raters")}
    return [{"kind": words.get(kind, kind), **told} for kind, told in details.get("balance", {}).items()]
