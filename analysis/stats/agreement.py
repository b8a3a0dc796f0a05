"""How far raters agree: raw pairwise agreement and Krippendorff's alpha, both with missing answers."""

import numpy as np
import numpy.typing as npt

from analysis.stats.proportions import BadCounts, cluster_wilson, score_mean
from analysis.stats.results import UNDEFINED, Interval

Counts = npt.NDArray[np.float64]
PAIRS = "cluster Wilson over neurons"
BOOTSTRAP = "percentile bootstrap over neurons"
# Bootstrap weights are drawn in blocks of about this many numbers, so that memory stays flat.
BLOCK = 4_000_000


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
    table = _pairable(counts)
    raters = table.sum(axis=1)
    pairs = raters * (raters - 1) / 2
    agreeing = (table * (table - 1) / 2).sum(axis=1)
    answers = int(raters.sum())
    if len(table) < 2:
        estimate = float(agreeing[0] / pairs[0]) if len(table) else UNDEFINED
        return Interval(estimate, UNDEFINED, UNDEFINED, level, PAIRS, estimand, len(table), answers)
    interval = cluster_wilson(score_mean(agreeing / pairs, judgments=int(pairs.sum())), level=level)
    return Interval(interval.estimate, interval.low, interval.high, level, PAIRS, estimand, len(table), answers)


def krippendorff_alpha(counts: npt.ArrayLike) -> float:
    """Krippendorff's alpha for nominal categories.

    Parameters
    ----------
    counts : array_like of int, shape (units, categories)
        How many raters put each unit in each category; raters may be missing. Units with fewer than two answers carry
        no information and are left out.

    Returns
    -------
    float
        1 = perfect agreement, 0 = what chance gives, below 0 = worse. NaN when it is undefined: no unit with two
        answers, or every answer the same.

    References
    ----------
    Krippendorff, K. (2011). Computing Krippendorff's alpha-reliability. University of Pennsylvania.
    Hayes, A. F. & Krippendorff, K. (2007). Answering the call for a standard reliability measure for coding data.
    Commun. Methods Meas. 1, 77-89.

    Examples
    --------
    >>> krippendorff_alpha([[2, 0], [0, 2], [2, 0]])
    1.0
    """
    disagreement, totals = _sufficient(_pairable(counts))
    return float(_alpha(disagreement.sum(keepdims=True), totals.sum(axis=0, keepdims=True))[0])


def alpha_interval(
    counts: npt.ArrayLike,
    *,
    generator: np.random.Generator,
    level: float = 0.95,
    resamples: int = 2000,
    estimand: str = "",
) -> Interval:
    """Krippendorff's alpha with a bootstrap interval.

    Parameters
    ----------
    counts : array_like of int, shape (units, categories)
        As for `krippendorff_alpha`.
    generator : numpy.random.Generator
        Source of the resampling; the caller keeps its seed.
    level : float
        Confidence level in (0, 1).
    resamples : int
        Bootstrap samples, at least 100.
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        No limits (NaN) with fewer than two units or when most resamples leave alpha undefined.

    Notes
    -----
    Units are drawn with replacement, whole rows of answers at a time: the panel is fixed, the neurons are not.
    Resamples in which every answer is the same have no alpha and are left out.

    References
    ----------
    Efron, B. & Tibshirani, R. (1993). An Introduction to the Bootstrap, chapter 13. Chapman & Hall.

    Examples
    --------
    >>> data = [[3, 0]] * 20 + [[0, 3]] * 20 + [[2, 1]] * 5
    >>> interval = alpha_interval(data, generator=np.random.default_rng(1))
    >>> bool(interval.low < interval.estimate < interval.high)
    True
    """
    if resamples < 100:
        raise BadCounts(f"{resamples} resamples are too few for a {level:.0%} interval; use at least 100.")
    table = _pairable(counts)
    disagreement, totals = _sufficient(table)
    estimate, answers = krippendorff_alpha(table), int(table.sum())
    low = high = UNDEFINED
    if len(table) >= 2:
        draws = _bootstrap_alphas(disagreement, totals, generator, resamples)
        draws = draws[~np.isnan(draws)]
        if len(draws) > resamples / 2:
            low, high = (float(value) for value in np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]))
    return Interval(estimate, low, high, level, BOOTSTRAP, estimand, len(table), answers)


def _pairable(counts: npt.ArrayLike) -> Counts:
    table = np.asarray(counts, dtype=float)
    if table.ndim != 2 or np.any(table < 0):
        raise BadCounts(f"counts of shape {table.shape}; give a table of units by categories without negative counts.")
    return table[table.sum(axis=1) >= 2]


def _sufficient(table: Counts) -> tuple[Counts, Counts]:
    """Per unit: its disagreeing ordered pairs over (answers - 1), and its answers by category."""
    raters = table.sum(axis=1)
    return (raters**2 - (table**2).sum(axis=1)) / np.maximum(raters - 1, 1), table


def _alpha(disagreement: Counts, totals: Counts) -> Counts:
    """Alpha for each row of summed disagreement and category totals."""
    answers = totals.sum(axis=-1)
    expected = answers**2 - (totals**2).sum(axis=-1)
    safe = np.where(expected > 0, expected, 1.0)
    return np.where(expected > 0, 1 - (answers - 1) * disagreement / safe, UNDEFINED)


def _bootstrap_alphas(disagreement: Counts, totals: Counts, generator: np.random.Generator, resamples: int) -> Counts:
    units = len(disagreement)
    columns = np.column_stack([disagreement, totals])
    rows = max(1, BLOCK // units)
    parts = []
    for start in range(0, resamples, rows):
        weights = generator.multinomial(units, np.full(units, 1 / units), size=min(rows, resamples - start))
        sums = weights @ columns
        parts.append(_alpha(sums[:, 0], sums[:, 1:]))
    return np.concatenate(parts)
