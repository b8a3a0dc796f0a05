"""The exact top-k of each neuron over a stream of documents, with the activations around each peak.

Per neuron the strongest token of each document is a candidate, if it is above 0. Candidates are ordered totally: by
value (largest first), document, position. Of candidates whose tokens around the peak are equal only the first counts,
so that a licence text that stands in a thousand files takes one place and not all. What is kept after all documents is
the first `size` of that order: it does not depend on how the stream was cut, because a candidate is thrown away only
when `size` better ones with other surroundings, or a better one with equal surroundings, have been seen.
"""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float32, Int, UInt64


@dataclass(frozen=True)
class Candidates:
    """Peaks, one row each.

    Attributes
    ----------
    neurons, documents, positions : ndarray, int64, (n,)
        Position: token in the document, without BOS.
    values : ndarray, float32, (n,)
    keys : ndarray, uint64, (n,)
        Hash of neuron and the tokens around the peak.
    windows : ndarray, float32, (n, window)
        Activations around the peak, 0 beyond the context's edges.
    """

    neurons: Int[np.ndarray, "n"]
    values: Float32[np.ndarray, "n"]
    documents: Int[np.ndarray, "n"]
    positions: Int[np.ndarray, "n"]
    keys: UInt64[np.ndarray, "n"]
    windows: Float32[np.ndarray, "n window"]

    @classmethod
    def empty(cls, window: int) -> "Candidates":
        whole = np.zeros(0, dtype=np.int64)
        values = np.zeros(0, dtype=np.float32)
        return cls(whole, values, whole, whole, np.zeros(0, np.uint64), np.zeros((0, window), np.float32))

    def __len__(self) -> int:
        return len(self.neurons)

    @classmethod
    def join(cls, parts: list["Candidates"]) -> "Candidates":
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def take(self, index: Int[np.ndarray, "m"]) -> "Candidates":
        return Candidates(**{field.name: getattr(self, field.name)[index] for field in fields(self)})

    def order(self) -> Int[np.ndarray, "n"]:
        """Indices that sort by neuron, then value (largest first), document, position."""
        # The bits of floats above 0 are ordered as whole numbers: neuron and value make one sort key.
        weakness = np.uint64(2**32 - 1) - self.values.view(np.uint32).astype(np.uint64)
        return np.lexsort((self.positions, self.documents, self.neurons.astype(np.uint64) << np.uint64(32) | weakness))


def first_of_each(values: np.ndarray) -> Int[np.ndarray, "m"]:
    """Indices, ascending, of the first row with each value.

    Examples
    --------
    >>> first_of_each(np.array([5, 3, 5, 3, 1])).tolist()
    [0, 1, 4]
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    return np.sort(order[new])


class TopK:
    """The top candidates of every neuron of one layer.

    Parameters
    ----------
    neurons : int
        Neurons of the layer.
    size : int
        Candidates kept for each neuron.
    window : int
        Activations stored around each peak.

    Attributes
    ----------
    thresholds : ndarray, float32, (neurons,)
        A candidate below its neuron's threshold cannot be kept. The `size`-th value at the last merge, 0 before.
    equal_windows : int
        Candidates dropped so far because a better one had equal tokens around its peak. Depends on the order of
        reading: those that fell short of the threshold were never compared.
    """

    def __init__(self, neurons: int, size: int, window: int) -> None:
        self.neurons, self.size = neurons, size
        self.kept = Candidates.empty(window)
        self.thresholds = np.zeros(neurons, dtype=np.float32)
        self.equal_windows = 0
        self._fresh: list[Candidates] = []

    @property
    def waiting(self) -> int:
        """Candidates that the next merge will look at."""
        return sum(len(part) for part in self._fresh)

    def add(self, candidates: Candidates) -> None:
        """Put candidates into the buffer; a document's contexts may come in several calls before one merge."""
        self._fresh.append(candidates)

    def merge(self) -> None:
        """Bring the buffer into the kept candidates. Call it only when every document added so far is complete."""
        if self._fresh:
            self.put(Candidates.join([self.kept, *self._fresh]))
            self._fresh = []

    def put(self, candidates: Candidates) -> None:
        """Keep the best of these candidates, and nothing else."""
        order = candidates.order()
        # Neuron and document in one number: documents are fewer than 2^40.
        peaks = (candidates.neurons[order] << 40) | candidates.documents[order]
        order = order[first_of_each(peaks)]
        unique = first_of_each(candidates.keys[order])
        self.equal_windows += len(order) - len(unique)
        order = order[unique]
        neurons = candidates.neurons[order]
        starts = np.searchsorted(neurons, np.arange(self.neurons + 1))
        ranks = np.arange(len(neurons)) - starts[neurons]
        self.kept = candidates.take(order[ranks < self.size])
        full = np.flatnonzero(np.diff(starts) >= self.size)
        self.thresholds[full] = candidates.values[order[starts[full] + self.size - 1]]
