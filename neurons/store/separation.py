"""How well a number separates two groups of texts, and how well it would by chance.

The share of pairs (example, counter-example) in which the example has the larger number, ties counting half, is the
area under the ROC curve and the Mann-Whitney statistic divided by the number of pairs. Among thousands of neurons many
separate a few texts perfectly by chance: `chance` counts them, `held_out` tries the winner on texts it was not chosen
on.
"""

from dataclasses import dataclass
from itertools import combinations
from math import comb, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm, rankdata

CHUNK = 4096  # neurons at a time, so that memory does not grow with their number


class SeparationError(ValueError):
    """The groups cannot be compared."""


@dataclass(frozen=True)
class Chance:
    """What neurons reach when examples and counter-examples are dealt anew.

    Attributes
    ----------
    reached : ndarray, float64, (thresholds,)
        Mean number of neurons whose AUC reaches each threshold.
    some : ndarray, float64, (thresholds,)
        Share of the deals (0 … 1) in which at least one neuron does.
    as_many : ndarray, float64, (thresholds,)
        Share of the deals in which at least as many neurons do as in the actual deal. This and, at the best AUC, `some`
        are p-values against "no neuron knows the groups": the actual deal is among those that are counted.
    deals : int
    exact : bool
        Whether these are all deals that there are.
    """

    reached: np.ndarray
    some: np.ndarray
    as_many: np.ndarray
    deals: int
    exact: bool


def midranks(values: np.ndarray) -> np.ndarray:
    """Rank of each text for each neuron, 1 for the smallest; equal ones share the mean of theirs.

    Parameters
    ----------
    values : ndarray, floating, (texts, neurons)

    Returns
    -------
    ndarray, float32, (texts, neurons)
        Multiples of one half, so exact.
    """
    ranks = np.empty(values.shape, dtype=np.float32)
    for first in range(0, values.shape[1], CHUNK):
        ranks[:, first : first + CHUNK] = rankdata(values[:, first : first + CHUNK], axis=0)
    return ranks


def auc(ranks: np.ndarray, examples: np.ndarray) -> np.ndarray:
    """Share of pairs in which the example ranks above the counter-example, ties counting half.

    Parameters
    ----------
    ranks : ndarray, float32, (texts, neurons)
        From `midranks`.
    examples : ndarray, bool, (texts,) or (deals, texts)
        Which texts are examples.

    Returns
    -------
    ndarray, float64, (neurons,) or (deals, neurons)
        0 … 1.

    Raises
    ------
    SeparationError
        If one of the groups is empty.

    References
    ----------
    Bamber, D. (1975). The area above the ordinal dominance graph and the area below the receiver operating
    characteristic graph. J. Math. Psychol. 12, 387-415.

    Examples
    --------
    >>> ranks = midranks(np.array([[3.0, 1.0], [2.0, 1.0], [1.0, 1.0]]))
    >>> auc(ranks, np.array([True, True, False])).tolist()
    [1.0, 0.5]
    """
    count = examples.sum(axis=-1)
    others = examples.shape[-1] - count
    if not np.all(count) or not np.all(others):
        raise SeparationError("each group needs at least one text.")
    # Sums of halves far below 2**24: exact in float32, and a matrix product.
    above = examples.astype(np.float32) @ ranks - np.expand_dims(count * (count + 1) / 2, -1)
    return np.asarray(above / np.expand_dims(count * others, -1), dtype=np.float64)


def margins(values: np.ndarray, examples: np.ndarray) -> np.ndarray:
    """Smallest value of the examples less the largest of the counter-examples: (neurons,), above 0 where they part."""
    return np.asarray(values[examples].min(axis=0) - values[~examples].max(axis=0))


def newcombe_interval(share: float, examples: int, counters: int, *, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of an AUC from few texts, sound also at 0 and 1.

    Parameters
    ----------
    share : float
        The AUC, 0 … 1.
    examples, counters : int
        Texts in each group, at least 1.
    level : float

    Returns
    -------
    low, high : float

    Notes
    -----
    Method 5: a score interval. The limits are the AUCs θ from which the observed one lies z standard errors away,
    with Hanley and McNeil's variance *at θ*, in which both group sizes are replaced by their mean (but for the product
    in the denominator). Wald-type intervals such as DeLong's shrink to a point at an AUC of 1. It is an interval for
    one neuron that was named beforehand: for the best of many it is too narrow.

    References
    ----------
    Newcombe, R. G. (2006). Confidence intervals for an effect size measure based on the Mann-Whitney statistic.
    Part 2: asymptotic methods and evaluation. Stat. Med. 25, 559-573.

    Examples
    --------
    >>> [round(limit, 3) for limit in newcombe_interval(1.0, 5, 5)]
    [0.643, 1.0]
    """
    if not 0 <= share <= 1 or min(examples, counters) < 1 or not 0 < level < 1:
        raise SeparationError(
            f"no interval for a share {share}, {examples} and {counters} texts and level {level}; they need "
            "0 ≤ share ≤ 1, at least one text each and 0 < level < 1."
        )
    z = float(norm.isf((1 - level) / 2))
    return _low_limit(share, examples, counters, z), 1 - _low_limit(1 - share, counters, examples, z)


def _low_limit(share: float, examples: int, counters: int, z: float) -> float:
    if share == 0:
        return 0.0

    def distance(theta: float) -> float:
        return share - theta - z * sqrt(_variance(theta, examples, counters))

    # At an AUC of 1 the distance is 0 there too; the limit is the other root.
    return float(brentq(distance, 0.0, min(share, 1 - 1e-12), xtol=1e-13))


def _variance(theta: float, examples: int, counters: int) -> float:
    mean = (examples + counters) / 2 - 1
    spread = 1 + mean * ((1 - theta) / (2 - theta) + theta / (1 + theta))
    return max(0.0, theta * (1 - theta)) * spread / (examples * counters)


def deals(texts: int, examples: int, most: int, generator: np.random.Generator) -> tuple[np.ndarray, bool]:
    """Ways to deal texts into examples and counter-examples: all, if they are `most` at most, otherwise random ones.

    Returns
    -------
    ndarray, bool, (deals, texts)
    bool
        Whether these are all.
    """
    if exact := comb(texts, examples) <= most:
        chosen = np.array(list(combinations(range(texts), examples)))
    else:
        chosen = np.argsort(generator.random((most, texts)), axis=1)[:, :examples]
    dealt = np.zeros((len(chosen), texts), dtype=bool)
    np.put_along_axis(dealt, chosen, True, axis=1)
    return dealt, exact


def chance(
    ranks: np.ndarray, examples: np.ndarray, thresholds: np.ndarray, *, most: int, generator: np.random.Generator
) -> Chance:
    """How many neurons reach AUCs when the same activations are dealt anew.

    Parameters
    ----------
    ranks : ndarray, float32, (texts, neurons)
    examples : ndarray, bool, (texts,)
    thresholds : ndarray, floating, (thresholds,)
        AUCs.
    most : int
        Deals; all of them are taken if there are no more. Among random ones the actual deal is one.
    """
    dealt, exact = deals(len(examples), int(examples.sum()), most, generator)
    if not exact:
        dealt[0] = examples
    actual = int(np.flatnonzero((dealt == examples).all(axis=1))[0])
    counts = np.zeros((len(dealt), len(thresholds)), dtype=np.int64)
    for first in range(0, ranks.shape[1], CHUNK):
        reached = np.sort(auc(ranks[:, first : first + CHUNK], dealt), axis=1)
        for row, shares in enumerate(reached):
            counts[row] += len(shares) - np.searchsorted(shares, thresholds - 1e-9)
    return Chance(
        reached=counts.mean(axis=0),
        some=(counts > 0).mean(axis=0),
        as_many=(counts >= counts[actual]).mean(axis=0),
        deals=len(dealt),
        exact=exact,
    )


def held_out(
    values: np.ndarray, examples: np.ndarray, *, splits: int, generator: np.random.Generator
) -> tuple[float, float] | None:
    """AUC of the neuron that one half of the texts puts first, on the half it was chosen on and on the other half.

    Parameters
    ----------
    values : ndarray, floating, (texts, neurons)
    examples : ndarray, bool, (texts,)
    splits : int
        Random halvings, of which the means are returned.

    Returns
    -------
    (chosen, other) or None
        None where a group has fewer than four texts: no half would have two.
    """
    groups = np.flatnonzero(examples), np.flatnonzero(~examples)
    if min(map(len, groups)) < 4:
        return None
    results = np.empty((splits, 2))
    for split in range(splits):
        first = np.zeros(len(examples), dtype=bool)
        for group in groups:
            first[generator.permutation(group)[: len(group) // 2]] = True
        mine = auc(midranks(values[first]), examples[first])
        winner = order(mine, margins(values[first], examples[first]))[0]
        other = auc(midranks(values[~first][:, [winner]]), examples[~first])
        results[split] = mine[winner], other[0]
    chosen, other_half = results.mean(axis=0)
    return float(chosen), float(other_half)


def order(shares: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """Neurons by AUC, those with the same by margin, the best first; ties beyond that by number."""
    return np.lexsort((-margin, -shares))
