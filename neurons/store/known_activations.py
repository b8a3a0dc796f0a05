"""One neuron over a whole document, as far as a harvest knows it: the windows around its peaks, and sampled tokens."""

import numpy as np

from neurons.store.harvest import HarvestStore, layer_folder
from neurons.store.pieces import Snippet, context_bounds, snippet_of


def known_activations(store: HarvestStore, layer: int, neuron: int, document: int) -> np.ndarray:
    """Activations at a document's tokens: float32 (tokens,), NaN where not known."""
    values = np.full(len(store.corpus.document_tokens(document)), np.nan, dtype=np.float32)
    _add_sample(values, store, layer, neuron, document)
    _add_windows(values, store, layer, neuron, document)
    return values


def known_text(store: HarvestStore, document: int, values: np.ndarray, first: int, end: int, peak: int) -> Snippet:
    """The tokens first … end - 1 of a document with such activations."""
    raw, ranges = store.corpus.document_bytes(document), store.corpus.token_ranges(document)
    return snippet_of(document, raw, ranges, first=first, peak=peak, values=values[first:end])


def text_around(store: HarvestStore, document: int, position: int, value: float, before: int, after: int) -> Snippet:
    """Text around one token whose activation is known, within the context that the network saw; NaN elsewhere.

    The same as `HarvestStore.sample_snippet`, for a caller that has read the sample already.
    """
    low, high = context_bounds(position, len(store.corpus.document_tokens(document)), store.context)
    first, end = max(low, position - before), min(high, position + after + 1)
    values = np.full(end - first, np.nan, dtype=np.float32)
    values[position - first] = value
    raw, ranges = store.corpus.document_bytes(document), store.corpus.token_ranges(document)
    return snippet_of(document, raw, ranges, first=first, peak=position, values=values)


def _add_sample(values: np.ndarray, store: HarvestStore, layer: int, neuron: int, document: int) -> None:
    if not store.meta.get("sampled"):
        return
    sample = store.sample(layer, neuron)
    here = np.flatnonzero(sample.documents == document)
    values[sample.positions[here]] = sample.values[here]


def _add_windows(values: np.ndarray, store: HarvestStore, layer: int, neuron: int, document: int) -> None:
    folder, before = store.folder / layer_folder(layer), int(store.meta["config"]["before"])
    documents, positions, windows = (
        np.load(folder / f"{name}.npy", mmap_mode="r")[neuron] for name in ("documents", "positions", "windows")
    )
    for rank in np.flatnonzero(documents[: store.top_count(layer, neuron)] == document):
        position = int(positions[rank])
        low, high = context_bounds(position, len(values), store.context)
        first, end = max(low, position - before), min(high, position - before + windows.shape[1])
        values[first:end] = windows[rank, first - position + before : end - position + before]
