"""From tokens to readable pieces: whole characters, whatever the tokenizer cut."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Snippet:
    """A stretch of a document with the activation of one neuron.

    Attributes
    ----------
    doc : int
        Document id.
    peak : int
        Index into `pieces` of the piece with the strongest token.
    pieces : tuple of (str, float)
        Text and raw activation. Tokens that share a character make one piece, whose activation is the largest of
        theirs.
    """

    doc: int
    peak: int
    pieces: tuple[tuple[str, float], ...]


def context_bounds(position: int, tokens: int, context: int) -> tuple[int, int]:
    """First token and end (exclusive) of the context in which a token of a document was read.

    Documents are read in consecutive stretches of `context - 1` tokens, a beginning-of-sequence token in front of each.

    Examples
    --------
    >>> context_bounds(position=300, tokens=400, context=256)
    (255, 400)
    """
    width = context - 1
    first = position // width * width
    return first, min(first + width, tokens)


def character_groups(text: bytes, ranges: np.ndarray) -> np.ndarray:
    """Number of the piece that each token of a document belongs to; tokens that split a character share one.

    A token without bytes of its own belongs to the piece before it.

    Parameters
    ----------
    text : bytes
        The document in UTF-8.
    ranges : ndarray, int, (tokens, 2)
        Byte start and end of each token.

    Returns
    -------
    ndarray, int64, (tokens,)
        Ascending from 0, without gaps.

    Examples
    --------
    >>> character_groups("aé".encode(), np.array([[0, 1], [1, 2], [2, 3]])).tolist()
    [0, 1, 1]
    """
    raw = np.frombuffer(text, dtype=np.uint8)
    # A byte 10xxxxxx continues a character: a token that starts with one belongs to the piece before it.
    starts_character = ranges[:, 1] > ranges[:, 0]
    starts_character[starts_character] = (raw[ranges[starts_character, 0]] & 0xC0) != 0x80
    groups: np.ndarray = np.maximum(np.cumsum(starts_character) - 1, 0)
    return groups


def snippet_of(document: int, text: bytes, ranges: np.ndarray, *, first: int, peak: int, values: np.ndarray) -> Snippet:
    """Build the snippet of the tokens `first` … `first + len(values) - 1` of a document.

    Parameters
    ----------
    ranges : ndarray, int, (tokens, 2)
        Byte ranges of all tokens of the document.
    peak : int
        Token with the strongest activation, counted in the document.
    values : ndarray, float32, (shown,)
        Activations of the shown tokens; NaN where not known.
    """
    groups = character_groups(text, ranges)
    shown = groups[first : first + len(values)]
    numbers = np.arange(shown[0], shown[-1] + 1)
    strongest = np.maximum.reduceat(values, np.searchsorted(shown, numbers))  # like max, NaN where one is NaN
    # The piece's text is that of all its tokens, also of those beyond the window: a character is shown whole.
    edges = np.searchsorted(groups, np.append(numbers, numbers[-1] + 1))
    begins, ends = ranges[edges[:-1], 0].tolist(), ranges[edges[1:] - 1, 1].tolist()
    pieces = tuple(
        (text[begin:end].decode("utf-8"), value)
        for begin, end, value in zip(begins, ends, strongest.tolist(), strict=True)
    )
    return Snippet(doc=document, peak=int(groups[peak] - shown[0]), pieces=pieces)
