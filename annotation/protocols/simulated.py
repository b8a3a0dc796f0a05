"""Planted rater behaviour: answers whose truth is known, to try the whole chain and check that the report finds it.

A simulated rater looks at no snippet. Every neuron gets a planted truth, and each rater answers by it with a small
error that is the same in both directions and in every arm.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from annotation.protocols.task import CANNOT, Shown, Task

DONT_KNOW = "dk"  # of a guess
Neuron = TypeVar("Neuron", bound=Hashable)
# Elhage et al. (2022), section 6.2: about 35 % and 60 % from 1 to 40 layers, LayerNorm alone "about halfway".
PAPER_SHARES = {"baseline": 0.35, "solu": 0.60, "ln_only": 0.47}
ERROR = 0.04


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How simulated raters answer.

    Attributes
    ----------
    shares : mapping of str to float
        Planted interpretable share per arm, 0 … 1; arms not named get `other_share`.
    error : float
        Chance that a rater takes an interpretable neuron for not interpretable, or the other way round, 0 … 0.5.
    cannot : float
        Chance of "cannot judge", 0 … 1.
    dont_know : float
        Chance of "don't know" when the arm is to be guessed, 0 … 1; other guesses are uniform: the blind holds.
    median_seconds, sigma : float
        Response times are lognormal: median in seconds and standard deviation of the logarithm.
    """

    shares: Mapping[str, float] = field(default_factory=lambda: dict(PAPER_SHARES))
    other_share: float = 0.5
    error: float = ERROR
    cannot: float = 0.02
    dont_know: float = 0.4
    median_seconds: float = 55.0
    sigma: float = 0.45

    def share(self, arm: str) -> float:
        return self.shares.get(arm, self.other_share)


def plant_truth(rng: np.random.Generator, neurons: Sequence[Neuron], share: float) -> dict[Neuron, bool]:
    """Choose exactly round(share × n) of n neurons to be interpretable.

    Parameters
    ----------
    rng : numpy.random.Generator
    neurons : sequence
        Different neurons of one arm.
    share : float
        0 … 1.

    Examples
    --------
    >>> truth = plant_truth(np.random.default_rng(1), range(60), 0.35)
    >>> sum(truth.values())
    21
    """
    chosen = set(rng.permutation(len(neurons))[: round(share * len(neurons))].tolist())
    return {neuron: index in chosen for index, neuron in enumerate(neurons)}


def simulated_answer(
    rng: np.random.Generator,
    task: Task,
    *,
    interpretable: bool,
    shown: Shown,
    truth: Mapping[str, Any],
    behaviour: Behaviour,
) -> dict[str, Any]:
    """One answer of one simulated rater, complete and accepted by the task's rules.

    Parameters
    ----------
    interpretable : bool
        The planted truth about the neuron.
    truth : mapping
        The right answers of the item, for tasks that have them.

    Returns
    -------
    dict
        What the rater's page sends: the task's fields, active_ms and wall_ms.
    """
    knows = interpretable != (rng.random() < behaviour.error)
    if task.asks_verdict and rng.random() < behaviour.cannot:
        answer: dict[str, Any] = {"verdict": CANNOT, "confidence": None}
    else:
        answer = task.simulated(rng, knows=knows, shown=shown, truth=truth)
    active_ms = int(1000 * behaviour.median_seconds * np.exp(behaviour.sigma * rng.standard_normal()))
    return answer | {"active_ms": active_ms, "wall_ms": int(active_ms * rng.uniform(1.0, 1.3))}


def simulated_guess(rng: np.random.Generator, choices: Sequence[str], behaviour: Behaviour) -> dict[str, Any]:
    """What a simulated rater says of the arm, who cannot tell.

    Examples
    --------
    >>> simulated_guess(np.random.default_rng(1), ["baseline", "solu"], Behaviour(dont_know=1.0))
    {'guess': 'dk'}
    """
    if rng.random() < behaviour.dont_know:
        return {"guess": DONT_KNOW}
    return {"guess": str(rng.choice(choices)), "certainty": str(rng.integers(1, 4))}
