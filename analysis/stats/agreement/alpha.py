"""Krippendorff's alpha, nominal and ordinal, with a linearised and with a bootstrap interval."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.stats.agreement.counts import Counts, pairable
from analysis.stats.agreement.linear import LINEARISED, NO_SPREAD, linearised_interval
from analysis.stats.proportions import BadCounts
from analysis.stats.results import UNDEFINED, Interval

NOMINAL, ORDINAL = "nominal", "ordinal"
BOOTSTRAP = "percentile bootstrap over neurons"
ALPHA_T = f"Krippendorff's alpha ({{}}), {LINEARISED}"
FEWEST_RESAMPLES = 100
# Draws are counted in blocks of about this many numbers, which stay in the processor's cache.
BLOCK = 250_000
# With so few different rows per unit it is quicker to draw how often each row comes than which unit comes.
FEW_ROWS = 1 / 20


class UnknownMetric(ValueError):
    """A metric of disagreement that is not known."""


def krippendorff_alpha(counts: npt.ArrayLike, *, metric: str = NOMINAL) -> float:
    """Krippendorff's alpha.

    Parameters
    ----------
    counts : array_like of int, shape (units, categories)
        How many raters put each unit in each category; raters may be missing. Units with fewer than two answers carry
        no information and are left out.
    metric : str
        "nominal": answers are the same or not. "ordinal": categories stand in their order, and two of them are as far
        apart as there are answers from the one to the other.

    Returns
    -------
    float
        1 = perfect agreement, 0 = what chance gives, below 0 = worse. NaN when it is undefined: no unit with two
        answers, or every answer the same.

    Raises
    ------
    UnknownMetric

    References
    ----------
    Krippendorff, K. (2011). Computing Krippendorff's alpha-reliability. University of Pennsylvania.
    Hayes, A. F. & Krippendorff, K. (2007). Answering the call for a standard reliability measure for coding data.
    Commun. Methods Meas. 1, 77-89.

    Examples
    --------
    >>> krippendorff_alpha([[2, 0], [0, 2], [2, 0]])
    1.0
    >>> round(krippendorff_alpha([[2, 0, 0], [0, 1, 1], [0, 0, 2], [0, 2, 0]], metric="ordinal"), 4)
    0.79
    """
    return _alpha(_summed(pairable(counts)), metric)


def alpha_linearised(
    counts: npt.ArrayLike, *, metric: str = NOMINAL, level: float = 0.95, estimand: str = ""
) -> Interval:
    """Krippendorff's alpha with a standard error by linearisation over units.

    Parameters
    ----------
    counts, metric
        As for `krippendorff_alpha`.

    Returns
    -------
    Interval
        t limits with one degree of freedom less than there are units with two answers.

    Notes
    -----
    Alpha is a function of the summed coincidences of the units; each unit's linear component is the derivative in the
    direction of its own coincidences. That holds for missing answers and for the ordinal metric as well, whose
    distances move with the answers. For complete nominal answers it is Gwet's standard error.

    References
    ----------
    Gwet, K. L. (2021). Handbook of Inter-Rater Reliability, 5th ed., volume 1. AgreeStat Analytics.

    Examples
    --------
    >>> interval = alpha_linearised([[3, 0]] * 20 + [[0, 3]] * 20 + [[2, 1]] * 5)
    >>> bool(interval.low < interval.estimate < interval.high)
    True
    """
    table = pairable(counts)
    estimate = _alpha(_summed(table), metric)
    components = _components(table, metric) if estimate == estimate else np.zeros(len(table))
    return linearised_interval(
        estimate,
        components,
        level=level,
        estimand=estimand,
        judgments=int(table.sum()),
        method=ALPHA_T.format(metric),
    )


def alpha_interval(
    counts: npt.ArrayLike,
    *,
    generator: np.random.Generator,
    level: float = 0.95,
    resamples: int = 2000,
    estimand: str = "",
    metric: str = NOMINAL,
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
        No limits (NaN), and the reason, with fewer than two units or when most resamples leave alpha undefined.

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
    if resamples < FEWEST_RESAMPLES:
        raise BadCounts(f"{resamples} resamples are too few for a {level:.0%} interval; use at least 100.")
    table = pairable(counts)
    estimate, answers = krippendorff_alpha(table, metric=metric), int(table.sum())
    low, high, refused = UNDEFINED, UNDEFINED, ""
    if estimate == estimate:
        draws = _alphas(_resampled(table, generator, resamples), metric)
        low, high, refused = _percentiles(draws, level)
    return Interval(estimate, low, high, level, BOOTSTRAP, estimand, len(table), answers, refused=refused)


def _percentiles(draws: Counts, level: float) -> tuple[float, float, str]:
    defined = draws[~np.isnan(draws)]
    if len(defined) <= len(draws) / 2:
        return UNDEFINED, UNDEFINED, "most resamples of the neurons hold one answer only and have no alpha"
    low, high = (float(value) for value in np.quantile(defined, [(1 - level) / 2, (1 + level) / 2]))
    return (low, high, "") if low < high else (UNDEFINED, UNDEFINED, NO_SPREAD)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Coincidences (…, categories, categories) and answers (…, categories), summed over the units of a sample."""

    coincidences: Counts
    totals: Counts


def _coincidences(table: Counts) -> Counts:
    """Ordered pairs of answers of each unit over (answers - 1), shape (units, categories, categories)."""
    pairs = table[:, :, None] * table[:, None, :]
    diagonal = np.arange(table.shape[1])
    pairs[:, diagonal, diagonal] -= table
    return pairs / np.maximum(table.sum(axis=1) - 1, 1)[:, None, None]


def _summed(table: Counts) -> _Sums:
    return _Sums(_coincidences(table).sum(axis=0), table.sum(axis=0))


def _metric(categories: int, metric: str) -> tuple[Counts, Counts]:
    """How far apart two categories are, as a constant (c, k) plus a slope (c, k, g) on the answers in category g."""
    place = np.arange(categories)
    first, second = np.minimum(place[:, None], place[None, :]), np.maximum(place[:, None], place[None, :])
    apart = (first != second).astype(float)
    if metric == NOMINAL:
        return apart, np.zeros((categories, categories, categories))
    if metric == ORDINAL:
        inside = (first[:, :, None] <= place) & (place <= second[:, :, None])
        ends = (place == first[:, :, None]).astype(float) + (place == second[:, :, None])
        return np.zeros((categories, categories)), (inside - ends / 2) * apart[:, :, None]
    raise UnknownMetric(f"There is no metric {metric!r}; choose {NOMINAL} or {ORDINAL}.")


def _alpha(sums: _Sums, metric: str) -> float:
    return float(_alphas(_Sums(sums.coincidences[None], sums.totals[None]), metric)[0])


def _alphas(sums: _Sums, metric: str) -> Counts:
    """Alpha of each of many samples."""
    totals = sums.totals
    constant, slope = _metric(totals.shape[-1], metric)
    squared = (constant + np.einsum("ckg,sg->sck", slope, totals)) ** 2
    disagreement = np.einsum("sck,sck->s", sums.coincidences, squared)
    expected = np.einsum("sc,sck,sk->s", totals, squared, totals)
    safe = np.where(expected > 0, expected, 1.0)
    return np.where(expected > 0, 1 - (totals.sum(axis=-1) - 1) * disagreement / safe, UNDEFINED)


def _components(table: Counts, metric: str) -> Counts:
    """Linear components of 1 - N·A/B: A the observed and B the expected disagreement, N the answers."""
    own, sums = _coincidences(table), _summed(table)
    totals, crossed = sums.totals, np.outer(sums.totals, sums.totals)
    constant, slope = _metric(len(totals), metric)
    distance = constant + slope @ totals
    squared, turning = distance**2, 2 * distance[:, :, None] * slope
    answers, observed, expected = totals.sum(), (sums.coincidences * squared).sum(), (crossed * squared).sum()
    of_observed = np.einsum("nck,ck->n", own, squared) + table @ np.einsum("ck,ckg->g", sums.coincidences, turning)
    of_expected = table @ (2 * squared @ totals + np.einsum("ck,ckg->g", crossed, turning))
    change = answers * observed * of_expected / expected - observed * table.sum(axis=1) - answers * of_observed
    return len(table) * change / expected


def _resampled(table: Counts, generator: np.random.Generator, resamples: int) -> _Sums:
    """Sums of many samples of units drawn with replacement."""
    rows, often = np.unique(table, axis=0, return_counts=True)
    above = np.triu_indices(table.shape[1], 1)
    columns = np.column_stack([_coincidences(rows)[:, above[0], above[1]], rows])
    draw = _drawn_rows if len(rows) <= FEW_ROWS * len(table) else _drawn_units
    sums = draw(columns, often, generator, resamples)
    coincidences = np.zeros((resamples, table.shape[1], table.shape[1]))
    coincidences[:, above[0], above[1]] = coincidences[:, above[1], above[0]] = sums[:, : len(above[0])]
    return _Sums(coincidences, sums[:, len(above[0]) :])


def _drawn_rows(
    columns: Counts, often: npt.NDArray[np.int64], generator: np.random.Generator, resamples: int
) -> Counts:
    """How often each different row comes is multinomial."""
    units = int(often.sum())
    return generator.multinomial(units, often / units, size=resamples) @ columns


def _drawn_units(
    columns: Counts, often: npt.NDArray[np.int64], generator: np.random.Generator, resamples: int
) -> Counts:
    """Units drawn one by one and counted by their row."""
    row_of, width = np.repeat(np.arange(len(often)), often), len(often)
    block = max(1, BLOCK // len(row_of))
    parts = []
    for start in range(0, resamples, block):
        samples = min(block, resamples - start)
        drawn = row_of[generator.integers(0, len(row_of), size=(samples, len(row_of)))]
        drawn += width * np.arange(samples)[:, None]
        parts.append(np.bincount(drawn.ravel(), minlength=samples * width).reshape(samples, width) @ columns)
    return np.concatenate(parts)
