"""Intervals of many simulated studies at once: the platform's, and those that the field would reach for."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis.stats.limits import NO_VARIANCE, effective_sizes, hybrid_limits, score_limits
from analysis.stats.mrmc import BEHRENS_FISHER, HILLIS, WELCH, Spread, difference_limits, fraction_limits
from benchmarks.coverage_studies import Arm, Array, Cell, draw

PANEL, GENERALISING = "panel", "generalising"
LEVEL = 0.95
Z = float(stats.norm.ppf((1 + LEVEL) / 2))
NAIVE, BOOTSTRAP, STUDENT, CLUSTER = "naive pooled", "bootstrap", "cluster, Student's t", "cluster Wilson, Newcombe"
# What the platform prints, by question.
OURS = {PANEL: CLUSTER, GENERALISING: WELCH}
METHODS = {PANEL: (NAIVE, BOOTSTRAP, STUDENT, CLUSTER), GENERALISING: (NAIVE, BOOTSTRAP, HILLIS, BEHRENS_FISHER, WELCH)}
RESAMPLES = 500

Limits = tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one method did on one quantity in some studies."""

    question: str
    method: str
    quantity: str  # "difference", or the fraction in percent
    studies: int
    covered: int
    width: float  # summed over studies


def outcomes(cell: Cell, arms: tuple[Arm, Arm]) -> Iterator[Outcome]:
    """Everything but the bootstraps: fractions of both arms and the second minus the first."""
    sums = [_sums(arm) for arm in arms]
    answers = cell.neurons * cell.raters
    naive = [(share, *score_limits(share, answers, Z)) for share, _ in sums]
    panels = {
        NAIVE: naive,
        STUDENT: [_student(cell, share, variance) for share, variance in sums],
        CLUSTER: [_cluster(cell, share, variance) for share, variance in sums],
    }
    if cell.raters == 1:  # plain Wilson under all names
        panels[STUDENT] = naive
    for method, pair in panels.items():
        yield from _scored(PANEL, method, arms, [limits[1:] for limits in pair], hybrid_limits(pair[1], pair[0]))
    if cell.raters == 1:
        return
    yield from _scored(GENERALISING, NAIVE, arms, [one[1:] for one in naive], hybrid_limits(naive[1], naive[0]))
    spreads = [complete_spread(arm) for arm in arms]
    between = complete_spread_of_difference(arms)
    shares = [share for share, _ in sums]
    for method in (HILLIS, BEHRENS_FISHER, WELCH):
        single = [
            fraction_limits(share, spread, cell.neurons, cell.neurons * cell.raters, LEVEL, method)
            for share, spread in zip(shares, spreads, strict=True)
        ]
        double = difference_limits(shares[1] - shares[0], between, LEVEL, method)
        yield from _scored(GENERALISING, method, arms, single, double)


def bootstraps(cell: Cell, arms: tuple[Arm, Arm], generator: np.random.Generator) -> Iterator[Outcome]:
    """Percentile bootstrap of neurons (panel question), and of neurons and raters (generalising question).

    All studies share the same resampled neurons and raters, which changes no study's interval in distribution.
    """
    chosen = generator.multinomial(cell.raters, np.full(cell.raters, 1 / cell.raters), RESAMPLES) / cell.raters
    means = [_resampled(cell, arm, generator) for arm in arms]  # (studies, raters, resamples)
    everybody = np.full((RESAMPLES, cell.raters), 1 / cell.raters)
    for question, raters in ((PANEL, everybody), (GENERALISING, chosen)):
        if question == GENERALISING and cell.raters == 1:
            continue
        pair = [np.einsum("srb,br->sb", mean, raters) for mean in means]
        limits = [_percentiles(values) for values in (*pair, pair[1] - pair[0])]
        yield from _scored(question, BOOTSTRAP, arms, limits[:2], limits[2])


def complete_spread(arm: Arm) -> Spread:
    """Variance parts of a fraction from the sums of a complete table; as `analysis.stats.mrmc_parts`, for many."""
    rater, neuron = _parts(arm)
    return Spread(rater.var(axis=1, ddof=1) / rater.shape[1], neuron, float(rater.shape[1] - 1))


def complete_spread_of_difference(arms: tuple[Arm, Arm]) -> Spread:
    """The same for the second arm minus the first."""
    (first, first_part), (second, second_part) = (_parts(arm) for arm in arms)
    raters = first.shape[1]
    return Spread((second - first).var(axis=1, ddof=1) / raters, first_part + second_part, float(raters - 1))


def fingerprint() -> str:
    """Changes when, and only when, some interval or the simulated studies change."""
    told = hashlib.sha256()
    for cell in (
        Cell(3, 20, 0.1, 0.4, "strong, by arm"),
        Cell(5, 20, 0.35, 0.6, "none"),
        Cell(1, 20, 0.9, 0.97, "none"),
    ):
        arms = draw(cell, np.random.default_rng(1), 400, keep=True)
        for outcome in (*outcomes(cell, arms), *bootstraps(cell, arms, np.random.default_rng(2))):
            told.update(f"{outcome.method} {outcome.quantity} {outcome.covered} {outcome.width:.6f}\n".encode())
    return told.hexdigest()[:12]


def _sums(arm: Arm) -> tuple[Array, Array]:
    """Mean over neurons and its sampling variance."""
    raters, neurons = arm.rater_yes.shape[1], arm.neuron_yes.shape[1]
    share = arm.rater_yes.sum(axis=1) / (neurons * raters)
    if raters == 1:
        return share, share * (1 - share) / neurons
    squares = np.einsum("sn,sn->s", arm.neuron_yes, arm.neuron_yes, dtype=float) / raters**2
    return share, np.maximum(squares - neurons * share**2, 0.0) / (neurons - 1) / neurons


def _parts(arm: Arm) -> tuple[Array, Array]:
    """Each rater's share of yes, (studies, raters), and the neuron part of the variance of their mean."""
    raters, neurons = arm.rater_yes.shape[1], arm.neuron_yes.shape[1]
    own = arm.rater_yes / neurons
    total = arm.rater_yes.sum(axis=1).astype(float)
    correction = total**2 / (neurons * raters)
    of_neurons = np.einsum("sn,sn->s", arm.neuron_yes, arm.neuron_yes, dtype=float) / raters - correction
    of_raters = (arm.rater_yes.astype(float) ** 2).sum(axis=1) / neurons - correction
    rest = (total - correction - of_neurons - of_raters) / ((neurons - 1) * (raters - 1))
    return own, np.maximum(of_neurons / (neurons - 1) - rest, 0.0) / (raters * neurons)


def _student(cell: Cell, share: Array, variance: Array) -> tuple[Array, Array, Array]:
    """Korn and Graubard: the effective size as it is found, and Student's t on the neurons."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.clip(share * (1 - share) / variance, 1.0, cell.neurons * cell.raters)
    size = np.where(variance < NO_VARIANCE, float(cell.neurons), size)
    return (share, *score_limits(share, size, float(stats.t.ppf((1 + LEVEL) / 2, cell.neurons - 1))))


def _cluster(cell: Cell, share: Array, variance: Array) -> tuple[Array, Array, Array]:
    size = effective_sizes(share, variance, cell.neurons, cell.neurons * cell.raters)
    return (share, *score_limits(share, size, Z))


def _resampled(cell: Cell, arm: Arm, generator: np.random.Generator) -> Array:
    weights = generator.multinomial(cell.neurons, np.full(cell.neurons, 1 / cell.neurons), RESAMPLES)
    flat = arm.said.reshape(-1, cell.neurons).astype(np.float32) @ (weights.T / cell.neurons).astype(np.float32)
    return flat.reshape(-1, cell.raters, RESAMPLES)


def _percentiles(values: Array) -> Limits:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    return low, high


def _scored(
    question: str, method: str, arms: tuple[Arm, Arm], single: list[Limits], double: Limits
) -> Iterator[Outcome]:
    truths = [arm.panel if question == PANEL else np.full(len(arm.panel), arm.fraction) for arm in arms]
    for limits, truth, arm in zip(single, truths, arms, strict=True):
        yield _outcome(question, method, f"{100 * arm.fraction:.0f}", limits, truth)
    yield _outcome(question, method, "difference", double, truths[1] - truths[0])


def _outcome(question: str, method: str, quantity: str, limits: Limits, truth: Array) -> Outcome:
    low, high = limits
    # Equality up to rounding covers: a truth of exactly 0 between equal arms, or a limit at 0 or 1.
    covered = (low <= truth + 1e-12) & (truth <= high + 1e-12)
    return Outcome(question, method, quantity, len(truth), int(covered.sum()), float((high - low).sum()))
