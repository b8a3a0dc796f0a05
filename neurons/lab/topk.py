"""The exact top-k of each neuron over a stream of documents, with the activations around each peak.

Per neuron the strongest token of each document is a candidate, if it is above 0. Candidates are ordered totally: by
value (largest first), document, position. Of candidates whose tokens around the peak are equal only the first counts,
so that a licence text that stands in a thousand files takes one place and not all. What is kept after all documents is
the first `size` of that order. It does not depend on how the stream was cut or on the order of the parts, because a
candidate is thrown away only when `size` better ones with other surroundings, or a better one with equal surroundings,
have been seen.

Why it is cheap: among N documents in random order a neuron meets about size · (1 + ln(N / size)) candidates that reach
its threshold. Those wait in a buffer; a merge sorts only numbers, and a window is copied once, when it is kept.
"""

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float32, Int, UInt64

# A merge is due when so many candidates wait, as a share of those kept: more often costs sorting, more seldom lets
# thresholds grow stale.
WAITING_SHARE = 0.25
WAITING_PER_NEURON = 2


@dataclass(frozen=True)
class Peaks:
    """Peaks without their windows, one row each.

    Attributes
    ----------
    neurons, documents, positions : ndarray, int64, (n,)
        Position: token in the document, without BOS.
    values : ndarray, float32, (n,)
        Above 0.
    keys : ndarray, uint64, (n,)
        Hash of neuron and the tokens around the peak.
    """

    neurons: Int[np.ndarray, "n"]
    values: Float32[np.ndarray, "n"]
    documents: Int[np.ndarray, "n"]
    positions: Int[np.ndarray, "n"]
    keys: UInt64[np.ndarray, "n"]

    @classmethod
    def empty(cls) -> "Peaks":
        whole = np.zeros(0, dtype=np.int64)
        return Peaks(whole, np.zeros(0, dtype=np.float32), whole, whole, np.zeros(0, dtype=np.uint64))

    def __len__(self) -> int:
        return len(self.neurons)

    @classmethod
    def join(cls, parts: "list[Peaks]") -> "Peaks":
        names = [field.name for field in fields(Peaks)]
        return Peaks(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def take(self, index: Int[np.ndarray, "m"]) -> "Peaks":
        return Peaks(**{field.name: getattr(self, field.name)[index] for field in fields(Peaks)})

    def first(self, count: int) -> "Peaks":
        """The first rows, without a copy."""
        return Peaks(**{field.name: getattr(self, field.name)[:count] for field in fields(Peaks)})

    def grown(self, rows: int) -> "Peaks":
        """A copy with room for more rows, whose content is undefined."""
        grown = {field.name: np.empty(rows, dtype=getattr(self, field.name).dtype) for field in fields(Peaks)}
        return Peaks(**grown).write(self)

    def write(self, other: "Peaks", first: int = 0) -> "Peaks":
        """Write other rows over these, from row `first` on."""
        for field in fields(Peaks):
            getattr(self, field.name)[first : first + len(other)] = getattr(other, field.name)
        return self

    def order(self) -> Int[np.ndarray, "n"]:
        """Indices that sort by neuron, then value (largest first), document, position."""
        # The bits of floats above 0 are ordered as whole numbers: neuron and value make one sort key.
        weakness = np.uint64(2**32 - 1) - self.values.view(np.uint32).astype(np.uint64)
        primary = self.neurons.astype(np.uint64) << np.uint64(32) | weakness
        order = np.argsort(primary)
        tied = _in_runs(primary[order])
        if tied.any():
            rows = order[tied]
            order[tied] = rows[np.lexsort((self.positions[rows], self.documents[rows], primary[rows]))]
        return order


@dataclass(frozen=True)
class Candidates:
    """Peaks with the activations around them.

    Attributes
    ----------
    windows : ndarray, float32, (n, window)
        0 beyond the context's edges.
    """

    peaks: Peaks
    windows: Float32[np.ndarray, "n window"]

    def __len__(self) -> int:
        return len(self.peaks)


def _in_runs(ordered: np.ndarray) -> np.ndarray:
    """Mask of the values that equal a neighbour."""
    equal = ordered[1:] == ordered[:-1]
    mask = np.zeros(len(ordered), dtype=bool)
    mask[1:] |= equal
    mask[:-1] |= equal
    return mask


def first_of_each(values: np.ndarray) -> np.ndarray:
    """Mask of the first row with each value.

    Examples
    --------
    >>> first_of_each(np.array([5, 3, 5, 3, 1])).tolist()
    [True, True, False, False, True]
    """
    # Sorting without indices is several times faster, and mostly nothing is double.
    ordered = np.sort(values)
    doubles = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    first = np.ones(len(values), dtype=bool)
    if len(doubles):
        places = np.searchsorted(doubles, values).clip(max=len(doubles) - 1)
        rows = np.flatnonzero(doubles[places] == values)
        _, firsts = np.unique(values[rows], return_index=True)
        first[rows] = False
        first[rows[firsts]] = True
    return first


class _Buffer:
    """Candidates that wait for a merge, copied into a few arrays that stay: arrays of many sizes that come and go with
    every tile would fragment the memory."""

    def __init__(self, rows: int, window: int) -> None:
        self.filled = 0
        self._peaks = Peaks.empty().grown(rows)
        self._windows = np.empty((rows, window), dtype=np.float32)

    def __len__(self) -> int:
        return self.filled

    def add(self, candidates: Candidates) -> None:
        end = self.filled + len(candidates)
        if end > len(self._windows):
            self._grow(max(end, 2 * len(self._windows)))
        self._peaks.write(candidates.peaks, self.filled)
        self._windows[self.filled : end] = candidates.windows
        self.filled = end

    def _grow(self, rows: int) -> None:
        windows = np.empty((rows, self._windows.shape[1]), dtype=np.float32)
        windows[: self.filled] = self._windows[: self.filled]
        self._peaks, self._windows = self._peaks.first(self.filled).grown(rows), windows

    def content(self) -> Candidates:
        return Candidates(self._peaks.first(self.filled), self._windows[: self.filled])


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
    """

    def __init__(self, neurons: int, size: int, window: int) -> None:
        self.neurons, self.size = neurons, size
        self.thresholds = np.zeros(neurons, dtype=np.float32)
        # Memory is taken when a row is first written, here as in what follows.
        self._waiting = _Buffer(2 * neurons * size, window)
        # What is kept, by neuron, strongest first: the first `_kept` rows.
        self._peaks = Peaks.empty().grown(neurons * size)
        self._kept = 0
        # Their windows lie in a pool; a kept peak owns one row of it.
        self._pool = np.empty((neurons * size, window), dtype=np.float32)
        self._rows = np.zeros(0, dtype=np.int64)
        self._free = np.arange(neurons * size)

    @property
    def peaks(self) -> Peaks:
        """What is kept, by neuron, strongest first."""
        return self._peaks.first(self._kept)

    @property
    def due(self) -> bool:
        """Whether enough candidates wait for a merge to be worth its sorting."""
        return len(self._waiting) >= max(WAITING_PER_NEURON * self.neurons, WAITING_SHARE * self._kept)

    def add(self, candidates: Candidates) -> None:
        """Put candidates into the buffer; a document's contexts may come in several calls before one merge."""
        self._waiting.add(candidates)

    def merge(self) -> None:
        """Bring the buffer into what is kept. Call it only when every document added so far is complete."""
        if not len(self._waiting):
            return
        waiting = self._waiting.content()
        everything = Peaks.join([self.peaks, waiting.peaks])
        best = self._best(everything)
        self._keep_windows(best, waiting.windows)
        self._peaks.write(everything.take(best))
        self._kept, self._waiting.filled = len(best), 0

    def _best(self, peaks: Peaks) -> Int[np.ndarray, "m"]:
        """Rows to keep, in order; raises the thresholds."""
        order = peaks.order()
        # Neuron and document in one number: documents are fewer than 2^40.
        order = order[first_of_each((peaks.neurons[order] << 40) | peaks.documents[order])]
        order = order[first_of_each(peaks.keys[order])]
        neurons = peaks.neurons[order]
        starts = np.searchsorted(neurons, np.arange(self.neurons + 1))
        full = np.flatnonzero(np.diff(starts) >= self.size)
        self.thresholds[full] = peaks.values[order[starts[full] + self.size - 1]]
        return order[np.arange(len(neurons)) - starts[neurons] < self.size]

    def _keep_windows(self, best: Int[np.ndarray, "m"], windows: Float32[np.ndarray, "n window"]) -> None:
        """Give the windows that enter the pool rows that are free once the others have left."""
        entering = best >= self._kept
        leaving = np.ones(self._kept, dtype=bool)
        leaving[best[~entering]] = False
        free = np.concatenate([self._rows[leaving], self._free])
        enter = best[entering] - self._kept
        taken, self._free = free[: len(enter)], free[len(enter) :]
        self._pool[taken] = windows[enter]
        rows = np.empty(len(best), dtype=np.int64)
        rows[~entering], rows[entering] = self._rows[best[~entering]], taken
        self._rows = rows

    def candidates(self) -> Candidates:
        """What is kept, by neuron, strongest first."""
        return Candidates(self.peaks, self._pool[self._rows])
