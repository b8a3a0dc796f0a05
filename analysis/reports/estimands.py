"""The questions that the intervals answer, in words. Every printed interval carries one of these."""

from collections.abc import Sequence

PANEL = (
    "mean over neurons of the share of raters who said yes; these raters, new neurons drawn in the same way "
    "(panel question)"
)
PANEL_DIFFERENCE = (
    "difference between two arms in the mean share of raters who said yes; these raters, new neurons drawn in the same "
    "way (panel question)"
)
RATER = "share of neurons that this one rater calls interpretable; this rater, new neurons drawn in the same way"
RATER_DIFFERENCE = (
    "difference between two arms in the share of neurons that this one rater calls interpretable; this rater, new "
    "neurons drawn in the same way"
)
MAJORITY = (
    "share of neurons that more than half of their raters call interpretable, ties left out; these raters, new neurons "
    "drawn in the same way"
)
MAJORITY_DIFFERENCE = "difference between two arms in the share of neurons with a majority of yes, ties left out"
CANNOT_AS_NO = "as the interpretable fraction, with every 'cannot judge' counted as no (lower bound)"
CANNOT_AS_YES = "as the interpretable fraction, with every 'cannot judge' counted as yes (upper bound)"
EXCLUDING = {
    "nobody": "no rater and no answer excluded",
    "strict": "stricter than frozen: every catch trial right, no answer outside the credible times",
}
BAND = (
    "mean over neurons of the share of raters who said that their one rule holds; these raters, new neurons drawn in "
    "the same way (panel question)"
)
BAND_DIFFERENCE = "difference between two arms in the mean share of raters whose one rule holds; these raters"
SCORE = (
    "mean over neurons of the share of questions answered rightly; these raters, new neurons drawn in the same way "
    "(panel question)"
)
SCORE_DIFFERENCE = "difference between two arms in the mean share of questions answered rightly; these raters"
PRECISION = (
    "mean over neurons of the share of snippets predicted to fire that do; these writers and predictors, new neurons"
)
PRECISION_DIFFERENCE = "difference between two arms in mean precision; these writers and predictors"
RECALL = (
    "mean over neurons of the share of firing snippets that were predicted; these writers and predictors, new neurons"
)
RECALL_DIFFERENCE = "difference between two arms in mean recall; these writers and predictors"
AGREEMENT = (
    "share of pairs of raters who gave the same answer, averaged over neurons with two or more answers; these raters, "
    "new neurons"
)
ALPHA = "Krippendorff's alpha for yes/no answers, missing answers left out; these raters, new neurons"


def over_sizes(estimand: str, sizes: Sequence[str]) -> str:
    """The same question, averaged over model sizes."""
    return f"{estimand}; equal weight for each size ({', '.join(sizes) or 'none'})"
