"""Raters as a sample: random effects of raters and of raters within an arm, on top of a model of neurons."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg, optimize, stats

from analysis.stats.model_answers import LEAST_RATERS, too_few
from analysis.stats.quadrature import Floats, NeuronModel, NotFitted

ROUNDS = 40
SETTLED = 1e-6
LARGEST_SD = 10.0
NO_SD = 1e-3


@dataclass(frozen=True, slots=True)
class RatersDrawn:
    """A fit with raters as a sample.

    Parameters
    ----------
    fixed : ndarray of float
        `[beta (k), intercept, effect of the treatment, sd of neurons]`.
    covariance : ndarray of float
        Of `fixed`, given the raters' standard deviations.
    df : float
        Hillis's degrees of freedom of the effect; infinite where raters do not differ in it.
    """

    fixed: Floats
    covariance: Floats
    df: float
    rater_sd: float
    rater_arm_sd: float
    rater_sd_limits: tuple[float, float]
    rater_arm_sd_limits: tuple[float, float]

    @property
    def effect(self) -> float:
        return float(self.fixed[-2])

    @property
    def effect_error(self) -> float:
        return float(self.covariance[-2, -2]) ** 0.5

    @property
    def neuron_sd(self) -> float:
        return float(self.fixed[-1])

    @property
    def neuron_sd_error(self) -> float:
        return float(self.covariance[-1, -1]) ** 0.5


@dataclass(frozen=True, slots=True)
class _Quadratic:
    """The neurons' log likelihood near its height, in fixed effects (p) and scaled random effects (2 kinds)."""

    curvature: Floats  # (m, m)
    pull: Floats  # (m,)
    kinds: npt.NDArray[np.int64]  # (m,) 0 fixed, 1 rater, 2 rater within an arm

    def solve(self, sds: Floats) -> tuple[float, Floats, Floats]:
        """Restricted log likelihood of the raters' standard deviations, all effects, and their curvature.

        Random effects are divided by their standard deviations, so that 0 is an ordinary value of these.
        """
        scale = np.concatenate([[1.0], np.abs(sds)])[self.kinds]
        whole = self.curvature * scale[:, None] * scale[None, :]
        whole[np.diag_indices_from(whole)] += np.where(self.kinds > 0, 1.0, 1e-10)
        try:
            factor = linalg.cho_factor(whole, lower=True)
        except linalg.LinAlgError as error:
            raise NotFitted("the model cannot be told from a simpler one by these answers") from error
        pull = self.pull * scale
        effects = linalg.cho_solve(factor, pull)
        height = 0.5 * float(pull @ effects) - float(np.log(np.diag(factor[0])).sum())
        return height, effects * scale, whole

    def height(self, sds: Floats) -> float:
        return self.solve(sds)[0]


def raters_drawn(
    model: NeuronModel,
    start: Floats,
    *,
    rater: npt.NDArray[np.int64],
    treated: npt.NDArray[np.bool_],
    level: float,
) -> RatersDrawn:
    """Fit `effect[cell] = intercept + treatment + v[rater] + w[cell]` with normal v and w.

    Parameters
    ----------
    model : NeuronModel
        Its cells are the raters within arms.
    start : ndarray of float, shape (parameters,)
        Where to begin, without infinite values.
    rater, treated : ndarray, shape (cells,)
        Which rater each cell belongs to, and whether it is of the treatment.
    level : float
        Of the intervals of the standard deviations.

    Returns
    -------
    RatersDrawn

    Raises
    ------
    NotFitted
        With fewer than 3 raters, and when the iteration does not settle.

    Notes
    -----
    Neurons are integrated out by the model's quadrature, whose log likelihood is expanded to second order around the
    current effects; on that expansion the restricted likelihood of the two standard deviations is a small linear mixed
    model, and both are repeated until nothing moves. A cell has the answers of one rater about all neurons of one arm,
    so that the expansion is close where Laplace's over neurons with three answers would not be. Intervals of the
    standard deviations are profile likelihood ones; the effect's degrees of freedom are
    `(V / rater part)^2 (raters - 1)`.

    References
    ----------
    Breslow, N. E. & Clayton, D. G. (1993). JASA 88, 9-25.
    Patterson, H. D. & Thompson, R. (1971). Recovery of inter-block information when block sizes are unequal. Biometrika
    58, 545-554.
    Hillis, S. L. (2007). A comparison of denominator degrees of freedom methods for multiple observer ROC analysis.
    Stat. Med. 26, 596-619.
    """
    raters = int(rater.max()) + 1
    if raters < LEAST_RATERS:
        raise NotFitted(too_few(raters))
    layout = _layout(model, rater, treated, raters)
    kinds = np.repeat([0, 1, 2], [model.columns + 3, raters, model.cells])
    theta, sds = start.copy(), np.array([0.5, 0.5])
    for round_ in range(ROUNDS):
        _, gradient, information = model.evaluate(theta)
        information = _convex(information)
        near = _Quadratic(layout.T @ information @ layout, layout.T @ (gradient + information @ theta), kinds)
        if round_ > 1:  # first find the place, then ask how much raters differ there
            before, sds = sds, _highest(near.height, sds)
        _, effects, whole = near.solve(sds)
        step = layout @ effects - theta
        theta = theta + np.clip(step, -2.0, 2.0)
        if round_ > 1 and np.abs(step).max() < SETTLED and np.abs(sds - before).max() < 1e-4:
            return _result(near, sds, effects, whole, raters, level)
    raise NotFitted("the spread of the raters did not settle")


def _layout(model: NeuronModel, rater: npt.NDArray[np.int64], treated: npt.NDArray[np.bool_], raters: int) -> Floats:
    """Parameters of the model from `[beta, intercept, treatment, sd, v (raters), w (cells)]`."""
    columns, cells = model.columns, model.cells
    layout = np.zeros((model.parameters, columns + 3 + raters + cells))
    layout[:columns, :columns] = np.eye(columns)
    rows = columns + np.arange(cells)
    layout[rows, columns] = 1.0
    layout[rows, columns + 1] = treated
    layout[-1, columns + 2] = 1.0
    layout[rows, columns + 3 + rater] = 1.0
    layout[rows, columns + 3 + raters + np.arange(cells)] = 1.0
    return layout


def _convex(information: Floats) -> Floats:
    """Far from the height the likelihood may bend upwards in some direction; a step must not follow that."""
    values, vectors = linalg.eigh(information)
    return (vectors * np.maximum(values, 1e-8)) @ vectors.T


def _highest(height: Callable[[Floats], float], start: Floats) -> Floats:
    simplex = start + np.array([[0.0, 0.0], [0.2, 0.0], [0.0, 0.2]])
    found = optimize.minimize(
        lambda sds: -height(sds),
        start,
        method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 1e-6, "fatol": 1e-9, "maxiter": 400},
    )
    return np.minimum(np.abs(found.x), LARGEST_SD)


def _result(near: _Quadratic, sds: Floats, effects: Floats, whole: Floats, raters: int, level: float) -> RatersDrawn:
    fixed = near.kinds == 0
    covariance = linalg.inv(whole)[np.ix_(fixed, fixed)]
    estimates = effects[fixed].copy()
    estimates[-1] = abs(estimates[-1])
    sds = np.where(sds < NO_SD, 0.0, sds)
    part = 2 * float(sds[1]) ** 2 / raters
    df = (float(covariance[-2, -2]) / part) ** 2 * (raters - 1) if part > 0 else np.inf
    return RatersDrawn(
        fixed=estimates,
        covariance=covariance,
        df=df,
        rater_sd=float(sds[0]),
        rater_arm_sd=float(sds[1]),
        rater_sd_limits=_profile(near, sds, 0, level),
        rater_arm_sd_limits=_profile(near, sds, 1, level),
    )


def _profile(near: _Quadratic, sds: Floats, which: int, level: float) -> tuple[float, float]:
    """Where the likelihood, highest over the other standard deviation, has fallen by what chance allows."""
    bar = near.height(sds) - float(stats.chi2.ppf(level, 1)) / 2

    def above(value: float) -> float:
        def lower(other: float) -> float:
            pair = np.array([value, other] if which == 0 else [other, value])
            return -near.height(pair)

        found = optimize.minimize_scalar(lower, bounds=(0.0, LARGEST_SD), method="bounded", options={"xatol": 1e-3})
        return -float(found.fun) - bar

    at = float(sds[which])
    low = 0.0 if at == 0 or above(0.0) >= 0 else float(optimize.brentq(above, 0.0, at, xtol=1e-4))
    high = LARGEST_SD if above(LARGEST_SD) > 0 else float(optimize.brentq(above, at, LARGEST_SD, xtol=1e-4))
    return low, high
