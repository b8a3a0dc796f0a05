"""What a full harvest costs beside the bare forward pass and beside other ways. Run with `make bench-harvest`.

On the same network, tokens and tiles, on one thread (a harvest takes more cores by more processes):

    (a) forward, logits       the whole forward pass, as a harvester that asks a model for its output pays for it
    (b) forward, neurons      the forward pass up to the last layer's activations: no last W_out, no logits
    (c) harvest               ours, to the finished folder on disk: all neurons of all layers, top-k, windows, sample,
                              near-duplicates
    (d) Neuroscope's loop     top-k by row replacement, with logits as it does
    (e) top of concatenation  top-k over the old top-k and all tokens, with logits

(a), (d) and (e) read the first 100,000 of these tokens, as logits take long (--slow-tokens). (b) and (c) take turns and
the fastest repetition of each counts, because other programs can only slow a run down.
Then: whether the harvest's top snippets equal a brute force in float64, and the peak memory at 1, 4 and 16 times the
tokens. With --peers also other people's packages, each in an environment of its own.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from benchmarks.harvest_baselines import concatenation_loop, neuroscope_loop
from neurons.lab.checkpoint import load_network
from neurons.lab.config import TransformerConfig
from neurons.lab.corpus import ImportReport, build_corpus
from neurons.lab.embedded import embedded_documents
from neurons.lab.harvest import HarvestConfig, harvest, make_plan
from neurons.lab.harvest_plan import Tile, tiles_of
from neurons.lab.tokenizer import load_tokenizer
from neurons.lab.transformer import Transformer
from neurons.store.corpus import CorpusStore
from neurons.tests.lab.brute_force import brute_force

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT / "var" / "bench" / "corpus"
SHAPES = {
    "1 layer, d 512, vocabulary 48,262": {"n_layers": 1, "d_model": 512, "n_heads": 8, "vocab_size": 48_262},
    "4 layers, d 256, vocabulary 4,096": {"n_layers": 4, "d_model": 256, "n_heads": 4, "vocab_size": 4096},
}
CHECKED_NEURONS = 16  # of each layer, against the brute force
MEMORY_STEPS = (1, 4, 16)
# The C library keeps large blocks that were freed, in pieces that fit less and less: a long run may hold a quarter
# more than it uses. Told to give them back, it shows what the harvest itself needs.
GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": str(2**20)}
GOAL = 1.10


def the_corpus(folder: Path | None) -> CorpusStore:
    """The given corpus, or the text that every installation has, built once."""
    if folder is None and not (CORPUS / "corpus.json").is_file():
        print("building the embedded corpus (once) …", flush=True)
        tokenizer = load_tokenizer(ROOT / "neurons" / "shipped" / "tokenizer.json")
        build_corpus(CORPUS, embedded_documents(ImportReport()), tokenizer, name="bench")
    return CorpusStore.open(folder or CORPUS)


def all_tiles(network: Transformer, corpus: CorpusStore, config: HarvestConfig) -> Iterator[Tile]:
    plan = make_plan(corpus, config)
    for block in range(plan.blocks):
        yield from tiles_of(
            corpus,
            plan.documents_of(block),
            context=network.config.context,
            tile_tokens=config.tile_tokens,
            bos=network.bos_id,
        )


@torch.inference_mode()
def forward_logits(network: Transformer, tiles: Iterator[Tile]) -> None:
    for tile in tiles:
        network(torch.from_numpy(tile.tokens))


def forward_neurons(network: Transformer, tiles: Iterator[Tile]) -> None:
    for tile in tiles:
        for _ in network.neuron_activations(torch.from_numpy(tile.tokens)):
            pass


def measure(
    network: Transformer,
    corpus: CorpusStore,
    config: HarvestConfig,
    fewer: HarvestConfig,
    repeats: int,
    clock: Callable[[], float],
) -> None:
    """Time everything on one network and print a line for each; what computes logits reads `fewer` tokens."""
    tokens, some = make_plan(corpus, config).tokens, make_plan(corpus, fewer).tokens

    def seconds(work: Callable[[], None]) -> float:
        started = clock()
        work()
        return clock() - started

    def ours() -> None:
        with tempfile.TemporaryDirectory() as folder:
            harvest(network, corpus, Path(folder) / "out", config, facts={})

    def bare() -> None:
        forward_neurons(network, all_tiles(network, corpus, config))

    turns = [(seconds(bare), seconds(ours)) for _ in range(repeats)]
    neurons, harvested = (min(times) / tokens for times in zip(*turns, strict=True))

    def say(title: str, each: float, remark: str = "") -> None:
        print(f"  {title:28} {1e6 * each:9.1f} µs/token {each / neurons:8.2f} × (b) {remark}", flush=True)

    verdict = f"goal at most {GOAL:.2f}: {'met' if harvested <= GOAL * neurons else 'MISSED'}"
    say("(b) forward, neurons", neurons)
    say("(c) harvest", harvested, verdict)
    for title, work in (
        ("(a) forward, logits", forward_logits),
        ("(d) Neuroscope's loop", neuroscope_loop),
        ("(e) top of concatenation", concatenation_loop),
    ):
        taken = seconds(lambda work=work: work(network, all_tiles(network, corpus, fewer)))
        say(title, taken / some, f"on {some:,} of these tokens" if some < tokens else "")


def check_brute_force(network: Transformer, corpus: CorpusStore, config: HarvestConfig) -> None:
    """Compare some neurons' top snippets with full sorts in float64 of the same activations."""
    shape = network.config
    picked = np.linspace(0, shape.d_mlp - 1, CHECKED_NEURONS).astype(np.int64)
    documents = make_plan(corpus, config).documents
    counts = corpus.token_counts(documents)
    activations = {
        int(document): np.full((shape.n_layers, count, len(picked)), np.nan)
        for document, count in zip(documents, counts, strict=True)
    }
    for tile in all_tiles(network, corpus, config):
        for layer, values in network.neuron_activations(torch.from_numpy(tile.tokens)):
            some = values[:, :, torch.from_numpy(picked)].double().numpy()
            for row, (document, first, length) in enumerate(
                zip(tile.documents, tile.firsts, tile.lengths, strict=True)
            ):
                activations[int(document)][layer, first : first + length] = some[row, 1 : length + 1]
    with tempfile.TemporaryDirectory() as folder:
        store = harvest(network, corpus, Path(folder) / "out", config, facts={})
        compared = wrong = 0
        for layer in range(shape.n_layers):
            files = {
                name: np.load(store.folder / f"layer{layer:02d}" / f"{name}.npy")
                for name in ("values", "documents", "positions", "windows")
            }
            for place, neuron in enumerate(picked):
                expected = brute_force(activations, corpus, layer, place, config, shape.context)
                found = [
                    tuple(files[name][neuron, rank].tolist() for name in files)
                    for rank in range(store.top_count(layer, int(neuron)))
                ]
                compared += max(len(expected), len(found))
                wrong += sum(one != two for one, two in zip(expected, found, strict=False))
                wrong += abs(len(expected) - len(found))
    print(
        f"  top snippets of {CHECKED_NEURONS} neurons a layer: {wrong} of {compared} differ from a float64 brute force"
    )


def peak_memory(corpus: CorpusStore, tokens: int) -> None:
    """Harvest a one-layer network in a process of its own, at several lengths, and print the peak memory of each."""
    print(f"\nPeak memory of a harvest, 1 layer, d 256, at 1, 4 and 16 × {tokens:,} tokens")
    peaks = []
    for step in MEMORY_STEPS:
        command = [sys.executable, "-m", "benchmarks.harvest", "--only-memory", str(step * tokens)]
        done = subprocess.run(
            [*command, "--corpus", str(corpus.folder)],
            cwd=ROOT,
            env=os.environ | GIVE_BACK,
            check=True,
            capture_output=True,
            text=True,
        )
        peaks.append(int(done.stdout.split()[-1]))
        print(f"  {step * tokens:>10,} tokens {peaks[-1] / 1024:8.1f} MiB {peaks[-1] / peaks[0]:6.3f} ×", flush=True)


def print_own_peak(corpus: CorpusStore, tokens: int) -> None:
    network = Transformer(TransformerConfig(**SHAPES["4 layers, d 256, vocabulary 4,096"] | {"n_layers": 1}, **REST))
    with tempfile.TemporaryDirectory() as folder:
        harvest(network.eval(), corpus, Path(folder) / "out", HarvestConfig(max_tokens=tokens), facts={})
    # Not getrusage: its maximum begins with the memory of the process that started this one.
    print(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])


REST = {"d_mlp": 1024, "context": 256, "activation": "gelu"}


def networks(shipped: Path | None, activation: str) -> Iterator[tuple[str, Transformer]]:
    """(title, network) of everything that is measured."""
    if shipped is not None:
        yield shipped.name, load_network(shipped)
        return
    for title, shape in SHAPES.items():
        config = TransformerConfig(**shape, d_mlp=4 * shape["d_model"], context=256, activation=activation)
        yield f"{title}, {activation}", Transformer(config).eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="corpus folder (default: the embedded text, built once)")
    parser.add_argument("--network", type=Path, help="network folder (default: random networks of two shapes)")
    parser.add_argument("--activation", default="gelu", help="of the random networks (default: gelu)")
    parser.add_argument("--tokens", type=int, default=2_000_000)
    parser.add_argument(
        "--slow-tokens",
        type=int,
        default=100_000,
        help="tokens for what computes logits and for the brute force (default: 100,000)",
    )
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default: 1)")
    parser.add_argument("--cpu-seconds", action="store_true", help="measure processor time: for a busy machine")
    parser.add_argument("--memory-tokens", type=int, default=200_000, help="tokens of the first step; 0: leave it out")
    parser.add_argument("--peers", action="store_true", help="also sae-dashboard and delphi, in their environments")
    parser.add_argument("--only-memory", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    corpus = the_corpus(options.corpus)
    if options.only_memory:
        print_own_peak(corpus, options.only_memory)
        return
    clock = time.process_time if options.cpu_seconds else time.perf_counter
    config = HarvestConfig(max_tokens=options.tokens)
    fewer = HarvestConfig(max_tokens=min(options.tokens, options.slow_tokens))
    kind = "processor" if options.cpu_seconds else "wall"
    print(f"{options.threads} thread(s), {kind} time, {make_plan(corpus, config).tokens:,} tokens of real text")
    for title, network in networks(options.network, options.activation):
        print(f"\n{title}")
        measure(network, corpus, config, fewer, options.repeats, clock)
        check_brute_force(network, corpus, fewer)
    if options.memory_tokens:
        peak_memory(corpus, options.memory_tokens)
    if options.peers:
        from benchmarks.peers.run import run_peers

        run_peers()


if __name__ == "__main__":
    main()
