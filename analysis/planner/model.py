"""The model that planned studies are drawn from: logits with random neurons and raters.

Notes
-----
logit P(yes) = m(arm) + neuron + rater + rater in this arm, all three normal with mean 0 and independent. m(arm) is
chosen so that the share of yes over neurons and raters is the expected fraction. How neurons are given to raters is
simplified: raters take turns, so every rater judges nearly equally many neurons of an arm.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import expit

from analysis.planner.assumptions import Assumptions

NODES = 61  # of the quadrature: exact far beyond what is printed for spreads up to 6 logits

Array = npt.NDArray[np.float64]


@lru_cache(maxsize=1)
def _normal() -> tuple[Array, Array]:
    """Nodes and weights that integrate over a standard normal variable (Gauss and Hermite)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return nodes, weights / weights.sum()


def mean_share(centre: float | Array, sd: float) -> Array:
    """Mean of expit(centre + sd * Z) over standard normal Z, for each centre.

    Examples
    --------
    >>> float(mean_share(0.0, 2.0).round(6))
    0.5
    """
    nodes, weights = _normal()
    shares: Array = expit(np.asarray(centre, dtype=float)[..., None] + sd * nodes) @ weights
    return shares


@lru_cache(maxsize=256)
def centre_of(fraction: float, sd: float) -> float:
    """The logit at which the mean share is `fraction`.

    Examples
    --------
    >>> round(float(mean_share(centre_of(0.35, 1.5), 1.5)), 6)
    0.35
    """
    return float(brentq(lambda centre: float(mean_share(centre, sd)) - fraction, -60.0, 60.0, xtol=1e-10))


def centres(assumed: Assumptions) -> Array:
    """m of each arm: float64 (arms,)."""
    sd = float(np.sqrt(assumed.neuron_sd**2 + assumed.rater_sd**2 + assumed.rater_arm_sd**2))
    return np.array([centre_of(fraction, sd) for _, fraction in assumed.fractions])


def implied_agreement(assumed: Assumptions) -> tuple[float, ...]:
    """Chance that two raters say the same of a neuron, for each arm: helps to choose the standard deviations.

    Examples
    --------
    >>> alike = Assumptions(neuron_sd=6.0, rater_sd=0.0, rater_arm_sd=0.0)
    >>> min(implied_agreement(alike)) > 0.85
    True
    """
    nodes, weights = _normal()
    rater_sd = float(np.hypot(assumed.rater_sd, assumed.rater_arm_sd))
    found = []
    for centre in centres(assumed):
        yes = mean_share(centre + assumed.neuron_sd * nodes, rater_sd)
        found.append(float((yes**2 + (1 - yes) ** 2) @ weights))
    return tuple(found)
