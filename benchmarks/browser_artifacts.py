"""A made-up harvest of 100,000 neurons and its index, in the real formats, for `make bench-browser`.

The text, the tokens and the index's layers, vocabulary, tokens, search and weights go through the real writers. Written
here are: the harvest's own files (activations are drawn by chance), correlations and mean activations (to work them out
for 100,000 neurons takes a graphics card), and the sample only for the neurons that will be asked for: its files have
their full size, with holes, and a page may read no more than its neuron's row.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neurons.lab.corpus import ImportReport, build_corpus
from neurons.lab.embedded import embedded_documents
from neurons.lab.harvest_config import HarvestConfig
from neurons.lab.neuron_index import NeuronIndexWriter, write_index
from neurons.lab.tokenizer import load_tokenizer
from neurons.lab.weights import NeuronWeights
from neurons.store.corpus import CorpusStore
from neurons.store.harvest import FORMAT, HarvestStore, corpus_identity, layer_folder

LAYERS, WIDTH, MODEL = 10, 10_000, 256
DOCUMENTS = 4000
ASKED = 40  # neurons of each layer that have a sample
Say = Callable[[str], None]


@dataclass(frozen=True)
class Artifacts:
    """What was made: addresses below the artifact store, and the neurons that may be asked for, (layer, index)."""

    corpus: CorpusStore
    store: HarvestStore
    asked: list[tuple[int, int]]


def make_artifacts(root: Path, tokenizer: Path, runs: dict[str, int], say: Say) -> Artifacts:
    """Make corpora/bench, harvests/bench and an index for each of two networks.

    Parameters
    ----------
    runs : dict of str to int
        Two networks' names and the ids of their harvest runs; both read the same harvest.
    """
    random = np.random.default_rng(1)
    say(f"text: {DOCUMENTS:,} documents")
    texts = islice(embedded_documents(ImportReport()), DOCUMENTS)
    corpus = build_corpus(root / "corpora" / "bench", texts, load_tokenizer(tokenizer), name="bench")
    say(f"harvest: {LAYERS} layers of {WIDTH:,} neurons")
    asked = [(layer, int(index)) for layer in range(LAYERS) for index in random.choice(WIDTH, ASKED, replace=False)]
    store = _make_harvest(root / "harvests" / "bench", corpus, asked, random)
    for name, run in runs.items():
        say(f"index of {name}")
        twins = {str(other): (store, {"network": twin, "harvest_run": other}) for twin, other in runs.items()}
        del twins[str(run)]
        writer = MadeUpIndexWriter(store, lambda: MadeUpWeights(corpus.vocab_size), name, twins)
        write_index(writer, root / "indexes" / name, facts={})
    return Artifacts(corpus, store, asked)


# -- the harvest -------------------------------------------------------------------------------------------------------
def _make_harvest(
    folder: Path, corpus: CorpusStore, asked: list[tuple[int, int]], random: np.random.Generator
) -> HarvestStore:
    config = HarvestConfig()
    lengths = np.diff(corpus.token_offsets)
    documents = random.integers(0, corpus.documents, config.sample_most)
    for layer in range(LAYERS):
        _make_layer(folder / layer_folder(layer), config, lengths, random)
        indices = [index for number, index in asked if number == layer]
        _make_sample(folder / layer_folder(layer) / "sample.npy", config.sample_most, indices, random)
    np.save(folder / "sample_documents.npy", documents)
    positions = (random.random(config.sample_most) * lengths[documents]).astype(np.int32)
    np.save(folder / "sample_positions.npy", positions)
    np.save(folder / "not_finite.npy", np.zeros((0, 5), dtype=np.int64))
    meta: dict[str, Any] = corpus_identity(corpus) | {
        "format": FORMAT, "n_layers": LAYERS, "d_mlp": WIDTH, "context": 256, "config": config.as_dict(),
        "sampled": config.sample_most, "tokens": corpus.tokens, "dead": [0] * LAYERS, "not_finite": 0,
        "site": config.site,
    }  # fmt: skip
    (folder / "meta.json").write_text(json.dumps(meta))
    return HarvestStore.open(folder, corpus)


def _make_layer(folder: Path, config: HarvestConfig, lengths: np.ndarray, random: np.random.Generator) -> None:
    folder.mkdir(parents=True)
    shape = WIDTH, config.top
    documents = random.integers(0, len(lengths), shape)
    values = -np.sort(-random.gamma(2, 2, shape).astype(np.float32), axis=1)
    windows = random.standard_normal((*shape, config.window), dtype=np.float32)
    windows *= values[:, :, None] / 4
    windows[:, :, config.before] = values
    np.save(folder / "documents.npy", documents)
    np.save(folder / "positions.npy", (random.random(shape) * lengths[documents]).astype(np.int32))
    np.save(folder / "values.npy", values)
    np.save(folder / "windows.npy", windows)
    np.save(folder / "counts.npy", np.full(WIDTH, config.top, dtype=np.int32))
    np.save(folder / "dropped.npy", np.zeros(WIDTH, dtype=np.int32))
    np.save(folder / "density.npy", random.beta(1, 4, WIDTH))


def _make_sample(path: Path, sampled: int, indices: list[int], random: np.random.Generator) -> None:
    sample = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=(WIDTH, sampled))
    for index in indices:
        sample[index] = random.standard_normal(sampled, dtype=np.float32)
    sample.flush()


# -- the index ---------------------------------------------------------------------------------------------------------
class MadeUpWeights:
    """Weights by chance."""

    def __init__(self, vocabulary: int) -> None:
        self.generator = torch.Generator().manual_seed(2)
        self.vocabulary = vocabulary

    def neuron_weights(self, layer: int) -> NeuronWeights:
        return NeuronWeights(self._draw(WIDTH, MODEL), self._draw(WIDTH, MODEL))

    def unembedding(self) -> torch.Tensor:
        return self._draw(MODEL, self.vocabulary)

    def _draw(self, *shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=self.generator)


class MadeUpIndexWriter(NeuronIndexWriter):
    """The real writer, but for correlations and means, which are drawn by chance."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        made_up = {"neighbours", *(part.name for part in self.parts if part.name.startswith("twin-"))}
        self.parts = [
            replace(part, write=self._made_up_correlations) if part.name in made_up else part for part in self.parts
        ]

    def _made_up_correlations(self, folder: Path, step: Callable[[int, int], None]) -> None:
        random, shape = np.random.default_rng(3), (self.neurons, self.config.listed)
        np.save(folder / "neurons.npy", random.integers(0, self.neurons, shape, dtype=np.int32))
        np.save(folder / "r.npy", -np.sort(-random.random(shape, dtype=np.float32), axis=1))
        np.save(folder / "same.npy", random.random(self.neurons, dtype=np.float32))

    def _write_means(self, folder: Path) -> None:
        random, shape = np.random.default_rng(4), (self.neurons, self.config.listed)
        vocabulary = self.store.corpus.vocab_size
        np.save(folder / "mean_tokens.npy", random.integers(0, vocabulary, shape, dtype=np.int32))
        np.save(folder / "mean_values.npy", random.random(shape, dtype=np.float32))
        np.save(folder / "occurrences.npy", random.integers(5, 500, vocabulary))
