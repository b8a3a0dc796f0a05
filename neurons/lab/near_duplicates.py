"""Choosing top snippets that differ: greedily from the strongest, a near-duplicate of a chosen one is passed over.

Likeness is the Jaccard index of the sets of three-token shingles: shared shingles by all shingles of the two.

References
----------
Broder (1997), On the resemblance and containment of documents.
"""

import numpy as np
from jaxtyping import Bool, Int, Int32, UInt64

from neurons.lab.harvest_plan import mix64

SHINGLE = 3  # tokens
TOKEN_BITS = 18  # a shingle of three token ids and the number of its text fit into 64 bits
TEXT_BITS = 64 - SHINGLE * TOKEN_BITS
ABSENT = 2**TOKEN_BITS - 1
NOTHING = np.uint64(2**64 - 1)


def window_keys(
    tokens: Int[np.ndarray, "rows width"],
    rows: Int[np.ndarray, "n"],
    columns: Int[np.ndarray, "n"],
    neurons: Int[np.ndarray, "n"],
    *,
    before: int,
    after: int,
) -> UInt64[np.ndarray, "n"]:
    """Hash of a neuron and of the tokens around a peak; what lies beyond the row counts as beginning of a sequence."""
    padded = np.pad(tokens, ((0, 0), (before, after))).astype(np.uint64)
    around = padded[rows[:, None], columns[:, None] + np.arange(before + after + 1)]
    places = np.arange(1, before + after + 2, dtype=np.uint64)
    with np.errstate(over="ignore"):
        return mix64(
            (mix64(around + np.uint64(1)) * (mix64(places) | np.uint64(1))).sum(axis=1)
            + mix64(neurons.astype(np.uint64))
        )


def choose_distinct(
    texts: Int[np.ndarray, "neurons candidates width"], top: int, likeness: float
) -> tuple[Bool[np.ndarray, "neurons candidates"], Int32[np.ndarray, "neurons"]]:
    """Choose each neuron's strongest candidates whose texts differ.

    Parameters
    ----------
    texts : ndarray, int, (neurons, candidates, width)
        Token ids around each peak, strongest first; a text begins in column 0, −1 follows where it is shorter than
        the others and stands for a missing candidate. At least three columns.
    top : int
        At most so many are chosen.
    likeness : float
        From this Jaccard index (0 … 1) on, two texts are near-duplicates.

    Returns
    -------
    chosen : ndarray, bool, (neurons, candidates)
    passed_over : ndarray, int32, (neurons,)
        Candidates that were stronger than the last chosen one, but near-duplicates.

    Examples
    --------
    >>> texts = np.array([[[1, 2, 3, 4, 5], [1, 2, 3, 4, 6], [7, 2, 3, 9, 5]]])
    >>> choose_distinct(texts, top=2, likeness=0.5)
    (array([[ True, False,  True]]), array([1], dtype=int32))
    """
    alike = _alike(texts, likeness)
    present = np.asarray((texts >= 0).any(axis=2))
    chosen = np.zeros(present.shape, dtype=bool)
    passed_over = np.zeros(len(texts), dtype=np.int32)
    for candidate in range(texts.shape[1]):
        wanted = present[:, candidate] & (chosen.sum(axis=1) < top)
        blocked = (alike[:, candidate, :candidate] & chosen[:, :candidate]).any(axis=1)
        chosen[:, candidate] = wanted & ~blocked
        passed_over += wanted & blocked
    return chosen, passed_over


def _alike(
    texts: Int[np.ndarray, "neurons candidates width"], likeness: float
) -> Bool[np.ndarray, "neurons candidates candidates"]:
    """Which candidates of a neuron are near-duplicates; the lower triangle is filled."""
    neurons, candidates, _ = texts.shape
    shingles = np.sort(_shingles(texts).reshape(neurons, -1), axis=1)
    fresh = shingles != NOTHING
    fresh[:, 1:] &= shingles[:, 1:] != shingles[:, :-1]  # each once for each text
    rows, columns = np.nonzero(fresh)
    found = shingles[rows, columns]
    numbers = rows * candidates + (found & np.uint64(2**TEXT_BITS - 1)).astype(np.int64)  # of the texts
    sizes = np.bincount(numbers, minlength=neurons * candidates).reshape(neurons, candidates)
    shared = _shared(rows, found >> np.uint64(TEXT_BITS), numbers, neurons, candidates)
    union = sizes[:, :, None] + sizes[:, None, :] - shared
    alike: np.ndarray = (shared > 0) & (shared >= likeness * union)
    return alike


def _shared(
    rows: Int[np.ndarray, "m"],
    shingles: UInt64[np.ndarray, "m"],
    numbers: Int[np.ndarray, "m"],
    neurons: int,
    candidates: int,
) -> Int[np.ndarray, "neurons candidates candidates"]:
    """How many shingles two texts of a neuron share; rows are sorted by neuron, shingle, text. The lower triangle."""
    counts = np.zeros(neurons * candidates * candidates, dtype=np.int64)
    # Few shingles are shared at all. Those stand side by side; at the next distance is the text after next, and so on.
    equal = (rows[1:] == rows[:-1]) & (shingles[1:] == shingles[:-1])
    places, apart = np.flatnonzero(equal), 1
    while len(places):
        later, earlier = numbers[places + apart], numbers[places] % candidates
        np.add.at(counts, later * candidates + earlier, 1)
        apart += 1
        places = places[places + apart < len(rows)]
        still = (rows[places] == rows[places + apart]) & (shingles[places] == shingles[places + apart])
        places = places[still]
    return counts.reshape(neurons, candidates, candidates)


def _shingles(texts: Int[np.ndarray, "neurons candidates width"]) -> UInt64[np.ndarray, "neurons candidates m"]:
    """Every shingle with the number of its text in the low bits; NOTHING where a token is missing.

    A text of fewer than three tokens is one shingle. Ids that need more than 18 bits are replaced by 18 bits of their
    hash: two of them are then taken for equal once in 2^18 times.
    """
    ids = texts if texts.max(initial=0) < ABSENT else _shortened(texts)
    stacked = np.lib.stride_tricks.sliding_window_view(ids, SHINGLE, axis=2)
    packed = np.zeros(stacked.shape[:3], dtype=np.uint64)
    for token in range(SHINGLE):
        packed = packed << np.uint64(TOKEN_BITS) | stacked[..., token].astype(np.uint64) & np.uint64(ABSENT)
    owners = np.arange(texts.shape[1], dtype=np.uint64)[:, None]
    packed = packed << np.uint64(TEXT_BITS) | owners
    whole = np.asarray((stacked >= 0).all(axis=3))
    short = ((texts >= 0).sum(axis=2) < SHINGLE) & (texts >= 0).any(axis=2)
    if short.any():
        whole[short, 0] = True
    packed[~whole] = NOTHING
    return packed


def _shortened(texts: Int[np.ndarray, "neurons candidates width"]) -> Int[np.ndarray, "neurons candidates width"]:
    hashed = (mix64(texts.astype(np.uint64) + np.uint64(1)) % np.uint64(ABSENT)).astype(np.int64)
    return np.where(texts < 0, texts, hashed)
