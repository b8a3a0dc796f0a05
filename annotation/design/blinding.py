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
    """

    RANGES: ClassVar = {"unblinders": (1, 2)}
    SWITCHES: ClassVar = ("named_publicly",)

    unblinders: int = 2
    named_publicly: bool = False
