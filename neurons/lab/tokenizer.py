"""A byte-level BPE tokenizer, trained on the corpus; every byte of a document belongs to exactly one token.

Digits stand alone, nothing is normalised and no space is put in front, so that the tokens' bytes joined together are
the document's bytes: token ranges follow from token lengths and are never approximate.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

BOS = "<|bos|>"
BOS_ID = 0


class TokenizerError(ValueError):
    """A tokenizer file cannot be used here."""


def train_tokenizer(texts: Iterable[str], *, vocab_size: int = 4096) -> Tokenizer:
    """Train a byte-level BPE.

    Parameters
    ----------
    texts : iterable of str
        Documents; read once.
    vocab_size : int
        Entries, the 256 bytes and the beginning-of-sequence token (id 0) included.
    """
    if vocab_size < 257:
        raise TokenizerError(f"`vocab_size` is {vocab_size}; 256 bytes and one special token need at least 257.")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            # Line breaks end a piece: no token holds the end of one line and the indent of the next.
            pre_tokenizers.Split(Regex(r"\n+"), behavior="isolated"),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[AddedToken(BOS, special=True)],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def load_tokenizer(path: Path) -> Tokenizer:
    """Read a tokenizer.json and check that its token 0 is the beginning of a sequence."""
    if not path.is_file():
        raise TokenizerError(f"no tokenizer at {path}; train one or copy its tokenizer.json there.")
    tokenizer = Tokenizer.from_file(str(path))
    if tokenizer.token_to_id(BOS) != BOS_ID:
        raise TokenizerError(f"{path} gives {BOS!r} the id {tokenizer.token_to_id(BOS)}; it has to be {BOS_ID}.")
    return tokenizer


def tokenizer_fingerprint(tokenizer: Tokenizer) -> str:
    """sha256 of the tokenizer's JSON."""
    return hashlib.sha256(tokenizer.to_str().encode()).hexdigest()


def token_lengths(tokenizer: Tokenizer) -> np.ndarray:
    """Bytes in each token.

    Returns
    -------
    ndarray, uint16, (vocab,)
        In a byte-level alphabet one character stands for one byte. The beginning-of-sequence token has length 0.
    """
    lengths = np.zeros(tokenizer.get_vocab_size(), dtype=np.uint16)
    for text, token in tokenizer.get_vocab().items():
        lengths[token] = 0 if token == BOS_ID else len(text)
    return lengths


def encode_texts(tokenizer: Tokenizer, texts: list[str]) -> list[list[int]]:
    """Token ids of each text, without the beginning-of-sequence token."""
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
