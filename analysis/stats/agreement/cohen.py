"""Cohen's kappa of every pair of raters, from whatever neurons both of them answered, and its mean: Light's kappa."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.stats.agreement.linear import LINEARISED, NO_ERROR, NO_SPREAD, linearised_interval
from analysis.stats.panel import Panel
from analysis.stats.results import UNDEFINED, Interval

COHEN = "Cohen's kappa, standard error of Fleiss, Cohen and Everitt 1969, t with one less than the neurons"
LIGHT = f"Light's kappa: mean of Cohen's kappa over pairs of raters, {LINEARISED}"
FEWEST_SHARED = 30  # neurons that a typical pair must share: below, limits of the mean cover too seldom
TOO_FEW_SHARED = f"a typical pair of raters shares fewer than {FEWEST_SHARED} neurons"
ONE_ANSWER = "both raters gave one and the same answer throughout, so that chance alone agrees always"

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CohenKappas:
    """Cohen's kappa of every pair of raters who share a neuron.

    Parameters
    ----------
    first, second : ndarray of int, shape (pairs,)
        The raters' codes, `first` < `second`.
    neurons : ndarray of int, shape (pairs,)
        Neurons that both of them answered.
    agreement, kappa, error : ndarray of float, shape (pairs,)
        Raw agreement, Cohen's kappa and its standard error; kappa and error are NaN where chance agrees always.
    light : Interval
        Mean of the defined kappas, every pair weighing the same, with neurons as units.
    """

    first: Codes
    second: Codes
    neurons: Codes
    agreement: Floats
    kappa: Floats
    error: Floats
    light: Interval

    def __len__(self) -> int:
        return len(self.kappa)

    def interval(self, pair: int, *, level: float = 0.95, estimand: str = "") -> Interval:
        """Kappa of one pair with t limits; without limits, and with the reason, where its standard error is 0."""
        kappa, error, units = float(self.kappa[pair]), float(self.error[pair]), int(self.neurons[pair])
        low = high = se = UNDEFINED
        refused = ONE_ANSWER if np.isnan(kappa) else "" if error > NO_ERROR and units > 1 else NO_SPREAD
        if not refused:
            half = float(stats.t.ppf((1 + level) / 2, units - 1)) * error
            low, high, se = max(-1.0, kappa - half), min(1.0, kappa + half), error
        return Interval(kappa, low, high, level, COHEN, estimand, units, 2 * units, refused=refused, se=se)


def cohen_kappas(
    *,
    said: npt.ArrayLike,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    categories: int = 2,
    level: float = 0.95,
    estimand: str = "",
) -> CohenKappas:
    """Cohen's kappa of every pair of raters.

    Parameters
    ----------
    said : array_like of int, shape (answers,)
        Category of each answer, 0 … `categories` - 1.
    neuron, rater : array_like of int, shape (answers,)
        Codes from 0. A rater answers once about a neuron.
    level : float
        Confidence level of the mean over pairs.

    Returns
    -------
    CohenKappas
        Pairs without a common neuron are not there.

    Raises
    ------
    TooManyRaters
        Above 500 raters, whose hundred thousand pairs would say nothing that Fleiss' kappa does not.
    BadCounts
        When a rater answers twice about a neuron.

    Notes
    -----
    Each pair is compared on the neurons that both answered. The standard error of the mean counts a neuron once for
    all the pairs that it is part of; it is refused where a typical pair shares fewer than 30 neurons.

    References
    ----------
    Cohen, J. (1960). A coefficient of agreement for nominal scales. Educ. Psychol. Meas. 20, 37-46.
    Fleiss, J. L., Cohen, J. & Everitt, B. S. (1969). Large sample standard errors of kappa and weighted kappa. Psychol.
    Bull. 72, 323-327.
    Light, R. J. (1971). Measures of response agreement for qualitative data. Psychol. Bull. 76, 365-377.

    Examples
    --------
    >>> pairs = cohen_kappas(said=[1, 1, 0, 0, 1, 0, 0, 0], neuron=[0, 1, 2, 3] * 2, rater=[0] * 4 + [1] * 4)
    >>> pairs.kappa.tolist(), pairs.neurons.tolist()
    ([0.5], [4])
    """
    panel = Panel.of(said, neuron, rater, categories=categories)
    tables = _pair_tables(panel)
    first, second = np.triu_indices(panel.raters, 1)
    neurons = tables.sum(axis=(0, 1))[first, second]
    shared = neurons > 0
    first, second, neurons = first[shared], second[shared], neurons[shared]
    share = np.moveaxis(tables[:, :, first, second] / neurons, 2, 0)  # pairs, category of first, category of second
    kappa, effect = _kappas(share)
    error = np.sqrt((share * effect**2).sum(axis=(1, 2)) / neurons)
    known = ~np.isnan(kappa)
    components = _mean_components(panel, effect[known], first[known], second[known], neurons[known])
    mean = float(kappa[known].mean()) if known.any() else UNDEFINED
    light = linearised_interval(mean, components, level=level, estimand=estimand, judgments=len(panel), method=LIGHT)
    if light.defined and np.median(neurons[known]) < FEWEST_SHARED:
        light = replace(light, low=UNDEFINED, high=UNDEFINED, se=UNDEFINED, refused=TOO_FEW_SHARED)
    agreement = np.einsum("pcc->p", share)
    return CohenKappas(first, second, neurons.astype(np.int64), agreement, kappa, error, light)


def _kappas(share: Floats) -> tuple[Floats, Floats]:
    """Kappa of each table of shares, and what a neuron in each cell adds to it beyond the mean."""
    categories = share.shape[1]
    rows, columns = share.sum(axis=2), share.sum(axis=1)
    observed, chance = np.einsum("pcc->p", share), (rows * columns).sum(axis=1)
    free = np.where(chance < 1 - NO_ERROR, 1 - chance, UNDEFINED)
    kappa = (observed - chance) / free
    margins = columns[:, :, None] + rows[:, None, :]
    same = np.eye(categories)[None]
    at = same - (1 - kappa)[:, None, None] * margins
    mean = (share * at).sum(axis=(1, 2))
    return kappa, (at - mean[:, None, None]) / free[:, None, None]


def _pair_tables(panel: Panel) -> Floats:
    """Shape (categories, categories, raters, raters): neurons where two raters gave these two answers."""
    side = panel.raters * panel.categories
    total = np.zeros((side, side))
    for part in panel.blocks():
        sheet = panel.one_hot(part)
        total += sheet.T @ sheet
    return total.reshape(panel.raters, panel.categories, panel.raters, panel.categories).transpose(1, 3, 0, 2)


def _mean_components(panel: Panel, effect: Floats, first: Codes, second: Codes, neurons: Floats) -> Floats:
    """What each neuron with two answers adds to the mean of the kappas, as if that were a mean over neurons."""
    side = panel.raters * panel.categories
    per_pair = np.zeros((panel.raters, panel.categories, panel.raters, panel.categories))
    per_pair[first, :, second, :] = effect / neurons[:, None, None] / max(1, len(first))
    flat = per_pair.reshape(side, side)
    sheets = (panel.one_hot(part) for part in panel.blocks())
    parts = [np.einsum("nk,nk->n", sheet @ flat, sheet) for sheet in sheets]
    answers = panel.answers
    paired = answers[answers > 0] >= 2
    return paired.sum() * np.concatenate([np.zeros(0), *parts])[paired]
