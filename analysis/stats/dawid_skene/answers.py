"""Answers by pattern: neurons of one group with the same answers of the same raters are one row."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from analysis.stats.proportions import BadCounts

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
FEWEST_ANSWERS = 3


class NotIdentified(ValueError):
    """The answers cannot tell what is true from how raters err."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Different patterns of answers, how often each comes, and which pattern each neuron shows."""

    answers: csr_array  # (patterns, raters × categories): how often
    group: Codes  # of each pattern
    often: Floats
    pattern_of: Codes  # (neurons,)
    raters: int
    categories: int
    neurons: Codes  # (groups,)
    judgments: Codes  # (groups,)

    @classmethod
    def of(cls, said: Codes, neuron: Codes, rater: Codes, group: Codes | None, categories: int) -> "Answers":
        _checked(said, neuron, rater, categories)
        names, place = np.unique(neuron, return_inverse=True)
        raters = int(rater.max()) + 1
        group = np.zeros(len(names), dtype=np.int64) if group is None else group[names]
        groups = int(group.max()) + 1
        columns = rater * categories + said
        table = csr_array((np.ones(len(said)), (place, columns)), shape=(len(names), raters * categories))
        first, pattern_of, often = _patterns(table, group)
        return cls(
            answers=table[first],
            group=group[first],
            often=often.astype(float),
            pattern_of=pattern_of,
            raters=raters,
            categories=categories,
            neurons=np.bincount(group, minlength=groups),
            judgments=np.bincount(group[place], minlength=groups),
        )

    def starts(self) -> list[Floats]:
        """Probabilities of the classes of each pattern to begin with."""
        votes = np.stack([self.answers[:, code :: self.categories].sum(axis=1) for code in range(self.categories)], 1)
        shares = votes / votes.sum(axis=1, keepdims=True)
        most = (votes == votes.max(axis=1, keepdims=True)).astype(float)
        most /= most.sum(axis=1, keepdims=True)
        chosen = [
            np.where(votes[:, [code]] > 0, np.eye(self.categories)[code], most) for code in range(self.categories)
        ]
        return [0.05 / self.categories + 0.95 * start for start in (shares, most, *chosen)]


def _checked(said: Codes, neuron: Codes, rater: Codes, categories: int) -> None:
    if said.size and not (said.min() >= 0 and said.max() < categories):
        raise BadCounts(f"answers from {said.min()} to {said.max()} in {categories} categories; number them from 0.")
    answers = np.bincount(neuron)
    typical = float(np.median(answers[answers > 0])) if neuron.size else 0.0
    if typical < FEWEST_ANSWERS or len(np.unique(rater)) < FEWEST_ANSWERS:
        raise NotIdentified(
            f"a typical neuron has {typical:g} answers and there are {len(np.unique(rater))} raters; with fewer than "
            "three raters per neuron, raters' errors and the neurons' truth cannot be told apart"
        )
    if said.min() == said.max():
        raise NotIdentified("every answer is the same, which says nothing about raters' errors")


def _patterns(table: csr_array, group: Codes) -> tuple[Codes, Codes, Codes]:
    """First neuron of each pattern, pattern of each neuron, and how often each comes; told apart by a weighted sum."""
    keys = np.random.default_rng(1979).integers(1, 2**62, size=table.shape[1] + 1, dtype=np.uint64)
    marks = table.astype(np.uint64) @ keys[:-1] + (group.astype(np.uint64) + np.uint64(1)) * keys[-1]
    _, first, pattern_of, often = np.unique(marks, return_index=True, return_inverse=True, return_counts=True)
    return first, pattern_of, often
