"""Choosing top snippets that differ: greedily from the strongest, a near-duplicate of a chosen one is passed over."""

from collections import Counter, defaultdict

import numpy as np
from jaxtyping import Int, UInt64

from neurons.lab.harvest_plan import mix64

SHINGLE = 3  # tokens


def window_keys(
    tokens: Int[np.ndarray, "rows width"],
    rows: Int[np.ndarray, "n"],
    columns: Int[np.ndarray, "n"],
    neurons: Int[np.ndarray, "n"],
    *,
    before: int,
    after: int,
) -> UInt64[np.ndarray, "n"]:
    """Hash of a neuron and of the tokens around a peak; what lies beyond the row counts as beginning of a sequence."""
    padded = np.pad(tokens, ((0, 0), (before, after))).astype(np.uint64)
    around = padded[rows[:, None], columns[:, None] + np.arange(before + after + 1)]
    places = np.arange(1, before + after + 2, dtype=np.uint64)
    with np.errstate(over="ignore"):
        return mix64(
            (mix64(around + np.uint64(1)) * (mix64(places) | np.uint64(1))).sum(axis=1)
            + mix64(neurons.astype(np.uint64))
        )


class DistinctSnippets:
    """Remembers chosen snippets and tells whether another one is nearly equal to one of them.

    Likeness is the Jaccard index of the sets of three-token shingles: shared shingles by all shingles of the two.

    Parameters
    ----------
    likeness : float
        From this Jaccard index (0 … 1) on, two snippets count as near-duplicates.

    References
    ----------
    Broder (1997), On the resemblance and containment of documents.

    Examples
    --------
    >>> distinct = DistinctSnippets(0.5)
    >>> distinct.admit([1, 2, 3, 4, 5]), distinct.admit([1, 2, 3, 4, 6]), distinct.admit([7, 2, 3, 9, 5])
    (True, False, True)
    """

    def __init__(self, likeness: float) -> None:
        self.likeness = likeness
        self._sizes: list[int] = []
        self._having: dict[tuple[int, ...], list[int]] = defaultdict(list)

    def admit(self, tokens: list[int]) -> bool:
        """Choose the snippet, unless a chosen one is nearly equal."""
        shingles = set(zip(*(tokens[shift:] for shift in range(SHINGLE)), strict=False)) or {tuple(tokens)}
        shared = Counter(other for shingle in self._having.keys() & shingles for other in self._having[shingle])
        for other, common in shared.items():
            if common >= self.likeness * (len(shingles) + self._sizes[other] - common):
                return False
        for shingle in shingles:
            self._having[shingle].append(len(self._sizes))
        self._sizes.append(len(shingles))
        return True
