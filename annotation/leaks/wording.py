"""How well the words alone tell the arms: information, because words are what raters judge."""

import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

from annotation.leaks.classify import FOLDS, Flags, Floats, Ints, folds_of

BUCKETS = 4_096  # hashed words
RIDGE = 1.0


def word_table(counts: Sequence[Counter[str]]) -> Floats:
    """Logarithms of word counts by hash, each item scaled to length 1: (items, BUCKETS)."""
    table = np.zeros((len(counts), BUCKETS))
    for row, found in zip(table, counts, strict=True):
        for word, times in found.items():
            row[zlib.crc32(word.encode()) % BUCKETS] += times
    table = np.log1p(table)
    scaled: Floats = table / np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    return scaled


def word_scores(likeness: Floats, second: Flags, units: Ints, rng: np.random.Generator) -> Floats:
    """Cross-validated scores of a ridge regression of the arm on the words, in its dual form.

    Parameters
    ----------
    likeness : ndarray, float64, (items, items)
        Products of the rows of `word_table`.
    """
    target, scores, folds = np.where(second, 1.0, -1.0), np.zeros(len(second)), folds_of(second, units, rng)
    for fold in range(FOLDS):
        test, train = folds == fold, folds != fold
        mean = target[train].mean()
        known = likeness[np.ix_(train, train)] + RIDGE * np.eye(int(train.sum()))
        scores[test] = mean + likeness[np.ix_(test, train)] @ np.linalg.solve(known, target[train] - mean)
    return scores
