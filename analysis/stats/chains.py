"""Have chains of random draws settled, and how many independent draws are they worth?"""

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]


def split_r_hat(draws: Floats) -> float:
    """Rank-normalised split R-hat: spread between halves of chains against that within; 1 where they agree.

    Parameters
    ----------
    draws : ndarray of float, shape (chains, draws)
        At least 4 draws a chain.

    Returns
    -------
    float
        The larger one of that for the place and that for the spread of the draws; infinite where chains stand still
        at different places, 1 where all draws are the same.

    References
    ----------
    Vehtari, A., Gelman, A., Simpson, D., Carpenter, B. & Bürkner, P.-C. (2021). Rank-normalization, folding, and
    localization: an improved R-hat for assessing convergence of MCMC. Bayesian Anal. 16, 667-718.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> bool(split_r_hat(rng.normal(size=(4, 500))) < 1.01)
    True
    >>> bool(split_r_hat(rng.normal(size=(4, 500)) + np.arange(4)[:, None]) > 1.5)
    True
    """
    folded = np.abs(draws - np.median(draws))
    return max(_r_hat(_ranked(_split(draws))), _r_hat(_ranked(_split(folded))))


def effective_draws(draws: Floats) -> float:
    """Bulk effective sample size: independent draws that tell the middle as well as these.

    Parameters
    ----------
    draws : ndarray of float, shape (chains, draws)
        At least 8 draws a chain.

    Returns
    -------
    float
        Above 0; at most draws times log10(draws), as draws that alternate are worth more than independent ones.

    References
    ----------
    Geyer, C. J. (1992). Practical Markov chain Monte Carlo. Stat. Sci. 7, 473-483. Vehtari et al. (2021), as above.

    Examples
    --------
    >>> bool(abs(effective_draws(np.random.default_rng(1).normal(size=(4, 1000))) / 4000 - 1) < 0.1)
    True
    """
    ranked = _ranked(_split(draws))
    chains, length = ranked.shape
    total = chains * length
    covariance = _autocovariance(ranked)
    within = float(covariance[:, 0].mean()) * length / (length - 1)
    spread = within * (length - 1) / length + float(ranked.mean(axis=1).var(ddof=1))
    if spread <= 0:
        return float(total)
    correlation = 1 - (within - covariance.mean(axis=0) * length / (length - 1)) / spread
    correlation[0] = 1.0
    pairs = correlation[: length // 2 * 2].reshape(-1, 2).sum(axis=1)
    ends = np.flatnonzero(pairs < 0)
    kept = np.minimum.accumulate(pairs[: ends[0]] if len(ends) else pairs)
    worth = max(2 * float(kept.sum()) - 1, 1 / np.log10(total))
    return total / worth


def _split(draws: Floats) -> Floats:
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, -half:]])


def _ranked(draws: Floats) -> Floats:
    """Normal scores of the ranks over all chains."""
    ranks = stats.rankdata(draws).reshape(draws.shape)
    return stats.norm.ppf((ranks - 0.375) / (draws.size + 0.25))


def _r_hat(chains: Floats) -> float:
    length = chains.shape[1]
    within, between = float(chains.var(axis=1, ddof=1).mean()), float(chains.mean(axis=1).var(ddof=1))
    if within <= 0:
        return 1.0 if between <= 0 else float("inf")
    return float(np.sqrt((length - 1) / length + between / within))


def _autocovariance(chains: Floats) -> Floats:
    """Of each chain at every lag, divided by the length."""
    length = chains.shape[1]
    spectrum = np.fft.rfft(chains - chains.mean(axis=1, keepdims=True), 2 * length, axis=1)
    return np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, :length] / length
