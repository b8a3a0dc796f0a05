"""Do some raters say yes more often than others, and does it depend on the arm?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from analysis.stats.agreement.linear import NO_ERROR, linearised_interval
from analysis.stats.panel import Panel
from analysis.stats.results import UNDEFINED, Interval, Test

NO_LENIENCY = "every rater says yes equally often about the same neurons"
COCHRAN = "Cochran's Q, chi-square, neurons that all {} raters answered"
STRATIFIED = "Cochran's Q for missing answers (Cochran-Mantel-Haenszel, one stratum per neuron), chi-square"
MCNEMAR = "McNemar, exact, mid-p, two-sided"
SAME_SHARE = "two raters say yes equally often about the neurons that both answered"
EFFECT = "least squares over raters and neurons, linearised over neurons, t with one less than the neurons"
APART = "the raters fall into groups without a common neuron, which cannot be compared"

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def cochran_q(*, said: npt.ArrayLike, neuron: npt.ArrayLike, rater: npt.ArrayLike) -> Test:
    """Cochran's Q: do all raters say yes equally often? Only neurons that every rater answered are used.

    Parameters
    ----------
    said : array_like of int, shape (answers,)
        1 yes, 0 no.
    neuron, rater : array_like of int, shape (answers,)
        Codes from 0. A rater answers once about a neuron.

    Returns
    -------
    Test
        `n` says how many complete neurons there are. Undefined with fewer than two raters, and where no complete
        neuron has both answers.

    References
    ----------
    Cochran, W. G. (1950). The comparison of percentages in matched samples. Biometrika 37, 256-266.

    Examples
    --------
    >>> test = cochran_q(said=[1, 1, 0, 1, 0, 0], neuron=[0, 0, 0, 1, 1, 1], rater=[0, 1, 2, 0, 1, 2])
    >>> test.statistic, test.n
    (3.0, 2)
    """
    panel = Panel.of(said, neuron, rater)
    raters = len(np.unique(panel.rater))
    whole = panel.answers == raters
    kept = whole[panel.neuron]
    method = COCHRAN.format(raters)
    yes_rater = np.bincount(panel.rater[kept], weights=panel.said[kept])
    yes_neuron = np.bincount(panel.neuron[kept], weights=panel.said[kept])
    total = yes_rater.sum()
    mixed = raters * total - float((yes_neuron**2).sum())
    n = int(whole.sum())
    if raters < 2 or mixed <= 0:
        return Test(UNDEFINED, UNDEFINED, UNDEFINED, method, NO_LENIENCY, n, int(kept.sum()))
    q = (raters - 1) * (raters * float((yes_rater**2).sum()) - total**2) / mixed
    return _chi_square(float(q), raters - 1, method, NO_LENIENCY, n, int(kept.sum()))


def leniency_test(*, said: npt.ArrayLike, neuron: npt.ArrayLike, rater: npt.ArrayLike) -> Test:
    """Cochran's Q for incomplete designs: every neuron with two answers or more is used.

    Returns
    -------
    Test
        Degrees of freedom: raters less groups of raters that are linked by disagreements. Equal to `cochran_q` when
        complete and all are linked. Undefined where nobody ever disagrees.

    Notes
    -----
    Given how many of its raters said yes, each neuron's yes answers are dealt over its raters at random: their sums by
    rater have a known mean and covariance.

    References
    ----------
    Landis, J. R., Heyman, E. R. & Koch, G. G. (1978). Average partial association in three-way contingency tables: a
    review and discussion of alternative tests. Int. Stat. Rev. 46, 237-254.
    Skillings, J. H. & Mack, G. A. (1981). On the use of a Friedman-type statistic in balanced and unbalanced block
    designs. Technometrics 23, 171-177.

    Examples
    --------
    >>> test = leniency_test(said=[1, 1, 0, 1, 0, 0], neuron=[0, 0, 0, 1, 1, 1], rater=[0, 1, 2, 0, 1, 2])
    >>> round(test.statistic, 10), test.df
    (3.0, 2.0)
    """
    panel = Panel.of(said, neuron, rater)
    answers = panel.answers
    share = _neuron_means(panel)
    spread = share * (1 - share) * answers / np.maximum(answers - 1, 1)
    mixed = spread > 0
    used = mixed[panel.neuron]
    n, judgments = int((answers >= 2).sum()), int(answers[answers >= 2].sum())
    if not used.any():
        return Test(UNDEFINED, UNDEFINED, UNDEFINED, STRATIFIED, NO_LENIENCY, n, judgments)
    surplus = np.bincount(panel.rater, weights=panel.said - share[panel.neuron], minlength=panel.raters)
    overlap = panel.crossed(np.sqrt(spread / np.maximum(answers, 1))[panel.neuron])
    own = np.bincount(panel.rater, weights=spread[panel.neuron], minlength=panel.raters)
    q = float(surplus @ _inverse(np.diag(own) - overlap) @ surplus)
    return _chi_square(q, _ranks(overlap), STRATIFIED, NO_LENIENCY, n, judgments)


@dataclass(frozen=True, slots=True)
class McNemarPairs:
    """McNemar's test of every pair of raters who share a neuron.

    Parameters
    ----------
    first, second : ndarray of int, shape (pairs,)
        The raters' codes, `first` < `second`.
    neurons : ndarray of int, shape (pairs,)
        That both answered.
    only_first, only_second : ndarray of int, shape (pairs,)
        Neurons to which only this one of the two said yes.
    p : ndarray of float, shape (pairs,)
        Exact, mid-p, two-sided; 1 where the two never differ. Not adjusted for the number of pairs.
    """

    first: Codes
    second: Codes
    neurons: Codes
    only_first: Codes
    only_second: Codes
    p: Floats

    def __len__(self) -> int:
        return len(self.p)

    def test(self, pair: int) -> Test:
        """One pair; the statistic is the number of neurons to which only the first rater said yes."""
        n = int(self.neurons[pair])
        return Test(float(self.only_first[pair]), UNDEFINED, float(self.p[pair]), MCNEMAR, SAME_SHARE, n, 2 * n)


def mcnemar(*, said: npt.ArrayLike, neuron: npt.ArrayLike, rater: npt.ArrayLike) -> McNemarPairs:
    """McNemar's test for every pair of raters, on the neurons that both answered.

    Parameters
    ----------
    said, neuron, rater
        As for `cochran_q`.

    Returns
    -------
    McNemarPairs

    References
    ----------
    McNemar, Q. (1947). Note on the sampling error of the difference between correlated proportions or percentages.
    Psychometrika 12, 153-157.
    Fagerland, M. W., Lydersen, S. & Laake, P. (2013). The McNemar test for binary matched-pairs data: mid-p and
    asymptotic are better than exact conditional. BMC Med. Res. Methodol. 13, 91.

    Examples
    --------
    >>> pairs = mcnemar(said=[1, 1, 1, 0, 0, 0, 0, 1], neuron=[0, 1, 2, 3] * 2, rater=[0] * 4 + [1] * 4)
    >>> pairs.only_first.tolist(), pairs.only_second.tolist(), pairs.p.tolist()
    ([3], [1], [0.375])
    """
    panel = Panel.of(said, neuron, rater)
    together = panel.crossed(np.ones(len(panel)))
    both = panel.crossed(panel.said.astype(float))
    yes = sum((panel.one_hot(part)[:, 1::2].T @ _present(panel, part) for part in panel.blocks()), np.zeros_like(both))
    first, second = np.triu_indices(panel.raters, 1)
    shared = together[first, second] > 0
    first, second = first[shared], second[shared]
    only_first = np.rint(yes[first, second] - both[first, second]).astype(np.int64)
    only_second = np.rint(yes[second, first] - both[first, second]).astype(np.int64)
    neurons = together[first, second].astype(np.int64)
    return McNemarPairs(first, second, neurons, only_first, only_second, mid_p(only_first, only_second))


def mid_p(only_first: npt.ArrayLike, only_second: npt.ArrayLike) -> Floats:
    """Two-sided exact mid-p value of McNemar's test; 1 without a discordant pair.

    Examples
    --------
    >>> mid_p([1, 0], [8, 0]).round(6).tolist()
    [0.021484, 1.0]
    """
    one, other = np.asarray(only_first, dtype=np.int64), np.asarray(only_second, dtype=np.int64)
    less, both = np.minimum(one, other), one + other
    p = 2 * stats.binom.cdf(less, both, 0.5) - stats.binom.pmf(less, both, 0.5)
    return np.where(both > 0, np.clip(p, 0.0, 1.0), 1.0)


def rater_effects(
    *, said: npt.ArrayLike, neuron: npt.ArrayLike, rater: npt.ArrayLike, level: float = 0.95, estimand: str = ""
) -> list[Interval]:
    """How much more often each rater says yes than the average rater would about the same neurons.

    Parameters
    ----------
    said, neuron, rater
        As for `cochran_q`.

    Returns
    -------
    list of Interval
        One per rater, in [-1, 1], adding up to 0. Without limits, and with the reason, where there are none;
        undefined where the raters fall into groups without a common neuron.

    Notes
    -----
    Least squares with a level for each neuron and one for each rater; when every rater answers every neuron, simply the
    rater's share of yes less the mean share. The neurons are the units of the standard error.

    Examples
    --------
    >>> effects = rater_effects(said=[1, 1, 0, 1, 0, 0], neuron=[0, 0, 0, 1, 1, 1], rater=[0, 1, 2, 0, 1, 2])
    >>> [round(abs(effect.estimate), 10) for effect in effects]
    [0.5, 0.0, 0.5]
    """
    panel = Panel.of(said, neuron, rater)
    answers = panel.answers
    judged = np.bincount(panel.rater, minlength=panel.raters)
    overlap = panel.crossed(1 / np.sqrt(np.maximum(answers, 1))[panel.neuron])
    if panel.raters < 2 or _ranks(overlap) < panel.raters - 1:
        return [_incomparable(int(count), level, estimand) for count in judged]
    inverse = _inverse(np.diag(judged) - overlap)
    centred = panel.said - _neuron_means(panel)[panel.neuron]
    effect = inverse @ np.bincount(panel.rater, weights=centred, minlength=panel.raters)
    rest = centred - effect[panel.rater] + _neuron_means(panel, effect[panel.rater])[panel.neuron]
    blocks = [panel.by_rater(part, rest) @ inverse for part in panel.blocks()]
    components = np.concatenate(blocks)[answers[answers > 0] >= 2]
    components *= len(components)
    return [
        linearised_interval(
            float(effect[code]),
            components[:, code],
            level=level,
            estimand=estimand,
            judgments=int(judged[code]),
            method=EFFECT,
        )
        for code in range(panel.raters)
    ]


def _incomparable(judgments: int, level: float, estimand: str) -> Interval:
    return Interval(UNDEFINED, UNDEFINED, UNDEFINED, level, EFFECT, estimand, judgments, judgments, refused=APART)


def _neuron_means(panel: Panel, values: Floats | None = None) -> Floats:
    answers = panel.answers
    sums = np.bincount(panel.neuron, weights=panel.said if values is None else values, minlength=panel.neurons)
    return sums / np.maximum(answers, 1)


def _present(panel: Panel, part: slice) -> Floats:
    return panel.by_rater(part, np.ones(len(panel)))


def _ranks(overlap: Floats) -> int:
    """Raters less groups of raters that are linked by common neurons."""
    groups, _ = connected_components(csr_array(overlap > NO_ERROR), directed=False)
    return len(overlap) - int(groups)


def _chi_square(statistic: float, df: int, method: str, hypothesis: str, n: int, judgments: int) -> Test:
    return Test(statistic, float(df), float(stats.chi2.sf(statistic, df)), method, hypothesis, n, judgments)


def _inverse(singular: Floats) -> Floats:
    """Generalised inverse of a table whose rows add up to 0 within each group of raters."""
    return np.asarray(np.linalg.pinv(singular, rcond=1e-10, hermitian=True), dtype=np.float64)
