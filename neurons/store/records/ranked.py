"""The strongest excerpts of records as a harvest keeps them (format: neurons.store.harvest)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurons.store.harvest import layer_folder
from neurons.store.records.record import TOP
from neurons.store.records.store import RecordStore

MOST_KEPT = 100  # snippets of a neuron: as many as a study can show
MOST_SHOWN = 1024  # tokens on each side of the peak: as many as a study can show
NEURONS_AT_ONCE = 4096


@dataclass(frozen=True)
class LayerFacts:
    """Counts of one layer.

    Attributes
    ----------
    known : int
        Neurons with any record.
    dead : int
        Known neurons without an excerpt above 0.
    repeated, ungrouped, cut : int
        See `neurons.store.records.build.ImportReport`.
    """

    known: int
    dead: int
    repeated: int
    ungrouped: int
    cut: int


@dataclass(frozen=True)
class Chosen:
    """Excerpts chosen as snippets: rows of one layer with their places.

    Attributes
    ----------
    rows : ndarray, int64, (chosen,)
        Numbers of rows in the store.
    neurons, ranks : ndarray, int64, (chosen,)
    repeated : ndarray, int32, (neurons,)
    ungrouped : int
    """

    rows: np.ndarray
    neurons: np.ndarray
    ranks: np.ndarray
    repeated: np.ndarray
    ungrouped: int


def longest_windows(records: RecordStore) -> tuple[int, int]:
    """Tokens before and after a peak that hold every excerpt whole, at most MOST_SHOWN."""
    before = after = 0
    for layer in range(records.n_layers):
        for first in range(0, records.n_neurons, NEURONS_AT_ONCE):
            rows = records.layer_rows(layer, first, min(first + NEURONS_AT_ONCE, records.n_neurons))
            if len(rows):
                before = max(before, int(rows["peak"].max()))
                after = max(after, int((records.lengths(rows["document"]) - rows["peak"]).max()) - 1)
    return min(before, MOST_SHOWN), min(after, MOST_SHOWN)


def write_layers(folder: Path, records: RecordStore, before: int, after: int) -> list[LayerFacts]:
    """Write the arrays of every layer, and those of an empty sample."""
    chosen = [_chosen_of_layer(records, layer) for layer in range(records.n_layers)]
    kept = max([1, *(int(found.ranks.max(initial=-1)) + 1 for found in chosen)])
    np.save(folder / "sample_documents.npy", np.zeros(0, dtype=np.int64))
    np.save(folder / "sample_positions.npy", np.zeros(0, dtype=np.int32))
    np.save(folder / "not_finite.npy", np.zeros((0, 5), dtype=np.int64))
    facts = []
    for layer, found in enumerate(chosen):
        target = folder / layer_folder(layer)
        target.mkdir()
        facts.append(_write_layer(target, records, layer, found, (kept, before, after)))
    return facts


def _chosen_of_layer(records: RecordStore, layer: int) -> Chosen:
    parts = [
        _chosen(records, layer, first, min(first + NEURONS_AT_ONCE, records.n_neurons))
        for first in range(0, records.n_neurons, NEURONS_AT_ONCE)
    ]
    return Chosen(
        rows=np.concatenate([part.rows for part in parts]),
        neurons=np.concatenate([part.neurons for part in parts]),
        ranks=np.concatenate([part.ranks for part in parts]),
        repeated=np.concatenate([part.repeated for part in parts]),
        ungrouped=sum(part.ungrouped for part in parts),
    )


def _chosen(records: RecordStore, layer: int, first: int, end: int) -> Chosen:
    """Each neuron's strongest excerpts, one of each text, ties in the order of the files.

    Where a neuron has a group of strongest excerpts only those count: the others are samples. Excerpts of which not
    every activation is known cannot be shown with their strongest tokens marked, so none is chosen.
    """
    rows = records.layer_rows(layer, first, end)
    neurons = rows["neuron"].astype(np.int64) - first
    is_top = rows["kind"] == TOP
    has_top = np.bincount(neurons[is_top], minlength=end - first) > 0
    has_rows = np.bincount(neurons, minlength=end - first) > 0
    eligible = np.flatnonzero(rows["complete"] & (rows["value"] > 0) & (is_top | ~has_top[neurons]))
    order = eligible[np.lexsort((eligible, -rows["value"][eligible], neurons[eligible]))]
    texts = neurons[order] * records.corpus.documents + rows["document"][order]
    strongest = np.sort(np.unique(texts, return_index=True)[1])
    distinct = order[strongest]
    counts = np.bincount(neurons[distinct], minlength=end - first)
    ranks = np.arange(len(distinct)) - np.repeat(np.cumsum(counts) - counts, counts)
    distinct, ranks = distinct[ranks < MOST_KEPT], ranks[ranks < MOST_KEPT]
    return Chosen(
        rows=distinct + int(records.starts[layer * records.n_neurons + first]),
        neurons=neurons[distinct] + first,
        ranks=ranks,
        repeated=(np.bincount(neurons[order], minlength=end - first) - counts).astype(np.int32),
        ungrouped=int((has_rows & ~has_top).sum()),
    )


def _write_layer(
    target: Path, records: RecordStore, layer: int, found: Chosen, shape: tuple[int, int, int]
) -> LayerFacts:
    neurons, kept = records.n_neurons, shape[0]
    rows = records.rows[found.rows]
    for name, column, dtype in (
        ("values", "value", np.float32),
        ("documents", "document", np.int64),
        ("positions", "peak", np.int32),
    ):
        array = np.zeros((neurons, kept), dtype=dtype)
        array[found.neurons, found.ranks] = rows[column]
        np.save(target / f"{name}.npy", array)
    counts = np.bincount(found.neurons, minlength=neurons).astype(np.int32)
    known, density = _known(records, layer)
    np.save(target / "counts.npy", counts)
    np.save(target / "known.npy", known)
    np.save(target / "dropped.npy", found.repeated)
    np.save(target / "density.npy", np.where((density == 0) & (counts > 0), np.nan, density))
    np.save(target / "sample.npy", np.zeros((neurons, 0), dtype=np.float16))
    cut = _write_windows(target / "windows.npy", records, found, rows, shape)
    dead = int((known & (counts == 0)).sum())
    return LayerFacts(int(known.sum()), dead, int(found.repeated.sum()), found.ungrouped, cut)


def _known(records: RecordStore, layer: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether each neuron has records, and the density that they tell; NaN: none told.

    A density of 0 is what Neuronpedia's database holds where nothing was given; whoever calls this has to check it
    against the excerpts.
    """
    known, density = np.zeros(records.n_neurons, dtype=bool), np.full(records.n_neurons, np.nan)
    for neuron in range(records.n_neurons):
        known[neuron] = records.is_known(layer, neuron)
        if known[neuron]:
            density[neuron] = _share(records.facts(layer, neuron).get("frac_nonzero"))
    return known, density


def _share(value: Any) -> float:
    is_share = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return float(value) if is_share else np.nan


def _write_windows(
    path: Path, records: RecordStore, found: Chosen, rows: np.ndarray, shape: tuple[int, int, int]
) -> int:
    """Write the activations around each peak; returns how many snippets did not fit whole."""
    kept, before, after = shape
    size = (records.n_neurons, kept, before + 1 + after)
    windows = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=size)
    cut = 0
    for row, neuron, rank in zip(rows, found.neurons, found.ranks, strict=True):
        values, peak = records.row_values(row), int(row["peak"])
        first, end = max(0, peak - before), min(len(values), peak + after + 1)
        windows[neuron, rank, first - peak + before : end - peak + before] = values[first:end]
        cut += end - first < len(values)
    windows.flush()
    return cut
