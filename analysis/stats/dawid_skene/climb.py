"""Expectation maximisation of the latent class model, with leaps, from one start."""

from dataclasses import dataclass

import numpy as np
from scipy import special
from scipy.optimize import linear_sum_assignment

from analysis.stats.dawid_skene.answers import Answers, Codes, Floats

Parameters = tuple[Floats, Floats]  # shares of the classes by group, and error rates
TOLERANCE = 1e-10  # of the log-likelihood, and of every parameter:
SETTLED = 1e-8
MOST_ITERATIONS, FEWEST_ALLOWED = 20_000, 600
MOST_WORK = 1_000_000_000  # answers read in all iterations of one start


@dataclass(frozen=True, slots=True)
class Fit:
    prevalence: Floats  # (groups, classes)
    rates: Floats  # (raters, classes, categories)
    posterior: Floats  # (patterns, classes)
    likelihood: float
    iterations: int
    converged: bool


def climbed(data: Answers, posterior: Floats) -> Fit:
    """Expectation and maximisation in turn until neither the likelihood nor any parameter moves.

    After every two steps a leap in their direction (SQUAREM), which is taken back where it would lead down.
    """
    here, converged, steps = _maximised(data, posterior), False, 0
    most = min(MOST_ITERATIONS, max(FEWEST_ALLOWED, MOST_WORK // data.answers.nnz))
    while not converged and steps < most:
        once, before = _stepped(data, here)
        twice, after = _stepped(data, once)
        converged = after - before <= TOLERANCE * max(1.0, abs(after)) and _moved(once, twice) < SETTLED
        beyond, there = _stepped(data, _leapt(here, once, twice))
        here, steps = (beyond if there >= after and not converged else twice), steps + 3
    posterior, likelihood = _expected(data, *here)
    order = _named(data, here[1])
    return Fit(here[0][:, order], here[1][:, order], posterior[:, order], likelihood, steps, converged)


def _stepped(data: Answers, parameters: Parameters) -> tuple[Parameters, float]:
    """One step from some parameters, and their likelihood."""
    posterior, likelihood = _expected(data, *parameters)
    return _maximised(data, posterior), likelihood


def _moved(one: Parameters, other: Parameters) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(one, other, strict=True))


def _leapt(here: Parameters, once: Parameters, twice: Parameters) -> Parameters:
    """As far as the change of two steps promises, and back among the probabilities."""
    first = [b - a for a, b in zip(here, once, strict=True)]
    turn = [c - b - step for b, c, step in zip(once, twice, first, strict=True)]
    size, bend = (sum(float((part**2).sum()) for part in parts) for parts in (first, turn))
    length = max(1.0, (size / bend) ** 0.5) if bend > 0 else 1.0
    leaps = [a + 2 * length * step + length**2 * more for a, step, more in zip(here, first, turn, strict=True)]
    prevalence, rates = (np.clip(leap, 0.0, 1.0) for leap in leaps)
    whole = np.maximum(prevalence.sum(axis=-1, keepdims=True), np.finfo(float).tiny)  # 0 in a group without neurons
    return prevalence / whole, rates / rates.sum(axis=-1, keepdims=True)


def _maximised(data: Answers, posterior: Floats) -> tuple[Floats, Floats]:
    weighted = posterior * data.often[:, None]
    classes = data.categories
    sums = np.stack([np.bincount(data.group, weighted[:, code], len(data.neurons)) for code in range(classes)], axis=1)
    prevalence = sums / np.maximum(data.neurons, 1)[:, None]
    counts = (data.answers.T @ weighted).reshape(data.raters, data.categories, classes).transpose(0, 2, 1)
    total = counts.sum(axis=2, keepdims=True)
    rates = np.where(total > 0, counts / np.where(total > 0, total, 1), 1 / data.categories)
    return prevalence, rates


def _expected(data: Answers, prevalence: Floats, rates: Floats) -> tuple[Floats, float]:
    tiny = np.finfo(float).tiny
    by_column = np.log(np.maximum(rates, tiny)).transpose(0, 2, 1).reshape(-1, data.categories)
    joint = data.answers @ by_column + np.log(np.maximum(prevalence, tiny))[data.group]
    whole = special.logsumexp(joint, axis=1, keepdims=True)
    return np.exp(joint - whole), float(data.often @ whole[:, 0])


def _named(data: Answers, rates: Floats) -> Codes:
    """Classes in the order in which they go best with the categories: a mirrored solution is turned round."""
    answers = np.bincount(
        np.arange(data.answers.shape[1]) // data.categories, weights=data.often @ data.answers, minlength=data.raters
    )
    pooled = np.einsum("r,rck->ck", answers, rates)
    return np.asarray(linear_sum_assignment(-pooled.T)[1])
