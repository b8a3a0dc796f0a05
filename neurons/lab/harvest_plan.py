"""What a harvest reads, in which order: contexts, batches and the sampled tokens follow from the corpus alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int, UInt64

WIDTH_STEP = 32  # widths of padded batches are multiples of this


@runtime_checkable
class TokenSource(Protocol):
    """What the harvest asks of a corpus (neurons.store.corpus.CorpusStore has it)."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def splits(self) -> dict[str, np.ndarray]: ...
    def document_tokens(self, document: int) -> np.ndarray: ...


def mix64(values: UInt64[np.ndarray, "..."]) -> UInt64[np.ndarray, "..."]:
    """Scramble 64-bit numbers (the finaliser of SplitMix64): equal in, equal out, otherwise as good as random.

    References
    ----------
    Steele, Lea, Flood (2014), Fast splittable pseudorandom number generators, OOPSLA.
    """
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


def hash_numbers(seed: str, *columns: Int[np.ndarray, "n"]) -> UInt64[np.ndarray, "n"]:
    """One 64-bit number for each row of whole numbers, seeded by the hexadecimal digits of a fingerprint."""
    state = np.uint64(int(seed[:16], 16))
    result = np.full(len(columns[0]), state, dtype=np.uint64)
    for column in columns:
        with np.errstate(over="ignore"):
            result = mix64(result + np.uint64(0x9E3779B97F4A7C15) + column.astype(np.uint64))
    return result


def choose_documents(corpus: TokenSource, split: str, max_tokens: int | None) -> Int[np.ndarray, "documents"]:
    """Documents to read, in an order given by a hash of corpus and document.

    The order is as good as shuffled, so that a limited harvest is a fair sample of the split and not its beginning;
    a larger limit only adds documents at the end.

    Parameters
    ----------
    max_tokens : int or None
        Stop with the document that reaches this many tokens; None reads the whole split.
    """
    documents = corpus.splits[split].astype(np.int64)
    documents = documents[np.argsort(hash_numbers(corpus.fingerprint, documents), kind="stable")]
    if max_tokens is None:
        return documents
    chosen, tokens = 0, 0
    while chosen < len(documents) and tokens < max_tokens:
        tokens += len(corpus.document_tokens(int(documents[chosen])))
        chosen += 1
    return documents[:chosen]


@dataclass(frozen=True)
class Sampling:
    """The hash-chosen tokens, sorted by document and position: the same for every network on a corpus."""

    documents: Int[np.ndarray, "sampled"]
    positions: Int[np.ndarray, "sampled"]

    @classmethod
    def choose(cls, corpus: TokenSource, documents: Int[np.ndarray, "documents"], one_in: int) -> "Sampling":
        """Take each token with a chance of 1 / one_in, by a hash of corpus, document and position."""
        limit = np.uint64((2**64 - 1) // one_in)
        kept_documents, kept_positions = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
        for document in np.sort(documents):
            positions = np.arange(len(corpus.document_tokens(int(document))), dtype=np.int32)
            kept = positions[hash_numbers(corpus.fingerprint, np.full_like(positions, document), positions) <= limit]
            kept_documents.append(np.full(len(kept), document, dtype=np.int64))
            kept_positions.append(kept)
        return cls(np.concatenate(kept_documents), np.concatenate(kept_positions))

    def __len__(self) -> int:
        return len(self.documents)

    def rows_of(self, document: int, first: int, end: int) -> slice:
        """Rows of the sample that lie in tokens first … end - 1 of a document."""
        low, high = np.searchsorted(self.documents, [document, document + 1])
        inside = self.positions[low:high]
        return slice(int(low + np.searchsorted(inside, first)), int(low + np.searchsorted(inside, end)))


@dataclass(frozen=True)
class Batch:
    """Contexts that go through the network together.

    Attributes
    ----------
    tokens : ndarray, int64, (rows, width)
        Column 0 is the beginning of a sequence; rows are padded at the end.
    documents, firsts, lengths : ndarray, int64, (rows,)
        Document, first token in the document, and tokens (without BOS and padding) of each row.
    """

    tokens: Int[np.ndarray, "rows width"]
    documents: Int[np.ndarray, "rows"]
    firsts: Int[np.ndarray, "rows"]
    lengths: Int[np.ndarray, "rows"]

    @property
    def read(self) -> int:
        return int(self.lengths.sum())


def batches_of(
    corpus: TokenSource, documents: Int[np.ndarray, "documents"], *, context: int, batch_tokens: int, bos: int
) -> Iterator[Batch]:
    """Cut documents into contexts and pack contexts of like length into batches of about `batch_tokens` tokens.

    Which contexts meet in a batch, and its shape, follow from the arguments alone: a matrix product may round
    differently in another shape, so a fixed shape is what makes a repeated harvest equal to the bit.
    """
    rows = [
        (int(document), first, min(context - 1, tokens - first))
        for document in documents
        for tokens in [len(corpus.document_tokens(int(document)))]
        for first in range(0, tokens, context - 1)
    ]
    rows.sort(key=lambda row: row[2], reverse=True)
    start = 0
    while start < len(rows):
        width = min(context, -(-(rows[start][2] + 1) // WIDTH_STEP) * WIDTH_STEP)
        count = max(1, batch_tokens // width)
        yield _pack(corpus, rows[start : start + count], width, bos)
        start += count


def _pack(corpus: TokenSource, rows: list[tuple[int, int, int]], width: int, bos: int) -> Batch:
    tokens = np.full((len(rows), width), bos, dtype=np.int64)
    for row, (document, first, length) in enumerate(rows):
        tokens[row, 1 : length + 1] = corpus.document_tokens(document)[first : first + length]
    places = np.asarray(rows, dtype=np.int64)
    return Batch(tokens, places[:, 0], places[:, 1], places[:, 2])
