"""What a rater's page says when the gate refuses: JSON to a script, a message and a way on to a person."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect

from annotation.blinding import AnswerRefused, GateRefused, NotReady, StudyNotOpen, StudyPaused
from annotation.evaluator.wording import in_words

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponse]


def wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def refusals_answered(view: View[Rest]) -> View[Rest]:
    """Answer every refusal of the gate alike in all views."""

    @functools.wraps(view)
    def answered(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except (AnswerRefused, NotReady, StudyNotOpen) as refusal:
            return _as_json(refusal) if wants_json(request) else _as_page(request, refusal, kwargs.get("study"))

    return answered


def _as_json(refusal: GateRefused) -> JsonResponse:
    if isinstance(refusal, AnswerRefused):
        return JsonResponse({"error": in_words(refusal.message), "field": refusal.field}, status=400)
    where = "paused" if isinstance(refusal, StudyPaused) else ""
    where = refusal.where if isinstance(refusal, NotReady) else where
    return JsonResponse({"error": in_words(str(refusal)), "field": where}, status=409)


def _as_page(request: HttpRequest, refusal: GateRefused, study: object) -> HttpResponse:
    if isinstance(refusal, NotReady) and isinstance(study, str):
        return go_on(study, refusal.where)
    say = messages.info if isinstance(refusal, StudyPaused) else messages.error
    say(request, in_words(str(refusal)))
    return redirect("evaluator:home")


def go_on(study: str, where: str) -> HttpResponse:
    """Redirect to where the gate says that the rater goes on."""
    step, _, number = where.partition(":")
    if step == "practice":
        return redirect("evaluator:practice", study=study, number=int(number))
    pages = {
        "consent": "evaluator:consent",
        "instructions": "evaluator:instructions",
        "screened": "evaluator:screened",
        "done": "evaluator:done",
        "guess": "evaluator:guess",
    }
    return redirect(pages.get(step, "evaluator:next"), study)
