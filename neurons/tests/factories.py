"""Small corpora and networks to test with."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch

from neurons.lab.config import TransformerConfig
from neurons.lab.corpus import build_corpus
from neurons.lab.tokenizer import train_tokenizer
from neurons.lab.transformer import Transformer
from neurons.store.corpus import CorpusStore

WORDS = ("the", "licence", "日本語", "für", "🙂", "def", "return", "café", "12", "→", "warranty", "Optional[")
LICENCE = "Permission is hereby granted, free of charge, to any person: see the licence. "


def make_texts(count: int = 150, seed: int = 1) -> list[str]:
    """Texts of different length with characters of one to four bytes; every third has the same beginning."""
    random = np.random.default_rng(seed)
    return [
        (LICENCE if number % 3 == 0 else "")
        + f"Text {number}: "
        + " ".join(random.choice(WORDS, random.integers(60, 160)))
        for number in range(count)
    ]


@cache
def make_tokenizer():
    return train_tokenizer(make_texts(), vocab_size=330)


def make_corpus(folder: Path, texts: list[str] | None = None) -> CorpusStore:
    return build_corpus(folder, texts or make_texts(), make_tokenizer(), name="small")


def make_network(activation: str = "gelu", seed: int = 3, n_layers: int = 2, context: int = 48) -> Transformer:
    vocabulary = make_tokenizer().get_vocab_size()
    config = TransformerConfig(
        n_layers=n_layers,
        d_model=16,
        n_heads=2,
        d_mlp=24,
        context=context,
        vocab_size=vocabulary,
        activation=activation,
    )
    return Transformer(config, seed=seed).eval()


@dataclass(frozen=True)
class IntegerShape:
    n_layers: int = 2
    d_mlp: int = 12
    context: int = 40


class IntegerNetwork:
    """A network whose activations are small quarters of whole numbers: exact in float32, with ties everywhere.

    Neuron 0 is never above 0. Position p sees the tokens p, p-1 and p-2 of its context.
    """

    config = IntegerShape()
    bos_id = 0

    def to(self, device):
        return self

    def __init__(self, levels: int = 23) -> None:
        self.levels = levels

    def neuron_activations(self, tokens: torch.Tensor, *, site: str = "post_act") -> Iterator[tuple[int, torch.Tensor]]:
        neurons = torch.arange(self.config.d_mlp)
        before = torch.nn.functional.pad(tokens, (1, 0))[:, :-1]
        earlier = torch.nn.functional.pad(tokens, (2, 0))[:, :-2]
        for layer in range(self.config.n_layers):
            mixed = (
                tokens[..., None] * (7 * neurons + 3 + layer)
                + before[..., None] * (5 * neurons + 1)
                + earlier[..., None] * (neurons % 3)
            )
            values = (mixed % self.levels - self.levels // 2).float() / 4
            values[..., 0] = -values[..., 0].abs()
            yield layer, values
