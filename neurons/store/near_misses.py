"""Tokens that fire a neuron in one text and not in another."""

from functools import lru_cache
from pathlib import Path

import numpy as np

from neurons.store.harvest import HarvestStore, layer_folder


def near_miss_places(store: HarvestStore, layer: int, neuron: int) -> np.ndarray:
    """Places of the sample where a neuron is silent at a token that is the peak of one of its top snippets: int64.

    Only in other documents than those of the top snippets.
    """
    sample, top = store.sample(layer, neuron), store.top_documents(layer, neuron)
    positions = np.load(store.folder / layer_folder(layer) / "positions.npy", mmap_mode="r")[neuron, : len(top)]
    firing = np.unique(_tokens_at(store, top, positions))
    places = np.flatnonzero((sample.values <= 0) & ~np.isin(sample.documents, top))
    tokens = _tokens_at(store, sample.documents[places], sample.positions[places])
    near: np.ndarray = places[np.isin(tokens, firing)]
    return near


def _tokens_at(store: HarvestStore, documents: np.ndarray, positions: np.ndarray) -> np.ndarray:
    return np.asarray(_tokens(store.corpus.folder)[store.corpus.token_offsets[documents] + positions])


@lru_cache(maxsize=4)
def _tokens(corpus: Path) -> np.ndarray:
    tokens: np.ndarray = np.load(corpus / "tokens.npy", mmap_mode="r")
    return tokens
