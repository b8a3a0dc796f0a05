"""Whether a share rises or falls along an ordered quantity, such as the logarithm of the model's size."""

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.stats.proportions import BadCounts
from analysis.stats.results import UNDEFINED, Test

COCHRAN_ARMITAGE = "Cochran-Armitage trend, chi-square"
NO_TREND = "the share of yes does not rise or fall with the score"


def trend_test(yes: npt.ArrayLike, n: npt.ArrayLike, scores: npt.ArrayLike) -> Test:
    """Test of a linear trend of independent shares in a score.

    Parameters
    ----------
    yes, n : array_like of int, shape (groups,)
        Yes answers and neurons of each group, one answer per neuron. Groups without neurons are left out.
    scores : array_like of float, shape (groups,)
        Place of each group on the scale, in any unit; only the distances between groups matter.

    Returns
    -------
    Test
        Chi-square with one degree of freedom. Undefined with fewer than two different scores, or when all answers are
        alike.

    Raises
    ------
    BadCounts
        When counts are impossible, a score is not a number, or the lengths differ.

    References
    ----------
    Cochran, W. G. (1954). Some methods for strengthening the common chi-square tests. Biometrics 10, 417-451.
    Armitage, P. (1955). Tests for linear trends in proportions and frequencies. Biometrics 11, 375-386.

    Examples
    --------
    >>> test = trend_test([83, 90, 129, 70], [86, 93, 136, 82], [1, 2, 3, 4])
    >>> round(test.statistic, 4), round(test.p, 6)
    (8.2249, 0.004132)
    """
    counts, sizes, places = (np.asarray(values, dtype=float) for values in (yes, n, scores))
    if not counts.shape == sizes.shape == places.shape or np.any(counts < 0) or np.any(counts > sizes):
        raise BadCounts("yes, n and scores must be of one length with 0 <= yes <= n in every group.")
    if not np.all(np.isfinite(places)):
        raise BadCounts(f"scores {places.tolist()}; every one must be a finite number.")
    total = float(sizes.sum())
    share = float(counts.sum()) / total if total else 0.0
    centred = places - float((sizes * places).sum()) / total if total else places
    variance = share * (1 - share) * float((sizes * centred**2).sum())
    if math.isclose(variance, 0.0, abs_tol=1e-12):
        return Test(UNDEFINED, 1.0, UNDEFINED, COCHRAN_ARMITAGE, NO_TREND, int(total), int(total))
    statistic = float((centred * counts).sum()) ** 2 / variance
    return Test(statistic, 1.0, float(stats.chi2.sf(statistic, 1)), COCHRAN_ARMITAGE, NO_TREND, int(total), int(total))
