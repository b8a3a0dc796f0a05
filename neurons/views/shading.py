"""Snippets as HTML, shaded by share of the neuron's own strongest activation, each value under the pointer.

Raters' pages never come here: they know no values (neurons.templatetags.snippets).
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from neurons.store.neuron_index import TokenNumber
from neurons.store.pieces import Snippet
from neurons.store.vocabulary import Vocabulary
from neurons.templatetags.snippets import token_html, visible

SHADES = 5  # bands of shading; classes b1 … b5 of the stylesheet
FAINTEST = (
    0.05  # share of the strongest activation below which a token is not shaded: nearly every token fires a little
)


PLAIN = re.compile(r" ?[A-Za-z0-9_.,:;()\[\]{}=+*/#-]*")  # reads the same before and after `visible`


@dataclass(frozen=True, slots=True)
class ShadedSnippet:
    """A snippet to show: its text, the activation at its peak, and where the whole text is."""

    html: SafeString
    value: float
    url: str = ""

    @property
    def number(self) -> str:
        return f"{self.value:.3g}"


def shaded(snippet: Snippet, strongest: float, url: str = "", *, anchor: str = "") -> ShadedSnippet:
    """A snippet whose activations are known: what fires is marked. A link can go to the peak if it has an anchor."""
    html = "".join(_known_parts(snippet, strongest, anchor))
    return ShadedSnippet(mark_safe(html), snippet.pieces[snippet.peak][1], url)  # noqa: S308


def shaded_at_peak(snippet: Snippet, value: float, strongest: float, url: str = "") -> ShadedSnippet:
    """A snippet of which one token's activation is known: its piece is marked, also if it does not fire; the rest is
    muted. The value is given, because a piece of several tokens does not know it."""
    before = "".join(text for text, _ in snippet.pieces[: snippet.peak])
    after = "".join(text for text, _ in snippet.pieces[snippet.peak + 1 :])
    html = _unknown(before) + _marked(snippet.pieces[snippet.peak][0], value, strongest) + _unknown(after)
    return ShadedSnippet(mark_safe(html), value, url)  # noqa: S308


def tokens_html(vocabulary: Vocabulary, tokens: Iterable[TokenNumber]) -> SafeString:
    """Tokens one beside the other, each in its box. Pages show a hundred: a template's loop costs more."""
    boxes = (f'<span class="token">{token_html(vocabulary.token_text(one.token))}</span>' for one in tokens)
    return mark_safe(" ".join(boxes))  # noqa: S308


def band(value: float, strongest: float) -> int:
    """0 hardly firing, not firing or not known … SHADES at the neuron's strongest."""
    if not strongest > 0 or not value >= FAINTEST * strongest:
        return 0
    return min(SHADES, math.ceil(value / strongest * SHADES))


def _known_parts(snippet: Snippet, strongest: float, anchor: str) -> Iterator[str]:
    """Neighbours that are shown alike are joined: a long text has thousands of pieces."""
    plain: list[str] = []
    known = True
    for number, (text, value) in enumerate(snippet.pieces):
        name = anchor if number == snippet.peak else ""
        fires, is_known = band(value, strongest) > 0 or bool(name), value == value
        if plain and (fires or is_known != known):
            yield _plain("".join(plain), known)
            plain = []
        if fires:
            yield _marked(text, value, strongest, name)
        else:
            plain.append(text)
            known = is_known
    if plain:
        yield _plain("".join(plain), known)


def _plain(text: str, known: bool) -> str:
    return visible(text) if known else _unknown(text)


def _unknown(text: str) -> str:
    return f'<span class="unknown">{visible(text)}</span>' if text else ""


def _marked(text: str, value: float, strongest: float, anchor: str = "") -> str:
    place = f' id="{anchor}"' if anchor else ""
    return f'<mark{place} class="b{band(value, strongest)}" title="{value:.3g}">{_shown(text)}</mark>'


def _shown(text: str) -> str:
    """`visible`, without its cost for the most of tokens."""
    return text if PLAIN.fullmatch(text) else visible(text)
