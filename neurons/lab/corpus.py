"""Building a corpus folder: deduplicate, cut, split, tokenize, fingerprint (format: neurons.store.corpus)."""

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from neurons.lab.token_ranges import EncodedText, RangeEncoder, Way, largest_id
from neurons.lab.tokenizer import TokenizerError, tokenizer_fingerprint
from neurons.store.corpus import CorpusError, CorpusStore, split_of

DOCUMENT_CHARS = 3000  # longest document; a longer text is cut at a paragraph or line
SHORTEST_CHARS = 200  # a shorter document shows a rater too little
BATCH_DOCUMENTS = 2048

Progress = Callable[[int, int], None]  # (documents kept, bytes kept)


@dataclass
class ImportReport:
    """What became of everything that was read."""

    read: int = 0
    kept: int = 0
    duplicates: int = 0
    too_short: int = 0
    without_tokens: int = 0  # documents of which the tokenizer made nothing
    reader: dict[str, Any] = field(default_factory=dict)  # the reader's own counts: files, repairs, skips

    def as_dict(self) -> dict[str, Any]:
        return dict(self.__dict__)


def cut_text(text: str, *, longest: int = DOCUMENT_CHARS) -> Iterator[str]:
    """Cut a text into pieces of at most `longest` characters, at an empty line, else a line end, else a space.

    Nothing is lost: the pieces joined together are the text.

    Examples
    --------
    >>> list(cut_text("one\\n\\ntwo three", longest=9))
    ['one\\n\\n', 'two three']
    """
    start = 0
    while len(text) - start > longest:
        end = _best_cut(text, start, start + longest)
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


def _best_cut(text: str, start: int, limit: int) -> int:
    # A cut in the first half would make a piece needlessly short.
    earliest = start + (limit - start) // 2
    for mark in ("\n\n", "\n", " "):
        found = text.rfind(mark, earliest, limit)
        if found >= 0:
            return found + len(mark)
    return limit


def _dedup_key(text: str) -> bytes:
    """Texts that differ in white space and letter case only count as one."""
    return hashlib.blake2b(re.sub(r"\s+", " ", text).strip().lower().encode(), digest_size=16).digest()


def unique_documents(texts: Iterable[str], report: ImportReport) -> Iterator[str]:
    """Cut, drop what is too short, and let each document pass once."""
    seen: set[bytes] = set()
    for text in texts:
        for piece in cut_text(text):
            report.read += 1
            if len(piece.strip()) < SHORTEST_CHARS:
                report.too_short += 1
                continue
            key = _dedup_key(piece)
            if key in seen:
                report.duplicates += 1
                continue
            seen.add(key)
            report.kept += 1
            yield piece


def build_corpus(
    folder: Path,
    texts: Iterable[str],
    tokenizer: Tokenizer,
    *,
    name: str,
    report: ImportReport | None = None,
    progress: Progress | None = None,
) -> CorpusStore:
    """Stream texts into a corpus folder.

    Parameters
    ----------
    folder : Path
        Made if needed; must not hold a corpus yet. Work is done in a neighbour folder that takes the name at the end,
        so an interrupted import leaves nothing that looks like a corpus.
    texts : iterable of str
        Read once, in order; the order is part of the fingerprint.

    Raises
    ------
    CorpusError
        If the folder is taken, or if no document was left after cutting and deduplication.
    """
    if (folder / "corpus.json").exists():
        raise CorpusError(f"{folder} holds a corpus already; choose another name or delete it first.")
    report = report or ImportReport()
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    writer = _CorpusWriter(unfinished, tokenizer, report)
    documents = unique_documents(texts, report)
    with writer:
        while batch := list(islice(documents, BATCH_DOCUMENTS)):
            writer.add(batch)
            if progress is not None:
                progress(report.kept, writer.text_bytes)
    if not report.kept:
        raise CorpusError(
            f"no document was left of {report.read} pieces read ({report.too_short} shorter than {SHORTEST_CHARS} "
            f"characters, {report.duplicates} duplicates); give more or longer texts."
        )
    writer.finish({"name": name, "report": report.as_dict()})
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)
    return CorpusStore.open(folder)


class _CorpusWriter:
    """Appends documents to the files of a corpus folder."""

    def __init__(self, folder: Path, tokenizer: Tokenizer, report: ImportReport) -> None:
        self.folder, self.tokenizer, self.report = folder, tokenizer, report
        self.encoder = RangeEncoder(tokenizer)
        self.text_bytes = 0
        self._dtype = np.uint16 if largest_id(tokenizer) < 2**16 else np.uint32
        self._hash = hashlib.sha256()
        self._ways: Counter[Way] = Counter()
        self._text_lengths: list[int] = []
        self._token_counts: list[int] = []
        self._splits: list[int] = []
        self._stack = ExitStack()

    def __enter__(self) -> None:
        self._text = self._stack.enter_context((self.folder / "text.bin").open("wb"))
        self._tokens = self._stack.enter_context((self.folder / "tokens.raw").open("wb"))
        self._ends = self._stack.enter_context((self.folder / "ends.raw").open("wb"))

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, documents: list[str]) -> None:
        for text, encoded in zip(documents, self.encoder.encode(documents), strict=True):
            if encoded.ids:
                self._add(text.encode("utf-8"), encoded)
            else:
                self.report.kept -= 1
                self.report.without_tokens += 1

    def _add(self, raw: bytes, encoded: EncodedText) -> None:
        check_cover(raw, encoded)
        self._text.write(raw)
        self._tokens.write(np.asarray(encoded.ids, dtype=self._dtype).tobytes())
        self._ends.write(encoded.ends.tobytes())
        # The length goes in front, so that moving a border between two documents changes the fingerprint.
        self._hash.update(len(raw).to_bytes(8, "big") + raw)
        self._ways[encoded.way] += 1
        self.text_bytes += len(raw)
        self._text_lengths.append(len(raw))
        self._token_counts.append(len(encoded.ids))
        self._splits.append(split_of(raw))

    def finish(self, facts: dict[str, Any]) -> None:
        """Write the arrays, and the marker last."""
        self._save("tokens.npy", np.fromfile(self.folder / "tokens.raw", dtype=self._dtype))
        self._save("text_offsets.npy", np.concatenate([[0], np.cumsum(self._text_lengths, dtype=np.int64)]))
        self._save("token_offsets.npy", np.concatenate([[0], np.cumsum(self._token_counts, dtype=np.int64)]))
        self._save("splits.npy", np.asarray(self._splits, dtype=np.uint8))
        self._save_ranges()
        for name in ("tokens.raw", "ends.raw"):
            (self.folder / name).unlink()
        self.tokenizer.save(str(self.folder / "tokenizer.json"))
        meta = facts | {
            "documents": len(self._splits),
            "text_bytes": self.text_bytes,
            "tokens": sum(self._token_counts),
            "ranges": dict(self._ways),  # documents by how their tokens' bytes were found (neurons.lab.token_ranges)
            "fingerprint": self._hash.hexdigest(),
            "tokenizer_fingerprint": tokenizer_fingerprint(self.tokenizer),
        }
        (self.folder / "corpus.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n")

    def _save_ranges(self) -> None:
        """Lengths by token id where every document's ranges follow from them; otherwise each token's end."""
        lengths = self.encoder.lengths()
        if set(self._ways) == {"bytes"}:
            self._save("token_lengths.npy", lengths)
        else:
            self._save("token_lengths.npy", np.zeros_like(lengths))
            self._save("token_ends.npy", np.fromfile(self.folder / "ends.raw", dtype=np.uint32))

    def _save(self, name: str, array: np.ndarray) -> None:
        np.save(self.folder / name, array)


def check_cover(raw: bytes, encoded: EncodedText) -> None:
    """Hold that the tokens' ranges are in order and reach to the end of the document."""
    ends = encoded.ends.astype(np.int64)
    if len(ends) != len(encoded.ids) or ends[-1] != len(raw) or (np.diff(ends) < 0).any():
        raise TokenizerError(
            f"the {len(ends)} tokens of a document end at byte {ends[-1]} of {len(raw)} or are out of order: "
            f"{raw[:60].decode(errors='replace')!r} …; its tokenizer cannot be used, please report it."
        )
