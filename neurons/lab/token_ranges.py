"""Which bytes of a document each token stands for, whatever the tokenizer does to the text.

Three ways, the first that holds for the document at hand:

    bytes     the tokens' own bytes joined together are the document's: ranges follow from the tokens
    prefix    the same, but for one space that the tokenizer put in front
    offsets   the tokenizer's own account of where each token came from. What lies between two tokens belongs to the
              later one, a character that several tokens share to the first of them, what follows the last token to it

In all of them ranges join without gap and cover the document; each document is checked.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt16, UInt32
from tokenizers import Tokenizer

from neurons.lab.tokenizer import TokenizerError, as_plain

Way = Literal["bytes", "prefix", "offsets"]
METASPACE = "\u2581"  # how SentencePiece writes a space
FALLBACK = re.compile(r"<0x([0-9A-F]{2})>")  # how it writes a byte that has no token of its own


@dataclass(frozen=True)
class EncodedText:
    """A text in tokens.

    Attributes
    ----------
    ids : list of int
        Without any beginning-of-sequence token.
    ends : ndarray, uint32, (tokens,)
        Where each token ends in the text's UTF-8 bytes; it starts where the one before it ends.
    way : {"bytes", "prefix", "offsets"}
        How the ends were found.
    """

    ids: list[int]
    ends: UInt32[np.ndarray, "tokens"]
    way: Way


class RangeEncoder:
    """Encodes texts and tells the bytes of each token.

    Parameters
    ----------
    tokenizer : Tokenizer
        From open_tokenizer.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.token_bytes = token_bytes(tokenizer)
        # A post-processor may trim spaces off the offsets; without special tokens it has nothing else to do.
        self._untrimmed = as_plain(Tokenizer.from_str(tokenizer.to_str()))
        self._untrimmed.post_processor = None

    def encode(self, texts: list[str]) -> list[EncodedText]:
        """Tokens and byte ranges of each text.

        Raises
        ------
        TokenizerError
            If a text's tokens do not cover it.
        """
        if self.token_bytes is None:
            return [self._by_offsets(text) for text in texts]
        encodings = self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [
            self._by_bytes(text.encode("utf-8"), encoding.ids) or self._by_offsets(text)
            for text, encoding in zip(texts, encodings, strict=True)
        ]

    def lengths(self) -> UInt16[np.ndarray, "vocab"]:
        """Bytes in each token, for a tokenizer whose texts are all encoded by way of "bytes"; otherwise zeros."""
        size = largest_id(self.tokenizer) + 1
        return np.array([len(raw) for raw in self.token_bytes or [b""] * size], dtype=np.uint16)

    def _by_bytes(self, raw: bytes, ids: list[int]) -> EncodedText | None:
        pieces = [self.token_bytes[token] for token in ids] if self.token_bytes else []
        joined = b"".join(pieces)
        if joined not in (raw, b" " + raw):
            return None
        prefix = len(joined) - len(raw)
        ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64) - prefix
        return EncodedText(ids, ends.astype(np.uint32), "prefix" if prefix else "bytes")

    def _by_offsets(self, text: str) -> EncodedText:
        encoding = self._untrimmed.encode(text, add_special_tokens=False)
        starts = character_starts(text)
        last = np.array([end for _, end in encoding.offsets], dtype=np.int64)
        if len(last) and last.max() > len(text):
            raise TokenizerError(
                f"the tokenizer places a token at character {last.max()} of a text of {len(text)}: {text[:60]!r} …; "
                "its offsets cannot be used."
            )
        ends = np.maximum.accumulate(starts[last])
        ends[-1:] = starts[-1]
        return EncodedText(encoding.ids, ends.astype(np.uint32), "offsets")


def character_starts(text: str) -> np.ndarray:
    """Byte at which each character starts in UTF-8, and the length in bytes at the end: int64 (characters + 1,).

    Examples
    --------
    >>> character_starts("aé→🙂").tolist()
    [0, 1, 3, 6, 10]
    """
    points = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    widths = 1 + (points > 0x7F) + (points > 0x7FF) + (points > 0xFFFF)
    return np.concatenate([[0], np.cumsum(widths, dtype=np.int64)])


def largest_id(tokenizer: Tokenizer) -> int:
    return max(tokenizer.get_vocab().values())


def token_bytes(tokenizer: Tokenizer) -> list[bytes] | None:
    """Bytes that each token id stands for where that follows from its name; None where it does not (WordPiece, …).

    Special tokens stand for no bytes: no text is read as one.
    """
    described = json.loads(tokenizer.to_str())
    if "ByteLevel" in _types(described["pre_tokenizer"]) | _types(described["normalizer"]):
        spell = _spell_byte_level
    elif any(METASPACE in name for name in tokenizer.get_vocab()):
        spell = _spell_metaspace
    else:
        return None
    spelled = [b""] * (largest_id(tokenizer) + 1)
    for name, token in tokenizer.get_vocab().items():
        spelled[token] = spell(name)
    for token, added in tokenizer.get_added_tokens_decoder().items():
        if not FALLBACK.fullmatch(added.content):
            spelled[token] = b"" if added.special else added.content.encode("utf-8")
    return spelled


def _types(part: Any) -> set[str]:
    """Names of the components of a part of a tokenizer.json, however deep."""
    if isinstance(part, list):
        return set().union(*(_types(item) for item in part))
    if isinstance(part, dict):
        return {str(part.get("type"))}.union(*(_types(value) for value in part.values()))
    return set()


def _byte_alphabet() -> dict[str, int]:
    """Character -> byte in the alphabet of byte-level tokenizers (GPT-2): printable Latin-1 stands for itself, the
    other bytes in ascending order for the characters from U+0100 on."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(others)}


_ALPHABET = _byte_alphabet()


def _spell_byte_level(name: str) -> bytes:
    if all(mark in _ALPHABET for mark in name):
        return bytes(_ALPHABET[mark] for mark in name)
    return name.encode("utf-8")


def _spell_metaspace(name: str) -> bytes:
    if byte := FALLBACK.fullmatch(name):
        return bytes.fromhex(byte[1])
    return name.replace(METASPACE, " ").encode("utf-8")
