"""What models of single answers are fitted to: the answers about two arms, and whether they have a finite estimate."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

PANEL, GENERALISING = "panel", "generalising"
LEAST_RATERS = 3  # that can stand for others
MOST_ANSWERS = 5_000_000
SEPARATED = "every answer about one of the arms is the same: the odds ratio has no finite estimate"
UNANIMOUS = "raters never differ about a neuron: the spread between neurons has no upper end"
ONE_EACH = "one answer for each neuron: the spread of neurons cannot be seen, and raters' not beside it"
NO_CONTRAST = "no size has answers about both arms"
TOO_LARGE = f"more than {MOST_ANSWERS} answers: not fitted"


@dataclass(frozen=True, slots=True)
class Contrast:
    """The answers about two arms, in the sizes that have both, numbered anew from 0."""

    said: Floats  # (answers,)
    neuron: Codes  # (answers,)
    rater: Codes  # (answers,)
    treated: npt.NDArray[np.bool_]  # (neurons,)
    size: Codes  # (neurons,)
    raters: int
    sizes: int
    kept: float = 1.0  # share of pairs of size and rater that are in the model; in the others the arms cannot differ

    @property
    def neurons(self) -> int:
        return len(self.treated)


def contrast_of(
    said: Floats, neuron: Codes, rater: Codes, arm: Codes, size: Codes, *, treatment: int, baseline: int
) -> Contrast:
    """The answers about two arms in the sizes that have answers about both.

    Examples
    --------
    >>> one, two = np.zeros(3, dtype=int), np.array([0, 1, 2])
    >>> contrast_of(np.ones(3), two, one, np.array([5, 6, 7]), one, treatment=6, baseline=5).neurons
    2
    """
    answered = np.bincount(neuron, minlength=len(arm)) > 0
    sides = [set(size[answered & (arm == side)].tolist()) for side in (treatment, baseline)]
    kept = answered & np.isin(arm, [treatment, baseline]) & np.isin(size, sorted(sides[0] & sides[1]))
    mine = kept[neuron]
    places = np.cumsum(kept) - 1
    raters, rater_codes = np.unique(rater[mine], return_inverse=True)
    sizes, size_codes = np.unique(size[kept], return_inverse=True)
    return Contrast(
        said=said[mine],
        neuron=places[neuron[mine]],
        rater=rater_codes.astype(np.int64),
        treated=arm[kept] == treatment,
        size=size_codes.astype(np.int64),
        raters=len(raters),
        sizes=len(sizes),
    )


def too_few(raters: int) -> str:
    """Why raters are not taken for a sample."""
    return f"too few raters to stand for others: {raters}; it takes {LEAST_RATERS}"


def why_no_estimate(data: Contrast, question: str) -> str:
    """Why there is no finite estimate; empty when nothing speaks against a fit."""
    if not data.neurons:
        return NO_CONTRAST
    if len(data.said) > MOST_ANSWERS:
        return TOO_LARGE
    if question == GENERALISING and data.raters < LEAST_RATERS:
        return too_few(data.raters)
    for side in (True, False):
        answers = data.said[data.treated[data.neuron] == side]
        if answers.min() == answers.max():
            return SEPARATED
    yes, all_ = np.bincount(data.neuron, data.said), np.bincount(data.neuron)
    if all_.max() == 1:
        return ONE_EACH if question == GENERALISING else ""
    return UNANIMOUS if bool(np.all((yes == 0) | (yes == all_))) else ""


def informative(data: Contrast) -> Contrast:
    """Without raters and sizes whose answers are all alike: their effects are infinite and silent about the arm.

    `kept` of the result says which share of pairs of size and rater is left.
    """
    now, pairs = data, data.raters * data.sizes
    while True:
        alike_raters = _alike(now.rater, now.said, now.raters)
        alike_sizes = _alike(now.size[now.neuron], now.said, now.sizes)
        keep = ~(alike_raters[now.rater] | alike_sizes[now.size[now.neuron]])
        if keep.all() or not keep.any():
            break
        arm = now.treated.astype(np.int64)
        now = contrast_of(now.said[keep], now.neuron[keep], now.rater[keep], arm, now.size, treatment=1, baseline=0)
    return replace(now, kept=now.raters * now.sizes / pairs)


def _alike(code: Codes, said: Floats, many: int) -> npt.NDArray[np.bool_]:
    yes, answers = np.bincount(code, said, many), np.bincount(code, minlength=many)
    return (yes == 0) | (yes == answers)
