"""How much a full harvest costs beside the bare forward pass. Run with `make bench-harvest`.

Three things on the same network and the same tokens, in the same batches:

    forward, logits     the whole forward pass, as a harvester that asks a model for its output pays for it
    forward, neurons    the forward pass up to the last layer's activations
    harvest             ours, to the finished folder on disk: all neurons, top-k, windows, sample, near-duplicates

Each is repeated and the fastest repetition counts, because other programs can only slow a run down.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from neurons.lab.checkpoint import load_network
from neurons.lab.config import TransformerConfig
from neurons.lab.harvest import HarvestConfig, harvest
from neurons.lab.harvest_plan import batches_of, choose_documents
from neurons.lab.transformer import Transformer
from neurons.store.corpus import CorpusStore

SHAPES = {
    "1 layer, d 256, vocabulary 4k": {"n_layers": 1, "d_model": 256, "n_heads": 4, "vocab_size": 4096},
    "1 layer, d 512, vocabulary 48k": {"n_layers": 1, "d_model": 512, "n_heads": 8, "vocab_size": 48_262},
    "4 layers, d 256, vocabulary 4k": {"n_layers": 4, "d_model": 256, "n_heads": 4, "vocab_size": 4096},
}


class RandomCorpus:
    """Documents of random tokens, 50 to 900 long, when there is no real corpus at hand."""

    def __init__(self, documents: int = 6000) -> None:
        self.fingerprint = "0" * 64
        self.meta = {"tokenizer_fingerprint": "random"}
        self.splits = {"harvest": np.arange(documents)}
        random = np.random.default_rng(7)
        lengths = random.integers(50, 900, documents)
        self._tokens = [random.integers(1, 4096, length).astype(np.uint16) for length in lengths]

    def document_tokens(self, document: int) -> np.ndarray:
        return self._tokens[document]


def fastest(work: Callable[[], None], repeats: int, clock: Callable[[], float]) -> float:
    """Seconds of the fastest of some repetitions."""
    seconds = []
    for _ in range(repeats):
        started = clock()
        work()
        seconds.append(clock() - started)
    return min(seconds)


def measure(network: Transformer, corpus: CorpusStore, config: HarvestConfig, repeats: int, clock: Callable[[], float]):
    """Seconds for logits, neurons and harvest, and the tokens read."""
    documents = choose_documents(corpus, config.split, config.max_tokens)
    size = config.block_documents
    batches = [
        batch
        for first in range(0, len(documents), size)
        for batch in batches_of(
            corpus,
            documents[first : first + size],
            context=network.config.context,
            batch_tokens=config.batch_tokens,
            bos=0,
        )
    ]

    @torch.inference_mode()
    def logits() -> None:
        for batch in batches:
            network(torch.from_numpy(batch.tokens))

    def neurons() -> None:
        for batch in batches:
            for _ in network.neuron_activations(torch.from_numpy(batch.tokens)):
                pass

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            harvest(network, corpus, Path(folder) / "out", config, facts={})

    works = (logits, neurons, ours)
    return [fastest(work, repeats, clock) for work in works], sum(batch.read for batch in batches)


def networks(shipped: Path | None):
    """(title, network) of everything that is measured."""
    if shipped is not None:
        yield shipped.name, load_network(shipped)
        return
    for activation in ("gelu", "solu_ln"):
        for title, shape in SHAPES.items():
            config = TransformerConfig(**shape, d_mlp=4 * shape["d_model"], context=256, activation=activation)
            yield f"{title}, {activation}", Transformer(config).eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="corpus folder (default: random tokens)")
    parser.add_argument("--network", type=Path, help="network folder (default: random networks of three shapes)")
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=0, help="threads of torch (default: torch decides)")
    parser.add_argument("--cpu-seconds", action="store_true", help="measure processor time: for a busy machine")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    corpus = CorpusStore.open(options.corpus) if options.corpus else RandomCorpus()
    clock = time.process_time if options.cpu_seconds else time.perf_counter
    print(f"{torch.get_num_threads()} threads, {'processor' if options.cpu_seconds else 'wall'} microseconds per token")
    print(f"{'network':40} {'logits':>8} {'neurons':>8} {'harvest':>8}   harvest / neurons   harvest / logits")
    for title, network in networks(options.network):
        config = HarvestConfig(max_tokens=options.tokens)
        (logits, neurons, ours), tokens = measure(network, corpus, config, options.repeats, clock)
        micro = [1e6 * seconds / tokens for seconds in (logits, neurons, ours)]
        columns = " ".join(f"{value:8.1f}" for value in micro)
        print(f"{title:40} {columns}   {ours / neurons:17.2f}   {ours / logits:16.2f}", flush=True)


if __name__ == "__main__":
    main()
