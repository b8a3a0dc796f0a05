"""What a harvest reads, in which order: documents, blocks, tiles and the sampled tokens follow from the corpus alone.

    document   read whole, in an order given by a hash
    context    a stretch of a document that fills the network's context, a beginning-of-sequence token in front
    tile       contexts of like length that go through the network together
    block      consecutive documents whose contexts are packed into tiles together; the smallest unit of work
    shard      consecutive blocks that one worker reads

A floating-point sum may round differently in a matrix of another shape. So the shape in which a context is read belongs
to the plan: whoever reads a block, alone or among others, computes the same numbers to the last bit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int, UInt64

from neurons.lab.harvest_config import HarvestConfig
from neurons.store.harvest import HarvestError

WIDTH_STEP = 32  # widths of tiles are multiples of this
# A tile is closed early rather than padded to more than this share, unless it would hold few tokens.
WIDEST_SHARE, FEWEST_TOKENS = 4 / 3, 1024


@runtime_checkable
class TokenSource(Protocol):
    """What the harvest asks of a corpus (neurons.store.corpus.CorpusStore has it)."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def splits(self) -> dict[str, np.ndarray]: ...
    def document_tokens(self, document: int) -> np.ndarray: ...
    def token_counts(self, documents: np.ndarray) -> np.ndarray: ...


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
    if max_tokens is None or not len(documents):
        return documents
    read = np.cumsum(corpus.token_counts(documents))
    return documents[: int(np.searchsorted(read, max_tokens)) + 1]


@dataclass(frozen=True)
class HarvestPlan:
    """The reading order of one harvest, cut into blocks.

    Attributes
    ----------
    documents : ndarray, int64, (n,)
        In reading order.
    starts : ndarray, int64, (blocks + 1,)
        Block b holds documents[starts[b] : starts[b + 1]].
    tokens_before : ndarray, int64, (blocks + 1,)
        Tokens in all blocks before each.
    one_in : int
        One token in so many is sampled.
    """

    documents: Int[np.ndarray, "n"]
    starts: Int[np.ndarray, "edges"]
    tokens_before: Int[np.ndarray, "edges"]
    one_in: int

    @property
    def blocks(self) -> int:
        return len(self.starts) - 1

    @property
    def tokens(self) -> int:
        return int(self.tokens_before[-1])

    def tokens_of(self, blocks: range) -> int:
        """Tokens in a stretch of blocks."""
        return int(self.tokens_before[blocks.stop] - self.tokens_before[blocks.start])

    def documents_of(self, block: int) -> Int[np.ndarray, "documents"]:
        return self.documents[self.starts[block] : self.starts[block + 1]]

    def cut(self, parts: int) -> list[range]:
        """The blocks in at most so many stretches of about equally many tokens, none of them empty."""
        wanted = np.linspace(0, self.tokens, max(1, parts) + 1)[1:-1]
        edges = np.unique([0, *np.searchsorted(self.tokens_before, wanted), self.blocks])
        return [range(int(first), int(last)) for first, last in pairwise(edges)]


def make_plan(corpus: TokenSource, config: HarvestConfig) -> HarvestPlan:
    """Decide what is read, in which order, and where blocks begin.

    Raises
    ------
    HarvestError
        If there is no token to read.
    """
    documents = choose_documents(corpus, config.split, config.max_tokens)
    ends = np.cumsum(corpus.token_counts(documents), dtype=np.int64)
    if not len(ends) or not ends[-1]:
        raise HarvestError(f"the {config.split} split of this corpus has no tokens; import a larger corpus.")
    # A block ends with the document that brings it to its size; one document may be larger than that.
    starts = [0]
    while starts[-1] < len(documents):
        before = int(ends[starts[-1] - 1]) if starts[-1] else 0
        starts.append(min(len(documents), int(np.searchsorted(ends, before + config.block_tokens)) + 1))
    edges = np.asarray(starts, dtype=np.int64)
    return HarvestPlan(
        documents=documents,
        starts=edges,
        tokens_before=np.concatenate([[0], ends])[edges],
        one_in=max(config.sample_one_in, -(-int(ends[-1]) // config.sample_most)),
    )


@dataclass(frozen=True)
class BlockSample:
    """The hash-chosen tokens of one block, in reading order: the same for every network on a corpus."""

    documents: Int[np.ndarray, "sampled"]
    positions: Int[np.ndarray, "sampled"]
    edges: dict[int, tuple[int, int]]  # document -> its rows, from … to (exclusive)

    @classmethod
    def choose(cls, corpus: TokenSource, documents: Int[np.ndarray, "documents"], one_in: int) -> "BlockSample":
        """Take each token with a chance of 1 / one_in, by a hash of corpus, document and position."""
        counts = corpus.token_counts(documents)
        owners = np.repeat(documents, counts)
        firsts = np.cumsum(counts) - counts
        positions = np.arange(len(owners)) - np.repeat(firsts, counts)
        chosen = hash_numbers(corpus.fingerprint, owners, positions) <= np.uint64((2**64 - 1) // one_in)
        before = np.concatenate([[0], np.cumsum(chosen)])
        edges = zip(before[firsts].tolist(), before[firsts + counts].tolist(), strict=True)
        return cls(
            owners[chosen], positions[chosen].astype(np.int32), dict(zip(documents.tolist(), edges, strict=True))
        )

    def __len__(self) -> int:
        return len(self.documents)

    def rows_of(self, document: int, first: int, end: int) -> slice:
        """Rows of the sample that lie in tokens first … end - 1 of a document."""
        low, high = self.edges[document]
        inside = self.positions[low:high]
        return slice(low + int(np.searchsorted(inside, first)), low + int(np.searchsorted(inside, end)))


@dataclass(frozen=True)
class Tile:
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


def tiles_of(
    corpus: TokenSource, documents: Int[np.ndarray, "documents"], *, context: int, tile_tokens: int, bos: int
) -> Iterator[Tile]:
    """Cut a block's documents into contexts and pack contexts of like length into tiles of about `tile_tokens` tokens.

    Which contexts meet in a tile, and its shape, follow from the arguments alone.
    """
    rows = [
        (int(document), first, min(context - 1, count - first))
        for document, count in zip(documents, corpus.token_counts(documents).tolist(), strict=True)
        for first in range(0, count, context - 1)
    ]
    rows.sort(key=lambda row: row[2], reverse=True)
    start = 0
    while start < len(rows):
        width = min(context, _width(rows[start][2]))
        end = start + 1
        while end < len(rows) and (end - start + 1) * width <= tile_tokens:
            wasteful = _width(rows[end][2]) * WIDEST_SHARE < width
            if wasteful and (end - start) * width >= FEWEST_TOKENS:
                break
            end += 1
        yield _pack(corpus, rows[start:end], width, bos)
        start = end


def _width(tokens: int) -> int:
    return -(-(tokens + 1) // WIDTH_STEP) * WIDTH_STEP


def _pack(corpus: TokenSource, rows: list[tuple[int, int, int]], width: int, bos: int) -> Tile:
    tokens = np.full((len(rows), width), bos, dtype=np.int64)
    for row, (document, first, length) in enumerate(rows):
        tokens[row, 1 : length + 1] = corpus.document_tokens(document)[first : first + length]
    places = np.asarray(rows, dtype=np.int64)
    return Tile(tokens, places[:, 0], places[:, 1], places[:, 2])
