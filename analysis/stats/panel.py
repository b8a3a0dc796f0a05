"""Answers of a panel laid out by neuron and rater, in blocks, so that a million answers fit into memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from analysis.stats.proportions import BadCounts

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
BLOCK = 4_000_000  # cells of a block of neurons by raters
MOST_RATERS = 500  # beyond, tables of raters by raters take minutes


class TooManyRaters(ValueError):
    """More raters than can be compared with each other."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Answers sorted by neuron and rater.

    Parameters
    ----------
    said, neuron, rater : ndarray of int, shape (answers,)
        `said` in 0 … `categories` - 1.
    neurons, raters, categories : int
        How many codes there are.
    """

    said: Codes
    neuron: Codes
    rater: Codes
    neurons: int
    raters: int
    categories: int

    @classmethod
    def of(
        cls,
        said: npt.ArrayLike,
        neuron: npt.ArrayLike,
        rater: npt.ArrayLike,
        *,
        categories: int = 2,
        neurons: int = 0,
        raters: int = 0,
    ) -> "Panel":
        """Check and sort.

        Raises
        ------
        TooManyRaters
            Above 500.
        BadCounts
            When a rater answers twice about a neuron, or an answer is no category.

        Examples
        --------
        >>> Panel.of([1, 0, 1], [1, 0, 0], [0, 0, 1]).said.tolist()
        [0, 1, 1]
        """
        answer, place, who = (np.asarray(codes, dtype=np.int64) for codes in (said, neuron, rater))
        raters = max(raters, int(who.max()) + 1 if who.size else 0)
        neurons = max(neurons, int(place.max()) + 1 if place.size else 0)
        if raters > MOST_RATERS:
            raise TooManyRaters(f"{raters} raters are too many to be compared with each other; at most {MOST_RATERS}.")
        if answer.size and not (answer.min() >= 0 and answer.max() < categories):
            raise BadCounts(f"answers from {answer.min()} to {answer.max()} in {categories} categories.")
        keys = place * max(1, raters) + who
        order = np.argsort(keys, kind="stable")
        if np.any(np.diff(keys[order]) == 0):
            raise BadCounts("a rater answers twice about one neuron; keep one answer of each rater about each neuron.")
        return cls(answer[order], place[order], who[order], neurons, raters, categories)

    def __len__(self) -> int:
        return len(self.said)

    @property
    def answers(self) -> Codes:
        """Answers about each neuron."""
        return np.bincount(self.neuron, minlength=self.neurons)

    def blocks(self) -> Iterator[slice]:
        """Runs of answers that hold whole neurons."""
        step = max(1, BLOCK // max(1, self.raters * self.categories))
        ends = np.searchsorted(self.neuron, [*range(0, self.neurons, step), self.neurons])
        yield from (slice(int(begin), int(end)) for begin, end in pairwise(ends))

    def one_hot(self, part: slice) -> Floats:
        """1 where the rater gave that category; shape (neurons of the block with an answer, raters × categories)."""
        columns = self.rater[part] * self.categories + self.said[part]
        return self._sheet(part, columns, np.ones(len(columns)), self.raters * self.categories)

    def by_rater(self, part: slice, values: Floats) -> Floats:
        """One value per answer, 0 where there is none; shape (neurons of the block with an answer, raters)."""
        return self._sheet(part, self.rater[part], values[part], self.raters)

    def _sheet(self, part: slice, columns: Codes, values: Floats, width: int) -> Floats:
        neuron = self.neuron[part]
        row = np.cumsum(np.diff(neuron, prepend=neuron[:1]) > 0)
        sheet = np.zeros((int(row[-1]) + 1 if row.size else 0, width))
        sheet[row, columns] = values
        return sheet

    def crossed(self, values: Floats) -> Floats:
        """Sum over neurons of the products of two raters' values, shape (raters, raters)."""
        total = np.zeros((self.raters, self.raters))
        for part in self.blocks():
            sheet = self.by_rater(part, values)
            total += sheet.T @ sheet
        return total
