"""Whether a blind held: indices from guesses of the arm, and a test that keeps a neuron's guesses together.

A guess that comes after a judgment is mixed up with it ("clear, so SoLU"): look at the indices within one verdict too.

References
----------
James, Bloch, Lee, Kraemer & Fuller (1996), Statistics in Medicine 15, 1421.
Bang, Ni & Davis (2004), Controlled Clinical Trials 25, 143.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

from analysis.stats.results import Interval

JAMES = "James index, variance of James et al. 1996 (guesses as if independent)"
BANG = "Bang index, variance of Bang et al. 2004 (guesses as if independent)"
BANG_CLUSTERED = "Bang index, linearised over neurons, t with one less than the neurons"
DONT_KNOW_WEIGHT, WRONG_WEIGHT, RIGHT_WEIGHT = 1.0, 0.5, 0.0


def guess_table(guesses: Sequence[str], truths: Sequence[str], arms: Sequence[str]) -> np.ndarray:
    """Count guesses by arm: one row per guessed arm and a last one for "don't know", one column per true arm.

    Examples
    --------
    >>> guess_table(["a", "b", "dk"], ["a", "a", "b"], ["a", "b"]).tolist()
    [[1, 0], [1, 0], [0, 1]]
    """
    row = {arm: number for number, arm in enumerate(arms)}
    table = np.zeros((len(arms) + 1, len(arms)), dtype=np.int64)
    for guess, truth in zip(guesses, truths, strict=True):
        table[row.get(guess, len(arms)), row[truth]] += 1
    return table


def james_index(table: np.ndarray, *, level: float, estimand: str) -> Interval:
    """One number for the whole study: 1 complete blinding, 0.5 random guessing, 0 every guess right.

    Parameters
    ----------
    table : ndarray, int, (arms + 1, arms)
        As `guess_table` makes it.
    level : float
        Of the interval, in (0, 1).

    Returns
    -------
    Interval
        In [0, 1]. Undefined without a guess, or if chance could only be right; exactly 1 if all say "don't know".

    Notes
    -----
    Unblinding may be claimed if the upper limit lies below 0.5. The index is ruled by "don't know" answers.

    Examples
    --------
    >>> crisp = np.array([[82, 27], [25, 29], [170, 83]])
    >>> index = james_index(crisp, level=0.95, estimand="")
    >>> [round(value, 4) for value in (index.estimate, index.low, index.high)]
    [0.7479, 0.7053, 0.7905]
    """
    total = int(table.sum())
    said: dict[str, Any] = {"level": level, "method": JAMES, "estimand": estimand, "n": total, "judgments": total}
    if total == 0:
        return Interval.undefined(**said)
    share = table / total
    unknown = float(share[-1].sum())
    if unknown == 1.0:
        return Interval(1.0, 1.0, 1.0, **said)
    disagreement, expected, weights = _disagreement(share, unknown)
    if expected == 0:  # one arm alone was shown and guessed: chance could do nothing else
        return Interval.undefined(**said)
    kappa = (disagreement - expected) / expected
    index = (1 + unknown + (1 - unknown) * kappa) / 2
    variance = max(0.0, _james_variance(share, weights, unknown, kappa))  # rounding may leave less than 0
    half = float(stats.norm.ppf((1 + level) / 2)) * (variance / total) ** 0.5
    return Interval(index, max(0.0, index - half), min(1.0, index + half), **said)


def _disagreement(share: np.ndarray, unknown: float) -> tuple[float, float, np.ndarray]:
    """Observed and expected disagreement of guess and truth among those who guessed, and the weights."""
    arms = share.shape[1]
    weights = np.where(np.eye(arms, dtype=bool), RIGHT_WEIGHT, WRONG_WEIGHT)
    guessed, truths = share[:-1].sum(axis=1), share.sum(axis=0) - share[-1]
    observed = float((weights * share[:-1]).sum()) / (1 - unknown)
    expected = float((weights * np.outer(guessed, truths)).sum()) / (1 - unknown) ** 2
    return observed, expected, weights


def _james_variance(share: np.ndarray, weights: np.ndarray, unknown: float, kappa: float) -> float:
    guessed, truths = share[:-1].sum(axis=1), share.sum(axis=0) - share[-1]
    known = 1 - unknown
    expected = float((weights * np.outer(guessed, truths)).sum())
    inner = known * weights - (1 + kappa) * ((weights.T @ guessed)[None, :] + (weights @ truths)[:, None])
    first = float((share[:-1] * known**2 * inner**2).sum()) / (4 * expected**2)
    return first + unknown * known - known * (1 + kappa) * (unknown + known * (1 + kappa) / 4)


def bang_index(table: np.ndarray, arm: int, *, level: float, estimand: str) -> Interval:
    """One number for one arm: 0 random guessing, 1 every guess right, -1 every guess wrong.

    With more than two arms a wrong guess counts 1 / (arms - 1), so that random guessing stays at 0.

    Parameters
    ----------
    table : ndarray, int, (arms + 1, arms)
    arm : int
        Column.

    Examples
    --------
    >>> crisp = np.array([[82, 27], [25, 29], [170, 83]])
    >>> index = bang_index(crisp, 0, level=0.95, estimand="")
    >>> [round(value, 4) for value in (index.estimate, index.low, index.high)]
    [0.2058, 0.1367, 0.2748]
    """
    total = int(table[:, arm].sum())
    said: dict[str, Any] = {"level": level, "method": BANG, "estimand": estimand, "n": total, "judgments": total}
    if total == 0:
        return Interval.undefined(**said)
    right = float(table[arm, arm]) / total
    wrong = float(table[:-1, arm].sum() - table[arm, arm]) / total
    penalty = 1 / (table.shape[1] - 1)
    index = right - penalty * wrong
    variance = (right + penalty**2 * wrong - index**2) / total
    half = float(stats.norm.ppf((1 + level) / 2)) * variance**0.5
    return Interval(index, max(-1.0, index - half), min(1.0, index + half), **said)


def guess_scores(guesses: Sequence[str], truths: Sequence[str], arms: Sequence[str]) -> np.ndarray:
    """What each guess adds to a Bang index: 1 right, -1 / (arms - 1) wrong, 0 for "don't know".

    Examples
    --------
    >>> guess_scores(["a", "b", "dk"], ["a", "a", "b"], ["a", "b"]).tolist()
    [1.0, -1.0, 0.0]
    """
    penalty = 1 / (len(arms) - 1)
    known = set(arms)
    return np.array(
        [
            0.0 if guess not in known else 1.0 if guess == truth else -penalty
            for guess, truth in zip(guesses, truths, strict=True)
        ]
    )


def clustered_bang_index(scores: np.ndarray, neurons: Sequence[object], *, level: float, estimand: str) -> Interval:
    """Bang index of one arm whose guesses come in clusters: several raters guessed about the same neuron.

    Parameters
    ----------
    scores : ndarray, float, (n,)
        Of `guess_scores`, for one arm.
    neurons : sequence
        Which neuron each guess is about.

    Notes
    -----
    A ratio of sums over neurons, its variance by linearisation. With one guess per neuron it is Bang's but for n - 1.
    """
    codes = np.unique(np.asarray(neurons, dtype=str), return_inverse=True)[1]
    clusters = int(codes.max()) + 1 if len(codes) else 0
    said: dict[str, Any] = {
        "level": level,
        "method": BANG_CLUSTERED,
        "estimand": estimand,
        "n": clusters,
        "judgments": len(scores),
    }
    if clusters < 2:
        return Interval.undefined(**said)
    index = float(scores.mean())
    residuals = np.bincount(codes, weights=scores - index, minlength=clusters)
    variance = clusters / (clusters - 1) * float((residuals**2).sum()) / len(scores) ** 2
    half = float(stats.t.ppf((1 + level) / 2, clusters - 1)) * variance**0.5
    return Interval(index, max(-1.0, index - half), min(1.0, index + half), **said)


def permutation_p(
    guesses: Sequence[str],
    truths: Sequence[str],
    neurons: Sequence[object],
    strata: Sequence[object],
    *,
    generator: np.random.Generator,
    permutations: int,
) -> float:
    """One-sided p value of "guesses are right more often than if they knew nothing of the arm".

    The arms are dealt out anew over the neurons of each stratum; a neuron keeps all its guesses, so that guesses of
    several raters about one neuron are not counted as independent.

    Parameters
    ----------
    strata : sequence
        Within which arms are exchangeable (size), for each guess.
    permutations : int
        >= 1; the smallest p value is 1 / (permutations + 1).

    Returns
    -------
    float
        NaN without a guess that names an arm.
    """
    arms = sorted(set(truths))
    names, codes = np.unique(np.asarray(neurons, dtype=str), return_inverse=True)
    # How often each neuron was guessed to be of each arm.
    votes = np.array([np.bincount(codes, weights=np.asarray(guesses) == arm, minlength=len(names)) for arm in arms]).T
    if not votes.sum():
        return float("nan")
    first = np.unique(codes, return_index=True)[1]
    truth = np.searchsorted(arms, np.asarray(truths)[first])
    groups = np.asarray(strata, dtype=str)[first]
    right = votes[np.arange(len(names)), truth].sum()
    as_many = sum(
        votes[np.arange(len(names)), _dealt(truth, groups, generator)].sum() >= right for _ in range(permutations)
    )
    return float((1 + as_many) / (1 + permutations))


def _dealt(truth: np.ndarray, groups: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """The same arms in random order within each group."""
    dealt = truth.copy()
    for group in np.unique(groups):
        here = np.flatnonzero(groups == group)
        dealt[here] = generator.permutation(truth[here])
    return dealt
