"""Simulated studies whose true fractions are known: the grid of `benchmarks.coverage`, and how a study is drawn.

logit P(yes) = m(arm) + neuron + rater + rater in this arm, all normal and independent; neurons differ with a standard
deviation of 2 unless another is asked for (without differences between raters two of them then agree in 70 % of
neurons at a fraction of 50 %, kappa 0.4). m(arm) is chosen so that the share of yes over neurons and raters is the
fraction that the cell names. Every rater judges every neuron.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from analysis.planner.model import centre_of, mean_share

Array = npt.NDArray[np.float64]

RATERS = (1, 2, 3, 5, 10)
NEURONS = (20, 60, 300)  # in each arm
# Every tenth from 10 to 90 % stands in one of the two arms.
PAIRS = ((0.10, 0.10), (0.20, 0.40), (0.30, 0.70), (0.35, 0.60), (0.50, 0.50), (0.60, 0.80), (0.90, 0.97))
# Standard deviations of raters, and of raters in one arm, on the logit scale.
SPREADS = {
    "none": (0.0, 0.0),
    "moderate": (0.5, 0.0),
    "moderate, by arm": (0.5, 0.3),
    "strong": (1.0, 0.0),
    "strong, by arm": (1.0, 0.5),
}
NEURON_SD = 2.0
ANSWERS_AT_ONCE = 3_000_000  # of one rater and arm: bounds memory
LOGITS = np.linspace(-16.0, 16.0, 3201)


@dataclass(frozen=True, slots=True)
class Cell:
    """One kind of study.

    Parameters
    ----------
    raters, neurons : int
        Raters, all of whom judge all neurons, and neurons in each of two arms.
    first, second : float
        Fraction of yes over neurons and raters in the two arms.
    spread : str
        Key of `SPREADS`.
    neuron_sd : float
        Standard deviation of neurons on the logit scale.
    """

    raters: int
    neurons: int
    first: float
    second: float
    spread: str
    neuron_sd: float = NEURON_SD

    @property
    def name(self) -> str:
        pair = f"{self.first:.0%}-{self.second:.0%}".replace("%", "")
        return f"raters {self.raters}, neurons {self.neurons}, {pair} %, spread {self.spread}, SD {self.neuron_sd:g}"


@dataclass(frozen=True, slots=True)
class Arm:
    """Answers of one arm in many studies.

    Parameters
    ----------
    neuron_yes : ndarray of int, shape (studies, neurons)
        How many raters said yes.
    rater_yes : ndarray of int, shape (studies, raters)
        To how many neurons the rater said yes.
    panel : ndarray of float, shape (studies,)
        The share of yes that these raters would give to all neurons.
    fraction : float
        The share of yes that all raters would give to all neurons.
    said : ndarray of bool, shape (studies, raters, neurons)
        The answers, where they were asked to be kept; otherwise without raters.
    """

    neuron_yes: npt.NDArray[np.uint8]
    rater_yes: npt.NDArray[np.int64]
    panel: Array
    fraction: float
    said: npt.NDArray[np.bool_]


def grid(neuron_sd: float = NEURON_SD) -> Iterator[Cell]:
    """All cells, the small ones first."""
    for neurons, raters, (first, second), spread in product(NEURONS, RATERS, PAIRS, SPREADS):
        yield Cell(raters, neurons, first, second, spread, neuron_sd)


def draw(cell: Cell, generator: np.random.Generator, studies: int, *, keep: bool = False) -> tuple[Arm, Arm]:
    """Draw studies.

    Parameters
    ----------
    cell : Cell
    generator : numpy.random.Generator
    studies : int
        How many; `in_parts` says how many fit into memory.
    keep : bool
        Whether single answers are kept.

    Returns
    -------
    tuple of Arm
        The two arms; raters are the same in both.
    """
    rater_sd, by_arm_sd = SPREADS[cell.spread]
    total = float(np.sqrt(cell.neuron_sd**2 + rater_sd**2 + by_arm_sd**2))
    raters = rater_sd * generator.standard_normal((studies, cell.raters))
    arms = []
    for fraction in (cell.first, cell.second):
        own = centre_of(fraction, total) + raters + by_arm_sd * generator.standard_normal(raters.shape)
        arms.append(_arm(cell, generator, own, fraction, keep))
    return arms[0], arms[1]


def in_parts(cell: Cell, studies: int) -> Iterator[int]:
    """Numbers of studies that fit into memory and add up."""
    at_once = max(1, ANSWERS_AT_ONCE // cell.neurons)
    for start in range(0, studies, at_once):
        yield min(at_once, studies - start)


def _arm(cell: Cell, generator: np.random.Generator, own: Array, fraction: float, keep: bool) -> Arm:
    shape = (len(own), cell.neurons)
    panel = np.interp(own, LOGITS, mean_share(LOGITS, cell.neuron_sd)).mean(axis=1)
    # U < expit(neuron + rater) is U < odds (1 - U): products are many times faster than logistic functions.
    neurons = np.exp(cell.neuron_sd * generator.standard_normal(shape, dtype=np.float32))
    odds = np.exp(own).astype(np.float32)
    neuron_yes, rater_yes = np.zeros(shape, np.uint8), np.zeros(own.shape, np.int64)
    said = np.zeros((len(own), cell.raters if keep else 0, cell.neurons), bool)
    for rater in range(cell.raters):
        chance = generator.random(shape, dtype=np.float32)
        yes = chance < neurons * odds[:, rater, None] * (1 - chance)
        neuron_yes += yes
        rater_yes[:, rater] = yes.sum(axis=1)
        if keep:
            said[:, rater] = yes
    return Arm(neuron_yes, rater_yes, panel, fraction, said)
