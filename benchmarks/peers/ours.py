"""Measure our harvest on the same job, in a process of its own, as the others are measured.

The top that is compared comes from a second harvest that keeps near-duplicates, as the others do.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.peers.exchange import Entry, Job, Result
from benchmarks.peers.peer import bytes_in, fastest, peak_bytes, run_peer, seconds
from neurons.lab.config import TransformerConfig
from neurons.lab.harvest import HarvestConfig, harvest, make_plan
from neurons.lab.harvest_config import MOST_RESERVE
from neurons.lab.harvest_plan import tiles_of
from neurons.lab.transformer import Transformer
from neurons.store.corpus import SPLITS, CorpusStore
from neurons.store.harvest import HarvestStore

# Kept for the comparison: far more than another tool lists, as those at places where it does not look are taken out.
KEPT = MOST_RESERVE


def write_corpus(folder: Path, tokens: np.ndarray) -> CorpusStore:
    """The rows as a corpus of tokens without text, a document each; the network puts column 0 back."""
    documents = tokens[:, 1:]
    np.save(folder / "tokens.npy", documents.ravel().astype(np.uint32))
    np.save(folder / "token_offsets.npy", np.arange(len(documents) + 1, dtype=np.int64) * documents.shape[1])
    np.save(folder / "splits.npy", np.full(len(documents), SPLITS.index("harvest"), dtype=np.uint8))
    facts = {"documents": len(documents), "tokens": documents.size, "fingerprint": "0" * 64}
    (folder / "corpus.json").write_text(json.dumps(facts | {"tokenizer_fingerprint": "0" * 64}))
    return CorpusStore.open(folder)


@dataclass(frozen=True)
class OneLayerShape:
    d_mlp: int
    context: int
    n_layers: int = 1


class FirstNeurons:
    """The first neurons of a network's last layer, as a network of one layer."""

    def __init__(self, network: Transformer, neurons: int) -> None:
        self.network, self.neurons, self.bos_id = network, neurons, network.bos_id
        self.config = OneLayerShape(d_mlp=neurons, context=network.config.context)

    def neuron_activations(self, tokens: torch.Tensor, *, site: str = "post_act") -> Iterator[tuple[int, torch.Tensor]]:
        for layer, activations in self.network.neuron_activations(tokens, site=site):
            if layer + 1 == self.network.config.n_layers:
                yield 0, activations[:, :, : self.neurons]

    def to(self, device: object) -> "FirstNeurons":
        self.network.to(device)
        return self


def load_ours(job: Job) -> Transformer:
    network = Transformer(TransformerConfig.from_dict(job.config))
    network.load_state_dict({name: torch.from_numpy(array) for name, array in job.weights.items()})
    return network.eval()


def forward(source: FirstNeurons, corpus: CorpusStore, config: HarvestConfig) -> None:
    plan = make_plan(corpus, config)
    for block in range(plan.blocks):
        for tile in tiles_of(
            corpus,
            plan.documents_of(block),
            context=source.config.context,
            tile_tokens=config.tile_tokens,
            bos=source.bos_id,
        ):
            for _ in source.neuron_activations(torch.from_numpy(tile.tokens)):
                pass


def top_of(store: HarvestStore, neurons: int) -> list[list[Entry]]:
    layer = store.folder / "layer00"
    values, documents, positions = (np.load(layer / f"{name}.npy") for name in ("values", "documents", "positions"))
    return [
        [
            (float(values[neuron, rank]), int(documents[neuron, rank]), int(positions[neuron, rank]) + 1)
            for rank in range(store.top_count(0, neuron))
        ]
        for neuron in range(neurons)
    ]


def measure(job: Job, neurons: int, output: Path) -> Result:
    source, config = FirstNeurons(load_ours(job), neurons), HarvestConfig()
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_corpus(Path(folder), job.tokens)

        def keep(name: str, config: HarvestConfig) -> Callable[[], HarvestStore]:
            return lambda: harvest(source, corpus, output / name, config, facts={})

        forward_seconds = fastest(lambda: forward(source, corpus, config))
        harvest_seconds = seconds(keep("harvest", config))
        peak = peak_bytes()
        whole = job.tokens.shape[1]
        unlike = replace(config, top=KEPT, reserve=KEPT, equal_before=whole, equal_after=whole, likeness=2.0)
        top = top_of(keep("with_duplicates", unlike)(), neurons)
    return Result(
        version="Blindscope",
        neurons=neurons,
        tokens=job.tokens.size,
        seconds_forward=forward_seconds,
        seconds_harvest=harvest_seconds,
        seconds_saving=0.0,
        peak_bytes=peak,
        disk_bytes=bytes_in(output / "harvest"),
        columns=(1, job.tokens.shape[1]),
        top=top,
    )


if __name__ == "__main__":
    run_peer(measure)
