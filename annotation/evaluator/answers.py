"""From a request to an answer: a form post and a JSON body say the same."""

import json
import re
from typing import Any

from django.http import HttpRequest

from annotation.blinding import MAX_MS, AnswerRefused, BlindAnswer, ConsentAnswer

MAX_RESPONSE = 4_000  # characters of one response
MAX_SNIPPETS = 1_000  # more fields than any study shows; a request with more is not a rater's


def answer_read(request: HttpRequest) -> tuple[BlindAnswer, str]:
    """The answer and its idempotency key. Whether the answer is complete is for the gate to say."""
    data = _json_body(request) if request.content_type == "application/json" else _form_body(request)
    answer = BlindAnswer(
        verdict=_text(data, "verdict"),
        confidence=_confidence(data.get("confidence")),
        rule=_text(data, "rule"),
        marks=_marks(data.get("marks") or ()),
        responses=_responses(data.get("responses") or {}),
        active_ms=_milliseconds(data.get("active_ms")),
        wall_ms=_milliseconds(data.get("wall_ms")),
    )
    return answer, _text(data, "key")


def consent_read(request: HttpRequest) -> ConsentAnswer:
    """A form post: the version read, and the button pressed."""
    return ConsentAnswer(
        version=request.POST.get("version", ""),
        agrees=request.POST.get("agrees") == "yes",
        conflict=request.POST.get("conflict", ""),
        conflict_text=request.POST.get("conflict_text", ""),
    )


def _json_body(request: HttpRequest) -> dict[str, Any]:
    try:
        data = json.loads(request.body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise AnswerRefused("The answer could not be read: the body is not a JSON object.", "")
    return data


def _form_body(request: HttpRequest) -> dict[str, Any]:
    """Form fields; the mark of snippet 3 is the field mark_3, the response "choice" the field r_choice."""
    data: dict[str, Any] = {name: request.POST.get(name, "") for name in request.POST}
    numbers = [int(found[1]) for name in data if (found := re.fullmatch(r"mark_([1-9][0-9]{0,3})", name))]
    data["marks"] = [
        data.get(f"mark_{number}", "") for number in range(1, min(max(numbers, default=0), MAX_SNIPPETS) + 1)
    ]
    data["responses"] = {name[2:]: data[name] for name in data if name.startswith("r_") and data[name]}
    return data


def _responses(value: Any) -> dict[str, str]:
    """What a task asks for beside verdict and rule: short texts by name. Which ones count is for the task to say."""
    good = isinstance(value, dict) and len(value) <= MAX_SNIPPETS
    if not good or not all(isinstance(text, str) and len(text) <= MAX_RESPONSE for text in value.values()):
        raise AnswerRefused(
            "The answer holds something that the page does not ask for; reload it and answer again.", ""
        )
    return {str(name): text for name, text in value.items()}


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name) or ""
    if not isinstance(value, str):
        raise AnswerRefused(f"“{name}” is not a text; reload the page and answer again.", name)
    return value


def _confidence(value: Any) -> int | None:
    if value in (None, ""):
        return None
    if str(value) in {"1", "2", "3"}:
        return int(value)
    raise AnswerRefused("Say how sure you are: 1 (guess), 2 or 3 (sure).", "confidence")


def _marks(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > MAX_SNIPPETS or not all(isinstance(m, str) for m in value):
        raise AnswerRefused("The marks are not one word per snippet; reload the page and mark again.", "marks")
    return tuple(value) if any(value) else ()


def _milliseconds(value: Any) -> int:
    """A time the browser measured; 0 where it is missing or odd, because a clock must never cost a rater the answer."""
    try:
        return max(0, min(int(value), MAX_MS))
    except (TypeError, ValueError, OverflowError):
        return 0
