"""Limits from linear components: what each unit adds to a coefficient, as if that were a mean over units."""

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.stats.results import UNDEFINED, Interval

LINEARISED = "linearised over neurons, t with one less than the neurons"
NO_SPREAD = "every neuron adds the same, so that the standard error is 0 and says nothing about other neurons"
ONE_UNIT = "one neuron alone has no standard error"
# Standard errors below this are rounding.
NO_ERROR = 1e-12


def standard_error(components: npt.NDArray[np.float64]) -> float:
    """Standard error of the mean of the linear components; NaN for fewer than two units.

    Examples
    --------
    >>> standard_error(np.array([1.0, 0.0, 1.0, 0.0]))
    0.28867513459481287
    """
    units = len(components)
    return float(np.std(components, ddof=1) / np.sqrt(units)) if units >= 2 else UNDEFINED


def linearised_interval(
    estimate: float,
    components: npt.NDArray[np.float64],
    *,
    level: float,
    estimand: str,
    judgments: int,
    method: str = LINEARISED,
    least: float = -1.0,
    most: float = 1.0,
) -> Interval:
    """A coefficient with t limits from its linear components, one per unit.

    Parameters
    ----------
    estimate : float
        NaN gives an undefined result.
    components : ndarray of float, shape (units,)
        Only their spread is used.
    least, most : float
        The limits are cut here.

    Returns
    -------
    Interval
        Without limits, and with the reason in `refused`, where there is no spread to take them from.
    """
    units = len(components)
    if np.isnan(estimate):
        return Interval.undefined(level=level, method=method, estimand=estimand, n=units, judgments=judgments)
    error = standard_error(components)
    if not error > NO_ERROR:
        reason = ONE_UNIT if np.isnan(error) else NO_SPREAD
        return Interval(estimate, UNDEFINED, UNDEFINED, level, method, estimand, units, judgments, refused=reason)
    half = float(stats.t.ppf((1 + level) / 2, units - 1)) * error
    low, high = max(least, estimate - half), min(most, estimate + half)
    return Interval(estimate, low, high, level, method, estimand, units, judgments, se=error)
