"""What is promised before the start and cannot be checked by a program: when rating ends, and how it is analysed."""

from dataclasses import dataclass
from typing import ClassVar

from annotation.design.fields import Section


@dataclass(frozen=True, slots=True)
class PlanDesign(Section):
    """Attributes
    ----------
    closing_rule : str
        When the study is closed, in the author's words; may be empty.
    analysis : str
        What is compared and how, beyond the standard report; may be empty.
    """

    TEXTS: ClassVar = {"closing_rule": (True, 2_000), "analysis": (True, 10_000)}

    closing_rule: str = ""
    analysis: str = ""
