"""p values of the differences between arms, by dealing arms out anew over neurons: valid by the design of the study."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analysis.reports.document import AnalysisPlan
from analysis.reports.ratings import YES, Codes, Floats, Ratings
from analysis.reports.status import PERMUTATION
from analysis.stats.multiplicity import holm
from analysis.stats.permutation import HYPOTHESIS, arm_permutation
from analysis.stats.results import Number, Test
from annotation.design.analysis import MAJORITY

HOLM = "permutation_holm_p"
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
    by_size: dict[str, list[tuple[str, Test]]] = {arm: [] for arm in plan.treatments}
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
            if size:
                by_size[arm].append((size, test))
    for arm, tests in by_size.items():
        yield from _adjusted(tests, plan, arm)


def _adjusted(tests: list[tuple[str, Test]], plan: AnalysisPlan, arm: str) -> Iterator[Number]:
    """The same p values, so that the chance of any false claim among the sizes stays within the level."""
    known = [(size, test) for size, test in tests if not math.isnan(test.p)]
    if len(known) < 2:
        return
    for (size, test), p in zip(known, holm([test.p for _, test in known]).tolist(), strict=True):
        told = replace(test, p=p, method=f"{test.method}, adjusted for {len(known)} sizes (Holm)")
        yield Number.of_test(told, kind=HOLM, level=plan.level, size=size, arm=arm, versus=plan.baseline)


def _place(plan: AnalysisPlan, size: str) -> int:
    return plan.sizes.index(size) if size else -1


def _shares(yes: Codes, judged: Codes) -> Floats:
    return np.where(judged > 0, yes / np.maximum(judged, 1), np.nan)


def _majorities(yes: Codes, judged: Codes) -> Floats:
    return np.where(2 * yes == judged, np.nan, (2 * yes > judged).astype(float))
