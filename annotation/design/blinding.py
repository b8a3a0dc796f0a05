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
    """

    RANGES: ClassVar = {"unblinders": (1, 2)}

    unblinders: int = 2
