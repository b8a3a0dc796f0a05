"""Logistic models with a random effect for every neuron: raters as they are (panel), or as a sample (generalising)."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import linalg, stats
from scipy.special import expit

from analysis.stats.model_answers import (
    GENERALISING,
    PANEL,
    Contrast,
    contrast_of,
    informative,
    why_no_estimate,
)
from analysis.stats.pooled_raters import RatersDrawn, raters_drawn
from analysis.stats.quadrature import NeuronModel, NotFitted, maximise
from analysis.stats.results import UNDEFINED, Interval

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

FINE, USUAL, COARSE = 25, 15, 7  # quadrature points
FEW_ANSWERS, MANY_ANSWERS = 20_000, 200_000
DENSE = 20  # answers per neuron from which few points are exact enough: each neuron's integrand is nearly normal
MARGINAL_POINTS = 80
WIDEST = 10.0  # standard error on the logit scale that still says something
NO_SPREAD = 1e-3  # a standard deviation that Newton drove to 0
ENDLESS = "the model's odds have no end: the answers part almost perfectly"
APART = "the arms were judged by different raters: arm and rater cannot be told apart"


@dataclass(frozen=True, slots=True)
class CrossedLogistic:
    """Effect of an arm in a logistic model with neurons that differ, and how much they and raters do.

    Parameters
    ----------
    log_odds_ratio : Interval
        For one neuron and one rater, treatment against baseline; natural logarithm.
    marginal_difference : Interval
        The same effect as a difference of shares, the random effects integrated out, in [-1, 1].
    neuron_sd : Interval
        Of neurons on the logit scale.
    rater_sd, rater_arm_sd : Interval or None
        Of raters, and of raters within an arm, on the logit scale; None where raters are fixed.
    """

    log_odds_ratio: Interval
    marginal_difference: Interval
    neuron_sd: Interval
    rater_sd: Interval | None = None
    rater_arm_sd: Interval | None = None

    @property
    def odds_ratio(self) -> Interval:
        """The effect as people read it: how many times the odds of a yes are those with the baseline."""
        log = self.log_odds_ratio
        estimate, low, high = (float(np.exp(value)) for value in (log.estimate, log.low, log.high))
        words = log.estimand.replace(LOG_ODDS, ODDS, 1)
        return replace(log, estimate=estimate, low=low, high=high, estimand=words, se=UNDEFINED)


@dataclass(frozen=True, slots=True)
class _Frame:
    """What every result of one fit carries."""

    level: float
    method: str
    estimand: str
    n: int
    judgments: int

    def interval(self, estimate: float, low: float, high: float, what: str) -> Interval:
        said = f"{what}; {self.estimand}" if self.estimand else what
        return Interval(estimate, low, high, self.level, self.method, said, self.n, self.judgments)

    def wald(self, estimate: float, error: float, quantile: float, what: str) -> Interval:
        """Limits a quantile of standard errors away."""
        half = quantile * error
        return replace(self.interval(estimate, estimate - half, estimate + half, what), se=error)

    def share(self, estimate: float, error: float, quantile: float) -> Interval:
        """The same for a difference of shares."""
        plain = self.wald(estimate, error, quantile, DIFFERENCE)
        return replace(plain, low=max(-1.0, plain.low), high=min(1.0, plain.high))

    def refused(self, why: str, what: str) -> Interval:
        said = f"{what}; {self.estimand}" if self.estimand else what
        return Interval(
            UNDEFINED, UNDEFINED, UNDEFINED, self.level, self.method, said, self.n, self.judgments, refused=why
        )


ODDS = "odds ratio for one neuron and one rater"
LOG_ODDS = "log odds ratio for one neuron and one rater"
DIFFERENCE = "difference of shares, random effects integrated out, equal weight for each size"
NEURON_SD = "standard deviation of neurons on the logit scale"
RATER_SD = "standard deviation of raters on the logit scale"
RATER_ARM_SD = "standard deviation of raters within an arm on the logit scale"


def crossed_logistic(
    *,
    said: npt.ArrayLike,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    arm: npt.ArrayLike,
    size: npt.ArrayLike,
    treatment: int,
    baseline: int,
    question: str = PANEL,
    level: float = 0.95,
    estimand: str = "",
    points: int = 0,
) -> CrossedLogistic:
    """Logistic mixed model of yes and no: arm, size, raters, and a random intercept for every neuron.

    Parameters
    ----------
    said : array_like, shape (answers,)
        0 or 1.
    neuron, rater : array_like of int, shape (answers,)
        Codes from 0.
    arm, size : array_like of int, shape (neurons,)
        Codes. Only the two arms and the sizes that have both are used.
    treatment, baseline : int
        Codes of the arms; the log odds ratio is positive where the treatment gets more yes.
    question : {"panel", "generalising"}
        Panel: raters are fixed effects. Generalising: raters, and raters within an arm, are random effects too; this is
        an approximation that needs at least 3 raters.
    level : float
        Confidence level in (0, 1).
    estimand : str
        The question answered, carried into the results.
    points : int
        Of the quadrature over neurons. 0: 25 up to 20,000 answers, 15 beyond, and 7 where there are more than 200,000
        answers and 20 or more for each neuron.

    Returns
    -------
    CrossedLogistic
        Refused, with the reason, where the model has no finite estimate.

    Notes
    -----
    Sizes and arms add up on the logit scale. A rater or a size with only one kind of answer has an infinite effect in
    the panel model: it leaves the fit, which is the exact limit, and counts with a difference of 0 in the marginal
    difference. With one answer for each neuron the neurons' spread cannot be seen: the model is then ordinary logistic
    regression.

    Panel: Wald intervals on the normal distribution; coverage 94 to 96 % for 2 to 5 raters. Generalising: restricted
    likelihood for the raters' standard deviations (`analysis.stats.pooled_raters`), Student's t with Hillis's degrees
    of freedom; with few raters it covers less than it says, so that `analysis.stats.mrmc` comes first.

    References
    ----------
    Breslow, N. E. & Clayton, D. G. (1993). Approximate inference in generalized linear mixed models. JASA 88, 9-25.
    Zeger, S. L., Liang, K.-Y. & Albert, P. S. (1988). Models for longitudinal data: a generalized estimating equation
    approach. Biometrics 44, 1049-1060 (marginal against conditional effects).

    Examples
    --------
    >>> said = [1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0] * 5
    >>> fit = crossed_logistic(said=said, neuron=np.repeat(np.arange(30), 2), rater=[0, 1] * 30,
    ...                        arm=[1, 1, 1, 0, 0, 0] * 5, size=[0] * 30, treatment=1, baseline=0)
    >>> fit.log_odds_ratio.estimate > 0, fit.rater_sd is None
    (True, True)
    """
    codes = [np.asarray(values, dtype=np.int64) for values in (neuron, rater, arm, size)]
    data = contrast_of(np.asarray(said, dtype=float), *codes, treatment=treatment, baseline=baseline)
    points = points or _points(data)
    frame = _Frame(level, _method(question, points), estimand, data.neurons, len(data.said))
    why = why_no_estimate(data, question)
    if why:
        return _nothing(frame, question, why)
    try:
        return _panel(data, frame, points) if question == PANEL else _generalising(data, frame, points)
    except NotFitted as error:
        return _nothing(frame, question, str(error))


def _points(data: Contrast) -> int:
    answers = len(data.said)
    if answers <= FEW_ANSWERS:
        return FINE
    return COARSE if answers > MANY_ANSWERS and answers >= DENSE * data.neurons else USUAL


def _method(question: str, points: int) -> str:
    if question == PANEL:
        return f"logistic mixed model, raters fixed, neurons random, {points}-point adaptive quadrature"
    return (
        "approximate: logistic mixed model, neurons, raters and raters within an arm random, "
        f"{points}-point adaptive quadrature over neurons, Laplace approximation over raters"
    )


def _nothing(frame: _Frame, question: str, why: str) -> CrossedLogistic:
    return CrossedLogistic(
        *(frame.refused(why, what) for what in (LOG_ODDS, DIFFERENCE, NEURON_SD)),
        *(frame.refused(why, what) for what in (RATER_SD, RATER_ARM_SD) if question == GENERALISING),
    )


def _size_columns(data: Contrast) -> Floats:
    """One column for each size but the first."""
    return (data.size[:, None] == np.arange(1, data.sizes)[None, :]).astype(float)


def _start(data: Contrast, cell: Codes, columns: int) -> Floats:
    """Smoothed logits of the cells, no other effects, and a spread of 1."""
    yes, answers = np.bincount(cell, data.said), np.bincount(cell)
    return np.concatenate([np.zeros(columns), np.log((yes + 0.5) / (answers - yes + 0.5)), [1.0]])


def _panel(data: Contrast, frame: _Frame, points: int) -> CrossedLogistic:
    told = informative(data)
    why = why_no_estimate(told, PANEL)
    if why:
        return _nothing(frame, PANEL, why)
    theta, covariance, seen = _panel_fit(told, points)
    quantile = float(stats.norm.ppf((1 + frame.level) / 2))
    difference, slope = _panel_difference(theta, told)
    return CrossedLogistic(
        frame.wald(float(theta[0]), float(covariance[0, 0]) ** 0.5, quantile, LOG_ODDS),
        frame.share(difference, float(slope @ covariance @ slope) ** 0.5, quantile),
        _sd_interval(frame, float(theta[-1]), float(covariance[-1, -1]) ** 0.5, quantile)
        if seen
        else frame.refused("one answer for each neuron: their spread cannot be seen", NEURON_SD),
    )


def _panel_fit(data: Contrast, points: int) -> tuple[Floats, Floats, bool]:
    """Estimates `[arm, sizes, raters, sd]`, their covariance, and whether the neurons' spread can be seen."""
    seen = bool(np.bincount(data.neuron).max() > 1)
    design = np.column_stack([data.treated.astype(float), _size_columns(data)])
    model = NeuronModel(data.said, data.neuron, data.rater, design, points=points if seen else 1)
    start, free = _start(data, data.rater, design.shape[1]), np.ones(model.parameters, dtype=bool)
    if not seen:
        start[-1], free[-1] = 0.0, False
    theta, information = maximise(model, start, free)
    if theta[-1] < NO_SPREAD:
        free[-1] = False
    covariance = np.zeros_like(information)
    block = information[np.ix_(free, free)]
    inverse = linalg.pinvh(block)
    if abs(float((block @ inverse)[0, 0]) - 1) > 1e-6:
        raise NotFitted(APART)
    if float(inverse[0, 0]) > WIDEST**2:
        raise NotFitted(ENDLESS)
    covariance[np.ix_(free, free)] = inverse
    if seen and not free[-1]:
        covariance[-1, -1] = 1 / max(float(information[-1, -1]), 1e-12)
    return theta, covariance, seen


def _sd_interval(frame: _Frame, sd: float, error: float, quantile: float) -> Interval:
    """Wald limits on the log scale; from 0 where the estimate is 0."""
    if sd < NO_SPREAD:
        return frame.interval(0.0, 0.0, quantile * error, NEURON_SD)
    factor = float(np.exp(min(quantile * error / sd, 50.0)))
    return frame.interval(sd, sd / factor, sd * factor, NEURON_SD)


def _panel_difference(theta: Floats, data: Contrast) -> tuple[float, Floats]:
    """Mean over sizes and raters of the difference of shares, and its gradient."""
    sizes, raters = data.sizes, data.raters
    effects = np.concatenate([[0.0], theta[1:sizes]])[:, None] + theta[sizes:-1][None, :]
    upper, lower = marginal_share(effects + theta[0], theta[-1]), marginal_share(effects, theta[-1])
    by_effect = upper[1] - lower[1]
    slope = np.concatenate(
        [
            [upper[1].sum()],
            by_effect.sum(axis=1)[1:],
            by_effect.sum(axis=0),
            [(upper[2] - lower[2]).sum()],
        ]
    )
    weight = data.kept / (sizes * raters)
    return float((upper[0] - lower[0]).sum()) * weight, slope * weight


def marginal_share(logit: Floats, sd: float | Floats) -> tuple[Floats, Floats, Floats]:
    """Share of yes over neurons spread normally, with its derivatives by `logit` and by `sd`.

    Examples
    --------
    >>> share, slope, _ = marginal_share(np.array([1.0]), 2.0)  # scipy.integrate.quad: 0.647726, 0.140498
    >>> round(float(share[0]), 4), round(float(slope[0]), 3)
    (0.6477, 0.14)
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(MARGINAL_POINTS)
    weights = weights / weights.sum()
    share = expit(logit[..., None] + np.asarray(sd)[..., None] * nodes)
    steep = share * (1 - share)
    return share @ weights, steep @ weights, steep @ (weights * nodes)


def _generalising(data: Contrast, frame: _Frame, points: int) -> CrossedLogistic:
    arm = data.treated.astype(np.int64)
    order = np.argsort(arm, kind="stable")  # so that a block of neurons is of one arm and touches half of the cells
    place = np.argsort(order, kind="stable")
    pairs, cell = np.unique(arm[data.neuron] * data.raters + data.rater, return_inverse=True)
    design = _size_columns(data)[order]
    model = NeuronModel(data.said, place[data.neuron], cell.astype(np.int64), design, points=points)
    start = _start(data, cell.astype(np.int64), design.shape[1])
    fit = raters_drawn(model, start, rater=pairs % data.raters, treated=pairs >= data.raters, level=frame.level)
    if fit.effect_error > WIDEST:
        raise NotFitted(ENDLESS)
    quantile = float(stats.t.ppf((1 + frame.level) / 2, fit.df))
    difference, error = _drawn_difference(fit, data.sizes)
    return CrossedLogistic(
        frame.wald(fit.effect, fit.effect_error, quantile, LOG_ODDS),
        frame.share(difference, error, quantile),
        _sd_interval(frame, fit.neuron_sd, fit.neuron_sd_error, float(stats.norm.ppf((1 + frame.level) / 2))),
        frame.interval(fit.rater_sd, *fit.rater_sd_limits, RATER_SD),
        frame.interval(fit.rater_arm_sd, *fit.rater_arm_sd_limits, RATER_ARM_SD),
    )


def _drawn_difference(fit: RatersDrawn, sizes: int) -> tuple[float, float]:
    """Mean over sizes of the difference of shares over new neurons and new raters, and its standard error."""
    columns = sizes - 1
    effects = fit.fixed[columns] + np.concatenate([[0.0], fit.fixed[:columns]])
    spread = float(np.sqrt(fit.neuron_sd**2 + fit.rater_sd**2 + fit.rater_arm_sd**2))
    upper, lower = marginal_share(effects + fit.effect, spread), marginal_share(effects, spread)
    by_effect = upper[1] - lower[1]
    by_sd = (upper[2] - lower[2]).sum() * (fit.neuron_sd / spread if spread > 0 else 0.0)
    slope = np.concatenate([by_effect[1:], [by_effect.sum(), upper[1].sum(), by_sd]]) / sizes
    return float((upper[0] - lower[0]).mean()), float(slope @ fit.covariance @ slope) ** 0.5
