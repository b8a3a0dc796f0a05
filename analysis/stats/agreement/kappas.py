"""Raw agreement, Fleiss' kappa, and Gwet's AC1 and AC2, from counts per unit, with missing answers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.stats.agreement.counts import Counts, checked, pairable
from analysis.stats.agreement.linear import LINEARISED, ONE_UNIT, linearised_interval
from analysis.stats.agreement.weights import ORDINAL, agreement_weights
from analysis.stats.proportions import cluster_wilson, score_mean
from analysis.stats.results import UNDEFINED, Interval

PAIRS = "cluster Wilson over neurons"
FLEISS = f"Fleiss' kappa, {LINEARISED}"
AC1 = f"Gwet's AC1, {LINEARISED}"
AC2 = f"Gwet's AC2, {{}} weights, {LINEARISED}"


def pairwise_agreement(counts: npt.ArrayLike, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Share of rater pairs that gave the same answer, averaged over units.

    Parameters
    ----------
    counts : array_like of int, shape (units, categories)
        How many raters put each unit in each category. Units with fewer than two answers are left out.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        In [0, 1]; undefined without a unit that two raters judged.

    References
    ----------
    Fleiss, J. L. (1971). Measuring nominal scale agreement among many raters. Psychol. Bull. 76, 378-382 (his P-bar).

    Examples
    --------
    >>> round(pairwise_agreement([[3, 0], [2, 1], [0, 3]]).estimate, 4)
    0.7778
    """
    table = pairable(counts)
    raters = table.sum(axis=1)
    pairs = raters * (raters - 1) / 2
    agreeing = (table * (table - 1) / 2).sum(axis=1)
    answers = int(raters.sum())
    if len(table) < 2:
        estimate = float(agreeing[0] / pairs[0]) if len(table) else UNDEFINED
        alone = ONE_UNIT if len(table) else ""
        return Interval(estimate, UNDEFINED, UNDEFINED, level, PAIRS, estimand, len(table), answers, refused=alone)
    interval = cluster_wilson(score_mean(agreeing / pairs, judgments=int(pairs.sum())), level=level)
    return Interval(interval.estimate, interval.low, interval.high, level, PAIRS, estimand, len(table), answers)


def fleiss_kappa(counts: npt.ArrayLike, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Agreement beyond chance, where chance is two draws from the panel's own shares of the categories.

    Parameters
    ----------
    counts : array_like of int, shape (units, categories)
        How many raters put each unit in each category; raters may be missing. A unit with one answer says how common
        its category is and nothing of agreement.

    Returns
    -------
    Interval
        1 = perfect, 0 = chance. Undefined when every answer is the same, and without a unit that two raters judged.

    Notes
    -----
    Depends on how common the categories are: near 0 % or 100 % yes it is low although raters agree. Linear components
    hold the uncertainty of the chance agreement too, so the units need not all have the same number of answers.

    References
    ----------
    Fleiss, J. L. (1971). Measuring nominal scale agreement among many raters. Psychol. Bull. 76, 378-382.
    Gwet, K. L. (2008). Computing inter-rater reliability and its variance in the presence of high agreement. Br. J.
    Math. Stat. Psychol. 61, 29-48.
    Gwet, K. L. (2021). Handbook of Inter-Rater Reliability, 5th ed., volume 1. AgreeStat Analytics.

    Examples
    --------
    >>> round(fleiss_kappa([[3, 0], [2, 1], [0, 3], [3, 0], [1, 2]]).estimate, 4)
    0.4444
    """
    table = checked(counts)
    parts = _parts(table, np.eye(table.shape[1]))
    chance = float(parts.shares @ parts.shares)
    own = parts.table @ parts.shares / parts.raters  # each unit's part in the chance agreement
    return _interval(parts, chance, own, FLEISS, level, estimand)


def gwet_ac1(counts: npt.ArrayLike, *, level: float = 0.95, estimand: str = "") -> Interval:
    """Agreement beyond chance, where chance is a random answer to a question that is hard: Gwet's AC1.

    Parameters
    ----------
    counts : array_like of int, shape (units, categories)
        As for `fleiss_kappa`. Every category that could have been given needs its column, used or not.

    Returns
    -------
    Interval
        1 = perfect, 0 = chance. Defined even when every answer is the same (1, without limits).

    Notes
    -----
    Does not fall when one answer is much more common than the other, as the kappas do.

    References
    ----------
    Gwet, K. L. (2008). Computing inter-rater reliability and its variance in the presence of high agreement. Br. J.
    Math. Stat. Psychol. 61, 29-48.

    Examples
    --------
    >>> round(gwet_ac1([[3, 0], [2, 1], [0, 3], [3, 0], [1, 2]]).estimate, 4)
    0.4872
    """
    return _gwet(counts, None, AC1, level, estimand)


def gwet_ac2(counts: npt.ArrayLike, *, weights: str = ORDINAL, level: float = 0.95, estimand: str = "") -> Interval:
    """AC1 with part of the credit for answers that are close: Gwet's AC2, for categories that have an order.

    Parameters
    ----------
    counts : array_like of int, shape (units, categories)
        Categories in their order, used or not.
    weights : str
        A scheme of `agreement_weights`.

    Returns
    -------
    Interval

    References
    ----------
    Gwet, K. L. (2021). Handbook of Inter-Rater Reliability, 5th ed., volume 1. AgreeStat Analytics.

    Examples
    --------
    >>> round(gwet_ac2([[2, 0, 0], [0, 1, 1], [0, 0, 2], [0, 2, 0]], weights="linear").estimate, 4)
    0.7241
    """
    return _gwet(counts, weights, AC2.format(weights), level, estimand)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the coefficients share: units with an answer, their agreement, and the panel's shares of the categories."""

    table: Counts
    raters: Counts  # answers per unit
    paired: npt.NDArray[np.bool_]  # units with two answers or more
    agreement: Counts  # weighted share of agreeing pairs; 0 where there is no pair
    shares: Counts  # of the categories: each unit weighs the same
    observed: float


def _parts(table: Counts, weights: Counts) -> _Parts:
    table = table[table.sum(axis=1) > 0]
    raters = table.sum(axis=1)
    paired = raters >= 2
    alike = (table * (table @ weights - 1)).sum(axis=1)
    agreement = np.where(paired, alike / np.where(paired, raters * (raters - 1), 1), 0.0)
    observed = float(agreement[paired].mean()) if paired.any() else UNDEFINED
    shares = (table / raters[:, None]).mean(axis=0) if len(table) else np.zeros(table.shape[1])
    return _Parts(table, raters, paired, agreement, shares, observed)


def _gwet(counts: npt.ArrayLike, scheme: str | None, method: str, level: float, estimand: str) -> Interval:
    table = checked(counts)
    categories = table.shape[1]
    weights = np.eye(categories) if scheme is None else agreement_weights(categories, scheme)
    parts = _parts(table, weights)
    scale = float(weights.sum()) / max(1, categories * (categories - 1))
    chance = scale * float(parts.shares @ (1 - parts.shares))
    own = scale * (parts.table @ (1 - parts.shares)) / parts.raters
    return _interval(parts, chance, own, method, level, estimand)


def _interval(parts: _Parts, chance: float, own: Counts, method: str, level: float, estimand: str) -> Interval:
    """The coefficient and its linear components: agreement of the unit, less what it does to the chance agreement."""
    units, paired = len(parts.table), int(parts.paired.sum())
    free = 1 - chance
    estimate = (parts.observed - chance) / free if paired and free > 0 else UNDEFINED
    components = (units / max(paired, 1)) * np.where(parts.paired, parts.agreement - chance, 0.0)
    if estimate == estimate:
        components = (components - 2 * (1 - estimate) * (own - chance)) / free
    answers = int(parts.raters.sum())
    return linearised_interval(estimate, components, level=level, estimand=estimand, judgments=answers, method=method)
