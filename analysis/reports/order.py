"""Order and time: did the place on the list, tiredness or the arm move answers, response times and confidence?"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import HERE, over_sizes
from analysis.reports.ratings import YES, Floats, Ratings
from analysis.stats.order import (
    last_against_first,
    order_effect,
    superiority,
    time_arm_ratio,
    time_order_ratio,
)
from analysis.stats.results import Interval, Number
from analysis.stats.times import thirds

WITHIN = "within raters, neurons of one size and arm compared"
BY_ORDER = HERE.of(f"change in the share of yes over 100 places of a rater's list, {WITHIN}")
BY_THIRD = HERE.of(f"share of yes in the last third of the raters' lists minus that in the first, {WITHIN}")
TIME_BY_ORDER = HERE.of(f"ratio of typical (geometric mean) seconds over 100 places of a rater's list, {WITHIN}")
TIME_BY_ARM = HERE.of("ratio of typical (geometric mean) seconds of two arms, within raters and sizes")
CONFIDENT = HERE.of("chance that raters are on average surer of a neuron of the first arm than of one of the second")
NOTHING = "no answer with the measurements that this takes, or nothing to compare among them"


def order_numbers(ratings: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    """Over all arms and in each: order and fatigue, in answers and in times; then times and confidence by arm.

    What nobody was asked, or nobody measured, is not told at all.

    Parameters
    ----------
    ratings : Ratings
        First showings that count.
    """
    for arm in ("", *plan.arms):
        here = ratings if not arm else ratings.where(ratings.arm[ratings.neuron] == plan.arms.index(arm))
        if _placed(ratings).judged.any():
            yield from _answers_by_order(_placed(here), plan.level, arm)
        if _timed(_placed(ratings)):
            yield from _times_by_order(_placed(here), plan.level, arm)
    for arm in plan.treatments:
        if _timed(ratings):
            yield _time_by_arm(ratings, plan, arm)
        if not np.isnan(ratings.confidence).all():
            for size in (*plan.sizes, *([""] if plan.pooled else [])):
                if not size or (size, arm) in plan.groups:
                    yield _confidence(ratings, plan, arm, size)


def _placed(ratings: Ratings) -> Ratings:
    """Rows whose place on the list is known."""
    return ratings.where(ratings.order > 0)


def _seconds(ratings: Ratings) -> Floats:
    """Active seconds; wall seconds where nobody measured active ones, as in ratings made elsewhere."""
    return ratings.seconds if np.isnan(ratings.active).all() else ratings.active


def _timed(ratings: Ratings) -> bool:
    return bool((_seconds(ratings)[ratings.answered] > 0).any())


def _number(interval: Interval, kind: str, unit: str, **where: str) -> Number:
    told = interval if interval.defined or interval.refused else replace(interval, refused=NOTHING)
    return Number.of(told, kind=kind, unit=unit, **where)


def _answers_by_order(ratings: Ratings, level: float, arm: str) -> Iterator[Number]:
    judged = ratings.where(ratings.judged)
    said = (judged.verdict == YES).astype(float)
    third = thirds(judged.order, np.maximum(judged.length, judged.order))
    place: dict[str, Any] = {
        "said": said, "neuron": judged.neuron, "rater": judged.rater, "group": ratings.place, "level": level,
    }  # fmt: skip
    change = order_effect(order=judged.order, estimand=BY_ORDER, **place)
    yield _number(change, "order_effect", "difference", arm=arm)
    change = last_against_first(third=third, estimand=BY_THIRD, **place)
    yield _number(change, "last_third_difference", "difference", arm=arm)


def _times_by_order(ratings: Ratings, level: float, arm: str) -> Iterator[Number]:
    answered = ratings.where(ratings.answered)
    ratio = time_order_ratio(
        seconds=_seconds(answered),
        order=answered.order,
        neuron=answered.neuron,
        rater=answered.rater,
        group=ratings.place,
        level=level,
        estimand=TIME_BY_ORDER,
    )
    yield _number(ratio, "time_order_ratio", "ratio", arm=arm)


def _time_by_arm(ratings: Ratings, plan: AnalysisPlan, arm: str) -> Number:
    answered = ratings.where(ratings.answered)
    ratio = time_arm_ratio(
        seconds=_seconds(answered),
        neuron=answered.neuron,
        rater=answered.rater,
        arm=ratings.arm,
        size=ratings.size,
        treatment=plan.arms.index(arm),
        baseline=plan.arms.index(plan.baseline),
        level=plan.level,
        estimand=TIME_BY_ARM,
    )
    return _number(ratio, "time_arm_ratio", "ratio", arm=arm, versus=plan.baseline)


def _confidence(ratings: Ratings, plan: AnalysisPlan, arm: str, size: str) -> Number:
    given = ratings.where(~np.isnan(ratings.confidence))
    neurons, codes = len(ratings.names), (plan.arms.index(arm), plan.arms.index(plan.baseline))
    many = np.bincount(given.neuron, minlength=neurons)
    mean = np.bincount(given.neuron, given.confidence, neurons) / np.where(many > 0, many, np.nan)
    here = np.isin(ratings.arm, codes) & (many > 0)
    here &= (ratings.size == plan.sizes.index(size)) if size else True
    both = set.intersection(*(set(ratings.size[here & (ratings.arm == code)].tolist()) for code in codes))
    here &= np.isin(ratings.size, sorted(both))
    names = [name for code, name in enumerate(plan.sizes) if code in both]
    surer = superiority(
        score=mean[here],
        arm=ratings.arm[here],
        size=ratings.size[here],
        treatment=codes[0],
        baseline=codes[1],
        level=plan.level,
        estimand=CONFIDENT if size else over_sizes(CONFIDENT, names),
        judgments=int(many[here].sum()),
    )
    return _number(surer, "confidence_superiority", "share", size=size, arm=arm, versus=plan.baseline)
