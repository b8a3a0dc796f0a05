"""Does the difference between two arms depend on who judges?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.stats.panel import Panel
from analysis.stats.results import UNDEFINED, Test

METHOD = "Wald test on each rater's own difference with their covariance over neurons, Hotelling's F"
SAME_DIFFERENCE = "the difference between the arms is the same for every rater"
SINGULAR = 1e-10  # eigenvalues below this share of the largest are rounding

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RaterByArm:
    """Each rater's own difference between two arms, and whether these differ.

    Parameters
    ----------
    raters : ndarray of int, shape (raters,)
        Codes of those who answered in both arms of every size; the others are left out.
    difference, error : ndarray of float, shape (raters,)
        Share of yes in the treatment less that in the baseline, mean over sizes; and its standard error over neurons.
    spread : float
        Estimated standard deviation of the differences that the raters would have with endless neurons; 0 where they
        differ no more than the neurons explain. NaN for fewer than two raters.
    test : Test
        That the differences are all the same.
    """

    raters: Codes
    difference: Floats
    error: Floats
    spread: float
    test: Test


def rater_by_arm(
    *,
    said: npt.ArrayLike,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    arm: npt.ArrayLike,
    size: npt.ArrayLike,
    treatment: int,
    baseline: int,
) -> RaterByArm:
    """Compare raters by the difference that each of them finds between two arms.

    Parameters
    ----------
    said : array_like of int, shape (answers,)
        1 yes, 0 no.
    neuron, rater : array_like of int, shape (answers,)
        Codes from 0. A rater answers once about a neuron.
    arm, size : array_like of int, shape (neurons,)
        Codes. Sizes in which one of the two arms has no answer stay out.
    treatment, baseline : int
        Codes of the arms; the second is subtracted.

    Returns
    -------
    RaterByArm
        The test is undefined with fewer than two raters, with too few neurons for so many raters, when all raters
        answer alike, and when raters who differ do so on every neuron without an exception.

    Notes
    -----
    The raters judge the same neurons, so their differences move together; a test that took them for independent would
    find too little. Neurons are the units, their answers by all raters one vector each.

    References
    ----------
    Hotelling, H. (1931). The generalization of Student's ratio. Ann. Math. Stat. 2, 360-378.
    Cochran, W. G. (1954). The combination of estimates from different experiments. Biometrics 10, 101-129.

    Examples
    --------
    >>> said = [1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1]
    >>> result = rater_by_arm(said=said, neuron=[*range(8)] * 2, rater=[0] * 8 + [1] * 8, arm=[1] * 4 + [0] * 4,
    ...                       size=[0] * 8, treatment=1, baseline=0)
    >>> result.difference.tolist(), round(result.test.p, 3)
    ([0.75, 0.0], 0.228)
    """
    where, sizes = _cells(np.asarray(neuron, dtype=np.int64), np.asarray(arm), np.asarray(size), treatment, baseline)
    kept = where >= 0
    whole, code = _whole_raters(np.asarray(rater, dtype=np.int64)[kept], where[kept], 2 * sizes)
    known = code >= 0
    rows = np.flatnonzero(kept)[known]
    panel = Panel.of(np.asarray(said)[rows], np.asarray(neuron)[rows], code[known], raters=len(whole))
    cell = np.zeros(panel.neurons, dtype=np.int64)
    cell[np.asarray(neuron)[rows]] = where[rows]
    difference, covariance, units, spare = _differences(panel, cell, sizes)
    error = np.sqrt(np.diag(covariance))
    test = _test(difference, covariance, units, spare, len(panel))
    return RaterByArm(whole, difference, error, _spread(difference, covariance), test)


def _cells(neuron: Codes, arm: Codes, size: Codes, treatment: int, baseline: int) -> tuple[Codes, int]:
    """Of each answer twice its size's place, plus 1 in the treatment; -1 where it does not count."""
    treated, other = arm[neuron] == treatment, arm[neuron] == baseline
    wanted = np.intersect1d(size[neuron[treated]], size[neuron[other]])
    inside = (treated | other) & np.isin(size[neuron], wanted)
    return np.where(inside, 2 * np.searchsorted(wanted, size[neuron]) + treated, -1), len(wanted)


def _whole_raters(rater: Codes, cell: Codes, cells: int) -> tuple[Codes, Codes]:
    """Raters with an answer in every cell, and of each answer its rater's place among them, or -1."""
    count = int(rater.max()) + 1 if rater.size else 0
    answers = np.bincount(rater * max(1, cells) + cell, minlength=count * cells).reshape(count, cells)
    whole = (answers > 0).all(axis=1) & (cells > 0)
    return np.flatnonzero(whole), np.where(whole, np.cumsum(whole) - 1, -1)[rater]


def _differences(panel: Panel, cell: Codes, sizes: int) -> tuple[Floats, Floats, int, int]:
    """Differences by rater, their covariance, neurons, and neurons less cells."""
    cells = 2 * sizes
    place = panel.rater * max(1, cells) + cell[panel.neuron]
    answers = np.bincount(place, minlength=panel.raters * cells)
    means = np.bincount(place, weights=panel.said, minlength=panel.raters * cells) / np.maximum(answers, 1)
    sign = np.where(np.arange(cells) % 2 == 1, 1.0, -1.0) / max(1, sizes)
    per_cell = np.bincount(cell[panel.answers > 0], minlength=cells)
    small = np.sqrt(per_cell / np.maximum(per_cell - 1, 1))
    here = cell[panel.neuron]
    pull = (sign * small)[here] * (panel.said - means[place]) / answers[place]
    difference = means.reshape(panel.raters, cells) @ sign
    return difference, panel.crossed(pull), int(per_cell.sum()), int(np.maximum(per_cell - 1, 0).sum())


def _centred(table: Floats) -> Floats:
    return table - table.mean(axis=0) - table.mean(axis=1)[:, None] + table.mean()


def _test(difference: Floats, covariance: Floats, units: int, spare: int, judgments: int) -> Test:
    undefined = Test(UNDEFINED, UNDEFINED, UNDEFINED, METHOD, SAME_DIFFERENCE, units, judgments)
    if len(difference) < 2:
        return undefined
    values, directions = np.linalg.eigh(_centred(covariance))
    real = values > SINGULAR * max(values.max(), SINGULAR)
    ranks = int(real.sum())
    left = spare - ranks + 1
    along = directions.T @ (difference - difference.mean())
    without_error = np.abs(along[~real]).max() > SINGULAR  # the direction of the mean is among these, and is 0
    if ranks == 0 or spare < len(difference) - 1 or without_error:
        return undefined
    along = along[real]
    statistic = float((along**2 / values[real]).sum()) * left / (spare * ranks)
    p = float(stats.f.sf(statistic, ranks, left))
    return Test(statistic, float(ranks), p, METHOD, SAME_DIFFERENCE, units, judgments)


def _spread(difference: Floats, covariance: Floats) -> float:
    raters = len(difference)
    if raters < 2:
        return UNDEFINED
    beyond = float(((difference - difference.mean()) ** 2).sum() - np.trace(_centred(covariance)))
    return float(np.sqrt(max(0.0, beyond / (raters - 1))))
