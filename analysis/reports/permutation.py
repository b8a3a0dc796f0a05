"""p values of the differences between arms, by dealing arms out anew over neurons: valid by the design of the study."""

from collections.abc import Iterator

import numpy as np

from analysis.reports.document import AnalysisPlan
from analysis.reports.ratings import YES, Codes, Floats, Ratings
from analysis.reports.status import PERMUTATION
from analysis.stats.permutation import HYPOTHESIS, arm_permutation
from analysis.stats.results import Number
from annotation.design.analysis import MAJORITY

STREAM = 2  # of the plan's seed
SCORES = {
    "mean": "share of raters who said yes (mean of raters)",
    "majority": "whether more than half of the raters said yes, ties left out (majority vote)",
}
RIGHT = "share of questions answered rightly (mean of raters)"
SCOPE = "these raters (panel question); these neurons, any of which could have been of either arm"


def permutation_numbers(ratings: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    """One p value for each difference: in each size, then over all sizes with equal weights.

    The score of a neuron is the one that the plan chose: the share of its raters who said yes, or their majority.
    """
    neurons = len(ratings.names)
    yes = np.bincount(ratings.neuron[ratings.verdict == YES], minlength=neurons)
    judged = np.bincount(ratings.neuron[ratings.judged], minlength=neurons)
    if judged.any():
        score = _majorities(yes, judged) if plan.vote == MAJORITY else _shares(yes, judged)
        yield from score_permutations(ratings, score, judged, SCORES[plan.vote], plan)


def score_permutations(
    ratings: Ratings, score: Floats, judgments: Codes, what: str, plan: AnalysisPlan
) -> Iterator[Number]:
    """The same for any score.

    Parameters
    ----------
    score : ndarray of float, shape (neurons,)
        NaN where nothing was answered.
    judgments : ndarray of int, shape (neurons,)
        Answers behind each.
    what : str
        What the score is, in words.
    """
    for size in (*plan.sizes, *([""] if plan.pooled else [])):
        within = np.ones(len(score), dtype=bool) if not size else ratings.size == plan.sizes.index(size)
        for arm in plan.treatments:
            if size and (size, arm) not in plan.groups:
                continue
            codes = plan.arms.index(arm), plan.arms.index(plan.baseline)
            here = within & np.isin(ratings.arm, codes) & ~np.isnan(score)
            test = arm_permutation(
                score=score[here],
                arm=ratings.arm[here],
                size=ratings.size[here],
                treatment=codes[0],
                baseline=codes[1],
                generator=np.random.default_rng([plan.seed, STREAM, codes[0], 1 + _place(plan, size)]),
                permutations=plan.permutations,
                hypothesis=f"{HYPOTHESIS}; score: {what}; {SCOPE}",
                judgments=int(judgments[here].sum()),
            )
            where = {"size": size, "arm": arm, "versus": plan.baseline}
            yield Number.of_test(test, kind=PERMUTATION, level=plan.level, **where)


def _place(plan: AnalysisPlan, size: str) -> int:
    return plan.sizes.index(size) if size else -1


def _shares(yes: Codes, judged: Codes) -> Floats:
    return np.where(judged > 0, yes / np.maximum(judged, 1), np.nan)


def _majorities(yes: Codes, judged: Codes) -> Floats:
    return np.where(2 * yes == judged, np.nan, (2 * yes > judged).astype(float))
