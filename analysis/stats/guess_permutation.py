"""Did raters know the arm: a test of their guesses that keeps a neuron's guesses together."""

import numpy as np
import numpy.typing as npt

from analysis.stats.results import UNDEFINED, Test

BLOCK = 4_000_000  # counts drawn, or arms dealt, at a time
# With more different rows than this share of the neurons it is quicker to deal arms to neurons one by one.
FEW_ROWS = 1 / 8

Codes = npt.NDArray[np.int64]


def guess_permutation(
    *,
    guess: npt.ArrayLike,
    neuron: npt.ArrayLike,
    arm: npt.ArrayLike,
    stratum: npt.ArrayLike,
    generator: np.random.Generator,
    permutations: int,
    hypothesis: str = "",
) -> Test:
    """Are guesses right more often than if they knew nothing of the arm?

    The arms are dealt out anew over the neurons of each stratum; a neuron keeps all its guesses, so that guesses of
    several raters about one neuron are not counted as independent.

    Parameters
    ----------
    guess, neuron : array_like of int, shape (guesses,)
        Guessed arm, below 0 "don't know"; and the neuron that the guess is about.
    arm, stratum : array_like of int, shape (neurons,)
        Codes of every neuron. Within a stratum (a size) arms are exchangeable.
    permutations : int
        >= 1; the smallest p value is 1 / (permutations + 1).

    Returns
    -------
    Test
        One-sided; the statistic is the number of right guesses. Undefined without a guess that names an arm.

    Notes
    -----
    Neurons of a stratum with the same guesses are interchangeable, so that where many have, only how many of them come
    to each arm is drawn (hypergeometric), not the neurons one by one.

    References
    ----------
    Phipson, B. & Smyth, G. K. (2010). Permutation p-values should never be zero. Stat. Appl. Genet. Mol. Biol. 9, 39.

    Examples
    --------
    >>> test = guess_permutation(guess=[0, 0, 1, 1], neuron=[0, 1, 2, 3], arm=[0, 0, 1, 1], stratum=[0] * 4,
    ...                          generator=np.random.default_rng(1), permutations=999)
    >>> test.statistic, 0.1 < test.p < 0.25  # 1 of the 6 arrangements
    (4.0, True)
    """
    said, about = np.asarray(guess, dtype=np.int64), np.asarray(neuron, dtype=np.int64)
    truth, group = np.asarray(arm, dtype=np.int64), np.asarray(stratum)
    method = f"permutation of arms over neurons within strata, one-sided, {permutations} permutations"
    seen = np.unique(about)
    named = said >= 0
    if not named.any():
        return Test(UNDEFINED, UNDEFINED, UNDEFINED, method, hypothesis, len(seen), len(said))
    arms = int(max(truth.max(), said.max())) + 1
    votes = np.bincount(about[named] * arms + said[named], minlength=len(truth) * arms).reshape(-1, arms)
    right = int(votes[seen, truth[seen]].sum())
    surplus = votes[:, 1:] - votes[:, :1]
    drawn = np.full(permutations, votes[:, 0].sum())
    for here in (seen[group[seen] == code] for code in np.unique(group[seen])):
        drawn += _dealt_surplus(surplus[here], np.bincount(truth[here], minlength=arms), generator, permutations)
    p = (1 + int((drawn >= right).sum())) / (1 + permutations)
    return Test(float(right), UNDEFINED, p, method, hypothesis, len(seen), len(said))


def _dealt_surplus(surplus: Codes, sizes: Codes, generator: np.random.Generator, permutations: int) -> Codes:
    """Sum of the surplus of each neuron's arm, with the arms dealt out at random; shape (permutations,)."""
    rows, often = np.unique(surplus, axis=0, return_counts=True)
    few = len(rows) <= FEW_ROWS * len(surplus)
    step = max(1, BLOCK // (len(rows) if few else len(surplus)))
    blocks = [min(step, permutations - start) for start in range(0, permutations, step)]
    if few:
        return np.concatenate([_dealt_block(rows, often, sizes, generator, draws) for draws in blocks])
    return np.concatenate([_dealt_singly(surplus, sizes, generator, draws) for draws in blocks])


def _dealt_singly(surplus: Codes, sizes: Codes, generator: np.random.Generator, draws: int) -> Codes:
    hand = np.repeat(np.arange(len(sizes), dtype=np.int16), sizes)
    dealt = generator.permuted(np.broadcast_to(hand, (draws, len(hand))), axis=1)
    parts = [(dealt == arm).astype(float) @ surplus[:, arm - 1] for arm in range(1, len(sizes))]
    return np.rint(sum(parts, np.zeros(draws))).astype(np.int64)


def _dealt_block(rows: Codes, often: Codes, sizes: Codes, generator: np.random.Generator, draws: int) -> Codes:
    total = np.zeros(draws, dtype=np.int64)
    left = np.broadcast_to(often, (draws, len(often))).copy()
    for arm, wanted in enumerate(sizes[1:].tolist()):
        chosen = _chosen(left, wanted, generator)
        total += chosen @ rows[:, arm]
        left -= chosen
    return total


def _chosen(left: Codes, wanted: int, generator: np.random.Generator) -> Codes:
    """How many of each kind are among so many drawn without replacement; one draw for each row of what is left."""
    chosen = np.zeros_like(left)
    rest, open_places = left.sum(axis=1), np.full(len(left), wanted)
    for kind in range(left.shape[1]):
        rest -= left[:, kind]
        chosen[:, kind] = generator.hypergeometric(left[:, kind], rest, open_places)
        open_places -= chosen[:, kind]
    return chosen
