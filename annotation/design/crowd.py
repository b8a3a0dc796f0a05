"""What becomes of a place that a rater from a crowd provider leaves before the end."""

from dataclasses import dataclass
from typing import ClassVar

from annotation.design.fields import Section

KEEP, DISCARD = "keep", "discard"


@dataclass(frozen=True, slots=True)
class CrowdDesign(Section):
    """Either way the seat becomes free for somebody else.

    Attributes
    ----------
    on_return : {"discard", "keep"}
        The rater gave the place back. Kept answers stand as that rater's, and the next one goes on with the rest of the
        list; discarded answers stay on record and do not count, and the next rater starts the list anew.
    on_timeout : {"discard", "keep"}
        The rater ran out of the provider's time.
    """

    CHOICES: ClassVar = {"on_return": (DISCARD, KEEP), "on_timeout": (DISCARD, KEEP)}

    on_return: str = DISCARD
    on_timeout: str = DISCARD
