"""Checks on raters: hidden catch trials, limits of time, and what is left out of the main analysis because of them."""

from dataclasses import dataclass
from typing import ClassVar

from annotation.design.fields import Problems, Section


@dataclass(frozen=True, slots=True)
class QualityDesign(Section):
    """What is checked, and which thresholds exclude. All of it is frozen; the report is also run under others.

    Attributes
    ----------
    planted_catches : int
        Items for every rater whose snippets follow a planted rule (one word): a careful rater says Yes, and finds the
        right answers in tasks that have them.
    pooled_catches : int
        Items for every rater whose snippets come from as many different neurons: a careful rater says No. Only in tasks
        that ask for a verdict.
    least_catches_right : float
        A rater with a smaller share of right catch trials is excluded, 0 … 1; 0 excludes nobody. Zimmermann et al.
        (2023) used 0.8.
    least_seconds, most_seconds : int
        Active seconds (page visible and in focus) of a credible answer.
    exclude_beyond_times : bool
        Whether answers beyond those times are left out, or only flagged.
    most_beyond_times : float
        A rater with a larger share of answers beyond the times is excluded, 0 … 1; 1 excludes nobody.
    """

    RANGES: ClassVar = {
        "planted_catches": (0, 50),
        "pooled_catches": (0, 50),
        "least_seconds": (0, 600),
        "most_seconds": (1, 86_400),
    }
    SHARES: ClassVar = {"least_catches_right": (0.0, 1.0), "most_beyond_times": (0.0, 1.0)}
    SWITCHES: ClassVar = ("exclude_beyond_times",)

    planted_catches: int = 0
    pooled_catches: int = 0
    least_catches_right: float = 0.0
    least_seconds: int = 3
    most_seconds: int = 1_800
    exclude_beyond_times: bool = False
    most_beyond_times: float = 1.0

    def joint_problems(self) -> Problems:
        if self.least_seconds >= self.most_seconds:
            message = f"Received {self.least_seconds}; give less than most_seconds, {self.most_seconds}."
            return [("least_seconds", message)]
        if self.least_catches_right and not self.catches:
            message = f"Received {self.least_catches_right:g} without catch trials; plan some, or give 0."
            return [("least_catches_right", message)]
        return []

    @property
    def catches(self) -> int:
        return self.planted_catches + self.pooled_catches
