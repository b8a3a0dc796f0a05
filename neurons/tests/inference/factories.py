"""An installation in a folder of its own: a corpus, a network, and the service that reads with it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from django.test import override_settings

from neurons.inference import stop_service
from neurons.inference.place import Place, place
from neurons.lab.checkpoint import load_network, save_network
from neurons.lab.harvest import HarvestConfig, harvest
from neurons.lab.transformer import Transformer
from neurons.models import Corpus, HarvestRun, Network, NetworkPair
from neurons.store.corpus import CorpusStore
from neurons.tests import factories


@dataclass(frozen=True)
class Home:
    """Rows that are in no database: the service needs none."""

    folder: Path
    corpus: Corpus
    network: Network
    source: Transformer

    @property
    def place(self) -> Place:
        return place()


@contextmanager
def own_folder() -> Iterator[Path]:
    """Point this process, and the service that it will start, to a fresh data folder; stop the service at the end."""
    folder = Path(tempfile.mkdtemp(prefix="bs-"))  # short: the path of a socket has few bytes
    artifacts = str(folder / "artifacts")
    environment = {"BLINDSCOPE_DATA_DIR": str(folder), "BLINDSCOPE_ARTIFACTS_URL": artifacts}
    with override_settings(DATA_DIR=folder, ARTIFACTS_URL=artifacts), patch.dict(os.environ, environment):
        try:
            yield folder
        finally:
            stop_service()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def make_home() -> Iterator[Home]:
    with own_folder() as folder:
        yield make_rows(folder)


def make_rows(folder: Path) -> Home:
    store = factories.make_corpus(folder / "artifacts/corpora/small", factories.make_texts(12))
    facts = {"corpus_fingerprint": "0" * 64, "tokens_trained": 0, "validation_loss": None}
    weights = folder / "artifacts/networks/small/solu_ln"
    save_network(weights, factories.make_network("solu_ln"), facts)
    return Home(
        folder=folder,
        corpus=Corpus(name="small", url="corpora/small", tokenizer_fingerprint=store.meta["tokenizer_fingerprint"]),
        network=Network(name="small-solu-ln", url="networks/small/solu_ln", sha256="a" * 64, n_layers=2, d_mlp=24),
        source=load_network(weights),
    )


def make_harvest(home: Home) -> None:
    """Harvest the home's network on its corpus, without a database."""
    corpus = CorpusStore.open(home.folder / "artifacts" / home.corpus.url)
    harvest(home.source, corpus, home.folder / "artifacts/harvests/small", HarvestConfig(split="train"), facts={})


def save_rows(home: Home) -> HarvestRun:
    """The rows of a home, now in the database, with the finished harvest."""
    pair = NetworkPair.objects.create(name="small", size="2L-16", config={})
    shape = {"n_layers": 2, "d_mlp": 24, "tokens_trained": 0}
    networks = [
        Network.objects.create(
            name=f"small-{arm}", pair=pair, activation=arm, url=home.network.url, sha256="a" * 64, **shape
        )
        for arm in ("solu", "gelu")
    ]
    corpus = Corpus.objects.create(
        name="small", url=home.corpus.url, fingerprint="f" * 64, documents=12, text_bytes=9, tokens=9,
        tokenizer_fingerprint=home.corpus.tokenizer_fingerprint,
    )  # fmt: skip
    done = {"corpus": corpus, "site": "post_act", "config": {}, "status": "done", "url": "harvests/small"}
    HarvestRun.objects.create(network=networks[1], **done)
    return HarvestRun.objects.create(network=networks[0], **done)
