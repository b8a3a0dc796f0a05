"""Bayesian crossed logistic model: neurons, raters and raters within an arm as samples; a second sensitivity line."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from analysis.stats.chains import effective_draws, split_r_hat
from analysis.stats.gibbs import CrossedData, Priors, Sampler
from analysis.stats.mixed import DIFFERENCE, LOG_ODDS, NEURON_SD, RATER_ARM_SD, RATER_SD, marginal_share
from analysis.stats.model_answers import GENERALISING, Contrast, contrast_of, why_no_estimate
from analysis.stats.results import UNDEFINED, Interval

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

CHAINS = 4
WARM_UP = 300
ROUND = 500  # draws of each chain between two looks at the diagnostics
MOST_ROUNDS = 6
GOOD_R_HAT = 1.02
GOOD_DRAWS = 400.0
NAMES = (LOG_ODDS, DIFFERENCE, NEURON_SD, RATER_SD, RATER_ARM_SD)


@dataclass(frozen=True, slots=True)
class BayesianLogistic:
    """Posterior medians with equal-tailed intervals, and whether the chains can be trusted.

    Parameters
    ----------
    log_odds_ratio, marginal_difference, neuron_sd, rater_sd, rater_arm_sd : Interval
        As in `analysis.stats.mixed.CrossedLogistic`; refused where chains did not settle.
    r_hat, effective_draws : float
        The worst of the five quantities; NaN where nothing was drawn.
    draws : int
        Kept, of all chains together.
    """

    log_odds_ratio: Interval
    marginal_difference: Interval
    neuron_sd: Interval
    rater_sd: Interval
    rater_arm_sd: Interval
    r_hat: float
    effective_draws: float
    draws: int

    @property
    def odds_ratio(self) -> Interval:
        """The effect as people read it."""
        log = self.log_odds_ratio
        estimate, low, high = (float(np.exp(value)) for value in (log.estimate, log.low, log.high))
        words = log.estimand.replace("log odds", "odds", 1)
        return replace(log, estimate=estimate, low=low, high=high, estimand=words)


def bayesian_logistic(
    *,
    said: npt.ArrayLike,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    arm: npt.ArrayLike,
    size: npt.ArrayLike,
    treatment: int,
    baseline: int,
    generator: np.random.Generator,
    level: float = 0.95,
    estimand: str = "",
    priors: Priors | None = None,
    most_rounds: int = MOST_ROUNDS,
) -> BayesianLogistic:
    """Posterior of the effect of an arm, for new neurons and new raters.

    Parameters
    ----------
    said, neuron, rater, arm, size, treatment, baseline, level, estimand
        As in `analysis.stats.mixed.crossed_logistic`.
    generator : numpy.random.Generator
        Of the chains.
    priors : Priors, optional
        Weakly informative by default; stated in the method.
    most_rounds : int
        Of 500 draws for each of four chains; rounds are added until the diagnostics are good.

    Returns
    -------
    BayesianLogistic
        Refused, with the reason, with fewer than 3 raters, where an arm has one kind of answer only (the prior alone
        would decide), and where split R-hat is above 1.02 or fewer than 400 effective draws came together.

    Notes
    -----
    Takes about 1 millisecond for each sweep of four chains and 1,000 answers: seconds for a study of the usual size.

    Examples
    --------
    >>> said = [1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0, 1] * 10
    >>> fit = bayesian_logistic(said=said, neuron=np.repeat(np.arange(40), 3), rater=[0, 1, 2] * 40,
    ...                         arm=[1, 1, 0, 0] * 10, size=[0] * 40, treatment=1, baseline=0,
    ...                         generator=np.random.default_rng(1))
    >>> fit.log_odds_ratio.low < fit.log_odds_ratio.estimate < fit.log_odds_ratio.high
    True
    """
    codes = [np.asarray(values, dtype=np.int64) for values in (neuron, rater, arm, size)]
    data = contrast_of(np.asarray(said, dtype=float), *codes, treatment=treatment, baseline=baseline)
    priors = priors or Priors()
    method = f"Bayesian logistic mixed model, neurons, raters and raters within an arm random, {priors}"
    blank = Interval(UNDEFINED, UNDEFINED, UNDEFINED, level, method, estimand, data.neurons, len(data.said))
    why = why_no_estimate(data, GENERALISING)
    if why:
        return _told([replace(blank, refused=why)] * len(NAMES), UNDEFINED, UNDEFINED, 0)
    draws, r_hat, worth = _drawn(data, priors, generator, most_rounds)
    made = f"; {draws.shape[1] * CHAINS} draws of {CHAINS} chains, split R-hat {r_hat:.3f}, effective draws {worth:.0f}"
    blank = replace(blank, method=method + made)
    if r_hat > GOOD_R_HAT or worth < GOOD_DRAWS:
        bad = f"the chains did not settle: split R-hat {r_hat:.3f}, {worth:.0f} effective draws"
        return _told([replace(blank, refused=bad)] * len(NAMES), r_hat, worth, draws.shape[1] * CHAINS)
    tails = [(1 - level) / 2, 0.5, (1 + level) / 2]
    limits = [np.quantile(draws[:, :, place], tails) for place in range(len(NAMES))]
    made_ = [replace(blank, estimate=float(mid), low=float(low), high=float(high)) for low, mid, high in limits]
    return _told(made_, r_hat, worth, draws.shape[1] * CHAINS)


def _told(intervals: list[Interval], r_hat: float, worth: float, draws: int) -> BayesianLogistic:
    named = [
        replace(interval, estimand=f"{name}; {interval.estimand}" if interval.estimand else name)
        for name, interval in zip(NAMES, intervals, strict=True)
    ]
    odds, difference, neuron, rater, rater_arm = named
    return BayesianLogistic(odds, difference, neuron, rater, rater_arm, r_hat, worth, draws)


def _drawn(
    data: Contrast, priors: Priors, generator: np.random.Generator, most_rounds: int
) -> tuple[Floats, float, float]:
    """Draws of the five quantities, shape (chains, draws, 5), with the worst R-hat and effective size among them."""
    counted = counted_by_pair(data)
    sampler = Sampler(counted, priors, chains=CHAINS, generator=generator)
    for _ in range(WARM_UP):
        sampler.sweep()
    kept = np.zeros((CHAINS, 0, len(NAMES)))
    for _ in range(most_rounds):
        kept = np.concatenate([kept, _round(sampler, data.sizes)], axis=1)
        r_hat = max(split_r_hat(kept[:, :, place]) for place in range(len(NAMES)))
        worth = min(effective_draws(kept[:, :, place]) for place in range(len(NAMES)))
        if r_hat <= GOOD_R_HAT and worth >= GOOD_DRAWS:
            break
    return kept, r_hat, worth


def counted_by_pair(data: Contrast) -> CrossedData:
    """Answers counted by neuron and rater, as the sampler takes them."""
    cells, cell = np.unique(data.treated[data.neuron] * data.raters + data.rater, return_inverse=True)
    pairs, pair = np.unique(data.neuron * len(cells) + cell, return_inverse=True)
    return CrossedData(
        yes=np.bincount(pair, data.said).astype(np.float64)[None, :],
        answers=np.bincount(pair).astype(float),
        neuron=pairs // len(cells),
        cell=pairs % len(cells),
        design=(data.size[:, None] == np.arange(1, data.sizes)[None, :]).astype(float),
        rater=cells % data.raters,
        treated=cells >= data.raters,
    )


def _round(sampler: Sampler, sizes: int) -> Floats:
    effects, sds = [], []
    for _ in range(ROUND):
        sampler.sweep()
        effects.append(sampler.effects[:, : sizes + 1])
        sds.append(sampler.sds)
    return quantities(np.stack(effects, axis=1), np.stack(sds, axis=1))


def quantities(effects: Floats, sds: Floats) -> Floats:
    """Log odds ratio, marginal difference and standard deviations of draws.

    Parameters
    ----------
    effects : ndarray of float, shape (…, sizes + 1)
        `[sizes but the first, intercept, arm]`.
    sds : ndarray of float, shape (…, 3)
        Of neurons, raters, and raters within an arm.
    """
    arm, spread = effects[..., -1:], np.sqrt((sds**2).sum(axis=-1, keepdims=True))
    base = effects[..., -2:-1] + np.concatenate([np.zeros_like(arm), effects[..., :-2]], axis=-1)
    upper, lower = marginal_share(base + arm, spread)[0], marginal_share(base, spread)[0]
    return np.concatenate([arm, (upper - lower).mean(axis=-1, keepdims=True), sds], axis=-1)
