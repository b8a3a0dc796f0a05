"""Methods and results as paragraphs to paste, written from the numbers; every figure in them names its row.

Pure: the same report gives the same words. A figure that stands in no row of `numbers` refers to the part of
report.json that holds it.
"""

from collections.abc import Callable

from analysis.export.blocks import Piece
from analysis.export.methods import methods_paragraphs
from analysis.export.results import results_paragraphs
from analysis.export.sources import Facts
from analysis.reports import Report


def paragraphs_text(report: Report, facts: Facts) -> str:
    """Methods and results as plain text, each figure with the number of its row in a list at the end."""
    rows: list[str] = []

    def numbered(piece: Piece) -> str:
        if not piece.ref:
            return piece.text
        if piece.ref not in rows:
            rows.append(piece.ref)
        return f"{piece.text} [{rows.index(piece.ref) + 1}]"

    told = _both(report, facts, numbered, "{}\n\n{}")
    return told + "\n\nRows of report.json:\n" + "".join(f"[{n}] {row}\n" for n, row in enumerate(rows, start=1))


def paragraphs_markdown(report: Report, facts: Facts) -> str:
    """The same as Markdown, each figure a link to its place in report.html beside it."""

    def linked(piece: Piece) -> str:
        text = _unmarked(piece.text)
        return f"[{text}](report.html#{piece.anchor})" if piece.ref else text

    return _both(report, facts, linked, "## {}\n\n{}") + "\n"


def _both(report: Report, facts: Facts, write: Callable[[Piece], str], form: str) -> str:
    parts = (("Methods", methods_paragraphs(report, facts)), ("Results", results_paragraphs(report)))
    return "\n\n".join(
        form.format(title, "\n\n".join("".join(map(write, paragraph.pieces)) for paragraph in paragraphs))
        for title, paragraphs in parts
    )


def _unmarked(text: str) -> str:
    """Text in which no letter means something to Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]<>#|" else letter for letter in text)
