"""Two paired networks with harvests and indexes for tests of pages: the files once, the rows for each test."""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from neurons.lab.harvest import HarvestConfig, harvest
from neurons.lab.neuron_index import NeuronIndexWriter, write_index
from neurons.models import Corpus, HarvestRun, Network, NetworkPair
from neurons.store.corpus import CorpusStore
from neurons.store.harvest import HarvestStore
from neurons.tests.factories import make_corpus, make_network

CONFIG = HarvestConfig(split="train", top=8, reserve=18, before=9, after=6, sample_one_in=5)
# Rows have these ids: an index names the harvests that it compares with.
RUNS = {"net-gelu": 101, "net-solu-ln": 102}
ACTIVATIONS = {"net-gelu": "gelu", "net-solu-ln": "solu_ln"}


@dataclass(frozen=True)
class Files:
    corpus: CorpusStore
    stores: dict[str, HarvestStore]


# Test processes side by side share the artifact store; each makes files of its own.
PAGES = f"pages-{os.getpid()}"


@cache
def make_files() -> Files:
    """Corpus, harvests and indexes in the artifact store of the test run."""
    root = Path(settings.ARTIFACTS_URL) / PAGES
    corpus = make_corpus(root / "corpus")
    networks = {name: make_network(activation) for name, activation in ACTIVATIONS.items()}
    stores = {name: harvest(one, corpus, root / name, CONFIG, facts={}) for name, one in networks.items()}
    for name, store in stores.items():
        twins = {
            str(RUNS[other]): (stores[other], {"network": other, "harvest_run": RUNS[other]})
            for other in stores
            if other != name
        }
        writer = NeuronIndexWriter(store, lambda name=name: networks[name], name, twins)
        write_index(writer, root / f"{name}-index", facts={})
    return Files(corpus, stores)


def make_rows(*, indexed: bool = True) -> dict[str, HarvestRun]:
    """A finished harvest of each network, by the network's name."""
    files = make_files()
    corpus = Corpus.objects.create(
        name="words", url=f"{PAGES}/corpus", fingerprint=files.corpus.fingerprint, documents=files.corpus.documents,
        tokenizer_fingerprint=files.corpus.meta["tokenizer_fingerprint"], text_bytes=9, tokens=files.corpus.tokens,
        import_report={"repaired": 3},
    )  # fmt: skip
    pair = NetworkPair.objects.create(name="net", size="2L-16", config={})
    runs = {}
    for name, store in files.stores.items():
        network = Network.objects.create(
            name=name, pair=pair, activation=ACTIVATIONS[name], n_layers=2, d_mlp=24, sha256="a" * 64,
            tokens_trained=20_000_000, validation_loss=3.1416,
        )  # fmt: skip
        runs[name] = HarvestRun.objects.create(
            pk=RUNS[name], network=network, corpus=corpus, site="post_act", status="done", progress=1.0,
            config=store.meta["config"], url=f"{PAGES}/{name}", tokens_seen=store.meta["tokens"],
            index_url=f"{PAGES}/{name}-index" if indexed else "",
        )  # fmt: skip
    return runs
