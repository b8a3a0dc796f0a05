"""Whether a blind held: indices from guesses of the arm.

A guess that comes after a judgment is mixed up with it ("clear, so SoLU"): look at the indices within one verdict too.
Guesses are codes of arms, and -1 for "don't know".

References
----------
James, Bloch, Lee, Kraemer & Fuller (1996), Statistics in Medicine 15, 1421.
Bang, Ni & Davis (2004), Controlled Clinical Trials 25, 143.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.stats.results import UNDEFINED, Interval

JAMES = "James index, variance of James et al. 1996 (guesses as if independent)"
JAMES_CLUSTERED = "James index, jackknife over neurons, t with one less than the neurons"
BANG = "Bang index, variance of Bang et al. 2004 (guesses as if independent)"
BANG_CLUSTERED = "Bang index, linearised over neurons, t with one less than the neurons"
DONT_KNOW_WEIGHT, WRONG_WEIGHT, RIGHT_WEIGHT = 1.0, 0.5, 0.0
ALIKE = "every guess is alike, so that the published variance is 0 and says nothing about other guesses"
NO_VARIANCE = 1e-15
NO_SPREAD = "every neuron adds the same, so that the standard error is 0 and says nothing about other neurons"

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def guess_table(guess: npt.ArrayLike, truth: npt.ArrayLike, arms: int) -> Codes:
    """Count guesses by arm: one row per guessed arm and a last one for "don't know", one column per true arm.

    Parameters
    ----------
    guess, truth : array_like of int, shape (guesses,)
        Codes 0 … `arms` - 1; a guess below 0 is "don't know".

    Examples
    --------
    >>> guess_table([0, 1, -1], [0, 0, 1], 2).tolist()
    [[1, 0], [1, 0], [0, 1]]
    """
    said, true = np.asarray(guess, dtype=np.int64), np.asarray(truth, dtype=np.int64)
    row = np.where(said < 0, arms, said)
    return np.bincount(row * arms + true, minlength=(arms + 1) * arms).reshape(arms + 1, arms)


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
        In [0, 1]. Undefined without a guess, or if chance could only be right; without limits, and with the reason,
        where every guess is alike: all right, or all "don't know" (exactly 1).

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
        return Interval(1.0, UNDEFINED, UNDEFINED, **said, refused=ALIKE)
    disagreement, expected, weights = _disagreement(share, unknown)
    if expected == 0:  # one arm alone was shown and guessed: chance could do nothing else
        return Interval.undefined(**said)
    kappa = (disagreement - expected) / expected
    index = min(1.0, max(0.0, (1 + unknown + (1 - unknown) * kappa) / 2))  # rounding may leave a little more than 1
    variance = max(0.0, _james_variance(share, weights, unknown, kappa))  # rounding may leave less than 0
    if variance < NO_VARIANCE:
        return Interval(index, UNDEFINED, UNDEFINED, **said, refused=ALIKE)
    error = (variance / total) ** 0.5
    half = float(stats.norm.ppf((1 + level) / 2)) * error
    return Interval(index, max(0.0, index - half), min(1.0, index + half), **said, se=error)


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
    if variance < NO_VARIANCE:
        return Interval(index, UNDEFINED, UNDEFINED, **said, refused=ALIKE)
    half = float(stats.norm.ppf((1 + level) / 2)) * variance**0.5
    return Interval(index, max(-1.0, index - half), min(1.0, index + half), **said, se=variance**0.5)


def clustered_james_index(
    guess: npt.ArrayLike, truth: npt.ArrayLike, neuron: npt.ArrayLike, arms: int, *, level: float, estimand: str
) -> Interval:
    """James' index of guesses that come in clusters: several raters guessed about the same neuron.

    Parameters
    ----------
    guess, truth, neuron : array_like of int, shape (guesses,)
        Codes; a guess below 0 is "don't know".

    Notes
    -----
    The index is computed anew without each neuron in turn; with one guess per neuron the standard error is near that of
    James et al.

    References
    ----------
    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, chapter 11. Chapman & Hall.

    Examples
    --------
    >>> index = clustered_james_index([0, 1, 0, -1, 1, 0], [0, 1, 1, 0, 1, 0], range(6), 2, level=0.95, estimand="")
    >>> round(index.estimate, 4)
    0.3269
    """
    said, true = np.asarray(guess, dtype=np.int64), np.asarray(truth, dtype=np.int64)
    code = _numbered(np.asarray(neuron, dtype=np.int64))
    clusters = int(code.max()) + 1 if code.size else 0
    told: dict[str, Any] = {
        "level": level,
        "method": JAMES_CLUSTERED,
        "estimand": estimand,
        "n": clusters,
        "judgments": len(said),
    }
    cells = (arms + 1) * arms
    place = np.where(said < 0, arms, said) * arms + true
    own = np.bincount(code * cells + place, minlength=clusters * cells).reshape(clusters, arms + 1, arms)
    index = float(_james(own.sum(axis=0)[None])[0])
    if np.isnan(index):
        return Interval.undefined(**told)
    without = _james(own.sum(axis=0) - own) if clusters > 1 else np.full(1, UNDEFINED)
    error = float(np.sqrt((clusters - 1) / clusters * ((without - without.mean()) ** 2).sum()))
    if not error > 0:
        return Interval(index, UNDEFINED, UNDEFINED, **told, refused=NO_SPREAD)
    half = float(stats.t.ppf((1 + level) / 2, clusters - 1)) * error
    return Interval(index, max(0.0, index - half), min(1.0, index + half), **told, se=error)


def _james(tables: Codes) -> Floats:
    """James' index of each of many tables; NaN where chance could only be right or there is no guess."""
    total = tables.sum(axis=(1, 2))
    share = tables / np.maximum(total, 1)[:, None, None]
    arms = share.shape[2]
    unknown = share[:, -1].sum(axis=1)
    guessed, truths = share[:, :-1].sum(axis=2), share[:, :-1].sum(axis=1)
    weights = np.where(np.eye(arms, dtype=bool), RIGHT_WEIGHT, WRONG_WEIGHT)
    known = 1 - unknown
    observed = np.einsum("ct,nct->n", weights, share[:, :-1]) * known
    expected = np.einsum("nc,ct,nt->n", guessed, weights, truths)
    kappa = np.where(expected > 0, observed / np.where(expected > 0, expected, 1) - 1, UNDEFINED)
    index = np.where(known > 0, (1 + unknown + known * kappa) / 2, 1.0)
    return np.where(total > 0, np.clip(index, 0.0, 1.0), UNDEFINED)  # rounding may leave a little more than 1


def _numbered(codes: Codes) -> Codes:
    """The same codes without gaps."""
    present = np.bincount(codes) > 0
    return (np.cumsum(present) - 1)[codes]


def guess_scores(guess: npt.ArrayLike, truth: npt.ArrayLike, arms: int) -> Floats:
    """What each guess adds to a Bang index: 1 right, -1 / (arms - 1) wrong, 0 for "don't know".

    Examples
    --------
    >>> guess_scores([0, 1, -1], [0, 0, 1], 2).tolist()
    [1.0, -1.0, 0.0]
    """
    said, true = np.asarray(guess, dtype=np.int64), np.asarray(truth, dtype=np.int64)
    return np.where(said < 0, 0.0, np.where(said == true, 1.0, -1 / (arms - 1)))


def clustered_bang_index(scores: npt.ArrayLike, neuron: npt.ArrayLike, *, level: float, estimand: str) -> Interval:
    """Bang index of one arm whose guesses come in clusters: several raters guessed about the same neuron.

    Parameters
    ----------
    scores : array_like of float, shape (guesses,)
        Of `guess_scores`, for one arm.
    neuron : array_like of int, shape (guesses,)
        Which neuron each guess is about.

    Notes
    -----
    A ratio of sums over neurons, its variance by linearisation. With one guess per neuron it is Bang's but for n - 1.

    Examples
    --------
    >>> index = clustered_bang_index([1, 1, -1, 0], [0, 1, 2, 3], level=0.95, estimand="")
    >>> index.estimate, index.n
    (0.25, 4)
    """
    worth = np.asarray(scores, dtype=float)
    codes = _numbered(np.asarray(neuron, dtype=np.int64))
    clusters = int(codes.max()) + 1 if len(codes) else 0
    said: dict[str, Any] = {
        "level": level,
        "method": BANG_CLUSTERED,
        "estimand": estimand,
        "n": clusters,
        "judgments": len(worth),
    }
    if clusters < 2:
        return Interval.undefined(**said)
    index = float(worth.mean())
    residuals = np.bincount(codes, weights=worth - index, minlength=clusters)
    variance = clusters / (clusters - 1) * float((residuals**2).sum()) / len(worth) ** 2
    if not variance > 0:
        return Interval(index, UNDEFINED, UNDEFINED, **said, refused=NO_SPREAD)
    half = float(stats.t.ppf((1 + level) / 2, clusters - 1)) * variance**0.5
    return Interval(index, max(-1.0, index - half), min(1.0, index + half), **said, se=variance**0.5)
