"""What is promised before the start and cannot be checked by a program: when rating ends, how it is analysed, and what
may be done with the data."""

from dataclasses import dataclass
from typing import ClassVar

from annotation.design.fields import Section
from annotation.design.licence import DEFAULT_LICENCE, LICENCES


@dataclass(frozen=True, slots=True)
class PlanDesign(Section):
    """Attributes
    ----------
    closing_rule : str
        When the study is closed, in the author's words; may be empty.
    analysis : str
        What is compared and how, beyond the standard report; may be empty.
    data_licence : str
        Of the exported data: a key of `annotation.design.licence.LICENCE_TEXTS`.
    """

    CHOICES: ClassVar = {"data_licence": LICENCES}
    TEXTS: ClassVar = {"closing_rule": (True, 2_000), "analysis": (True, 10_000)}

    closing_rule: str = ""
    analysis: str = ""
    data_licence: str = DEFAULT_LICENCE
