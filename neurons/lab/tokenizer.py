"""Tokenizers: training our own, and opening anybody's tokenizer.json.

Ours is a byte-level BPE: digits stand alone, nothing is normalised and no space is put in front, so that the tokens'
bytes joined together are the document's bytes. How other tokenizers' tokens find their bytes: neurons.lab.token_ranges.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

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
    return as_plain(tokenizer)


def open_tokenizer(path: Path) -> Tokenizer:
    """Read any Hugging Face tokenizer.json, set to read whole documents as plain text.

    Raises
    ------
    TokenizerError
        If there is no such file, it is no tokenizer.json, or it draws lots (BPE dropout).
    """
    if not path.is_file():
        raise TokenizerError(f"no tokenizer at {path}; train one or copy its tokenizer.json there.")
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # noqa: BLE001  the library raises nothing narrower
        raise TokenizerError(f"{path} cannot be read as a tokenizer.json: {error}.") from None
    if getattr(tokenizer.model, "dropout", None):
        raise TokenizerError(
            f"{path} leaves out merges at random (dropout {tokenizer.model.dropout}): the same text would give other "
            'tokens each time; set "dropout" to null in it.'
        )
    return as_plain(tokenizer)


def as_plain(tokenizer: Tokenizer) -> Tokenizer:
    """Set a tokenizer to cut nothing off, fill nothing up, and read the name of a special token as the text it is."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def load_tokenizer(path: Path) -> Tokenizer:
    """Read a tokenizer.json of ours: its token 0 has to be the beginning of a sequence, as our training puts it."""
    tokenizer = open_tokenizer(path)
    if tokenizer.token_to_id(BOS) != BOS_ID:
        raise TokenizerError(
            f"{path} gives {BOS!r} the id {tokenizer.token_to_id(BOS)}; networks trained here need it to be {BOS_ID}."
        )
    return tokenizer


def tokenizer_fingerprint(tokenizer: Tokenizer) -> str:
    """sha256 of the tokenizer's JSON."""
    return hashlib.sha256(tokenizer.to_str().encode()).hexdigest()
