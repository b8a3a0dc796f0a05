"""A network and a corpus in whatever store the settings name, and what one process alone makes of their harvest."""

import hashlib
from pathlib import Path
from typing import Any

from neurons import artifacts, pipeline, services
from neurons.lab.checkpoint import load_network, save_network, sha256_of
from neurons.lab.harvest import HarvestConfig, harvest
from neurons.lab.transformer import Transformer
from neurons.models import Corpus, Network
from neurons.tests.factories import make_corpus

FACTS = {"corpus_fingerprint": "c" * 64, "tokens_trained": 1000, "validation_loss": 4.5}


def register(network: Transformer) -> tuple[Network, Corpus]:
    """The network tiny-gelu and the corpus small, published."""
    address = artifacts.corpus_address("small")
    made = make_corpus(artifacts.workplace(address)).meta
    artifacts.publish(address)
    corpus = services.corpus_register(name="small", url=address, facts=made)
    save_network(artifacts.workplace("networks/tiny/gelu"), network, FACTS)
    artifacts.publish("networks/tiny/gelu")
    return pipeline.network_import("networks/tiny/gelu"), corpus


def harvest_alone(folder: Path, network: Transformer, config: dict[str, Any]) -> dict[str, str]:
    """Digests of what the lab makes of the same network and corpus, in one process and one piece."""
    corpus = make_corpus(folder / "corpus")
    save_network(folder / "network", network, FACTS)
    facts = {"network": "tiny-gelu", "network_sha256": sha256_of(folder / "network" / "weights.safetensors")}
    harvest(load_network(folder / "network"), corpus, folder / "harvest", HarvestConfig(**config), facts=facts)
    return digests(folder / "harvest")


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert files
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
