"""What else may have moved the answers: place on the list, fatigue, response times, confidence."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.stats.clustered_linear import LinearFit, TooFewNeurons, clustered_linear
from analysis.stats.results import UNDEFINED, Interval

CLUSTERED = "linear model within raters, standard errors clustered by neuron"
SUPERIORITY = "Mann-Whitney statistic of neuron means, placements' variance, limits on the logit scale"
NO_SPREAD = 1e-12
PLACES = 100.0  # an effect of order is given per so many places on the list
SEPARATED = "every neuron of one arm lies above every neuron of the other: no spread to make an interval from"
ALIKE = "nothing is left to vary: no spread to make an interval from"
FEW = "an arm of a size has one neuron: no spread to make an interval from"

Floats = npt.NDArray[np.float64]


def order_effect(
    *,
    said: npt.ArrayLike,
    order: npt.ArrayLike,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    group: npt.ArrayLike,
    level: float = 0.95,
    estimand: str = "",
) -> Interval:
    """How the share of yes changes over 100 places of a rater's list.

    Parameters
    ----------
    said : array_like, shape (answers,)
        0 or 1, or a score in [0, 1].
    order : array_like of int, shape (answers,)
        Place on the rater's list, from 1.
    neuron, rater : array_like of int, shape (answers,)
        Codes.
    group : array_like of int, shape (neurons,)
        Size and arm of each neuron as one code: groups may differ in level.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        In shares per 100 places; undefined when nobody answered at two places.

    Notes
    -----
    Lists are in random order, so that the effect is not confounded with neurons. See `clustered_linear`.

    Examples
    --------
    >>> effect = order_effect(said=[1, 1, 0, 0], order=[1, 2, 3, 4], neuron=[0, 1, 2, 3], rater=[0] * 4, group=[0] * 4)
    >>> round(effect.estimate, 6)
    -40.0
    """
    places = np.asarray(order, dtype=float) / PLACES
    return _effect(np.asarray(said, dtype=float), places, neuron, rater, group, level, estimand)


def last_against_first(
    *,
    said: npt.ArrayLike,
    third: npt.ArrayLike,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    group: npt.ArrayLike,
    level: float = 0.95,
    estimand: str = "",
) -> Interval:
    """Share of yes in the last third of the raters' lists minus that in the first, within raters.

    Parameters
    ----------
    third : array_like of int, shape (answers,)
        1, 2 or 3, as `analysis.stats.times.thirds` makes it; the second is left out.

    Others as in `order_effect`.

    Examples
    --------
    >>> last_against_first(said=[1, 1, 0, 0], third=[1, 1, 3, 3], neuron=[0, 1, 2, 3], rater=[0] * 4,
    ...                    group=[0] * 4).estimate
    -1.0
    """
    part = np.asarray(third)
    kept = part != 2
    values = [np.asarray(array)[kept] for array in (said, neuron, rater)]
    last = (part[kept] == 3).astype(float)
    return _effect(values[0].astype(float), last, values[1], values[2], group, level, estimand)


def time_order_ratio(
    *,
    seconds: npt.ArrayLike,
    order: npt.ArrayLike,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    group: npt.ArrayLike,
    level: float = 0.95,
    estimand: str = "",
) -> Interval:
    """By what factor response times change over 100 places of a rater's list.

    Parameters
    ----------
    seconds : array_like of float, shape (answers,)
        Above 0; NaN (not measured) and 0 are left out.

    Others as in `order_effect`.

    Returns
    -------
    Interval
        A ratio of geometric means; 1 is no change.

    Examples
    --------
    >>> ratio = time_order_ratio(seconds=[80, 40, 20, 10], order=[100, 200, 300, 400], neuron=[0, 1, 2, 3],
    ...                          rater=[0] * 4, group=[0] * 4)
    >>> round(ratio.estimate, 6)
    0.5
    """
    times = np.asarray(seconds, dtype=float)
    kept = times > 0
    codes = [np.asarray(array)[kept] for array in (neuron, rater)]
    places = np.asarray(order, dtype=float)[kept] / PLACES
    return _ratio(_effect(np.log(times[kept]), places, codes[0], codes[1], group, level, estimand))


def time_arm_ratio(
    *,
    seconds: npt.ArrayLike,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    arm: npt.ArrayLike,
    size: npt.ArrayLike,
    treatment: int,
    baseline: int,
    level: float = 0.95,
    estimand: str = "",
) -> Interval:
    """By what factor answers about one arm take longer than those about another.

    Parameters
    ----------
    seconds : array_like of float, shape (answers,)
        Above 0; NaN (not measured) and 0 are left out.
    arm, size : array_like of int, shape (neurons,)
        Codes; other arms stay out. Sizes may differ in level.

    Others as in `order_effect`.

    Returns
    -------
    Interval
        A ratio of geometric means, within raters and sizes; undefined when the arms cannot be compared.

    Examples
    --------
    >>> ratio = time_arm_ratio(seconds=[10, 20, 20, 40], neuron=[0, 1, 2, 3], rater=[0, 0, 1, 1], arm=[0, 1, 0, 1],
    ...                        size=[0] * 4, treatment=1, baseline=0)
    >>> round(ratio.estimate, 6)
    2.0
    """
    times, codes, arms = np.asarray(seconds, dtype=float), np.asarray(neuron), np.asarray(arm)
    kept = (times > 0) & np.isin(arms[codes], [treatment, baseline])
    treated = (arms[codes[kept]] == treatment).astype(float)
    fit = _effect(np.log(times[kept]), treated, codes[kept], np.asarray(rater)[kept], size, level, estimand)
    return _ratio(fit)


def superiority(
    *,
    score: npt.ArrayLike,
    arm: npt.ArrayLike,
    size: npt.ArrayLike,
    treatment: int,
    baseline: int,
    level: float = 0.95,
    estimand: str = "",
    judgments: int = 0,
) -> Interval:
    """Chance that a neuron of one arm scores above a neuron of another, ties counted half.

    Parameters
    ----------
    score : array_like of float, shape (neurons,)
        One per neuron, such as the mean of its raters' confidence. NaN is left out.
    arm, size : array_like of int, shape (neurons,)
        Codes; other arms and sizes without one of the two stay out.
    treatment, baseline : int
        Codes; above 0.5 the treatment scores higher.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.
    judgments : int
        Answers behind the scores.

    Returns
    -------
    Interval
        Averaged over sizes with equal weights; without limits where one arm lies wholly above the other.

    Notes
    -----
    The neuron is the unit, so that several raters of one neuron are not counted as independent. The variance is that of
    the placements, which does not suppose equal spreads; Student's t with Welch-Satterthwaite degrees of freedom.

    References
    ----------
    Brunner, E. & Munzel, U. (2000). The nonparametric Behrens-Fisher problem. Biometrical J. 42, 17-25.
    Newcombe, R. G. (2006). Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Stat.
    Med. 25, 543-557.

    Examples
    --------
    >>> superiority(score=[3, 2, 1, 1, 2, 0], arm=[1, 1, 1, 0, 0, 0], size=[0] * 6, treatment=1, baseline=0).estimate
    0.7777777777777778
    """
    scores, arms, sizes = np.asarray(score, dtype=float), np.asarray(arm), np.asarray(size)
    pairs = []
    for code in np.unique(sizes):
        here = ~np.isnan(scores) & (sizes == code)
        pair = scores[here & (arms == treatment)], scores[here & (arms == baseline)]
        if len(pair[0]) and len(pair[1]):
            pairs.append(pair)
    n = sum(len(pair[0]) + len(pair[1]) for pair in pairs)
    said: dict[str, Any] = {"level": level, "method": SUPERIORITY, "estimand": estimand, "n": n, "judgments": judgments}
    if not pairs:
        return Interval(UNDEFINED, UNDEFINED, UNDEFINED, **said)
    placed = [_placements(*pair) for pair in pairs]
    chance = float(np.mean([places.mean() for places, _ in placed]))
    if min(len(places) for pair in placed for places in pair) < 2:
        return Interval(chance, UNDEFINED, UNDEFINED, refused=FEW, **said)
    parts = np.array([places.var(ddof=1) / len(places) for pair in placed for places in pair]) / len(pairs) ** 2
    if not 0 < chance < 1 or parts.sum() <= 0:
        return Interval(chance, UNDEFINED, UNDEFINED, refused=ALIKE if 0 < chance < 1 else SEPARATED, **said)
    free = np.array([len(places) - 1 for pair in placed for places in pair])
    df = parts.sum() ** 2 / float((parts**2 / free).sum())
    half = float(stats.t.ppf((1 + level) / 2, df)) * math.sqrt(parts.sum()) / (chance * (1 - chance))
    centre = math.log(chance / (1 - chance))
    return Interval(chance, _share(centre - half), _share(centre + half), **said)


def _placements(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """For each score of the first, the share of the second below it (ties half); for the second, the share above it."""
    ranks = stats.rankdata(np.concatenate([first, second]))
    mine = (ranks[: len(first)] - stats.rankdata(first)) / len(second)
    theirs = 1 - (ranks[len(first) :] - stats.rankdata(second)) / len(first)
    return mine, theirs


def _share(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def _effect(
    value: Floats,
    by: Floats,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    group: npt.ArrayLike,
    level: float,
    estimand: str,
) -> Interval:
    """Effect of one column, other things being groups of neurons and raters."""
    neurons, raters = np.asarray(neuron, dtype=np.int64), np.asarray(rater, dtype=np.int64)
    groups = np.unique(np.asarray(group)[neurons], return_inverse=True)[1] if len(value) else neurons
    dummies = (groups[:, None] == np.arange(1, groups.max() + 1 if len(value) else 1)[None, :]).astype(float)
    counted = {"n": len(np.unique(neurons)), "judgments": len(value)}
    try:
        fit = clustered_linear(value, np.column_stack([by, dummies]), neuron=neurons, rater=raters)
    except TooFewNeurons:
        return Interval.undefined(level=level, method=CLUSTERED, estimand=estimand, **counted)
    return _interval(fit, level, estimand)


def _interval(fit: LinearFit, level: float, estimand: str) -> Interval:
    estimate, error = float(fit.estimates[0]), math.sqrt(max(0.0, float(fit.covariance[0, 0])))
    told = (level, CLUSTERED, estimand, fit.neurons, fit.answers)
    if math.isnan(estimate):
        return Interval(UNDEFINED, UNDEFINED, UNDEFINED, *told)
    if error < NO_SPREAD:
        return Interval(estimate, UNDEFINED, UNDEFINED, *told, ALIKE)
    half = float(stats.t.ppf((1 + level) / 2, fit.neurons - 1)) * error
    return Interval(estimate, estimate - half, estimate + half, *told, se=error)


def _ratio(log: Interval) -> Interval:
    estimate, low, high = (float(np.exp(value)) for value in (log.estimate, log.low, log.high))
    return replace(log, estimate=estimate, low=low, high=high, se=UNDEFINED, method=f"{CLUSTERED}, of log seconds")
