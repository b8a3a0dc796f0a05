"""Linear model with rater effects and a neuron's answers correlated; standard errors with the neuron as the unit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
ESTIMABLE = 1e-6  # how near a column must come to being told from all others


class TooFewNeurons(ValueError):
    """A spread between neurons takes two of them."""


@dataclass(frozen=True, slots=True)
class LinearFit:
    """Coefficients with their covariance.

    Parameters
    ----------
    estimates : ndarray of float, shape (k,)
        Of the columns given, in their order; NaN where the answers cannot tell a column from others and from raters.
    covariance : ndarray of float, shape (k, k)
        Clustered by neuron.
    correlation : float
        Between two answers about one neuron, in [0, 1).
    neurons, answers : int
        Behind the fit.
    """

    estimates: Floats
    covariance: Floats
    correlation: float
    neurons: int
    answers: int


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers with dense columns; rater effects are kept as codes."""

    value: Floats  # (answers,)
    columns: Floats  # (answers, d)
    neuron: Codes
    rater: Codes
    neurons: int
    raters: int

    def by_neuron(self, weight: Floats) -> Floats:
        """Sums over each neuron's answers of weight times all columns, (neurons, d + raters)."""
        dense = [np.bincount(self.neuron, weight * column, self.neurons) for column in self.columns.T]
        pairs = np.bincount(self.neuron * self.raters + self.rater, weight, self.neurons * self.raters)
        return np.column_stack([*dense, pairs.reshape(self.neurons, self.raters)])

    def products(self) -> tuple[Floats, Floats]:
        """Sums of products of all columns with one another, and with the value."""
        d = self.columns.shape[1]
        square = np.zeros((d + self.raters, d + self.raters))
        square[:d, :d] = self.columns.T @ self.columns
        square[d:, :d] = np.column_stack([np.bincount(self.rater, column, self.raters) for column in self.columns.T])
        square[:d, d:] = square[d:, :d].T
        square[d:, d:] = np.diag(np.bincount(self.rater, minlength=self.raters))
        with_value = np.concatenate([self.columns.T @ self.value, np.bincount(self.rater, self.value, self.raters)])
        return square, with_value

    def left(self, coefficients: Floats) -> Floats:
        d = self.columns.shape[1]
        return self.value - self.columns @ coefficients[:d] - coefficients[d:][self.rater]


def clustered_linear(value: Floats, columns: Floats, *, neuron: Codes, rater: Codes) -> LinearFit:
    """Generalised least squares with rater effects, exchangeable answers within a neuron, and a sandwich variance.

    Parameters
    ----------
    value : ndarray of float, shape (answers,)
        What is explained.
    columns : ndarray of float, shape (answers, k)
        Effects asked for, without a constant: every rater has its own.
    neuron, rater : ndarray of int, shape (answers,)
        Codes.

    Returns
    -------
    LinearFit

    Raises
    ------
    TooFewNeurons
        With fewer than 2 neurons.

    Notes
    -----
    The correlation within neurons is that of a one-way analysis of variance of least squares residuals; it only sets
    the weights. The variance is clustered by neuron and holds whatever the true correlation is; it carries the factor
    neurons / (neurons - 1). The same as a generalised estimating equation with identity link and that correlation.

    References
    ----------
    Liang, K.-Y. & Zeger, S. L. (1986). Longitudinal data analysis using generalized linear models. Biometrika 73,
    13-22.
    Swamy, P. A. V. B. & Arora, S. S. (1972). The exact finite sample properties of the estimators of coefficients in
    the error components regression models. Econometrica 40, 261-275.

    Examples
    --------
    >>> fit = clustered_linear(np.array([1.0, 3.0, 2.0, 4.0]), np.array([[0.0], [2.0], [1.0], [3.0]]),
    ...                        neuron=np.array([0, 0, 1, 1]), rater=np.array([0, 0, 0, 0]))
    >>> round(float(fit.estimates[0]), 6)
    1.0
    """
    neurons, neuron_codes = np.unique(neuron, return_inverse=True)
    raters, rater_codes = np.unique(rater, return_inverse=True)
    if len(neurons) < 2:
        raise TooFewNeurons(f"Received answers about {len(neurons)} neurons; give at least 2.")
    centred = columns - columns.mean(axis=0) if len(columns) else columns
    data = _Answers(value, centred, neuron_codes, rater_codes, len(neurons), len(raters))
    square, with_value = data.products()
    many, sums = np.bincount(neuron_codes).astype(float), data.by_neuron(np.ones(len(value)))
    first = linalg.pinvh(square) @ with_value
    correlation = _correlation(data.left(first), neuron_codes, many)
    pull = correlation / (1 - correlation + many * correlation)  # of each neuron's sum
    square = square - sums.T @ (sums * pull[:, None])
    with_value = with_value - sums.T @ (pull * np.bincount(neuron_codes, value, len(neurons)))
    inverse = linalg.pinvh(square)
    asked = columns.shape[1]
    told = np.abs(square @ inverse - np.eye(len(square))).max(axis=0)[:asked] < ESTIMABLE
    coefficients = inverse @ with_value
    left = data.left(coefficients)
    scores = data.by_neuron(left) - sums * (pull * np.bincount(neuron_codes, left, len(neurons)))[:, None]
    covariance = inverse @ (scores.T @ scores) @ inverse * len(neurons) / (len(neurons) - 1)
    estimates = np.where(told, coefficients[:asked], np.nan)
    return LinearFit(estimates, covariance[:asked, :asked], correlation, len(neurons), len(value))


def _correlation(left: Floats, neuron: Codes, many: Floats) -> float:
    """One-way analysis of variance of residuals, in [0, 0.99]."""
    answers, neurons = len(left), len(many)
    if answers == neurons:
        return 0.0
    means = np.bincount(neuron, left, neurons) / many
    within = float(((left - means[neuron]) ** 2).sum()) / (answers - neurons)
    between = float((many * (means - left.mean()) ** 2).sum()) / (neurons - 1)
    usual = (answers - float((many**2).sum()) / answers) / (neurons - 1)
    spread = max(0.0, (between - within) / usual)
    return min(0.99, spread / (spread + within)) if spread + within > 0 else 0.0
