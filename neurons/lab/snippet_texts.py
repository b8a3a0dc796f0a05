"""The strongest snippets as text, for the full-text search."""

import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from neurons.store.corpus import CorpusStore
from neurons.store.harvest import HarvestStore, layer_folder
from neurons.store.pieces import context_bounds

Row = tuple[int, str, str]


def ranked_texts(store: HarvestStore, rank: int, *, before: int, after: int) -> list[Row]:
    """The snippet of one rank of every neuron that has it: (flat number, words at the peak, text around it).

    Parameters
    ----------
    before, after : int
        Tokens around the peak, clipped at the edges of the context that the network saw.
    """
    rows: list[Row] = []
    for layer in range(store.n_layers):
        rows += _layer_texts(store, layer, rank, before, after)
    return rows


def _layer_texts(store: HarvestStore, layer: int, rank: int, before: int, after: int) -> list[Row]:
    folder = store.folder / layer_folder(layer)
    counts = np.load(folder / "counts.npy")
    neurons = np.flatnonzero(counts > rank)
    documents, positions = (
        np.load(folder / f"{name}.npy", mmap_mode="r")[neurons, rank] for name in ("documents", "positions")
    )
    # A document's bytes and ranges are looked up once for all of its snippets.
    order = np.lexsort((positions, documents))
    texts = _texts(store, documents[order], positions[order], before, after)
    rows = [(layer * store.d_mlp + int(neurons[place]), *text) for place, text in zip(order, texts, strict=True)]
    return sorted(rows)


def _texts(
    store: HarvestStore, documents: np.ndarray, positions: np.ndarray, before: int, after: int
) -> Iterator[tuple[str, str]]:
    opened = -1
    for document, position in zip(documents.tolist(), positions.tolist(), strict=True):
        if document != opened:
            opened, raw, ends = document, *_document(store.corpus, document)
        low, high = context_bounds(position, len(ends) - 1, store.context)
        first, last = max(low, position - before), min(high, position + after + 1)
        edges = ends[[first, position, position + 1, last]].tolist()
        yield _parts(*(raw[a:b].decode("utf-8", "ignore") for a, b in pairwise(edges)))


def _document(corpus: CorpusStore, document: int) -> tuple[bytes, np.ndarray]:
    """A document's bytes and its tokens' edges: token i lies between edges i and i + 1."""
    ranges = corpus.token_ranges(document)
    return corpus.document_bytes(document), np.append(ranges[:, 0], ranges[-1, 1])


def _parts(before: str, peak: str, after: str) -> tuple[str, str]:
    """The whole words that the peak is in, and everything.

    Examples
    --------
    >>> _parts("a bi", "gger", "er word")
    ('biggerer', 'a biggerer word')
    """
    start = "" if peak[:1].isspace() else re.split(r"\s", before)[-1]
    end = "" if peak[-1:].isspace() else re.split(r"\s", after)[0]
    return start + peak.strip() + end, before + peak + after
