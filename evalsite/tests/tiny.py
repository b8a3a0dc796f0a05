"""A tiny real world for tests that go through every stage: text, two networks, their harvests. Seconds, not minutes."""

from pathlib import Path

import numpy as np

from neurons import artifacts, pipeline, services
from neurons.lab.checkpoint import save_network
from neurons.lab.config import TransformerConfig
from neurons.lab.corpus import build_corpus
from neurons.lab.tokenizer import train_tokenizer
from neurons.lab.transformer import Transformer
from neurons.models import Corpus, Network
from neurons.store.corpus import CorpusStore

SYLLABLES = "ba de fi go lu ma ne pi ro su ta ve xi zo".split()
DIRECTIONS = "random:30:7"
NETWORKS = {"gelu": "tiny-gelu", "solu_ln": "tiny-solu-ln"}


def make_texts(count: int = 260) -> list[str]:
    rng = np.random.default_rng(5)
    words = ["".join(rng.choice(SYLLABLES, size=rng.integers(1, 4))) for _ in range(150)]
    return [f"Page {n}.\n\n" + " ".join(rng.choice(words, size=90)) + "." for n in range(count)]


def make_corpus(name: str = "tiny") -> Corpus:
    texts, address = make_texts(), artifacts.corpus_address(name)
    folder = artifacts.artifact_folder(address)
    if not (folder / "corpus.json").is_file():
        build_corpus(folder, texts, train_tokenizer(texts, vocab_size=400), name=name)
    store = artifacts.artifact_folder(address)
    facts = CorpusStore.open(store).meta
    return services.corpus_register(name=name, url=address, facts=facts, description="Made-up words.")


def make_network(activation: str) -> Network:
    address = f"{artifacts.pair_address('tiny')}/{activation}"
    folder: Path = artifacts.artifact_folder(address)
    config = TransformerConfig(
        n_layers=1, d_model=16, n_heads=2, d_mlp=24, context=64, vocab_size=400, activation=activation
    )
    facts = {"seed": 11, "corpus_fingerprint": "0" * 64, "tokens_trained": 0, "validation_loss": None}
    save_network(folder, Transformer(config, seed=11), facts)
    return pipeline.network_import(address)


def make_harvested_pair() -> None:
    """Corpus "tiny" and the untrained networks tiny-gelu and tiny-solu-ln, harvested over all of its splits' text."""
    corpus = make_corpus()
    for activation in NETWORKS:
        run = services.harvest_create(network=make_network(activation), corpus=corpus, config={"split": "train"})
        pipeline.harvest_execute(run.pk)


def make_controls() -> None:
    """Beside the harvested pair: tiny-solu-ln after its LayerNorm, its random directions, and tiny-gelu untrained."""
    corpus, solu = Corpus.objects.get(name="tiny"), Network.objects.get(name=NETWORKS["solu_ln"])
    untrained = pipeline.network_untrained(Network.objects.get(name=NETWORKS["gelu"]))
    for asked in (
        {"network": untrained},
        {"network": solu, "site": "post_ln"},
        {"network": solu, "basis": DIRECTIONS},
    ):
        pipeline.harvest_execute(services.harvest_create(corpus=corpus, config={"split": "train"}, **asked).pk)
