"""Likelihood of a logistic model whose neurons have random intercepts, by adaptive Gauss-Hermite quadrature.

Each neuron is one integral over one dimension; all neurons of a block are taken at once. Value, gradient and Hessian
come from the same nodes, so that Newton's method needs a handful of evaluations whatever the number of answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg
from scipy.special import expit, logsumexp

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

BLOCK = 1_500_000  # nodes times answers held at once
SCORES = 4_000_000  # nodes times neurons times parameters held at once
NEWTON_STEPS = 60
NEAR_MODE = 1e-3  # in widths of the integrand; Newton's next step would be the square of it
NEAR = 1e-3
CONVERGED = 1e-9  # expected gain in log likelihood at which Newton stops
LIGHT = 1e-8  # damping that does not shorten a step
FARTHEST = 15.0  # on the logit scale: an estimate beyond has no finite value


class NotFitted(ArithmeticError):
    """The likelihood has no highest point that could be found."""


@dataclass(frozen=True, slots=True)
class _Block:
    """Some neurons and their answers, in the order of the neurons."""

    neurons: slice
    starts: Codes  # (n,) first answer of each neuron
    row: Codes  # (a,) neuron of each answer, counted within the block
    said: Floats  # (a,)
    cell: Codes  # (a,) counted within `cells`
    cells: Codes  # those of all cells that occur here
    design: Floats  # (n, k)


class NeuronModel:
    """Answers of `logit P(yes) = design[neuron] @ beta + effect[cell] + sd * u[neuron]`, with u standard normal.

    Parameters
    ----------
    said : ndarray of float, shape (answers,)
        0 or 1.
    neuron, cell : ndarray of int, shape (answers,)
        Codes from 0. A cell is what an effect of its own belongs to: a rater, or a rater in an arm. Every neuron has an
        answer.
    design : ndarray of float, shape (neurons, k)
        What is known of each neuron; k may be 0.
    points : int
        Of the quadrature, at least 3: value and derivatives belong together to the quadrature's error only.

    Notes
    -----
    Parameters are laid out as `[beta (k), effect (cells), sd]`.

    References
    ----------
    Liu, Q. & Pierce, D. A. (1994). A note on Gauss-Hermite quadrature. Biometrika 81, 624-629.
    Pinheiro, J. C. & Chao, E. C. (2006). Efficient Laplacian and adaptive Gaussian quadrature algorithms for multilevel
    generalized linear mixed models. J. Comput. Graph. Stat. 15, 58-81.
    """

    def __init__(self, said: Floats, neuron: Codes, cell: Codes, design: Floats, *, points: int) -> None:
        self.neurons, self.columns = design.shape
        self.cells = int(cell.max()) + 1 if len(cell) else 0
        self.parameters = self.columns + self.cells + 1
        nodes, weights = np.polynomial.hermite.hermgauss(points)
        self._nodes, self._log_weights = nodes, np.log(weights) + nodes**2
        order = np.argsort(neuron, kind="stable")
        most = max(1, SCORES // (points * self.parameters))
        self._blocks = list(_blocks(said[order], neuron[order], cell[order], design, BLOCK // points, most))
        self._modes = np.zeros(self.neurons)  # of each neuron's integrand; kept between evaluations as starting values

    def evaluate(self, theta: Floats) -> tuple[float, Floats, Floats]:
        """Log likelihood, its gradient, and the observed information (the negative Hessian) at `theta`."""
        value, gradient = 0.0, np.zeros(self.parameters)
        information = np.zeros((self.parameters, self.parameters))
        for block in self._blocks:
            where = np.concatenate([np.arange(self.columns), self.columns + block.cells, [self.parameters - 1]]).astype(
                np.int64
            )
            part = self._block(block, theta)
            value += part[0]
            gradient[where] += part[1]
            information[np.ix_(where, where)] += part[2]
        return value, gradient, information

    def _block(self, block: _Block, theta: Floats) -> tuple[float, Floats, Floats]:
        fixed, effects, sd = theta[: self.columns], theta[self.columns : -1], float(theta[-1])
        base = (block.design @ fixed)[block.row] + effects[block.cells][block.cell]
        modes, curvature = _modes(block, base, sd, self._modes[block.neurons])
        self._modes[block.neurons] = modes
        width = np.sqrt(2.0 / curvature)
        at = modes + width * self._nodes[:, None]  # (points, n): values of u
        eta = base + sd * at[:, block.row]
        chance = expit(eta)
        # log P(said) = said * eta - log(1 + exp(eta)), without overflow
        fits = block.said * eta - np.maximum(eta, 0.0) - np.log1p(np.exp(-np.abs(eta)))
        logs = np.add.reduceat(fits, block.starts, axis=1) - at**2 / 2 + self._log_weights[:, None]
        whole = logsumexp(logs, axis=0)
        value = float((whole + np.log(width)).sum()) - len(modes) * 0.5 * np.log(2 * np.pi)
        weights = np.exp(logs - whole)  # of the nodes, given the neuron's answers
        gradient, second = _scores(block, at, chance, weights)
        return value, gradient, _complete_information(block, at, chance, weights) - second


def _blocks(
    said: Floats, neuron: Codes, cell: Codes, design: Floats, answers_most: int, neurons_most: int
) -> Iterator[_Block]:
    """Neurons cut into blocks of so many answers and neurons at most (but one neuron at least)."""
    counts = np.bincount(neuron, minlength=len(design))
    ends = np.cumsum(counts)
    begin = 0
    while begin < len(design):
        first = int(ends[begin] - counts[begin])
        end = max(begin + 1, int(np.searchsorted(ends, first + answers_most, side="right")))
        end = min(end, begin + neurons_most)
        answers = slice(first, int(ends[end - 1]))
        cells, local = np.unique(cell[answers], return_inverse=True)
        yield _Block(
            neurons=slice(begin, end),
            starts=(ends[begin:end] - counts[begin:end] - first).astype(np.int64),
            row=(neuron[answers] - begin).astype(np.int64),
            said=said[answers],
            cell=local.astype(np.int64),
            cells=cells.astype(np.int64),
            design=design[begin:end],
        )
        begin = end


def _modes(block: _Block, base: Floats, sd: float, start: Floats) -> tuple[Floats, Floats]:
    """Highest point of each neuron's integrand and the curvature there: Newton, kept inside a shrinking bracket."""
    counts = np.diff(np.append(block.starts, len(block.said)))
    high = abs(sd) * counts + 1e-9
    low, u = -high, np.clip(start, -high, high)
    for _ in range(NEWTON_STEPS):
        chance = expit(base + sd * u[block.row])
        slope = sd * np.add.reduceat(block.said - chance, block.starts) - u
        curvature = 1.0 + sd**2 * np.add.reduceat(chance * (1 - chance), block.starts)
        low, high = np.where(slope > 0, u, low), np.where(slope < 0, u, high)
        following = u + slope / curvature
        outside = (following <= low) | (following >= high)
        following = np.where(outside & (slope != 0), (low + high) / 2, following)
        moved = float((np.abs(following - u) * np.sqrt(curvature)).max())
        u = following
        if moved < NEAR_MODE:
            break
    return u, curvature


def _scores(block: _Block, at: Floats, chance: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Gradient, and the sum over neurons of the covariance of their scores over u."""
    neurons, cells, columns = len(block.starts), len(block.cells), block.design.shape[1]
    places = block.row * cells + block.cell
    spread = np.zeros((columns + cells + 1, columns + cells + 1))
    scores = np.empty((len(at), neurons, columns + cells + 1))
    for node in range(len(at)):
        missed = block.said - chance[node]
        together = np.add.reduceat(missed, block.starts)
        scores[node, :, :columns] = block.design * together[:, None]
        scores[node, :, columns:-1] = np.bincount(places, missed, neurons * cells).reshape(neurons, cells)
        scores[node, :, -1] = at[node] * together
    mean = np.einsum("qn,qnp->np", weights, scores)
    scores -= mean
    scores *= np.sqrt(weights)[:, :, None]
    flat = scores.reshape(-1, columns + cells + 1)
    spread += flat.T @ flat
    return mean.sum(axis=0), spread


def _complete_information(block: _Block, at: Floats, chance: Floats, weights: Floats) -> Floats:
    """Expected information if u were known, averaged over u given the answers."""
    neurons, cells, columns = len(block.starts), len(block.cells), block.design.shape[1]
    spread = chance * (1 - chance) * weights[:, block.row]
    plain = spread.sum(axis=0)
    spread *= at[:, block.row]
    by_u = spread.sum(axis=0)
    spread *= at[:, block.row]
    by_u_squared = float(spread.sum())
    per_neuron, per_neuron_u = np.add.reduceat(plain, block.starts), np.add.reduceat(by_u, block.starts)
    table = np.bincount(block.row * cells + block.cell, plain, neurons * cells).reshape(neurons, cells)
    whole = np.zeros((columns + cells + 1, columns + cells + 1))
    whole[:columns, :columns] = block.design.T @ (block.design * per_neuron[:, None])
    whole[:columns, columns:-1] = block.design.T @ table
    whole[:columns, -1] = block.design.T @ per_neuron_u
    whole[columns:-1, columns:-1] = np.diag(table.sum(axis=0))
    whole[columns:-1, -1] = np.bincount(block.cell, by_u, cells)
    whole[-1, -1] = by_u_squared
    return np.triu(whole) + np.triu(whole, 1).T


def maximise(model: NeuronModel, start: Floats, free: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Maximum likelihood by Newton's method with Levenberg's damping.

    Parameters
    ----------
    start : ndarray of float, shape (parameters,)
    free : ndarray of bool, shape (parameters,)
        Which parameters may move.

    Returns
    -------
    theta : ndarray of float, shape (parameters,)
        With the standard deviation made positive.
    information : ndarray of float, shape (parameters, parameters)
        At `theta`, but for the last step, which is too small to matter.

    Raises
    ------
    NotFitted
        When a parameter runs off (separation) or no step gains anything.
    """
    theta, damping = start.copy(), LIGHT
    value, gradient, information = model.evaluate(theta)
    for _ in range(NEWTON_STEPS):
        step = np.zeros_like(theta)
        step[free] = _solve(information[np.ix_(free, free)], gradient[free], damping)
        gain = float(gradient @ step) / 2
        trial = theta + np.clip(step, -3.0, 3.0)
        if gain < CONVERGED and damping <= LIGHT:
            return _positive(trial, information)
        new = model.evaluate(trial)
        # So near the top rounding and quadrature hide whether the likelihood has risen.
        if new[0] >= value or gain < NEAR:
            theta, (value, gradient, information) = trial, new
            damping = max(damping / 10, LIGHT)
        elif damping > 1e6:
            break
        else:
            damping *= 100
        if np.abs(theta).max() > FARTHEST:
            raise NotFitted("an effect has no finite estimate: answers are all alike in a part of the data")
    raise NotFitted("the highest likelihood was not found")


def _positive(theta: Floats, information: Floats) -> tuple[Floats, Floats]:
    """The same fit with a positive standard deviation: u and -u are as likely."""
    if theta[-1] >= 0:
        return theta, information
    sign = np.ones(len(theta))
    sign[-1] = -1.0
    return theta * sign, information * sign[:, None] * sign[None, :]


def _solve(information: Floats, gradient: Floats, damping: float) -> Floats:
    scale = np.diag(np.maximum(np.abs(np.diag(information)), 1e-6))
    while True:
        try:
            return linalg.cho_solve(linalg.cho_factor(information + damping * scale), gradient)
        except linalg.LinAlgError:
            damping = max(damping * 10, 1e-4)
