"""Was it the arm? Arms dealt out anew over the neurons of each size: valid by the design, without any model."""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from analysis.stats.results import UNDEFINED, Test

HYPOTHESIS = "the arm makes no difference to the score of any neuron (arms exchangeable over neurons within each size)"
WITHIN = "arms over neurons within size, equal weight for each size, two-sided"
# Differences closer than this are one difference, seen through rounding.
TIE = 1e-9
EXACT_WORK = 20_000_000  # additions that an exact distribution may cost
EXACT_VALUES = 200_000  # distinct differences that are kept at once
LARGEST_DENOMINATOR = 1_000  # of a neuron's score as a fraction of its answers
LARGEST_STRATUM = 1_000  # neurons; counts of arrangements beyond are no floating point numbers any more
BLOCK = 200_000  # random keys drawn at a time: what the processor's cache holds


@dataclass(frozen=True, slots=True)
class _Stratum:
    """Neurons of one size: distinct scores, how many neurons have each, and how many neurons are of each arm."""

    values: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    treated: int
    others: int
    observed: float  # sum of the treated neurons' scores

    @property
    def total(self) -> float:
        return float(self.values @ self.counts)

    def difference(self, treated_sum: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Mean of the treated minus mean of the others, when the treated have this sum."""
        sums = np.asarray(treated_sum, dtype=float)
        return sums / self.treated - (self.total - sums) / self.others


def arm_permutation(
    *,
    score: npt.ArrayLike,
    arm: npt.ArrayLike,
    size: npt.ArrayLike,
    treatment: int,
    baseline: int,
    generator: np.random.Generator,
    permutations: int,
    hypothesis: str = HYPOTHESIS,
    judgments: int = 0,
) -> Test:
    """Permutation test of the difference between two arms, with the neuron as the unit.

    Parameters
    ----------
    score : array_like of float, shape (neurons,)
        One score per neuron in [0, 1], such as the share of its raters who said yes. NaN: a neuron without an answer,
        which is left out.
    arm, size : array_like of int, shape (neurons,)
        Codes. Neurons of other arms than the two stay out, and so do sizes in which one of the two is missing.
    treatment, baseline : int
        Codes of the arms; the second is subtracted.
    generator : numpy.random.Generator
        Only drawn from when the distribution is too large to be had exactly.
    permutations : int
        Random ones, at least 1; the smallest p value is 1 / (permutations + 1).
    hypothesis : str
        In words, carried into the result.
    judgments : int
        Answers behind the scores, carried into the result.

    Returns
    -------
    Test
        `statistic` is the difference, averaged over sizes with equal weights; `p` the share of arrangements whose
        difference is as far from 0 or farther. Undefined when no size has both arms.

    Raises
    ------
    ValueError
        When `permutations` is below 1.

    Notes
    -----
    Holds its level whatever the scores are distributed like, because arms were drawn at random; conditional on the
    scores. Small studies get the exact distribution by the shift algorithm (counts of arrangements by sum, one group of
    equal scores after the other), larger ones random arrangements with p = (1 + count) / (1 + permutations).

    References
    ----------
    Pagano, M. & Tritchler, D. (1983). On obtaining permutation distributions in polynomial time. JASA 78, 435-440.
    Phipson, B. & Smyth, G. K. (2010). Permutation p-values should never be zero. Stat. Appl. Genet. Mol. Biol. 9, 39.

    Examples
    --------
    >>> test = arm_permutation(score=[1, 1, 1, 0, 0, 0], arm=[1, 1, 1, 0, 0, 0], size=[0] * 6, treatment=1, baseline=0,
    ...                        generator=np.random.default_rng(1), permutations=999)
    >>> test.statistic, round(test.p, 3)  # 2 of the 20 arrangements
    (1.0, 0.1)
    """
    if permutations < 1:
        raise ValueError(f"Received {permutations} permutations; give at least 1.")
    strata = _strata(np.asarray(score, dtype=float), np.asarray(arm), np.asarray(size), treatment, baseline)
    n = sum(stratum.treated + stratum.others for stratum in strata)
    if not strata:
        return Test(UNDEFINED, UNDEFINED, UNDEFINED, f"permutation of {WITHIN}", hypothesis, 0, judgments)
    observed = float(sum(stratum.difference(stratum.observed) for stratum in strata)) / len(strata)
    p, how = _p_value(strata, observed, generator, permutations)
    return Test(observed, UNDEFINED, p, f"{how} of {WITHIN}", hypothesis, n, judgments)


def _p_value(
    strata: list[_Stratum], observed: float, generator: np.random.Generator, permutations: int
) -> tuple[float, str]:
    exact = _exact(strata)
    if exact is not None:
        values, shares = exact
        far = np.abs(values) >= abs(observed) - TIE
        return min(1.0, math.fsum(shares[far])), "exact permutation distribution"
    drawn = sum(stratum.difference(_drawn_sums(stratum, generator, permutations)) for stratum in strata) / len(strata)
    count = int((np.abs(drawn) >= abs(observed) - TIE).sum())
    return (1 + count) / (1 + permutations), f"{permutations} random permutations"


def _strata(
    score: npt.NDArray[np.float64], arm: npt.NDArray[np.int64], size: npt.NDArray[np.int64], treatment: int, base: int
) -> list[_Stratum]:
    """The sizes that have both arms."""
    kept = ~np.isnan(score) & ((arm == treatment) | (arm == base))
    found = []
    for code in np.unique(size[kept]):
        here = kept & (size == code)
        treated = here & (arm == treatment)
        many, others = int(treated.sum()), int(here.sum() - treated.sum())
        if many and others:
            values, counts = np.unique(score[here].round(12), return_counts=True)
            found.append(_Stratum(values, counts, many, others, float(score[treated].sum())))
    return found


def _exact(strata: list[_Stratum]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    """All differences and their probabilities; None where that would take too long."""
    scales = [_denominator(stratum) for stratum in strata]
    if any(scale == 0 for scale in scales) or sum(map(_work, strata, scales)) > EXACT_WORK:
        return None
    values, shares = np.zeros(1), np.ones(1)
    for stratum, scale in zip(strata, scales, strict=True):
        sums, chances = _sum_distribution(stratum, scale)
        if len(values) * len(sums) > 25 * EXACT_VALUES:
            return None
        values, shares = _added(values, shares, stratum.difference(sums) / len(strata), chances)
        if len(values) > EXACT_VALUES:
            return None
    return values, shares


def _denominator(stratum: _Stratum) -> int:
    """Smallest whole number that makes all scores whole; 0 where there is none that is small."""
    if stratum.treated + stratum.others > LARGEST_STRATUM:
        return 0
    scale = 1
    for value in stratum.values:
        scale = math.lcm(scale, Fraction(float(value)).limit_denominator(LARGEST_DENOMINATOR).denominator)
        if scale > LARGEST_DENOMINATOR:
            return 0
    whole = stratum.values * scale
    return scale if bool(np.all(np.abs(whole - whole.round()) < TIE)) else 0


def _work(stratum: _Stratum, scale: int) -> int:
    reach = round(stratum.total * scale) - round(float(stratum.values.min()) * scale) * int(stratum.counts.sum())
    return stratum.treated * (reach + 1) * int(stratum.counts.sum())


def _sum_distribution(stratum: _Stratum, scale: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Possible sums of the treated neurons' scores with their probabilities: the shift algorithm."""
    lowest = float(stratum.values.min())
    steps = np.repeat(np.rint((stratum.values - lowest) * scale).astype(int), stratum.counts)
    ways = np.zeros((stratum.treated + 1, int(steps.sum()) + 1))  # neurons chosen, sum of their steps
    ways[0, 0] = 1.0
    for step in steps:
        ways[1:, step:] += ways[:-1, : ways.shape[1] - step].copy()
    row = ways[stratum.treated]
    reached = np.flatnonzero(row)
    return stratum.treated * lowest + reached / scale, row[reached] / math.fsum(row)


def _added(
    values: npt.NDArray[np.float64],
    shares: npt.NDArray[np.float64],
    more: npt.NDArray[np.float64],
    chances: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Distribution of the sum of two independent values; sums that differ by rounding only are one."""
    sums = (values[:, None] + more[None, :]).ravel()
    together = (shares[:, None] * chances[None, :]).ravel()
    kept, where = np.unique(sums.round(10), return_inverse=True)
    return kept, np.bincount(where, weights=together).astype(np.float64)


def _drawn_sums(stratum: _Stratum, generator: np.random.Generator, permutations: int) -> npt.NDArray[np.float64]:
    """Sum of the treated neurons' scores in random arrangements.

    Few distinct scores: how many neurons of each are treated follows the multivariate hypergeometric distribution.
    Many: the treated are those with the smallest of random keys.
    """
    neurons = stratum.treated + stratum.others
    if len(stratum.values) * 8 <= neurons:
        chosen = generator.multivariate_hypergeometric(
            stratum.counts, stratum.treated, size=permutations, method="marginals"
        )
        return chosen @ stratum.values
    scores = np.repeat(stratum.values, stratum.counts)
    rows = max(1, BLOCK // neurons)
    blocks = [
        _key_sums(scores, stratum.treated, generator, min(rows, permutations - begin))
        for begin in range(0, permutations, rows)
    ]
    return np.concatenate(blocks)


def _key_sums(
    scores: npt.NDArray[np.float64], treated: int, generator: np.random.Generator, rows: int
) -> npt.NDArray[np.float64]:
    keys = generator.random((rows, len(scores)), dtype=np.float32)
    last = np.partition(keys, treated - 1, axis=1)[:, treated - 1 : treated]
    chosen = (keys <= last).astype(np.float32)
    many, sums = chosen @ np.ones(len(scores), dtype=np.float32), chosen @ scores
    tied = np.flatnonzero(many != treated)  # two neurons with the last key: such an arrangement is drawn again
    if len(tied):
        sums[tied] = _key_sums(scores, treated, generator, len(tied))
    return sums
