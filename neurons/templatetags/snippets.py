"""Snippets as HTML: escaped text, firing tokens marked, whitespace visible but quiet."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

SHADES = 5  # mark classes b1 … b5 of blindscope.css
LINE_ENDS = re.compile(r"(?:\r\n|\r|\n)+")
LONE_SPACES = re.compile(r" (?= )|(?<= ) | (?=[\r\n])|(?<=[\r\n]) ")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Characters without a shape of their own. Those that turn the writing direction could disguise a text, so none is kept.
SHAPELESS = re.compile("[\x80-\x9f\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class SnippetRow(NamedTuple):
    number: int  # 1, 2, … names the form field; never printed
    html: SafeString
    mark: str  # "fits", "misfits" or ""


@register.filter
def snippet_rows(snippets: Sequence[Any], marked: Any = None) -> list[SnippetRow]:
    """Snippets beside the marks of `marked`, an answer or a feedback; None: no marks."""
    top = max((piece.band for snippet in snippets for piece in snippet.pieces), default=0)
    padded = [*getattr(marked, "marks", ()), *[""] * len(snippets)]
    return [
        SnippetRow(number, snippet_html(snippet, top), mark)
        for number, (snippet, mark) in enumerate(zip(snippets, padded, strict=False), start=1)
    ]


def snippet_html(snippet: Any, top: int) -> SafeString:
    """One snippet; `top` is the strongest band of its item and gets the strongest shade."""
    return mark_safe("".join(_piece_html(piece.text, piece.band, top) for piece in snippet.pieces))  # noqa: S308


def _piece_html(text: str, band: int, top: int) -> str:
    if band <= 0:
        return visible(text)
    shade = -(-band * SHADES // top)
    return f'<mark class="b{shade}">{visible(text, every_space=True)}</mark>'


def visible(text: str, *, every_space: bool = False) -> str:
    """Escaped text in which line ends, tabs and odd spaces can be seen; single spaces stay as they are."""
    text = CONTROLS.sub(lambda found: chr(0x2400 + ord(found[0])) if found[0] != "\x7f" else "␡", text)
    text = SHAPELESS.sub("◌", escape(text))
    text = (re.compile(" ") if every_space else LONE_SPACES).sub('<span class="sp">\x00</span>', text)
    text = text.replace("\t", '<span class="tab">\t</span>')
    text = LINE_ENDS.sub(_line_end, text)
    return text.replace("\x00", " ")


def _line_end(found: re.Match[str]) -> str:
    """One sign per line end, then one break: a page of empty lines takes one line."""
    count = len(found[0].replace("\r\n", "\n"))
    return '<span class="nl"></span>' * count + "\n"


@register.filter
def token_html(text: str) -> SafeString:
    """One token by itself, its white space visible."""
    return mark_safe(visible(text, every_space=True).replace("\n", ""))  # noqa: S308
