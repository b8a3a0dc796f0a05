"""Draws from the posterior of a crossed logistic model, by Pólya-Gamma data augmentation.

Given the augmenting variables everything but the three standard deviations is normal. These are drawn with as much
integrated out as there are closed forms for, so that chains do not creep where an effect is nearly 0. All chains take
their steps together, as one more axis; they may even have different answers, which is how the sampler is tested.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from polyagamma import random_polyagamma

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
STEPS = (0.15, 0.5, 1.2)  # of random walks of logarithms of standard deviations, one after the other
SMALLEST, LARGEST = 1e-4, 30.0  # standard deviations are drawn between these


@dataclass(frozen=True, slots=True)
class Priors:
    """Weakly informative on the logit scale, where 1 is a large effect.

    Parameters
    ----------
    intercept, effect : float
        Standard deviations of normal priors: of the intercept, and of the arm and of sizes.
    neuron, rater, rater_arm : float
        Scales of half-normal priors of standard deviations.
    """

    intercept: float = 2.5
    effect: float = 2.5
    neuron: float = 2.5
    rater: float = 1.0
    rater_arm: float = 0.5

    def __str__(self) -> str:
        return (
            f"priors: intercept normal(0, {self.intercept:g}), arm and sizes normal(0, {self.effect:g}), standard "
            f"deviations half-normal: neurons {self.neuron:g}, raters {self.rater:g}, raters within an arm "
            f"{self.rater_arm:g}"
        )


@dataclass(frozen=True, slots=True)
class CrossedData:
    """Answers counted by neuron and rater.

    Parameters
    ----------
    yes, answers : ndarray of float, shape (chains or 1, pairs) and (pairs,)
        Yes answers and all answers of each pair of neuron and rater that has any.
    neuron, cell : ndarray of int, shape (pairs,)
        A cell is a rater within an arm.
    design : ndarray of float, shape (neurons, columns)
        Sizes, without a constant.
    rater, treated : ndarray, shape (cells,)
        Which rater each cell belongs to, and whether it is of the treatment.
    """

    yes: Floats
    answers: Floats
    neuron: Codes
    cell: Codes
    design: Floats
    rater: Codes
    treated: npt.NDArray[np.bool_]

    @property
    def layout(self) -> Floats:
        """Columns and cells from `[sizes, intercept, arm, raters, raters within arms]`."""
        columns, cells, raters = self.design.shape[1], len(self.rater), int(self.rater.max()) + 1
        layout = np.zeros((columns + cells, columns + 2 + raters + cells))
        layout[:columns, :columns] = np.eye(columns)
        rows = columns + np.arange(cells)
        layout[rows, columns] = 1.0
        layout[rows, columns + 1] = self.treated
        layout[rows, columns + 2 + self.rater] = 1.0
        layout[rows, columns + 2 + raters + np.arange(cells)] = 1.0
        return layout


class Sampler:
    """Chains that share a design.

    Parameters
    ----------
    data : CrossedData
    priors : Priors
    chains : int
    generator : numpy.random.Generator

    References
    ----------
    Polson, N. G., Scott, J. G. & Windle, J. (2013). Bayesian inference for logistic models using Pólya-Gamma latent
    variables. JASA 108, 1339-1349.
    van Dyk, D. A. & Park, T. (2008). Partially collapsed Gibbs samplers. JASA 103, 790-796.
    """

    def __init__(self, data: CrossedData, priors: Priors, *, chains: int, generator: np.random.Generator) -> None:
        self.data, self.chains, self._random = data, chains, generator
        self._layout, self._neurons = data.layout, len(data.design)
        self._columns, self._cells = data.design.shape[1], len(data.rater)
        raters = int(data.rater.max()) + 1
        self._fixed = np.array([priors.effect] * self._columns + [priors.intercept, priors.effect])
        self._kinds = np.repeat([0, 1, 2], [len(self._fixed), raters, self._cells])
        self._scales = np.array([priors.neuron, priors.rater, priors.rater_arm])
        offset = np.arange(chains)[:, None]
        self._at_neuron = (offset * self._neurons + data.neuron).ravel()
        self._at_cell = (offset * self._cells + data.cell).ravel()
        self._at_both = ((offset * self._neurons + data.neuron) * self._cells + data.cell).ravel()
        self._pull = np.broadcast_to(data.yes - data.answers / 2, (chains, len(data.neuron)))
        self._start()

    def _start(self) -> None:
        """Chains begin apart from each other."""
        self.sds = np.exp(self._random.normal(-0.5, 0.7, (self.chains, 3))) * self._scales / 2
        self.effects = self._random.normal(0, 0.5, (self.chains, len(self._kinds)))
        self._neuron_effects = self._random.normal(0, 1, (self.chains, self._neurons))

    def sweep(self) -> None:
        """One step of every chain: augmenting variables, raters' spreads, effects, neurons' spread, neurons."""
        weight = self._weights()
        by_neuron = self._sums(self._at_neuron, weight, self._neurons)
        pulled = self._sums(self._at_neuron, self._pull, self._neurons)
        curvature, pull = self._quadratic(weight, by_neuron, pulled)
        for step in STEPS:
            self._walk_raters(curvature, pull, step)
        self.effects = self._draw_effects(curvature, pull)
        left = pulled - self._sums(self._at_neuron, weight * self._logits(), self._neurons)
        for step in STEPS:
            self._walk_neurons(by_neuron, left, step)
        precision = by_neuron + 1 / self.sds[:, :1] ** 2
        noise = self._random.standard_normal(left.shape)
        self._neuron_effects = left / precision + noise / np.sqrt(precision)

    def _sums(self, where: Codes, weight: Floats, many: int) -> Floats:
        return np.bincount(where, weight.ravel(), self.chains * many).astype(np.float64).reshape(self.chains, many)

    def _logits(self) -> Floats:
        """Of each pair, without the neurons' effects."""
        parts = self.effects @ self._layout.T
        return (parts[:, : self._columns] @ self.data.design.T)[:, self.data.neuron] + parts[:, self._columns :][
            :, self.data.cell
        ]

    def _weights(self) -> Floats:
        logits = self._logits() + self._neuron_effects[:, self.data.neuron]
        answers = np.broadcast_to(self.data.answers, logits.shape)
        return random_polyagamma(answers.copy(), logits, random_state=self._random)

    def _quadratic(self, weight: Floats, by_neuron: Floats, pulled: Floats) -> tuple[Floats, Floats]:
        """Precision and linear term of all effects given the weights, the neurons' effects integrated out."""
        design, columns = self.data.design, self._columns
        table = np.bincount(self._at_both, weight.ravel(), self.chains * self._neurons * self._cells)
        table = table.reshape(self.chains, self._neurons, self._cells)
        both = np.concatenate([by_neuron[:, :, None] * design, table], axis=2)
        shrink = 1 / (by_neuron + 1 / self.sds[:, :1] ** 2)
        whole = -np.matmul((both * shrink[:, :, None]).transpose(0, 2, 1), both)
        whole[:, :columns, :columns] += np.matmul(design.T * by_neuron[:, None, :], design)
        across = np.matmul(design.T[None], table)
        whole[:, :columns, columns:] += across
        whole[:, columns:, :columns] += across.transpose(0, 2, 1)
        cells = columns + np.arange(self._cells)
        whole[:, cells, cells] += self._sums(self._at_cell, weight, self._cells)
        pull = np.concatenate([pulled @ design, self._sums(self._at_cell, self._pull, self._cells)], axis=1)
        pull -= np.einsum("cn,cnp->cp", shrink * pulled, both)
        return np.matmul(self._layout.T, np.matmul(whole, self._layout)), pull @ self._layout

    def _factor(self, curvature: Floats, pull: Floats, sds: Floats) -> tuple[Floats, Floats, Floats]:
        """Cholesky factor of the precision of effects in units of their priors, the solved pull, and the units."""
        units = np.concatenate([np.broadcast_to(self._fixed, (self.chains, len(self._fixed))),
                                sds[:, 1:][:, self._kinds[len(self._fixed) :] - 1]], axis=1)  # fmt: skip
        precision = curvature * units[:, :, None] * units[:, None, :] + np.eye(units.shape[1])
        lower = np.linalg.cholesky(precision)
        return lower, np.linalg.solve(lower, (pull * units)[:, :, None])[:, :, 0], units

    def _walk_raters(self, curvature: Floats, pull: Floats, step: float) -> None:
        """Standard deviations of raters, all effects integrated out."""
        proposed = self.sds.copy()
        proposed[:, 1:] *= np.exp(step * self._random.standard_normal((self.chains, 2)))
        gain = self._raters_height(curvature, pull, proposed) - self._raters_height(curvature, pull, self.sds)
        self._move(proposed, gain)

    def _raters_height(self, curvature: Floats, pull: Floats, sds: Floats) -> Floats:
        lower, solved, _ = self._factor(curvature, pull, sds)
        fit = (solved**2).sum(axis=1) / 2 - np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
        return fit + self._prior(sds)

    def _prior(self, sds: Floats) -> Floats:
        """Half-normal, of logarithms of standard deviations."""
        return (np.log(sds) - (sds / self._scales) ** 2 / 2).sum(axis=1)

    def _draw_effects(self, curvature: Floats, pull: Floats) -> Floats:
        lower, solved, units = self._factor(curvature, pull, self.sds)
        noise = self._random.standard_normal(solved.shape)
        return np.linalg.solve(lower.transpose(0, 2, 1), (solved + noise)[:, :, None])[:, :, 0] * units

    def _walk_neurons(self, by_neuron: Floats, left: Floats, step: float) -> None:
        """Standard deviation of neurons, their effects integrated out."""
        proposed = self.sds.copy()
        proposed[:, 0] *= np.exp(step * self._random.standard_normal(self.chains))
        gain = _neurons_height(by_neuron, left, proposed[:, :1]) - _neurons_height(by_neuron, left, self.sds[:, :1])
        self._move(proposed, gain + self._prior(proposed) - self._prior(self.sds))

    def _move(self, proposed: Floats, gain: Floats) -> None:
        inside = ((proposed > SMALLEST) & (proposed < LARGEST)).all(axis=1)
        taken = inside & (np.log(self._random.random(self.chains)) < gain)
        self.sds = np.where(taken[:, None], proposed, self.sds)


def _neurons_height(by_neuron: Floats, left: Floats, sd: Floats) -> Floats:
    variance = sd**2
    return (left**2 * variance / (1 + variance * by_neuron) - np.log1p(variance * by_neuron)).sum(axis=1) / 2
