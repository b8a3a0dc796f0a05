"""Does a rater agree with herself: the same item judged twice on one list."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.stats.agreement.linear import linearised_interval
from analysis.stats.proportions import cluster_wilson, score_mean
from analysis.stats.results import UNDEFINED, Interval

SELF_AGREEMENT = "{}, neurons as units"
SELF_KAPPA = "Cohen's kappa of first and second answer, linearised over neurons, t with one less than the neurons"


@dataclass(frozen=True, slots=True)
class SelfAgreement:
    """Share of repeats with the same answer, and the same beyond chance."""

    agreement: Interval
    kappa: Interval


def self_agreement(
    *,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    neuron: npt.ArrayLike,
    categories: int = 2,
    level: float = 0.95,
    estimand: str = "",
) -> SelfAgreement:
    """Agreement of first and second answers of the same rater about the same item.

    Parameters
    ----------
    first, second : array_like of int, shape (repeats,)
        Category of the first and the second answer, 0 … `categories` - 1. Only repeats with both.
    neuron : array_like of int, shape (repeats,)
        What the repeat is about: several raters may have repeated the same one, and these are not independent.

    Returns
    -------
    SelfAgreement
        Undefined without a repeat; kappa also when all answers are the same.

    Notes
    -----
    Agreement is the mean over items with a cluster Wilson interval, each item weighing the same. It bounds what
    agreement between raters can be hoped for: who disagrees with himself cannot agree with others.

    References
    ----------
    Fleiss, J. L., Cohen, J. & Everitt, B. S. (1969). Large sample standard errors of kappa and weighted kappa. Psychol.
    Bull. 72, 323-327.

    Examples
    --------
    >>> result = self_agreement(first=[1, 1, 0, 0], second=[1, 0, 0, 0], neuron=[0, 1, 2, 3])
    >>> result.agreement.estimate, result.kappa.estimate
    (0.75, 0.5)
    """
    before, after = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    unit = np.unique(np.asarray(neuron, dtype=np.int64), return_inverse=True)[1]
    return SelfAgreement(
        _share(before == after, unit, level, estimand), _kappa(before, after, unit, categories, level, estimand)
    )


def _share(same: npt.NDArray[np.bool_], unit: npt.NDArray[np.int64], level: float, estimand: str) -> Interval:
    answers = np.bincount(unit)
    mean = score_mean(
        np.bincount(unit, weights=same) / np.maximum(answers, 1), judgments=len(unit), single=bool(np.all(answers == 1))
    )
    wilson = cluster_wilson(mean, level=level, estimand=estimand)
    method = SELF_AGREEMENT.format(wilson.method)
    return Interval(wilson.estimate, wilson.low, wilson.high, level, method, estimand, wilson.n, wilson.judgments)


def _kappa(
    before: npt.NDArray[np.int64],
    after: npt.NDArray[np.int64],
    unit: npt.NDArray[np.int64],
    categories: int,
    level: float,
    estimand: str,
) -> Interval:
    repeats, units = len(unit), len(np.bincount(unit))
    components = np.zeros(units)
    kappa = UNDEFINED
    if repeats:
        share = np.bincount(before * categories + after, minlength=categories**2).reshape(categories, -1) / repeats
        rows, columns = share.sum(axis=1), share.sum(axis=0)
        chance, observed = float(rows @ columns), float(np.trace(share))
        if chance < 1:
            kappa = (observed - chance) / (1 - chance)
            effect = (before == after) - (1 - kappa) * (columns[before] + rows[after])
            pulled = (effect - effect.mean()) / (1 - chance)
            components = np.bincount(unit, weights=pulled) * units / repeats
    return linearised_interval(kappa, components, level=level, estimand=estimand, judgments=repeats, method=SELF_KAPPA)
