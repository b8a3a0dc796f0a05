"""The bytes of every token of a vocabulary."""

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from neurons.lab.token_tables import tokens_at
from neurons.store.corpus import CorpusStore
from neurons.store.records.tokens import BYTES, SENTENCEPIECE, token_bytes


def vocabulary_of(corpus: CorpusStore, size: int, places: np.ndarray) -> list[bytes]:
    """Bytes of the tokens 0 … size - 1; empty where not known.

    Parameters
    ----------
    size : int
        Entries of the vocabulary.
    places : ndarray, int64, (n, 2)
        Documents and positions of tokens: without a tokenizer a token's text is that of its first occurrence among
        these.
    """
    path: Path = corpus.folder / "tokenizer.json"
    if path.is_file():
        return tokenizer_bytes(Tokenizer.from_file(str(path)), size)
    return _bytes_in_text(corpus, size, places)


def tokenizer_bytes(tokenizer: Tokenizer, size: int) -> list[bytes]:
    """Bytes of each token as its tokenizer spells them; a special token is its own name."""
    spelling = BYTES if "ByteLevel" in tokenizer.to_str() else SENTENCEPIECE
    special = {token for token, facts in tokenizer.get_added_tokens_decoder().items() if facts.special}
    found = [b""] * size
    for text, token in tokenizer.get_vocab(with_added_tokens=True).items():
        if token < size:
            found[token] = text.encode() if token in special else token_bytes(text, spelling)
    return found


def _bytes_in_text(corpus: CorpusStore, size: int, places: np.ndarray) -> list[bytes]:
    found = [b""] * size
    tokens, first = np.unique(tokens_at(corpus, places[:, 0], places[:, 1]), return_index=True)
    for token, (document, position) in zip(tokens.tolist(), places[first].tolist(), strict=True):
        begin, end = corpus.token_ranges(document)[position]
        found[token] = corpus.document_bytes(document)[begin:end]
    return found
