"""How far raters agree, with each other and with themselves: in answers, over all arms and in each; in confidence."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import AGREEMENT, ALPHA, HERE
from analysis.reports.once import answered_once
from analysis.reports.ratings import Codes, Mask, Ratings
from analysis.stats.agreement import (
    CohenKappas,
    alpha_interval,
    alpha_linearised,
    category_counts,
    cohen_kappas,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    pairwise_agreement,
    self_agreement,
)
from analysis.stats.leniency import mid_p
from analysis.stats.panel import MOST_RATERS
from analysis.stats.results import UNDEFINED, Interval, Number, Test

FLEISS = HERE.of("Fleiss' kappa for yes/no answers: agreement of pairs of raters beyond that of two draws by chance")
AC1 = HERE.of("Gwet's AC1 for yes/no answers: agreement of pairs of raters beyond that of answers given at random")
PAIR = HERE.of("Cohen's kappa of two raters for yes/no answers, on what both answered")
LIGHT = HERE.of("mean over all pairs of raters of Cohen's kappa for yes/no answers, on what both answered")
SURE = HERE.of("agreement of raters in how sure they say they are")
SELF = HERE.of("share of repeated items to which the same rater gave the same answer")
SELF_KAPPA = HERE.of("Cohen's kappa of a rater's first and second answer to the same item, all raters together")
DRIFT = "raters say yes as often when they see an item again as when they saw it first"
DRIFT_METHOD = "McNemar, exact, mid-p, two-sided; repeats as if independent"
TOO_MANY = f"the pairs of more than {MOST_RATERS:,} raters are not counted one by one"
MOST_STEPS = 20  # of confidence
LISTED_PAIRS = 45  # of ten raters; of more, only the two pairs that agree least and best are told


def agreement_numbers(ratings: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    """Raw agreement, kappas, AC1 and alpha over all arms and in each; every pair of raters; confidence where given.

    The unit is the item, the page that raters were shown. Every bootstrap has its own stream of random numbers.

    Parameters
    ----------
    ratings : Ratings
        First showings that count.
    """
    judged = ratings.where(ratings.judged)
    judged = answered_once(judged, judged.item)
    groups = ["", *plan.arms]
    streams = np.random.SeedSequence(plan.seed).spawn(len(groups))
    pairs = _cohen(judged, plan)
    for arm, stream in zip(groups, streams, strict=True):
        here = _of_arm(judged, plan, arm)
        yield from _coefficients(here, plan, arm, np.random.default_rng(stream))
        yield Number.of(_light(_cohen(here, plan) if arm else pairs, plan), kind="light_kappa", unit="kappa", arm=arm)
    yield from _pairs(pairs, judged.raters, plan)
    sure = judged.where(~np.isnan(judged.confidence))
    for arm in groups if _in_steps(sure) else ():
        yield from _confidence(_of_arm(sure, plan, arm), _steps(sure), plan, arm)


def self_agreement_numbers(ratings: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    """What raters said when they saw an item again: over all raters, in each arm, and each rater alone.

    Nothing at all where nobody was shown anything twice.

    Parameters
    ----------
    ratings : Ratings
        All showings that count, repeats among them.
    """
    first, again = _repeats(ratings.where(ratings.judged))
    if not len(again):
        return
    arm = ratings.arm[again.neuron]
    for name in ("", *plan.arms):
        here = arm == plan.arms.index(name) if name else np.ones(len(again), dtype=bool)
        yield from _self(first, again, here, plan, arm=name)
    for code in np.unique(again.rater).tolist():
        yield from _self(first, again, again.rater == code, plan, rater=ratings.raters[code])
    up, down = int((first < again.verdict).sum()), int((first > again.verdict).sum())
    p = float(mid_p([up], [down])[0])
    drift = Test(float(up - down), UNDEFINED, p, DRIFT_METHOD, DRIFT, len(np.unique(again.item)), len(again))
    yield Number.of_test(drift, kind="self_agreement_drift_p", level=plan.level)


def _coefficients(judged: Ratings, plan: AnalysisPlan, arm: str, generator: np.random.Generator) -> Iterator[Number]:
    votes = category_counts(judged.verdict, judged.item, units=_items(judged))
    raw = pairwise_agreement(votes, level=plan.level, estimand=AGREEMENT)
    drawn = alpha_interval(votes, generator=generator, level=plan.level, resamples=plan.resamples, estimand=ALPHA)
    yield Number.of(raw, kind="agreement", arm=arm)
    yield Number.of(fleiss_kappa(votes, level=plan.level, estimand=FLEISS), kind="fleiss_kappa", unit="kappa", arm=arm)
    yield Number.of(gwet_ac1(votes, level=plan.level, estimand=AC1), kind="gwet_ac1", unit="kappa", arm=arm)
    yield Number.of(drawn, kind="alpha", unit="alpha", arm=arm)
    linear = alpha_linearised(votes, level=plan.level, estimand=ALPHA)
    yield Number.of(linear, kind="alpha_linearised", unit="alpha", arm=arm)


def _light(pairs: CohenKappas | None, plan: AnalysisPlan) -> Interval:
    if pairs is not None:
        return pairs.light
    return replace(Interval.undefined(level=plan.level, method=TOO_MANY, estimand=LIGHT), refused=TOO_MANY)


def _cohen(judged: Ratings, plan: AnalysisPlan) -> CohenKappas | None:
    if len(judged.raters) > MOST_RATERS:
        return None
    return cohen_kappas(said=judged.verdict, neuron=judged.item, rater=judged.rater, level=plan.level, estimand=LIGHT)


def _pairs(pairs: CohenKappas | None, raters: tuple[str, ...], plan: AnalysisPlan) -> Iterator[Number]:
    """Every pair, or with many raters the pair that agrees least and the one that agrees best."""
    if pairs is None or not len(pairs):
        return
    if len(pairs) <= LISTED_PAIRS:
        chosen = [("cohen_kappa", place) for place in range(len(pairs))]
    elif np.isnan(pairs.kappa).all():
        chosen = []
    else:
        ends = int(np.nanargmin(pairs.kappa)), int(np.nanargmax(pairs.kappa))
        chosen = list(zip(("cohen_kappa_least", "cohen_kappa_greatest"), ends, strict=True))
    for kind, place in chosen:
        interval = pairs.interval(place, level=plan.level, estimand=PAIR)
        one, other = (raters[codes[place]] for codes in (pairs.first, pairs.second))
        yield Number.of(interval, kind=kind, unit="kappa", rater=one, part=f"with {other}")


def _in_steps(sure: Ratings) -> bool:
    """Whether raters said how sure they were in a few whole steps, and not always the same one."""
    if not len(sure) or (sure.confidence % 1 != 0).any():
        return False
    return 0 < float(np.ptp(sure.confidence)) < MOST_STEPS


def _steps(sure: Ratings) -> tuple[int, int]:
    return int(sure.confidence.min()), int(sure.confidence.max())


def _confidence(sure: Ratings, steps: tuple[int, int], plan: AnalysisPlan, arm: str) -> Iterator[Number]:
    """Ordinal coefficients."""
    least, most = steps
    step = sure.confidence.astype(np.int64) - least
    counts = category_counts(step, sure.item, units=_items(sure), categories=most - least + 1)
    words = f"{SURE}, in steps from {least} to {most}"
    ac2 = gwet_ac2(counts, level=plan.level, estimand=words)
    alpha = alpha_linearised(counts, metric="ordinal", level=plan.level, estimand=words)
    yield Number.of(ac2, kind="confidence_gwet_ac2", unit="kappa", arm=arm)
    yield Number.of(alpha, kind="confidence_alpha", unit="alpha", arm=arm)


def _self(
    first: Codes, again: Ratings, here: Mask, plan: AnalysisPlan, *, arm: str = "", rater: str = ""
) -> Iterator[Number]:
    found = self_agreement(
        first=first[here], second=again.verdict[here], neuron=again.item[here], level=plan.level, estimand=SELF
    )
    kappa = replace(found.kappa, estimand=SELF_KAPPA)
    yield Number.of(found.agreement, kind="self_agreement", arm=arm, rater=rater)
    yield Number.of(kappa, kind="self_agreement_kappa", unit="kappa", arm=arm, rater=rater)


def _repeats(judged: Ratings) -> tuple[Codes, Ratings]:
    """First answers, and the showings that repeat them: where a rater answered the same item both times."""
    key = judged.item * max(1, len(judged.raters)) + judged.rater
    original = np.flatnonzero(~judged.repeat)
    keys, place = np.unique(key[original], return_index=True)
    again = judged.repeat & np.isin(key, keys)
    found = original[place[np.searchsorted(keys, key[again])]]
    return judged.verdict[found], judged.where(again)


def _of_arm(judged: Ratings, plan: AnalysisPlan, arm: str) -> Ratings:
    return judged.where(judged.arm[judged.neuron] == plan.arms.index(arm)) if arm else judged


def _items(judged: Ratings) -> int:
    return int(judged.item.max(initial=-1)) + 1
