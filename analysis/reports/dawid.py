"""The latent share of interpretable neurons by Dawid and Skene's model: the contrast with raters' errors taken out."""

from collections.abc import Iterator

import numpy as np

from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import HERE, difference, over_sizes
from analysis.reports.ratings import Mask, Ratings
from analysis.stats.dawid_skene import DawidSkene, NotIdentified, dawid_skene
from analysis.stats.dawid_skene.fit import METHOD
from analysis.stats.panel import MOST_RATERS
from analysis.stats.results import SENSITIVITY, UNDEFINED, Interval, Number

SHARE = HERE.of("share of neurons that truly have one rule, if raters err independently of each other (latent class)")
TOO_MANY = f"the model is not fitted for more than {MOST_RATERS:,} raters"
NO_ANSWER = "no answer in one of the arms"


def dawid_numbers(ratings: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    """Latent fractions and differences by size, and over sizes with equal weights; or why there are none.

    One fit for all arms: raters are blind, so they err alike in each.

    Parameters
    ----------
    ratings : Ratings
        First showings that count.
    """
    judged = ratings.where(ratings.judged)
    fit = _fit(judged)
    answered = np.bincount(judged.place[judged.neuron], minlength=len(plan.sizes) * len(plan.arms)) > 0
    for size in (*plan.sizes, *([""] if plan.pooled else [])):
        sizes = [size] if size else list(plan.sizes)
        for arm in plan.arms:
            places = _places(plan, sizes, arm)
            if places:
                there = [place for place in places if answered[place]]
                yield _fraction(fit, there, plan, size, arm)
        for arm in plan.treatments:
            if _places(plan, sizes, arm):
                yield _difference(fit, answered, plan, sizes, size, arm)


def _fit(judged: Ratings) -> DawidSkene | str:
    """The model, or why it cannot be had."""
    present = np.unique(judged.rater)
    if len(present) > MOST_RATERS:
        return TOO_MANY
    try:
        return dawid_skene(
            said=judged.verdict,
            neuron=judged.neuron,
            rater=np.searchsorted(present, judged.rater),
            group=judged.place,
        )
    except NotIdentified as error:
        return str(error)


def _places(plan: AnalysisPlan, sizes: list[str], arm: str) -> list[int]:
    """Codes of size and arm, as `Ratings.place` has them."""
    return [
        plan.sizes.index(size) * len(plan.arms) + plan.arms.index(arm) for size in sizes if (size, arm) in plan.groups
    ]


def _names(plan: AnalysisPlan, places: list[int]) -> list[str]:
    return [plan.sizes[place // len(plan.arms)] for place in places]


def _fraction(fit: DawidSkene | str, places: list[int], plan: AnalysisPlan, size: str, arm: str) -> Number:
    words = SHARE if size else over_sizes(SHARE, _names(plan, places))
    if isinstance(fit, str) or not places:
        interval = _refused(fit if isinstance(fit, str) else NO_ANSWER, words, plan)
    else:
        interval = fit.share(places, level=plan.level, estimand=words)
    return Number.of(interval, kind="dawid_skene_fraction", size=size, arm=arm)


def _difference(
    fit: DawidSkene | str, answered: Mask, plan: AnalysisPlan, sizes: list[str], size: str, arm: str
) -> Number:
    pairs = [
        (place, place - plan.arms.index(arm) + plan.arms.index(plan.baseline)) for place in _places(plan, sizes, arm)
    ]
    both = [pair for pair in pairs if answered[list(pair)].all()]
    words = difference(SHARE)
    words = words if size else over_sizes(words, _names(plan, [place for place, _ in both]))
    if isinstance(fit, str) or not both:
        interval = _refused(fit if isinstance(fit, str) else NO_ANSWER, words, plan)
    else:
        treated, others = (list(places) for places in zip(*both, strict=True))
        interval = fit.difference(treated, others, level=plan.level, estimand=words)
    where = {"size": size, "arm": arm, "versus": plan.baseline, "status": SENSITIVITY}
    return Number.of(interval, kind="dawid_skene_difference", unit="difference", **where)


def _refused(reason: str, words: str, plan: AnalysisPlan) -> Interval:
    return Interval(UNDEFINED, UNDEFINED, UNDEFINED, plan.level, METHOD, words, 0, 0, refused=reason)
