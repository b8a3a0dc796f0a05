"""For the rater's form: snippets as the layout groups them, and answers by name."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django import template
from django.utils.safestring import SafeString, mark_safe

from neurons.templatetags.snippets import SnippetRow, snippet_rows, token_html, visible

register = template.Library()


class SnippetGroup(NamedTuple):
    number: int  # 1, 2, … on this page
    key: str  # name of the response about it: "group_1", "trial_1"
    rows: tuple[SnippetRow, ...]


class ComparedResponse(NamedTuple):
    name: str
    given: str
    expected: str


class PromotedToken(NamedTuple):
    html: SafeString
    shade: int  # 1 … 5


@register.filter
def task_template(task: str, folder: str) -> str:
    """The template of a task type in a folder of the evaluator's templates."""
    return f"annotation/evaluator/{folder}/{task}.html"


@register.filter
def all_snippets(page: Any) -> list[SnippetRow]:
    """Every snippet of a page, with the rater's marks, or in feedback those of a careful rater."""
    return snippet_rows(page.snippets, getattr(page, "feedback", None) or page.draft)


@register.filter
def snippets_in(page: Any, name: str) -> list[SnippetRow]:
    """The snippets that the layout lists under a name, in its order."""
    rows = all_snippets(page)
    return [rows[number] for number in page.layout[name]]


@register.filter
def snippet_groups(page: Any, name: str = "groups") -> list[SnippetGroup]:
    """The snippets as the layout groups them under a name, "groups" or "trials"."""
    rows = all_snippets(page)
    return [
        SnippetGroup(number, f"{name.removesuffix('s')}_{number}", tuple(rows[place] for place in group))
        for number, group in enumerate(page.layout[name], start=1)
    ]


@register.filter
def numbered(stem: str, number: int) -> str:
    """"snippet_" and 3: "snippet_3"."""
    return f"{stem}{number}"


@register.filter
def rule_html(rule: str) -> SafeString:
    """Another rater's words: escaped, and with nothing in them that could turn or hide the text around."""
    return mark_safe(visible(rule).replace("\n", "<br>"))  # noqa: S308 -- visible() escapes


@register.filter
def letter(place: int) -> str:
    """The letter of a choice, counted from 0."""
    return "abcdefgh"[place]


@register.filter
def response(answer: Any, name: str) -> str:
    """What an answer or a feedback says under this name; empty if nothing."""
    return str(answer.responses.get(name, "")) if answer else ""


@register.filter
def compared(feedback: Any) -> list[ComparedResponse]:
    """The responses of a careful rater beside those of this one."""
    given: Mapping[str, str] = feedback.answer.responses
    return [ComparedResponse(name, given.get(name, ""), expected) for name, expected in feedback.responses.items()]


@register.filter
def promoted_tokens(promoted: list[list[Any]]) -> list[PromotedToken]:
    return [PromotedToken(token_html(text), shade) for text, shade in promoted]


@register.filter
def asks(layout: Mapping[str, Any], name: str) -> bool:
    """Whether the layout lists an item of this name."""
    return name in layout["items"]
