"""Intervals that hold at every look, however often and for whatever reason one looks, and whether it was planned.

They bet against each share and keep those against which too little was won (Ville's inequality).
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy.special import betaln, gammaln, xlog1py, xlogy

from analysis.stats.constrained import given_difference
from analysis.stats.exact import checked
from analysis.stats.proportions import BadCounts
from analysis.stats.results import Interval

Array = npt.NDArray[np.float64]
ANYTIME = "anytime-valid, beta-binomial mixture"
ANYTIME_FINITE = "anytime-valid without replacement, beta-binomial prior"


def confidence_sequence(
    yes: int,
    n: int,
    *,
    level: float = 0.95,
    population: int | None = None,
    prior: tuple[float, float] = (1.0, 1.0),
    estimand: str = "",
) -> Interval:
    """Interval for a share that holds at all sample sizes at once, however often one looks and for whatever reason.

    Parameters
    ----------
    yes, n : int
        Yes answers and neurons so far, in random order, one answer each. `n` = 0 gives an undefined result.
    level : float
        Chance in (0, 1) that all intervals of the sequence hold the share.
    population : int, optional
        Neurons of the finite layer that is sampled without replacement; none: neurons stand for others without end.
    prior : tuple of float
        Positive parameters of the beta distribution that the bets are mixed over. It moves the width, never the
        validity, and must be chosen before the answers.
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        The interval at this look; it is not intersected with those of earlier looks.

    Raises
    ------
    BadCounts
        When counts are impossible, the sample is larger than the population, or the prior is not positive.

    Notes
    -----
    Keeps each share p0 against which the mixture has not won 1/(1 - level) times its stake:
    B(a + yes, b + n - yes) / B(a, b) < p0^yes (1 - p0)^(n - yes) / (1 - level). Without replacement it keeps each count
    M of yes neurons whose prior over posterior chance lies below the same bound.

    References
    ----------
    Howard, S. R., Ramdas, A., McAuliffe, J. & Sekhon, J. (2021). Time-uniform, nonparametric, nonasymptotic confidence
    sequences. Ann. Stat. 49, 1055-1080.
    Waudby-Smith, I. & Ramdas, A. (2020). Confidence sequences for sampling without replacement. NeurIPS 33.

    Examples
    --------
    >>> interval = confidence_sequence(36, 60)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.4, 0.779)
    """
    checked(yes, n)
    if min(prior) <= 0 or (population is not None and n > population):
        raise BadCounts(f"prior {prior}, {n} neurons of {population}; the prior must be positive, the sample a part.")
    method = ANYTIME if population is None else ANYTIME_FINITE
    if n == 0:
        return Interval.undefined(level=level, method=method, estimand=estimand)
    bound = -math.log1p(-level)
    if population is None:
        low, high = _mixture_limits(yes, n, prior, bound)
    else:
        low, high = _finite_limits(yes, n, population, prior, bound)
    share = yes / n
    return Interval(share, min(low, share), max(high, share), level, method, estimand, n, n)


def confidence_sequence_difference(
    x1: int,
    n1: int,
    x0: int,
    n0: int,
    *,
    level: float = 0.95,
    prior: tuple[float, float] = (1.0, 1.0),
    estimand: str = "",
) -> Interval:
    """Interval for the difference of two shares, first minus second, that holds at all sample sizes at once.

    Parameters
    ----------
    x1, n1, x0, n0 : int
        Yes answers and neurons of the two arms so far, in random order, one answer each. An empty arm gives an
        undefined result.
    level : float
        Chance in (0, 1) that all intervals of the sequence hold the difference.
    prior : tuple of float
        As in `confidence_sequence`, the same for both arms.
    estimand : str
        The question answered, carried into the result.

    Returns
    -------
    Interval
        Within [-1, 1]; for neurons that stand for others without end.

    Raises
    ------
    BadCounts
        When counts are impossible or the prior is not positive.

    Notes
    -----
    The product of the two arms' mixtures bets against pairs of shares; a difference is kept while some pair that has it
    is. The pair that is hardest to bet against is the likeliest one, so that the constrained fit of the score interval
    answers the question. Narrower than two sequences at half the error each.

    References
    ----------
    Robbins, H. (1970). Statistical methods related to the law of the iterated logarithm. Ann. Math. Stat. 41,
    1397-1409.
    Turner, R. J. & Grünwald, P. D. (2023). Exact anytime-valid confidence intervals for contingency tables and beyond.
    Stat. Probab. Lett. 198, 109835.

    Examples
    --------
    >>> interval = confidence_sequence_difference(36, 60, 21, 60)
    >>> round(interval.low, 3), round(interval.high, 3)
    (-0.083, 0.547)
    """
    checked(x1, n1)
    checked(x0, n0)
    if min(prior) <= 0:
        raise BadCounts(f"prior {prior}; both parameters must be positive.")
    total = n1 + n0
    if n1 == 0 or n0 == 0:
        return Interval.undefined(level=level, method=ANYTIME, estimand=estimand, n=total, judgments=total)
    counts = [np.array([count], dtype=float) for count in (x1, n1, x0, n0)]
    staked = sum(_evidence(yes, n, prior) for yes, n in ((x1, n1), (x0, n0))) + math.log1p(-level)

    def won(difference: float) -> float:
        p1, p0 = given_difference(counts[0], counts[1], counts[2], counts[3], difference)
        return staked - _log_likelihood(x1, n1, float(p1[0])) - _log_likelihood(x0, n0, float(p0[0]))

    estimate = x1 / n1 - x0 / n0
    low, high = (
        end if won(end) <= 0 else float(optimize.brentq(won, estimate, end, xtol=1e-13)) for end in (-1.0, 1.0)
    )
    return Interval(estimate, low, high, level, ANYTIME, estimand, total, total)


def _mixture_limits(yes: int, n: int, prior: tuple[float, float], bound: float) -> tuple[float, float]:
    evidence = _evidence(yes, n, prior)

    def won(share: float) -> float:
        """Log wealth of the mixture against a share, beyond what excludes it."""
        return evidence - _log_likelihood(yes, n, share) - bound

    share = yes / n
    low = float(optimize.brentq(won, math.ulp(0.0), share, xtol=1e-15)) if yes else 0.0
    high = float(optimize.brentq(won, share, 1 - 2**-53, xtol=1e-15)) if yes < n else 1.0
    return low, high


def _evidence(yes: int, n: int, prior: tuple[float, float]) -> float:
    """Log probability of the answers in their order, mixed over the prior."""
    return float(betaln(prior[0] + yes, prior[1] + n - yes) - betaln(*prior))


def _log_likelihood(yes: int, n: int, share: float) -> float:
    return float(xlogy(yes, share) + xlog1py(n - yes, -share))


def _finite_limits(yes: int, n: int, population: int, prior: tuple[float, float], bound: float) -> tuple[float, float]:
    counts = np.arange(yes, population - (n - yes) + 1)
    before = _log_beta_binomial(counts, population, *prior)
    after = _log_beta_binomial(counts - yes, population - n, prior[0] + yes, prior[1] + n - yes)
    kept = counts[before - after < bound]
    return float(kept[0]) / population, float(kept[-1]) / population


def _log_beta_binomial(counts: npt.NDArray[np.int64], total: int, a: float, b: float) -> Array:
    choose = gammaln(total + 1.0) - gammaln(counts + 1.0) - gammaln(total - counts + 1.0)
    return np.asarray(choose + betaln(counts + a, total - counts + b) - betaln(a, b))
