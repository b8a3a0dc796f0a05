"""A corpus folder: documents in a fixed order, tokenized, memory-mapped.

    text.bin            UTF-8 bytes of all documents, one after the other
    text_offsets.npy    int64 (documents + 1)   where each document starts in text.bin
    tokens.npy          uint16 or uint32        token ids of all documents, without beginning-of-sequence tokens
    token_offsets.npy   int64 (documents + 1)   where each document starts in tokens.npy
    splits.npy          uint8 (documents)       0 train, 1 validation, 2 harvest
    token_lengths.npy   uint16 (vocab)          bytes in each token
    token_ends.npy      uint32 (tokens)         end byte of each token in its document; only where a token's bytes do
                                                not follow from its id (then token_lengths.npy holds zeros)
    tokenizer.json      the tokenizer that made the tokens; missing where the tokens came without one
    corpus.json         counts, fingerprints and the import's report; written last: without it the folder is unfinished
"""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

SPLITS = ("train", "validation", "harvest")
# Share of documents in each split. A document's split follows from its own bytes, so a document that was trained on is
# never harvested, also after the corpus was imported again on another machine with other neighbours.
SPLIT_SHARES = (0.84, 0.02, 0.14)


class CorpusError(ValueError):
    """A corpus folder is missing, unfinished or damaged."""


def split_of(document: bytes) -> int:
    """Split of a document: 0 train, 1 validation, 2 harvest, from the sha256 of its bytes.

    Examples
    --------
    >>> split_of(b"the same bytes") == split_of(b"the same bytes")
    True
    """
    draw = int.from_bytes(hashlib.sha256(document).digest()[:8], "big") / 2**64
    train, validation, _ = SPLIT_SHARES
    return 0 if draw < train else 1 if draw < train + validation else 2


class _TokenFile:
    """Stretches of a one-dimensional .npy file, read and not mapped: a harvest passes over all of it, and mapped pages
    would count as its memory."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        version = np.lib.format.read_magic(self._file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        _, _, self._dtype = header(self._file)
        self._start = self._file.tell()

    def read(self, first: int, end: int) -> np.ndarray:
        size = self._dtype.itemsize
        raw = os.pread(self._file.fileno(), (end - first) * size, self._start + first * size)
        return np.frombuffer(raw, dtype=self._dtype)


@dataclass(frozen=True)
class CorpusStore:
    """A finished corpus folder, opened for reading."""

    folder: Path
    meta: dict[str, Any]

    @classmethod
    def open(cls, folder: Path | str) -> "CorpusStore":
        """Open a folder that a CorpusWriter has finished.

        Raises
        ------
        CorpusError
            If the folder is not there or its import was interrupted.
        """
        folder = Path(folder)
        marker = folder / "corpus.json"
        if not marker.is_file():
            raise CorpusError(f"{folder} holds no finished corpus (corpus.json is missing); import the corpus again.")
        return cls(folder=folder, meta=json.loads(marker.read_text()))

    def _array(self, name: str) -> np.ndarray:
        array: np.ndarray = np.load(self.folder / name, mmap_mode="r")
        return array

    @cached_property
    def _text(self) -> np.ndarray:
        return np.memmap(self.folder / "text.bin", dtype=np.uint8, mode="r")

    @cached_property
    def _text_offsets(self) -> np.ndarray:
        return self._array("text_offsets.npy")

    @cached_property
    def _tokens(self) -> "_TokenFile":
        return _TokenFile(self.folder / "tokens.npy")

    @cached_property
    def token_offsets(self) -> np.ndarray:
        """int64 (documents + 1): where each document starts among the tokens."""
        return self._array("token_offsets.npy")

    @cached_property
    def _token_lengths(self) -> np.ndarray:
        lengths: np.ndarray = np.load(self.folder / "token_lengths.npy")
        return lengths.astype(np.int32)

    @cached_property
    def _token_ends(self) -> np.ndarray | None:
        return self._array("token_ends.npy") if (self.folder / "token_ends.npy").is_file() else None

    @property
    def fingerprint(self) -> str:
        """sha256 over the ordered documents."""
        return str(self.meta["fingerprint"])

    @property
    def documents(self) -> int:
        return int(self.meta["documents"])

    @property
    def tokens(self) -> int:
        return int(self.meta["tokens"])

    @property
    def vocab_size(self) -> int:
        return len(self._token_lengths)

    @cached_property
    def splits(self) -> dict[str, np.ndarray]:
        """Document ids of each split, ascending: {"train": int64 (n,), "validation": …, "harvest": …}."""
        split = np.load(self.folder / "splits.npy")
        return {name: np.flatnonzero(split == number) for number, name in enumerate(SPLITS)}

    def document_bytes(self, document: int) -> bytes:
        start, end = self._text_offsets[document], self._text_offsets[document + 1]
        return self._text[start:end].tobytes()

    def document_text(self, document: int) -> str:
        return self.document_bytes(document).decode("utf-8")

    def document_tokens(self, document: int) -> np.ndarray:
        """Token ids of one document, (tokens,), without a beginning-of-sequence token."""
        return self._tokens.read(int(self.token_offsets[document]), int(self.token_offsets[document + 1]))

    def token_counts(self, documents: np.ndarray) -> np.ndarray:
        """Tokens of each of these documents: int64 (n,)."""
        return np.asarray(self.token_offsets[documents + 1] - self.token_offsets[documents])

    def token_ranges(self, document: int) -> np.ndarray:
        """Byte range of each token in the document's UTF-8 bytes.

        Returns
        -------
        ndarray, int32, (tokens, 2)
            Start and end (exclusive); the ranges join without gap and cover the document. A token without bytes of its
            own has an empty range.
        """
        if self._token_ends is not None:
            ends = self._token_ends[self.token_offsets[document] : self.token_offsets[document + 1]].astype(np.int32)
            return np.stack([np.concatenate([[0], ends[:-1]]).astype(np.int32), ends], axis=1)
        lengths = self._token_lengths[self.document_tokens(document)]
        ends = np.cumsum(lengths, dtype=np.int32)
        return np.stack([ends - lengths, ends], axis=1)
