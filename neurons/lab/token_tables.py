"""Tokens that go with neurons: at the peaks of their strongest snippets, and by mean activation on the sample."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int32, Int64

from neurons.lab.correlation import SampledNeurons
from neurons.store.corpus import CorpusStore
from neurons.store.harvest import HarvestStore, layer_folder


def tokens_at(corpus: CorpusStore, documents: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Ids of the tokens at places (document, position), int64, all at once."""
    tokens = np.load(corpus.folder / "tokens.npy", mmap_mode="r")
    return np.asarray(tokens[corpus.token_offsets[documents] + positions], dtype=np.int64)


@dataclass(frozen=True)
class PeakCounts:
    """How many kept snippets of each neuron have their peak at each token: one row per neuron and token that occurs.

    Attributes
    ----------
    neurons, tokens, counts : ndarray, (n,)
        Flat number, token id, snippets.
    """

    neurons: Int32[np.ndarray, " n"]
    tokens: Int32[np.ndarray, " n"]
    counts: Int32[np.ndarray, " n"]


def kept_places(store: HarvestStore, layer: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Index of the neuron, document and position of every kept snippet of a layer, each int64 (n,)."""
    folder = store.folder / layer_folder(layer)
    documents, positions, counts = (np.load(folder / f"{name}.npy") for name in ("documents", "positions", "counts"))
    neurons, ranks = np.nonzero(np.arange(documents.shape[1]) < counts[:, None])
    return neurons, documents[neurons, ranks], positions[neurons, ranks].astype(np.int64)


def peak_counts(store: HarvestStore) -> PeakCounts:
    """Count the tokens at the peaks of all kept snippets."""
    vocabulary = store.corpus.vocab_size
    found = []
    for layer in range(store.n_layers):
        neurons, documents, positions = kept_places(store, layer)
        keys = neurons * vocabulary + tokens_at(store.corpus, documents, positions)
        unique, counts = np.unique(keys, return_counts=True)
        found.append((layer * store.d_mlp + unique // vocabulary, unique % vocabulary, counts))
    columns = (np.concatenate(column).astype(np.int32) for column in zip(*found, strict=True))
    return PeakCounts(*columns)


def commonest(peaks: PeakCounts, neurons: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Each neuron's k commonest tokens at its peaks and how often they are there, int32 (neurons, k); -1: no more."""
    order = np.lexsort((peaks.tokens, -peaks.counts, peaks.neurons))
    owners = peaks.neurons[order]
    rank = np.arange(len(owners)) - np.searchsorted(owners, owners)
    listed = order[rank < k]
    tokens, counts = np.full((neurons, k), -1, dtype=np.int32), np.zeros((neurons, k), dtype=np.int32)
    place = peaks.neurons[listed], rank[rank < k]
    tokens[place], counts[place] = peaks.tokens[listed], peaks.counts[listed]
    return tokens, counts


def by_token(peaks: PeakCounts, vocabulary: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same counts by token: where each token's rows start, int64 (vocabulary + 1), neurons, counts; most first."""
    order = np.lexsort((peaks.neurons, -peaks.counts, peaks.tokens))
    starts = np.searchsorted(peaks.tokens[order], np.arange(vocabulary + 1)).astype(np.int64)
    return starts, peaks.neurons[order], peaks.counts[order]


def mean_by_token(
    neurons: SampledNeurons, tokens: Int64[np.ndarray, " tokens"], *, k: int, fewest: int
) -> tuple[Int32[np.ndarray, "neurons k"], Float32[np.ndarray, "neurons k"]]:
    """The k tokens with the largest mean activation of each neuron; -1: no more.

    Parameters
    ----------
    tokens : ndarray, int64, (tokens,)
        Id of each sampled token.
    fewest : int
        Occurrences in the sample that a token needs: the mean of a few says little.
    """
    order = np.argsort(tokens, kind="stable")
    ids, starts, counts = np.unique(tokens[order], return_index=True, return_counts=True)
    usable = np.flatnonzero(counts >= fewest)
    listed, values = [], []
    for _, block in neurons.blocks():
        sums = np.add.reduceat(block[:, order], starts, axis=1, dtype=np.float64)
        means = (sums[:, usable] / counts[usable]).astype(np.float32)
        best = _largest(means, k)
        listed.append(_padded(ids[usable][best], k, -1))
        values.append(_padded(np.take_along_axis(means, best, axis=1), k, 0))
    return np.concatenate(listed).astype(np.int32), np.concatenate(values).astype(np.float32)


def _largest(values: np.ndarray, k: int) -> np.ndarray:
    """Columns of the k largest values of each row, largest first."""
    width = min(k, values.shape[1])
    some = (
        np.argpartition(-values, width - 1, axis=1)[:, :width] if width else np.zeros((len(values), 0), dtype=np.int64)
    )
    order = np.argsort(-np.take_along_axis(values, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def _padded(rows: np.ndarray, k: int, fill: int) -> np.ndarray:
    return np.pad(rows, ((0, 0), (0, k - rows.shape[1])), constant_values=fill)
