"""Sentences made of pieces: what methods and results have in common."""

from collections.abc import Iterable, Iterator, Sequence

from analysis.export.blocks import Piece
from analysis.export.words import spelt
from analysis.reports import Report


def joined(sentences: Iterable[Sequence[Piece]]) -> Iterator[Piece]:
    """Sentences in a row, those without words left out."""
    for index, sentence in enumerate(sentence for sentence in sentences if sentence):
        if index:
            yield Piece(" ")
        yield from sentence


def frozen_here(report: Report) -> bool:
    """Whether a protocol says how neurons were drawn and shown; of ratings made elsewhere nobody here knows."""
    return bool(report.plan.protocol_sha256)


def total(report: Report, field: str) -> int:
    """A count of the flow over all sizes and arms."""
    return sum(getattr(row, field) for row in report.flow)


def listed(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def raters_said(report: Report) -> str:
    """ "3 simulated raters"."""
    return spelt(len(report.raters), report.rater_label.removesuffix("s"))
