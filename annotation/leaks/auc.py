"""The area under the ROC curve: how often a score puts an item of one arm above one of the other."""

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

Floats = npt.NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Auc:
    """An area, 0.5 chance, 1 always right, with its interval."""

    auc: float
    low: float
    high: float

    @property
    def folded(self) -> "Auc":
        """The same without its direction: how well the arms can be told, not which one is above.

        Examples
        --------
        >>> Auc(0.3, 0.2, 0.45).folded
        Auc(auc=0.7, low=0.55, high=0.8)
        """
        if self.auc >= 0.5:
            return self
        return Auc(round(1 - self.auc, 10), round(1 - self.high, 10), round(1 - self.low, 10))

    def as_json(self) -> dict[str, float]:
        return {name: round(value, 4) for name, value in asdict(self).items()}


def area(scores: Floats, second: npt.NDArray[np.bool_]) -> float:
    """Share of pairs in which the item of the second arm has the higher score; ties count half.

    Examples
    --------
    >>> area(np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, True]))
    0.75
    """
    above = int(second.sum())
    below = len(second) - above
    return float((rankdata(scores)[second].sum() - above * (above + 1) / 2) / (above * below))


def area_interval(
    scores: Floats, second: npt.NDArray[np.bool_], units: npt.NDArray[np.int64], level: float = LEVEL
) -> Auc:
    """The area with DeLong's interval, for items in clusters.

    Parameters
    ----------
    scores : ndarray, float64, (items,)
    second : ndarray, bool, (items,)
        Whether the item belongs to the second arm.
    units : ndarray, int, (items,)
        Cluster of each item: its neuron, together with the twins of that neuron in other arms.
    level : float
        Coverage, 0 … 1.

    Notes
    -----
    The structural components of DeLong et al. are summed within clusters (Obuchowski 1997). Of scores that a
    cross-validated classifier gave, the interval holds for this classifier; it does not know of other training sets.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44. Obuchowski (1997), Biometrics 53.

    Examples
    --------
    >>> second = np.array([False] * 4 + [True] * 4)
    >>> area_interval(np.array([1.0, 2, 3, 6, 4, 5, 7, 8]), second, np.arange(8)).auc
    0.875
    """
    estimate = area(scores, second)
    together = rankdata(scores)
    sums = []
    variance = 0.0
    for arm in (second, ~second):
        own, others = int(arm.sum()), int((~arm).sum())
        parts = (together[arm] - rankdata(scores[arm])) / others
        # Of the first arm the share below an item is counted, of the second the share above: so the sign turns.
        parts = (parts - parts.mean()) * (1 if arm is second else -1)
        sums.append(np.bincount(units[arm], weights=parts, minlength=int(units.max()) + 1) / own)
        clusters = len(np.unique(units[arm]))
        variance += float((sums[-1] ** 2).sum()) * clusters / max(1, clusters - 1)
    variance += 2 * float((sums[0] * sums[1]).sum())  # clusters that lie in both arms
    reach = float(norm.ppf((1 + level) / 2)) * max(0.0, variance) ** 0.5
    return Auc(estimate, max(0.0, estimate - reach), min(1.0, estimate + reach))
