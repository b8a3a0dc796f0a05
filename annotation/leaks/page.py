"""What can be measured on one item as an evaluator gets it: numbers about marks, window and page, not about words."""

import gzip
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

Snippet = Sequence[Sequence[Any]]  # [text, band], …: neighbouring unmarked tokens are joined
WORD = re.compile(r"\w+|[^\w\s]")
# Line ends, tabs and odd spaces are made visible by signs of their own: they belong to the text.
WHITE_SIGN = re.compile(rb'<span class="(?:sp|tab|nl)">\s?</span>')
NEAR = 20  # characters: about four words
TOP_BANDS = 9  # the most bands that a design may ask for
SPREAD = ", spread"  # standard deviation over an item's snippets


@dataclass(frozen=True, slots=True)
class ShownPage:
    """One item as it reaches a browser, with the arm to be guessed.

    Attributes
    ----------
    arm, size, unit : str
        What is sealed: arm, size label, and the neuron by layer and number, or a text that is the same for one neuron's
        items; the same text in another arm is taken as its twin.
    public_id : str
    snippets : sequence of sequence of (text, band)
    layout : mapping
    html, json : bytes
        The page, and the reply to a script.
    position : float
        Mean place in raters' lists, 1, 2, ….
    milliseconds : float
        Time that drawing the page took; reported by itself, never a feature, because it changes from run to run.
    """

    arm: str
    size: str
    unit: str
    public_id: str
    snippets: Sequence[Snippet]
    layout: Mapping[str, Any] = field(default_factory=dict)
    html: bytes = b""
    json: bytes = b""
    position: float = 0.0
    milliseconds: float = 0.0

    @property
    def text(self) -> str:
        return "\n".join(plain(snippet) for snippet in self.snippets)


def plain(snippet: Snippet) -> str:
    return "".join(str(text) for text, _ in snippet)


def presentation(page: ShownPage) -> dict[str, float]:
    """Features that the display chose: marks, window, order, markup. These are held against the limit.

    Distances are counted in characters between the end of one mark and the start of the other, so that long tokens do
    not look distant.

    Examples
    --------
    >>> page = ShownPage("a", "s", "n", "id", [[["so ", 0], ["it", 2], [" is", 1], [" now", 0]]])
    >>> shown = presentation(page)
    >>> shown["marked tokens"], shown["characters before the peak"], shown["marks next to the peak"]
    (2.0, 3.0, 1.0)
    """
    rows = [_marks(snippet, spans) | _window(spans) for snippet, spans in _with_spans(page)]
    return _over_snippets(rows) | {
        "snippets": float(len(page.snippets)),
        "parts of the layout": float(len(str(dict(page.layout)))),
        "bytes of markup": float(_markup(page)),
        "public id": float(np.mean([ord(letter) for letter in page.public_id[:4]] or [0])),
        "place in the lists": page.position,
    }


def text_shape(page: ShownPage) -> dict[str, float]:
    """Features that follow from the texts alone, but for the words: information, never held against the limit."""
    rows = [_shape(snippet, spans) for snippet, spans in _with_spans(page)]
    peaks = Counter(_peak_text(snippet, spans) for snippet, spans in _with_spans(page))
    return _over_snippets(rows) | {
        "bytes, page": float(len(page.html)),
        "bytes, reply": float(len(page.json)),
        "bytes, page, gzip": float(len(gzip.compress(page.html, 6))),
        "different peaks": len(peaks) / max(1, len(page.snippets)),
    }


def words(page: ShownPage) -> Counter[str]:
    """Words of an item, those at the peaks once more by themselves: what raters judge. Information only."""
    found = Counter(word.lower() for word in WORD.findall(page.text))
    found.update(f"peak:{_peak_text(snippet, spans)}" for snippet, spans in _with_spans(page))
    return found


def _markup(page: ShownPage) -> int:
    """Bytes of the page that are neither text of a snippet nor white space."""
    text = "".join(escape(plain(snippet)) for snippet in page.snippets)
    return len(b"".join(WHITE_SIGN.sub(b"", page.html).split())) - len("".join(text.split()).encode())


def _over_snippets(rows: list[dict[str, float]]) -> dict[str, float]:
    values = np.array([list(row.values()) for row in rows], dtype=float)
    names = list(rows[0]) if rows else []
    means, spreads = (values.mean(axis=0).tolist(), values.std(axis=0).tolist()) if rows else ([], [])
    return dict(zip(names, means, strict=True)) | dict(zip((name + SPREAD for name in names), spreads, strict=True))


@dataclass(frozen=True, slots=True)
class _Spans:
    """Where the pieces of a snippet stand, and which of them is the peak (-1: nothing is marked)."""

    starts: np.ndarray
    ends: np.ndarray
    bands: np.ndarray
    peak: int

    @property
    def others(self) -> np.ndarray:
        return np.flatnonzero((self.bands > 0) & (np.arange(len(self.bands)) != self.peak))


def _with_spans(page: ShownPage) -> list[tuple[Snippet, _Spans]]:
    return [(snippet, _spans(snippet)) for snippet in page.snippets]


def _spans(snippet: Snippet) -> _Spans:
    ends = np.cumsum([len(text) for text, _ in snippet])
    bands = np.array([band for _, band in snippet])
    starts = ends - np.array([len(text) for text, _ in snippet])
    return _Spans(starts, ends, bands, int(bands.argmax()) if bands.max() > 0 else -1)


def _marks(snippet: Snippet, spans: _Spans) -> dict[str, float]:
    counts = np.bincount(spans.bands, minlength=TOP_BANDS + 1)
    marked = (spans.bands > 0).astype(int)
    found = {
        "marked tokens": float(marked.sum()),
        "runs of marks": float((np.diff(marked) == 1).sum() + marked[0]),
    }
    found |= {f"tokens in band {band}": float(counts[band]) for band in range(1, TOP_BANDS + 1)}
    return found | _distances(snippet, spans)


def _distances(snippet: Snippet, spans: _Spans) -> dict[str, float]:
    """Of the other marks to the peak; a snippet without other marks counts as neutral."""
    others = spans.others
    if not len(others) or spans.peak < 0:
        gaps, before, repeats = np.zeros(1), 0.5, 0.0
        near, beside = 0.0, 0.0
    else:
        after = spans.starts[others] >= spans.ends[spans.peak]
        gaps = np.where(
            after, spans.starts[others] - spans.ends[spans.peak], spans.starts[spans.peak] - spans.ends[others]
        ).astype(float)
        before, near, beside = float((~after).mean()), float((gaps < NEAR).mean()), float((gaps == 0).mean())
        peak = _peak_text(snippet, spans)
        repeats = float(np.mean([str(snippet[i][0]).strip().lower() == peak for i in others.tolist()]))
    return {
        "nearest mark": float(np.log1p(gaps.min())),
        "farthest mark": float(np.log1p(gaps.max())),
        "mean distance of marks": float(np.log1p(gaps).mean()),
        "marks before the peak": before,
        "marks near the peak": near,
        "marks next to the peak": beside,
        "marks that repeat the peak": repeats,
    }


def _window(spans: _Spans) -> dict[str, float]:
    return {
        "characters": float(spans.ends[-1]),
        "characters before the peak": float(spans.starts[max(spans.peak, 0)]),
    }


def _shape(snippet: Snippet, spans: _Spans) -> dict[str, float]:
    text = plain(snippet)
    long = max(1, len(text))
    lengths = spans.ends - spans.starts
    return {
        "marked characters, share": float(lengths[spans.bands > 0].sum() / long),
        "characters of the peak": float(lengths[spans.peak]) if spans.peak >= 0 else 0.0,
        "peak starts with a space": float(spans.peak >= 0 and str(snippet[spans.peak][0])[:1].isspace()),
        "words": float(len(WORD.findall(text))),
        "newlines": text.count("\n") / long,
        "spaces": text.count(" ") / long,
        "capitals": sum(map(str.isupper, text)) / long,
        "digits": sum(map(str.isdigit, text)) / long,
        "letters": sum(map(str.isalpha, text)) / long,
        "beyond ASCII": sum(letter > "\x7f" for letter in text) / long,
    }


def _peak_text(snippet: Snippet, spans: _Spans) -> str:
    return str(snippet[spans.peak][0]).strip().lower() if spans.peak >= 0 else ""
