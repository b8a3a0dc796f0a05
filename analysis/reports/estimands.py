"""The questions that the numbers answer, in words. Every printed interval carries one of these.

A question is put together from what is counted, whose raters it is about, and which neurons it is about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.design.analysis import FINITE, GENERALISING, PANEL, SUPERPOPULATION

RATERS = {PANEL: "these raters (panel question)", GENERALISING: "new raters too (generalising question)"}
NEURONS = {
    SUPERPOPULATION: "new neurons drawn in the same way (superpopulation)",
    FINITE: "the counted neurons of these layers (finite population)",
}
UNCOUNTED = "as if unlimited where they are not counted"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose raters and which neurons a number speaks of."""

    asks: str = PANEL
    population: str = SUPERPOPULATION
    counted: bool = True  # whether the finite population is known everywhere

    def __str__(self) -> str:
        words = f"{RATERS[self.asks]}; {NEURONS[self.population]}"
        return words if self.counted or self.population != FINITE else f"{words}, {UNCOUNTED}"

    def of(self, what: str) -> str:
        """The whole question: what is counted, whose raters, which neurons."""
        return f"{what}; {self}"


HERE = Scope()  # these raters, new neurons

MEAN = "mean over neurons of the share of raters who said yes (mean of raters)"
MAJORITY = "share of neurons that more than half of their raters call interpretable, ties left out (majority vote)"
UNANIMOUS = "share of neurons that every rater who judged them calls interpretable (unanimous vote)"
ANYBODY = "share of neurons that at least one rater calls interpretable (any vote)"
RATER = "share of neurons that this one rater calls interpretable"
CANNOT_AS_NO = f"{MEAN}, with every 'cannot judge' counted as no (lower bound)"
CANNOT_AS_YES = f"{MEAN}, with every 'cannot judge' counted as yes (upper bound)"
SKIPPED_AS_NO = f"{MEAN}, with 'cannot judge' and no answer counted as no (lower bound)"
SKIPPED_AS_YES = f"{MEAN}, with 'cannot judge' and no answer counted as yes (upper bound)"
SKIPPED_AGAINST = (
    f"{MEAN}, with 'cannot judge' and no answer counted as no in the first arm and as yes in the second (lowest "
    "difference that the missing answers can hide)"
)
SKIPPED_FOR = (
    f"{MEAN}, with 'cannot judge' and no answer counted as yes in the first arm and as no in the second (highest "
    "difference that the missing answers can hide)"
)
EXCLUDING = {
    "frozen": "excluded as frozen",
    "nobody": "no rater and no answer excluded",
    "strict": "stricter than frozen: every catch trial right, no answer outside the credible times",
}
BAND = "mean over neurons of the share of raters who said that their one rule holds (mean of raters)"
SCORE = "mean over neurons of the share of questions answered rightly (mean of raters)"
PRECISION = "mean over neurons of the share of snippets predicted to fire that do (mean of writers and predictors)"
RECALL = "mean over neurons of the share of firing snippets that were predicted (mean of writers and predictors)"
AGREEMENT = HERE.of("share of pairs of raters who gave the same answer, averaged over neurons with two or more answers")
ALPHA = HERE.of("Krippendorff's alpha for yes/no answers, missing answers left out")


def difference(what: str) -> str:
    """The same, compared between two arms."""
    return f"difference between two arms: {what}"


def over_sizes(estimand: str, sizes: Sequence[str]) -> str:
    """The same question, averaged over model sizes."""
    return f"{estimand}; equal weight for each size ({', '.join(sizes) or 'none'})"
