"""Activations and edits in words, for the pages that read one's own text."""

import math
from collections.abc import Sequence
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from neurons.templatetags.snippets import visible

register = template.Library()

LONGEST = 60  # characters of an edit that are shown


@register.filter
def activation(value: float) -> str:
    """An activation as it is shown: three significant digits."""
    return f"{value:.3g}".replace("-", "−") if math.isfinite(value) else "not finite"


def piece_html(text: str) -> SafeString:
    """A piece of text by itself: white space visible, line ends as signs."""
    return mark_safe(visible(text, every_space=True).replace("\n", ""))  # noqa: S308


@register.filter
def change(edit: Any) -> str:
    """From the maximum before to the one after, in per cent; as a difference where nothing fired before."""
    if edit.before > 0:
        return f"{100 * (edit.after - edit.before) / edit.before:+.0f} %".replace("-", "−")
    return f"{edit.after - edit.before:+.2g}".replace("-", "−")


@register.filter
def told(edit: Any) -> SafeString:
    """What an edit did."""
    removed, inserted = _quoted(edit.removed), _quoted(edit.inserted)
    if edit.typed and edit.removed and edit.inserted:
        return format_html("typed {} instead of {}", inserted, removed)
    if edit.typed:
        return format_html("typed {}", inserted) if edit.inserted else format_html("deleted {}", removed)
    return format_html("replaced {} by {}", removed, inserted) if edit.inserted else format_html("dropped {}", removed)


@register.filter
def reversed_list(rows: Sequence[Any]) -> list[Any]:
    """The last one first."""
    return list(reversed(rows))


def _quoted(text: str) -> SafeString:
    shown = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return format_html('<span class="quoted">{}</span>', piece_html(shown))
