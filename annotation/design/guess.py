"""The question after the last item: which arm was it? Its answers are the data of the blinding indices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from annotation.design.fields import Section, text_problem

LABEL_MAX_CHARS = 120


@dataclass(frozen=True, slots=True)
class GuessDesign(Section):
    """The guess of the arm, asked when a rater's verdicts are locked.

    Attributes
    ----------
    items : int
        Of each rater's items so many are shown again, drawn at freeze, equally from every arm as far as it goes; 0: the
        blind is not tested.
    labels : dict of str to str
        What raters read for an arm when they guess, and not before. Arms left out go by their name.
    """

    RANGES: ClassVar = {"items": (0, 200)}

    items: int = 12
    labels: dict[str, str] = field(default_factory=dict)

    @classmethod
    def other_problem(cls, name: str, value: Any) -> str | None:
        if not isinstance(value, Mapping):
            return f"Received {value!r}; give a table: arm = what raters read for it."
        found = {arm: text_problem(label, False, LABEL_MAX_CHARS) for arm, label in value.items()}
        return next((f"{arm}: {message}" for arm, message in found.items() if message), None)

    def label(self, arm: str) -> str:
        return self.labels.get(arm, arm.replace("_", " "))
