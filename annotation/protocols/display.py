"""How the firing tokens of a snippet are marked for a rater. No number ever reaches the page.

Four modes, and a way to cut. *Peak* marks the same number of tokens in every snippet of every arm, by rank, in two
bands. *Rank* does so in more bands. *Matched* ranks the tokens of all snippets of a neuron together: every neuron of
every arm shows the same number of tokens in each band, but its snippets share them out as it fired. *Proportional*
shades by share of the neuron's own maximum, as in Elhage et al. (2022); it is kept for replication only. `even_cut`
gives every snippet the same number of characters, and `detail_kept` says how much of the activations the marks tell.

Notes
-----
With proportional shading SoLU can be told from GELU with certainty: it fires more sparsely, and scaling each neuron to
its own maximum does not hide that. `docs/blinding.md` has the numbers of every mode.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import fsum

PEAK, RANK, MATCHED, PROPORTIONAL = "peak", "rank", "matched", "proportional"
# Tokens beside the peak by band, strongest band first, for each snippet (rank) or on average over a neuron's (matched).
RANK_COUNTS = (2, 4)
MATCHED_COUNTS = (1, 2)
MATCHED_TASKS = ("first_glance", "rubric")  # those that mark the strongest snippets and nothing else
PEAK_BAND, MARKED_BAND, UNMARKED_BAND = 2, 1, 0
NUL_SHOWN = "\u2400"  # the symbol for NUL, which databases refuse in texts

Pieces = Sequence[tuple[str, float]]
Marked = list[tuple[str, int]]


def is_eligible(pieces: Pieces, peak: int, marked: int) -> bool:
    """Whether a snippet can be shown: its peak fires at all, and it has enough tokens to mark.

    Parameters
    ----------
    pieces : sequence of (text, activation)
    peak : int
        Index of the strongest piece.
    marked : int
        Tokens to mark.

    Examples
    --------
    >>> is_eligible([("a", 1.0), ("b", 0.0)], 0, 2), is_eligible([("a", 1.0)], 0, 2), is_eligible([("a", 0.0)], 0, 1)
    (True, False, False)
    """
    return len(pieces) >= marked and pieces[peak][1] > 0


def mark_peak(pieces: Pieces, peak: int, marked: int) -> Marked:
    """Mark exactly `marked` pieces: the peak in band 2, the next strongest in band 1, ties by position.

    Parameters
    ----------
    pieces : sequence of (text, activation)
        At least `marked` of them.
    peak : int
        Index of the strongest piece.
    marked : int
        Pieces to mark, >= 1.

    Returns
    -------
    list of (text, band)
        Neighbouring unmarked pieces are joined.

    Raises
    ------
    ValueError
        If there are fewer pieces than marks.

    Examples
    --------
    >>> mark_peak([("a", 0.1), ("b", 0.0), ("c", 9.0), ("d", 0.3), ("e", 0.2)], 2, 2)
    [('ab', 0), ('c', 2), ('d', 1), ('e', 0)]
    """
    if len(pieces) < marked:
        raise ValueError(f"Received {len(pieces)} pieces to mark {marked} of; leave this snippet out.")
    others = sorted((i for i in range(len(pieces)) if i != peak), key=lambda i: (-pieces[i][1], i))
    bands = {peak: PEAK_BAND} | dict.fromkeys(others[: marked - 1], MARKED_BAND)
    return _joined((text, bands.get(i, UNMARKED_BAND)) for i, (text, _) in enumerate(pieces))


def mark_rank(pieces: Pieces, peak: int, counts: Sequence[int] = RANK_COUNTS) -> Marked:
    """Mark the peak, and below it as many pieces in each band as `counts` says, by rank, ties by position.

    Parameters
    ----------
    pieces : sequence of (text, activation)
        At least 1 + sum(counts) of them.
    peak : int
        Index of the strongest piece.
    counts : sequence of int
        Pieces in each band below the peak's, strongest band first.

    Raises
    ------
    ValueError
        If there are fewer pieces than marks.

    Examples
    --------
    >>> mark_rank([("a", 0.1), ("b", 0.0), ("c", 9.0), ("d", 0.3), ("e", 0.2)], 2, counts=(1, 2))
    [('a', 1), ('b', 0), ('c', 3), ('d', 2), ('e', 1)]
    """
    return mark_matched([(pieces, peak)], counts)[0]


def mark_matched(snippets: Sequence[tuple[Pieces, int]], counts: Sequence[int] = MATCHED_COUNTS) -> list[Marked]:
    """Mark all snippets of a neuron together, so that every neuron shows the same number of pieces in each band.

    Parameters
    ----------
    snippets : sequence of (pieces, peak)
        Every snippet that is shown of the neuron.
    counts : sequence of int
        Pieces in each band below the peaks', strongest band first, on average over the snippets.

    Returns
    -------
    list of Marked
        In each snippet the peak alone is in the strongest band. The other pieces of all snippets are ranked together by
        their activation, ties by snippet and position; the first `counts[0]` times the number of snippets are in the
        next band, and so on.

    Raises
    ------
    ValueError
        If there are fewer pieces than marks.

    Examples
    --------
    >>> one, two = [("a", 5.0), ("b", 9.0), ("c", 4.0)], [("d", 8.0), ("e", 1.0), ("f", 0.0)]
    >>> mark_matched([(one, 1), (two, 0)], counts=(1,))
    [[('a', 1), ('b', 2), ('c', 1)], [('d', 2), ('ef', 0)]]
    """
    others = sorted(
        (-activation, number, place)
        for number, (pieces, peak) in enumerate(snippets)
        for place, (_, activation) in enumerate(pieces)
        if place != peak
    )
    wanted = len(snippets) * sum(counts)
    if len(others) < wanted:
        raise ValueError(f"Received {len(others)} pieces beside the peaks to mark {wanted} of; leave this neuron out.")
    bands = {(number, peak): len(counts) + 1 for number, (_, peak) in enumerate(snippets)}
    steps = [len(counts) - step for step, count in enumerate(counts) for _ in range(count * len(snippets))]
    bands |= {(number, place): band for (_, number, place), band in zip(others, steps, strict=False)}
    return [
        _joined((text, bands.get((number, place), UNMARKED_BAND)) for place, (text, _) in enumerate(pieces))
        for number, (pieces, _) in enumerate(snippets)
    ]


def even_cut(pieces: Pieces, peak: int, before: int, characters: int) -> tuple[tuple[tuple[str, float], ...], int]:
    """Cut a snippet to a number of characters; what is missing on one side is made up for on the other.

    Parameters
    ----------
    pieces : sequence of (text, activation)
    peak : int
        Index of the strongest piece; it stays whole unless it is longer than `characters`.
    before : int
        Characters wanted before the peak, 0 … characters.
    characters : int
        Characters wanted in all, >= 1. A shorter text stays as it is.

    Returns
    -------
    tuple of (pieces, peak)
        A piece that the cut goes through keeps its activation.

    Examples
    --------
    >>> even_cut([("one ", 0.1), ("two ", 9.0), ("three", 0.2)], 1, before=2, characters=9)
    ((('e ', 0.1), ('two ', 9.0), ('thr', 0.2)), 1)
    >>> even_cut([("one ", 0.1), ("two ", 9.0), ("three", 0.2)], 1, before=9, characters=9)
    ((('one ', 0.1), ('two ', 9.0), ('t', 0.2)), 1)
    """
    ends = list(accumulate(len(text) for text, _ in pieces))
    starts = [0, *ends[:-1]]
    first = max(0, min(starts[peak] - before, ends[-1] - characters), min(starts[peak], ends[peak] - characters))
    last = first + characters
    kept = [
        (place, (pieces[place][0][max(first - start, 0) : last - start], pieces[place][1]))
        for place, (start, end) in enumerate(zip(starts, ends, strict=True))
        if (start < last and end > first) or place == peak
    ]
    places = [place for place, _ in kept]
    return tuple(piece for _, piece in kept), places.index(peak)


def detail_kept(snippets: Sequence[Pieces], marked: Sequence[Marked]) -> float:
    """Share of the variance of a neuron's activations that its bands tell (eta squared), 0 … 1; NaN if none varies.

    Parameters
    ----------
    snippets : sequence of sequence of (text, activation)
        Of one neuron, as cut; activations below 0 count as 0.
    marked : sequence of Marked
        The same snippets, marked.

    Examples
    --------
    >>> detail_kept([[("a", 1.0), ("b", 3.0), ("c", 1.0)]], [[("a", 0), ("b", 1), ("c", 0)]])
    1.0
    """
    by_band: dict[int, list[float]] = {}
    for pieces, shown in zip(snippets, marked, strict=True):
        ends = list(accumulate(len(text) for text, _ in shown))
        place = 0
        for text, activation in pieces:
            band = shown[min(bisect_right(ends, place), len(shown) - 1)][1]
            by_band.setdefault(band, []).append(max(activation, 0.0))
            place += len(text)
    values = [value for group in by_band.values() for value in group]
    mean = fsum(values) / len(values)
    total = fsum((value - mean) ** 2 for value in values)
    between = fsum(len(group) * (fsum(group) / len(group) - mean) ** 2 for group in by_band.values())
    return between / total if total > 0 else math.nan


def tokens_needed(mode: str, marked: int) -> int:
    """Tokens that a snippet must have, so that the mode can mark as many as it promises.

    Examples
    --------
    >>> tokens_needed("peak", 3), tokens_needed("rank", 3), tokens_needed("proportional", 3)
    (3, 7, 1)
    """
    return {PEAK: marked, RANK: 1 + sum(RANK_COUNTS), MATCHED: 1 + sum(MATCHED_COUNTS), PROPORTIONAL: 1}[mode]


def mark_proportional(pieces: Pieces, maximum: float, bands: int) -> Marked:
    """Shade by share of the neuron's own maximum, clipped at 0, in bands of equal width.

    Parameters
    ----------
    pieces : sequence of (text, activation)
    maximum : float
        The neuron's largest activation in the harvest, > 0.
    bands : int
        Number of bands above "unmarked", >= 1. Activation a lands in band ceil(bands * a / maximum).

    Returns
    -------
    list of (text, band)
        Band 0 for activations <= 0, `bands` at the maximum; neighbouring unmarked pieces are joined.

    Examples
    --------
    >>> mark_proportional([("a", -1.0), ("b", 0.0), ("c", 0.1), ("d", 5.0), ("e", 10.0)], 10.0, 5)
    [('ab', 0), ('c', 1), ('d', 3), ('e', 5)]
    """
    if not maximum > 0:
        raise ValueError(f"Received the maximum {maximum!r}; a neuron that never fires cannot be shaded.")

    def band(activation: float) -> int:
        return min(bands, math.ceil(bands * max(activation, 0.0) / maximum))

    return _joined((text, band(activation)) for text, activation in pieces)


def _joined(pieces: Iterable[tuple[str, int]]) -> Marked:
    joined: Marked = []
    for text, band in pieces:
        text = text.replace("\x00", NUL_SHOWN)
        if band == UNMARKED_BAND and joined and joined[-1][1] == UNMARKED_BAND:
            joined[-1] = (joined[-1][0] + text, UNMARKED_BAND)
        else:
            joined.append((text, band))
    return joined
