"""Do raters differ: in how often they say yes about the same items, and in the difference that they find."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import HERE
from analysis.reports.once import answered_once
from analysis.reports.ratings import Ratings
from analysis.stats.leniency import (
    NO_LENIENCY,
    STRATIFIED,
    McNemarPairs,
    cochran_q,
    leniency_test,
    mcnemar,
    rater_effects,
)
from analysis.stats.multiplicity import holm
from analysis.stats.panel import MOST_RATERS
from analysis.stats.rater_by_arm import RaterByArm, rater_by_arm
from analysis.stats.results import UNDEFINED, Interval, Number

EFFECT = HERE.of("how much more often this rater says yes than the average rater about the same items")
SPREAD = HERE.of(
    "standard deviation over raters of the difference between two arms that each would find with endless neurons; 0: "
    "the raters differ no more than the drawn neurons explain"
)
SPREAD_METHOD = "method of moments over raters"
NO_LIMITS = "a standard deviation over few raters has no useful limits"
TOO_MANY = f"more than {MOST_RATERS:,} raters are not compared with each other"
FEW_RATERS = "needs at least two raters who answered in both arms of every size"
LISTED_PAIRS = 45  # of ten raters


def leniency_numbers(ratings: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    """Cochran's Q with and without missing answers, each rater's effect, pairs of raters, and raters by arm.

    Nothing for fewer than two raters.

    Parameters
    ----------
    ratings : Ratings
        First showings that count.
    """
    judged = ratings.where(ratings.judged)
    judged = answered_once(judged, judged.item)
    present = np.unique(judged.rater)
    if len(present) > MOST_RATERS:
        yield Number.of(_refused(len(judged), plan), kind="leniency_p", unit="p")
    if not 2 <= len(present) <= MOST_RATERS:
        return
    items: dict[str, Any] = {
        "said": judged.verdict, "neuron": judged.item, "rater": np.searchsorted(present, judged.rater),
    }  # fmt: skip
    yield Number.of_test(cochran_q(**items), kind="cochran_q_p", level=plan.level)
    yield Number.of_test(leniency_test(**items), kind="leniency_p", level=plan.level)
    names = [judged.raters[code] for code in present.tolist()]
    effects = rater_effects(**items, level=plan.level, estimand=EFFECT)
    for name, effect in zip(names, effects, strict=True):
        yield Number.of(effect, kind="leniency", unit="difference", rater=name)
    yield from _pairs(mcnemar(**items), names, plan)
    yield from _by_arm(ratings, plan)


def _pairs(pairs: McNemarPairs, names: list[str], plan: AnalysisPlan) -> Iterator[Number]:
    """Every pair, or with many raters the pair that differs most; p values adjusted by Holm for all pairs."""
    adjusted = holm(pairs.p)
    chosen = range(len(pairs)) if len(pairs) <= LISTED_PAIRS else [int(np.argmin(adjusted))]
    kind = "mcnemar_p" if len(pairs) <= LISTED_PAIRS else "mcnemar_least_p"
    for place in chosen:
        test = pairs.test(place)
        told = replace(test, p=float(adjusted[place]), method=f"{test.method}, adjusted by Holm for {len(pairs)} pairs")
        where = {"rater": names[pairs.first[place]], "part": f"with {names[pairs.second[place]]}"}
        yield Number.of_test(told, kind=kind, level=plan.level, **where)


def _by_arm(ratings: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    judged = ratings.where(ratings.judged)
    judged = answered_once(judged, judged.neuron)
    for arm in plan.treatments:
        found = rater_by_arm(
            said=judged.verdict,
            neuron=judged.neuron,
            rater=judged.rater,
            arm=judged.arm,
            size=judged.size,
            treatment=plan.arms.index(arm),
            baseline=plan.arms.index(plan.baseline),
        )
        where = {"arm": arm, "versus": plan.baseline}
        yield Number.of_test(found.test, kind="rater_by_arm_p", level=plan.level, **where)
        yield Number.of(_spread(found, plan), kind="rater_by_arm_spread", unit="difference", **where)


def _refused(judgments: int, plan: AnalysisPlan) -> Interval:
    nothing = Interval.undefined(level=plan.level, method=STRATIFIED, estimand=NO_LENIENCY, judgments=judgments)
    return replace(nothing, refused=TOO_MANY)


def _spread(found: RaterByArm, plan: AnalysisPlan) -> Interval:
    return Interval(
        found.spread,
        UNDEFINED,
        UNDEFINED,
        plan.level,
        SPREAD_METHOD,
        SPREAD,
        found.test.n,
        found.test.judgments,
        refused=NO_LIMITS if len(found.raters) > 1 else FEW_RATERS,
    )
