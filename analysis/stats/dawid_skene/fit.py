"""The fitted model, and the limits of its shares and differences."""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from analysis.stats.dawid_skene.answers import Answers, Codes, Floats
from analysis.stats.dawid_skene.climb import climbed
from analysis.stats.dawid_skene.information import EDGE, covariance
from analysis.stats.results import UNDEFINED, Interval

METHOD = "Dawid-Skene, maximum likelihood, observed information on the logit scale"
METHOD_DIFFERENCE = "Dawid-Skene, maximum likelihood, observed information"
AT_EDGE = "the share is estimated as none or all, where the observed information gives no limits"


@dataclass(frozen=True, slots=True)
class DawidSkene:
    """A fitted model; category *k* of the answers and class *k* of the neurons mean the same.

    Parameters
    ----------
    prevalence : ndarray of float, shape (groups, classes)
        Share of neurons of each class in each group.
    error_rates : ndarray of float, shape (raters, classes, categories)
        How probable each answer of a rater is, given the neuron's class.
    posterior : ndarray of float, shape (neurons, classes)
        Probability of each class given the neuron's answers.
    log_likelihood : float
    iterations : int
        Of the best start.
    starts : int
        How many starts were followed to the end; the best is kept.
    agreeing : int
        How many of them ended at the same likelihood.
    converged : bool
    neurons, judgments : ndarray of int, shape (groups,)
        With an answer.
    covariance : ndarray of float, shape (groups, groups)
        Of the shares of the last class; NaN where there is none.
    refused : str
        Why there is no covariance; empty where there is.
    """

    prevalence: Floats
    error_rates: Floats
    posterior: Floats
    log_likelihood: float
    iterations: int
    starts: int
    agreeing: int
    converged: bool
    neurons: Codes
    judgments: Codes
    covariance: Floats = field(repr=False)
    refused: str = ""

    def share(self, groups: npt.ArrayLike, *, level: float = 0.95, estimand: str = "") -> Interval:
        """Mean of the last class's share over some groups, equally weighted, with limits inside [0, 1]."""
        weights = np.zeros(len(self.prevalence))
        weights[np.asarray(groups, dtype=np.int64)] = 1 / np.asarray(groups).size
        estimate, error, refused = self._combined(weights)
        low = high = UNDEFINED
        if not refused and not EDGE < estimate < 1 - EDGE:
            refused = AT_EDGE
        if not refused:
            half = _quantile(level) * error / (estimate * (1 - estimate))
            low, high = special.expit(special.logit(estimate) + half * np.array([-1, 1])).tolist()
        found = self._interval(weights, estimate, low, high, level, METHOD, estimand, refused)
        return found if refused else replace(found, se=error)

    def difference(
        self, groups: npt.ArrayLike, others: npt.ArrayLike, *, level: float = 0.95, estimand: str = ""
    ) -> Interval:
        """Mean share over some groups less that over others."""
        weights = np.zeros(len(self.prevalence))
        weights[np.asarray(groups, dtype=np.int64)] += 1 / np.asarray(groups).size
        weights[np.asarray(others, dtype=np.int64)] -= 1 / np.asarray(others).size
        estimate, error, refused = self._combined(weights)
        low = high = UNDEFINED
        if not refused:
            half = _quantile(level) * error
            low, high = max(-1.0, estimate - half), min(1.0, estimate + half)
        found = self._interval(weights, estimate, low, high, level, METHOD_DIFFERENCE, estimand, refused)
        return found if refused else replace(found, se=error)

    def _combined(self, weights: Floats) -> tuple[float, float, str]:
        used = weights != 0
        variance = float(weights[used] @ self.covariance[np.ix_(used, used)] @ weights[used])
        refused = self.refused or (AT_EDGE if not variance > 0 else "")
        return float(weights @ self.prevalence[:, -1]), variance**0.5 if variance > 0 else UNDEFINED, refused

    def _interval(
        self,
        weights: Floats,
        estimate: float,
        low: float,
        high: float,
        level: float,
        method: str,
        estimand: str,
        refused: str,
    ) -> Interval:
        used = weights != 0
        n, judgments = int(self.neurons[used].sum()), int(self.judgments[used].sum())
        return Interval(estimate, low, high, level, method, estimand, n, judgments, refused=refused)


def dawid_skene(
    *,
    said: npt.ArrayLike,
    neuron: npt.ArrayLike,
    rater: npt.ArrayLike,
    group: npt.ArrayLike | None = None,
    categories: int = 2,
    starts: int = 0,
) -> DawidSkene:
    """Fit the model by expectation maximisation, run until it stands still, from several starts.

    Parameters
    ----------
    said : array_like of int, shape (answers,)
        Category of each answer, 0 … `categories` - 1 (1 yes, 0 no).
    neuron, rater : array_like of int, shape (answers,)
        Codes from 0. A rater may answer about a neuron more than once.
    group : array_like of int, shape (neurons,)
        Groups with a share of their own (arm by size), codes from 0. Raters err alike in all groups: they are blind.
    starts : int
        How many starts to follow; 0: all. The first is Dawid and Skene's own.

    Returns
    -------
    DawidSkene

    Raises
    ------
    NotIdentified
        With fewer than three answers about a typical neuron, with fewer than three raters, and when all answers are
        the same: then error and truth cannot be told apart.
    BadCounts
        When an answer is no category.

    Notes
    -----
    Assumes that, given what is true of the neuron, raters answer independently. With three raters nothing is left over
    to test that, and hard neurons break it: a sensitivity analysis, never the headline. The starts are set, not drawn:
    the shares of the answers, the plurality, and for each class the neurons for which anybody chose it.

    References
    ----------
    Dawid, A. P. & Skene, A. M. (1979). Maximum likelihood estimation of observer error-rates using the EM algorithm.
    Appl. Stat. 28, 20-28.
    Louis, T. A. (1982). Finding the observed information matrix when using the EM algorithm. J. R. Stat. Soc. B 44,
    226-233.
    Varadhan, R. & Roland, C. (2008). Simple and globally convergent methods for accelerating the convergence of any EM
    algorithm. Scand. J. Stat. 35, 335-353.

    Examples
    --------
    >>> answers = np.array([[1, 1, 1]] * 30 + [[0, 0, 0]] * 50 + [[1, 1, 0]] * 5 + [[0, 1, 0]] * 5 + [[0, 0, 1]] * 3)
    >>> neuron, rater = np.indices(answers.shape)
    >>> fit = dawid_skene(said=answers.ravel(), neuron=neuron.ravel(), rater=rater.ravel())
    >>> fit.converged, round(fit.share([0]).estimate, 3)
    (True, 0.376)
    """
    data = Answers.of(
        np.asarray(said, dtype=np.int64), np.asarray(neuron, dtype=np.int64), np.asarray(rater, dtype=np.int64),
        None if group is None else np.asarray(group, dtype=np.int64), categories,
    )  # fmt: skip
    fits = [climbed(data, start) for start in data.starts()[: starts or None]]
    best = max(fits, key=lambda fit: fit.likelihood)
    shared, refused = covariance(data, best)
    close = 1e-6 * max(1.0, abs(best.likelihood))
    return DawidSkene(
        prevalence=best.prevalence,
        error_rates=best.rates,
        posterior=best.posterior[data.pattern_of],
        log_likelihood=best.likelihood,
        iterations=best.iterations,
        starts=len(fits),
        agreeing=sum(best.likelihood - fit.likelihood <= close for fit in fits),
        converged=best.converged,
        neurons=data.neurons,
        judgments=data.judgments,
        covariance=shared,
        refused=refused,
    )


def _quantile(level: float) -> float:
    return float(stats.norm.ppf((1 + level) / 2))
