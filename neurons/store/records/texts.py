"""The corpus of records: every distinct sequence of tokens is a document.

vocabulary.json   {"spelling": …, "tokens": […]}: the strings that the token ids stand for, in the spelling of the
                  records (neurons.store.records.tokens); in the place of tokenizer.json
"""

import hashlib
import json
import shutil
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from neurons.store.corpus import CorpusStore, split_of
from neurons.store.records.record import BadRecord, RecordsError
from neurons.store.records.tokens import joined, token_bytes

VOCABULARY = "vocabulary.json"
COPIED = 1 << 22  # numbers copied at a time


def _key(ids: np.ndarray) -> bytes:
    return hashlib.blake2b(ids.astype(np.uint32).tobytes(), digest_size=16).digest()


class RecordVocabulary:
    """Strings of the tokens of a corpus that came from records."""

    def __init__(self, spelling: str, tokens: list[str]) -> None:
        self.spelling, self.tokens = spelling, tokens
        self.ids = {token: number for number, token in enumerate(tokens)}

    @classmethod
    def of(cls, corpus: CorpusStore) -> "RecordVocabulary | None":
        """The vocabulary in a corpus folder; None if the corpus did not come from records."""
        path = corpus.folder / VOCABULARY
        return cls(**json.loads(path.read_text("utf-8"))) if path.is_file() else None

    def as_text(self) -> str:
        return json.dumps({"spelling": self.spelling, "tokens": self.tokens})

    def strings(self, ids: np.ndarray) -> tuple[str, ...]:
        return tuple(self.tokens[int(number)] for number in ids)


class KnownTexts:
    """The documents of a finished corpus, found by their tokens."""

    def __init__(self, corpus: CorpusStore) -> None:
        vocabulary = RecordVocabulary.of(corpus)
        if vocabulary is None:
            raise RecordsError(
                f"the corpus {corpus.meta['name']!r} did not come from records, so their tokens cannot be found in it; "
                "choose another name for the corpus of these records."
            )
        self.corpus, self.vocabulary = corpus, vocabulary
        self._documents = {_key(corpus.document_tokens(number)): number for number in range(corpus.documents)}

    @property
    def spelling(self) -> str:
        return self.vocabulary.spelling

    def document(self, tokens: tuple[str, ...]) -> int:
        """Number of the document with these tokens.

        Raises
        ------
        RecordsError
            If the corpus has no such document.
        """
        known = self.vocabulary.ids
        if all(token in known for token in tokens):
            found = self._documents.get(_key(np.array([known[token] for token in tokens])))
            if found is not None:
                return found
        raise RecordsError(
            f"the corpus {self.corpus.meta['name']!r} lacks the text {''.join(tokens)[:60]!r}…, and a corpus that was "
            "harvested does not grow. Import into a new corpus, and name the records of all arms with --texts-of when "
            "the first arm is imported."
        )


class _NewIds(dict[str, int]):
    """Numbers of tokens; a token that is asked for the first time gets the next one."""

    def __missing__(self, token: str) -> int:
        self[token] = number = len(self)
        return number


class TextWriter:
    """Writes the documents of a new corpus as records bring them."""

    def __init__(self, folder: Path, spelling: str) -> None:
        self.folder, self.spelling = folder, spelling
        self.repaired = 0  # bytes that were no UTF-8
        self._ids = _NewIds()
        self._bytes: list[bytes] = []  # of each token
        self._documents: dict[bytes, int] = {}
        self._lengths: list[int] = []
        self._counts: list[int] = []
        self._splits = bytearray()
        self._hash = hashlib.sha256()
        self._stack = ExitStack()
        folder.mkdir(parents=True)

    def __enter__(self) -> "TextWriter":
        self._text = self._stack.enter_context((self.folder / "text.bin").open("wb"))
        self._tokens = self._stack.enter_context((self.folder / "tokens.raw").open("wb"))
        self._ends = self._stack.enter_context((self.folder / "ends.raw").open("wb"))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def document(self, tokens: tuple[str, ...]) -> int:
        """Number of the document with these tokens; a new one is written.

        Raises
        ------
        BadRecord
            If there is no text in them.
        """
        ids = np.array(list(map(self._ids.__getitem__, tokens)), dtype=np.uint32)
        key = _key(ids)
        if key not in self._documents:
            self._write(ids)
            self._documents[key] = len(self._documents)
        return self._documents[key]

    def _write(self, ids: np.ndarray) -> None:
        if len(self._ids) > len(self._bytes):
            new = islice(self._ids, len(self._bytes), None)
            self._bytes += [token_bytes(token, self.spelling) for token in new]
        text, ends, repaired = joined([self._bytes[number] for number in ids])
        if not text:
            raise BadRecord("tokens hold no text at all; expected at least one character")
        self._text.write(text)
        self._tokens.write(ids.tobytes())
        self._ends.write(ends.tobytes())
        self._hash.update(len(text).to_bytes(8, "big") + text)
        self._lengths.append(len(text))
        self._counts.append(len(ids))
        self._splits.append(split_of(text))
        self.repaired += repaired

    def finish(self, facts: dict[str, Any]) -> None:
        """Write the small arrays, and the marker last; then the folder can be opened as a corpus."""
        self._stack.close()
        folder, vocabulary = self.folder, RecordVocabulary(self.spelling, list(self._ids)).as_text()
        dtype = np.uint16 if len(self._ids) <= 2**16 else np.uint32
        for raw, name, kind in (("tokens.raw", "tokens.npy", dtype), ("ends.raw", "token_ends.npy", np.uint32)):
            _as_array(folder / raw, folder / name, kind)
        for name, lengths in (("text_offsets.npy", self._lengths), ("token_offsets.npy", self._counts)):
            np.save(folder / name, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))
        np.save(folder / "splits.npy", np.frombuffer(bytes(self._splits), dtype=np.uint8))
        np.save(folder / "token_lengths.npy", np.zeros(len(self._ids), dtype=np.uint16))
        (folder / VOCABULARY).write_text(vocabulary, "utf-8")
        meta = facts | {
            "documents": len(self._lengths),
            "text_bytes": sum(self._lengths),
            "tokens": sum(self._counts),
            "fingerprint": self._hash.hexdigest(),
            "tokenizer_fingerprint": hashlib.sha256(vocabulary.encode()).hexdigest(),
        }
        (folder / "corpus.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n")


def _as_array(raw: Path, path: Path, dtype: Any) -> None:
    """Turn a file of uint32 into an array file, a stretch at a time."""
    numbers = np.memmap(raw, dtype=np.uint32, mode="r")
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=numbers.shape)
    for first in range(0, len(numbers), COPIED):
        array[first : first + COPIED] = numbers[first : first + COPIED]
    array.flush()
    del numbers
    raw.unlink()


def fresh(folder: Path) -> Path:
    """The neighbour folder in which `folder` is made; what an interrupted attempt left there is deleted."""
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    return unfinished
