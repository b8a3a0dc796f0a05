"""Pages and API for raters. Every page is drawn from one gate dataclass, `page`, and nothing else.

A POST to `answer` or `draft` is a form or a JSON object with these fields:

    verdict     "yes", "no" or "cannot"
    confidence  1 (guess), 2, 3 (sure); left out for "cannot"
    rule        text; required for "yes"
    marks       JSON: a list with "fits", "misfits" or "" per snippet, or empty. Form: the fields mark_1, mark_2, …
    responses   what else the task asks for, texts by name. JSON: an object. Form: the fields r_<name>
    active_ms   milliseconds that the item was visible and in focus
    wall_ms     milliseconds since it was shown
    key         8 to 64 characters, the same for every retry of one answer. A form without JavaScript sends none: then
                the server makes one, and an item that is answered already keeps its first answer

With `Accept: application/json` a reply is JSON: the fields of the gate's dataclass (`DonePage` with `"done": true`,
`WaitingPage` with `waiting` while what is left needs rules that others have not written yet, a draft `{"saved"}`), or
`{"error", "field"}` with status 400 (answer refused) or 409 (the study is not open; or the instructions or the practice
come first, named by `field`). Otherwise it is a redirect, and messages say what happened.
"""

import uuid
from dataclasses import asdict, replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.blinding import (
    AnswerRefused,
    DonePage,
    GuessPage,
    StudyPaused,
    WaitingPage,
    blind_consent,
    blind_consent_answer,
    blind_draft_save,
    blind_guess,
    blind_guess_answer,
    blind_guess_start,
    blind_home,
    blind_instructions,
    blind_instructions_read,
    blind_item,
    blind_judgment_submit,
    blind_next,
    blind_notice_read,
    blind_practice,
    blind_practice_answer,
    blind_screened,
    blind_undo,
    blind_where,
)
from annotation.evaluator.answers import answer_read, consent_read
from annotation.evaluator.refusals import go_on, refusals_answered, wants_json
from annotation.evaluator.wording import in_words


def _rater(request: HttpRequest) -> int:
    user_id = request.user.pk
    if user_id is None:
        raise PermissionError("An evaluator's page was asked for without an account; sign in first.")
    return int(user_id)


def _page(request: HttpRequest, name: str, page: object) -> HttpResponse:
    return render(request, f"annotation/evaluator/{name}.html", {"page": page})


@require_GET
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    return _page(request, "home", blind_home(_rater(request)))


@require_http_methods(["GET", "POST"])
@never_cache
@refusals_answered
def consent(request: HttpRequest, *, study: str) -> HttpResponse:
    if request.method == "GET":
        return _page(request, "consent", blind_consent(_rater(request), study))
    given = consent_read(request)
    try:
        page = blind_consent_answer(_rater(request), study, given)
    except AnswerRefused as refusal:
        messages.error(request, in_words(refusal.message))
        return _page(request, "consent", replace(blind_consent(_rater(request), study), draft=given))
    if page.missing:  # declined, and nobody rates without it
        return redirect("people:leave", study)
    return go_on(study, blind_where(_rater(request), study))


@require_http_methods(["GET", "POST"])
@never_cache
@refusals_answered
def instructions(request: HttpRequest, *, study: str) -> HttpResponse:
    if request.method == "GET":
        return _page(request, "instructions", blind_instructions(_rater(request), study))
    blind_instructions_read(_rater(request), study)
    return go_on(study, blind_where(_rater(request), study))


@require_http_methods(["GET", "POST"])
@never_cache
@refusals_answered
def practice(request: HttpRequest, *, study: str, number: int) -> HttpResponse:
    if request.method == "GET":
        return _page(request, "practice", blind_practice(_rater(request), study, number))
    answer, _ = answer_read(request)
    try:
        page = blind_practice_answer(_rater(request), study, number, answer)
    except AnswerRefused as refusal:
        messages.error(request, in_words(refusal.message))
        page = replace(blind_practice(_rater(request), study, number), draft=answer)
    return _page(request, "practice", page)


@require_GET
@never_cache
def screened(request: HttpRequest, *, study: str) -> HttpResponse:
    return _page(request, "screened", blind_screened(_rater(request), study))


@require_GET
@never_cache
@refusals_answered
def rate(request: HttpRequest, *, study: str) -> HttpResponse:
    page = blind_next(_rater(request), study)
    finished = isinstance(page, DonePage)
    if wants_json(request):
        return JsonResponse({"done": True, **asdict(page)} if finished else asdict(page))
    if finished:
        return redirect("evaluator:done", study)
    return _page(request, "waiting" if isinstance(page, WaitingPage) else "rate", page)


@require_GET
@never_cache
@refusals_answered
def done(request: HttpRequest, *, study: str) -> HttpResponse:
    page = blind_next(_rater(request), study)
    return _page(request, "done", page) if isinstance(page, DonePage) else redirect("evaluator:next", study)


@require_POST
@never_cache
@refusals_answered
def guess_start(request: HttpRequest, *, study: str) -> HttpResponse:
    blind_guess_start(_rater(request), study)
    return redirect("evaluator:guess", study)


@require_http_methods(["GET", "POST"])
@never_cache
@refusals_answered
def guess(request: HttpRequest, *, study: str) -> HttpResponse:
    """Which arm was it? A POST has the fields assignment, guess, certainty (but for "dk") and reason."""
    if request.method == "POST":
        try:
            _guess_kept(request, study)
        except AnswerRefused as refusal:
            messages.error(request, in_words(refusal.message))
        else:
            return redirect("evaluator:guess", study)
    page = blind_guess(_rater(request), study)
    return _page(request, "guess", page) if isinstance(page, GuessPage) else redirect("evaluator:done", study)


def _guess_kept(request: HttpRequest, study: str) -> None:
    certainty = request.POST.get("certainty", "")
    blind_guess_answer(
        _rater(request),
        study,
        request.POST.get("assignment", ""),
        guess=request.POST.get("guess", ""),
        certainty=int(certainty) if certainty in {"1", "2", "3"} else None,
        reason=request.POST.get("reason", ""),
    )


@require_POST
@never_cache
@refusals_answered
def answer(request: HttpRequest, *, assignment: str) -> HttpResponse:
    given, key = answer_read(request)
    if wants_json(request):
        return JsonResponse(asdict(blind_judgment_submit(_rater(request), assignment, given, key)))
    try:
        receipt = blind_judgment_submit(_rater(request), assignment, given, key or uuid.uuid4().hex)
    except StudyPaused:
        blind_draft_save(_rater(request), assignment, given)
        raise
    except AnswerRefused as refusal:
        # What was typed goes into the draft, so the page comes back with it.
        blind_draft_save(_rater(request), assignment, given)
        messages.error(request, in_words(refusal.message))
        return redirect("evaluator:next", blind_item(_rater(request), assignment).study)
    before = gettext("That neuron was answered before; the first answer stands.")
    messages.success(request, before if receipt.duplicate else gettext("Saved."))
    return redirect("evaluator:next", receipt.study)


@require_POST
@never_cache
@refusals_answered
def draft(request: HttpRequest, *, assignment: str) -> HttpResponse:
    given, _ = answer_read(request)
    return JsonResponse({"saved": blind_draft_save(_rater(request), assignment, given)})


@require_POST
@never_cache
def notice_read(request: HttpRequest, *, notice: str) -> HttpResponse:
    """The field `back` is "rate" where the rater goes on with the neuron that was on the screen."""
    study = blind_notice_read(_rater(request), notice)
    if wants_json(request):
        return JsonResponse({"saved": True})
    return redirect("evaluator:next", study) if request.POST.get("back") == "rate" else redirect("evaluator:home")


@require_POST
@never_cache
@refusals_answered
def undo(request: HttpRequest, *, study: str) -> HttpResponse:
    page = blind_undo(_rater(request), study)
    if wants_json(request):
        return JsonResponse(asdict(page))
    messages.info(request, gettext("Your last answer is open again. It stands until you save a new one."))
    return redirect("evaluator:next", study)
