"""How the blind is held and tested."""

from dataclasses import dataclass
from typing import ClassVar

from annotation.design.fields import Section


@dataclass(frozen=True, slots=True)
class BlindingDesign(Section):
    """Attributes
    ----------
    unblinders : {1, 2}
        People it takes to open the key.
    named_publicly : bool
        Whether the public page that knows this protocol's hash may say the study's title.
    leak_limit : float
        Largest area under the ROC curve, 0.5 … 1, with which presentation may tell two arms; see `annotation.leaks`.
    leak_rule : {"estimate", "upper"}
        What is held against the limit; see `annotation.leaks.leaks_beyond`.
    leak_overruled : str
        Why the study may open above the limit; empty: it may not.
    """

    RANGES: ClassVar = {"unblinders": (1, 2)}
    SHARES: ClassVar = {"leak_limit": (0.5, 1.0)}
    TEXTS: ClassVar = {"leak_overruled": (True, 1_000)}
    CHOICES: ClassVar = {"leak_rule": ("estimate", "upper")}
    SWITCHES: ClassVar = ("named_publicly",)

    unblinders: int = 2
    named_publicly: bool = False
    leak_limit: float = 0.6
    leak_rule: str = "estimate"
    leak_overruled: str = ""
