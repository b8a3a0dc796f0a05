"""Classifiers that try to tell two arms apart, and scores for items that they were not trained on.

Two small ones, one that adds features up and one that does not, so that an audit needs no further package: logistic
regression with a ridge penalty, and boosted stumps. The audit's score is the sum of both, each standardised.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

FOLDS, REPEATS = 5, 2
PENALTY = 10.0  # on squared coefficients of standardised features
NEWTON_STEPS, CONVERGED = 12, 1e-6
CLIP = 5.0  # standard deviations: no single odd item steers a fit
ROUNDS, RATE, CUTS = 30, 0.2, 7  # boosting


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Scores of items by classifiers that did not see them.

    Attributes
    ----------
    linear, stumps, both : ndarray, float64, (items,)
    """

    linear: Floats
    stumps: Floats

    @property
    def both(self) -> Floats:
        return standardised(self.linear) + standardised(self.stumps)


def out_of_fold(
    features: Floats, second: Flags, units: Ints, rng: np.random.Generator, *, full: bool = True
) -> OutOfFold:
    """Cross-validated scores, averaged over repeats; items of one unit are never parted between training and test.

    Parameters
    ----------
    features : ndarray, float64, (items, features)
    second : ndarray, bool, (items,)
    units : ndarray, int, (items,)
        What an item belongs to: its neuron, together with the twins of that neuron in other arms.
    full : bool
        Whether stumps are fitted too; without, their scores are 0.
    """
    linear, stumps = np.zeros(len(second)), np.zeros(len(second))
    for _ in range(REPEATS):
        folds = folds_of(second, units, rng)
        for fold in range(FOLDS):
            test = folds == fold
            train, shown = scaled(features[~test], features[test])
            linear[test] += logistic_scores(logistic_fit(train, second[~test]), shown)
            if full:
                stumps[test] += Stumps.fit(train, second[~test]).scores(shown)
    return OutOfFold(linear / REPEATS, stumps / REPEATS)


def folds_of(second: Flags, units: Ints, rng: np.random.Generator) -> Ints:
    """A fold for each item, the same for all items of a unit, evenly over the units of one arm, the other, and both."""
    above, below = np.unique(units[second]), np.unique(units[~second])
    fold_of = np.zeros(int(units.max()) + 1, dtype=np.int64)
    for group in (np.setdiff1d(above, below), np.setdiff1d(below, above), np.intersect1d(above, below)):
        fold_of[rng.permutation(group)] = np.arange(len(group)) % FOLDS
    return fold_of[units]


def scaled(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Both in standard deviations of the training items; features that do not vary there are left out."""
    mean, spread = train.mean(axis=0), train.std(axis=0)
    varies = spread > 1e-9 * (1 + np.abs(mean))

    def scale(values: Floats) -> Floats:
        scaled: Floats = np.clip((values[:, varies] - mean[varies]) / spread[varies], -CLIP, CLIP)
        return scaled

    return scale(train), scale(test)


def standardised(scores: Floats) -> Floats:
    spread = scores.std()
    return (scores - scores.mean()) / spread if spread > 0 else np.zeros_like(scores)


def logistic_fit(features: Floats, second: Flags, penalty: float = PENALTY) -> Floats:
    """Intercept and coefficients of a logistic regression with a ridge penalty, by Newton's method.

    Minimises the negative log-likelihood plus penalty / 2 × the sum of squared coefficients; the intercept is free.

    Examples
    --------
    >>> values = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> logistic_fit(values, np.array([False, False, True, True]), penalty=1.0).round(3).tolist()
    [0.0, 1.007]
    """
    design = np.column_stack([np.ones(len(features)), features])
    weights = np.zeros(design.shape[1])
    ridge = np.full(design.shape[1], penalty)
    ridge[0] = 1e-9
    for _ in range(NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (second - chance) - ridge * weights
        bend = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(bend, slope)
        weights += step
        if np.abs(step).max() < CONVERGED:
            break
    return weights


def logistic_scores(weights: Floats, features: Floats) -> Floats:
    """Log odds of the second arm."""
    scores: Floats = weights[0] + features @ weights[1:]
    return scores


@dataclass(frozen=True, slots=True)
class Stumps:
    """Boosted one-question trees: which feature, where it is cut, and what either side adds to the log odds."""

    column: Ints
    cut: Floats
    below: Floats
    above: Floats

    @classmethod
    def fit(cls, features: Floats, second: Flags) -> "Stumps":
        """Newton boosting of the logistic loss over cuts at quantiles of the training items.

        References
        ----------
        Friedman (2001), Annals of Statistics 29.
        """
        cuts = np.quantile(features, np.linspace(0, 1, CUTS + 2)[1:-1], axis=0).ravel()
        columns = np.tile(np.arange(features.shape[1]), CUTS)
        beyond = (features[:, columns] > cuts).astype(np.float64)
        if not beyond.size:
            return cls(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0))
        odds, chosen, below, above = np.zeros(len(features)), [], [], []
        for _ in range(ROUNDS):
            chance = 1 / (1 + np.exp(-odds))
            slope, bend = second - chance, chance * (1 - chance)
            high, high_bend = slope @ beyond, bend @ beyond
            low, low_bend = slope.sum() - high, bend.sum() - high_bend
            best = int((high**2 / (high_bend + 1) + low**2 / (low_bend + 1)).argmax())
            below.append(RATE * low[best] / (low_bend[best] + 1))
            above.append(RATE * high[best] / (high_bend[best] + 1))
            chosen.append(best)
            odds += np.where(beyond[:, best] > 0, above[-1], below[-1])
        return cls(columns[chosen], cuts[chosen], np.array(below), np.array(above))

    def scores(self, features: Floats) -> Floats:
        if not len(self.column):
            return np.zeros(len(features))
        total: Floats = np.where(features[:, self.column] > self.cut, self.above, self.below).sum(axis=1)
        return total
