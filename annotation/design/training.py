"""What a rater must show in practice before rating."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from annotation.design.fields import Section

REPEAT, SCREEN_OUT = "repeat", "screen_out"


@dataclass(frozen=True, slots=True)
class TrainingDesign(Section):
    """Pass rules of the practice. In a round only the first answer to each practice item counts.

    Attributes
    ----------
    least_right : float
        Share of the practice items of a round that must be answered as a careful rater would, 0 … 1; 0: practice
        explains and nobody can fail.
    rounds : int
        Rounds that a rater may need, where failing screens out.
    on_fail : {"repeat", "screen_out"}
        After a round that was not passed: practise again until one is, or be screened out after so many `rounds`.
    """

    SHARES: ClassVar = {"least_right": (0.0, 1.0)}
    RANGES: ClassVar = {"rounds": (1, 10)}
    CHOICES: ClassVar = {"on_fail": (REPEAT, SCREEN_OUT)}

    least_right: float = 0.0
    rounds: int = 2
    on_fail: str = REPEAT

    def rule(self, items: int) -> dict[str, Any]:
        """What raters and the gate are told: whole items of so many, and 0 rounds for no end.

        Examples
        --------
        >>> TrainingDesign(least_right=0.8, rounds=3, on_fail="screen_out").rule(items=3)
        {'least_right': 3, 'rounds': 3}
        >>> TrainingDesign(least_right=0.5).rule(items=2)
        {'least_right': 1, 'rounds': 0}
        """
        least = math.ceil(self.least_right * items - 1e-9)
        return {"least_right": least, "rounds": self.rounds if least and self.on_fail == SCREEN_OUT else 0}
