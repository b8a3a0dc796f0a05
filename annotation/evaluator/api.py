"""Rating through the API: the gate's functions, called by a program that holds the token of one seat.

`request.auth` is a `RaterKey`. Whoever mounts the router sees to that.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest
from ninja import Header, Router, Schema, Status
from pydantic import ConfigDict, Field

from annotation.blinding import (
    BlindAnswer,
    BlindStudyCard,
    ConsentAnswer,
    ConsentPage,
    DonePage,
    GuessPage,
    HomePage,
    InstructionsPage,
    PracticePage,
    RatePage,
    SaveReceipt,
    ScreenedPage,
    WaitingPage,
    blind_belongs,
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
from annotation.evaluator.answers import MAX_RESPONSE, MAX_SNIPPETS

router = Router(tags=["Rating"])
Key = Annotated[str, Field(min_length=8, max_length=64)]


@dataclass(frozen=True, slots=True)
class RaterKey:
    """What a token for a seat opens: one rater's list in one study."""

    user_id: int
    study: str  # slug

    @property
    def ident(self) -> str:
        return f"rater-{self.user_id}-{self.study}"


class AnswerIn(Schema):
    """An answer, or a part of one. Which fields must be filled in is for the task to say."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["yes", "no", "cannot", ""] = ""
    confidence: Annotated[int, Field(ge=1, le=3)] | None = Field(None, description="1 guess, 2, 3 sure")
    rule: str = Field("", max_length=20_000)
    marks: list[Literal["fits", "misfits", ""]] = Field([], max_length=MAX_SNIPPETS)
    responses: dict[str, Annotated[str, Field(max_length=MAX_RESPONSE)]] = Field({}, max_length=MAX_SNIPPETS)
    active_ms: int = Field(0, ge=0, description="milliseconds of work on the item")
    wall_ms: int = Field(0, ge=0, description="milliseconds since the item was shown")

    def answer(self) -> BlindAnswer:
        return BlindAnswer(**{**self.model_dump(), "marks": tuple(self.marks) if any(self.marks) else ()})


class GuessIn(Schema):
    model_config = ConfigDict(extra="forbid")

    assignment: str
    guess: str = Field(max_length=40, description="a value of `choices`, or “dk” for don't know")
    certainty: Annotated[int, Field(ge=1, le=3)] | None = None
    reason: str = Field("", max_length=MAX_RESPONSE)


class ConsentIn(Schema):
    model_config = ConfigDict(extra="forbid")

    version: str = Field(max_length=64, description="of the text that was shown")
    agrees: bool
    conflict: Literal["yes", "no", ""] = ""
    conflict_text: str = Field("", max_length=MAX_RESPONSE)


class StatusOut(Schema):
    """Where the rater stands.

    `where` is “consent”, “instructions”, “practice:<n>”, “screened”, “rate”, “waiting”, “guess” or “done”.
    """

    card: BlindStudyCard
    where: str


class NextOut(Schema):
    """The next item; or what is left waits for other raters; or all is done."""

    kind: Literal["item", "waiting", "done"]
    item: RatePage | None = None
    waiting: WaitingPage | None = None
    done: DonePage | None = None


class GuessOut(Schema):
    """The next item to guess the arm of, or the end."""

    kind: Literal["guess", "done"]
    guess: GuessPage | None = None
    done: DonePage | None = None


class DraftOut(Schema):
    saved: bool = Field(description="false if the item is answered already")


@router.get("/studies", response=HomePage)
def my_studies(request: HttpRequest) -> HomePage:
    """The study that the token is for, as the rater sees it."""
    key = _key(request)
    home = blind_home(key.user_id)
    return replace(home, studies=tuple(card for card in home.studies if card.study == key.study))


@router.get("/status", response=StatusOut)
def my_status(request: HttpRequest) -> dict[str, Any]:
    """How far the rater is, and what comes next."""
    key = _key(request)
    cards = [card for card in blind_home(key.user_id).studies if card.study == key.study]
    if not cards:
        raise Http404
    return {"card": cards[0], "where": blind_where(key.user_id, key.study)}


@router.get("/consent", response=ConsentPage)
def consent(request: HttpRequest) -> ConsentPage:
    """What a person is asked to agree to. Machines are not asked: there is nothing here for them."""
    key = _key(request)
    return blind_consent(key.user_id, key.study)


@router.post("/consent", response=ConsentPage)
def consent_answer(request: HttpRequest, answer: ConsentIn) -> ConsentPage:
    """Keep what a person said to the text that was shown."""
    key = _key(request)
    return blind_consent_answer(key.user_id, key.study, ConsentAnswer(**answer.model_dump()))


@router.get("/instructions", response=InstructionsPage)
def instructions(request: HttpRequest) -> InstructionsPage:
    """What raters are told before they start."""
    key = _key(request)
    return blind_instructions(key.user_id, key.study)


@router.post("/instructions", response=StatusOut)
def instructions_read(request: HttpRequest) -> dict[str, Any]:
    """Say that the instructions were read; practice and rating open only after that."""
    key = _key(request)
    blind_instructions_read(key.user_id, key.study)
    return my_status(request)


@router.get("/practice/{number}", response=PracticePage)
def practice(request: HttpRequest, number: int) -> PracticePage:
    """A worked item: 1, 2, … up to `total`."""
    key = _key(request)
    return blind_practice(key.user_id, key.study, number)


@router.post("/practice/{number}", response=PracticePage)
def practice_answer(request: HttpRequest, number: int, answer: AnswerIn) -> PracticePage:
    """Answer a worked item; `feedback` says what a careful rater answers, and why."""
    key = _key(request)
    return blind_practice_answer(key.user_id, key.study, number, answer.answer())


@router.get("/screened", response=ScreenedPage)
def screened(request: HttpRequest) -> ScreenedPage:
    """What is left to say to a rater who did not pass the training."""
    key = _key(request)
    return blind_screened(key.user_id, key.study)


@router.get("/next", response=NextOut)
def next_item(request: HttpRequest) -> dict[str, Any]:
    """The first item that can be answered now, in the rater's own frozen order."""
    key = _key(request)
    page = blind_next(key.user_id, key.study)
    kind = {RatePage: "item", WaitingPage: "waiting", DonePage: "done"}[type(page)]
    return {"kind": kind, kind: page}


@router.get("/items/{assignment}", response=RatePage)
def item(request: HttpRequest, assignment: str) -> RatePage:
    """An item that was shown before, or the next one."""
    return blind_item(_own(request, assignment), assignment)


@router.put("/items/{assignment}/draft", response=DraftOut)
def draft(request: HttpRequest, assignment: str, answer: AnswerIn) -> dict[str, bool]:
    """Keep an unfinished answer."""
    return {"saved": blind_draft_save(_own(request, assignment), assignment, answer.answer())}


@router.post("/items/{assignment}/answer", response=SaveReceipt)
def submit(
    request: HttpRequest,
    assignment: str,
    answer: AnswerIn,
    idempotency_key: Annotated[Key, Header(alias="Idempotency-Key")],
) -> SaveReceipt:
    """Store an answer, once. Send the same random key with every retry of one answer: then it is never stored twice."""
    return blind_judgment_submit(_own(request, assignment), assignment, answer.answer(), idempotency_key)


@router.post("/undo", response=RatePage)
def undo(request: HttpRequest) -> RatePage:
    """Open the last answer again, as a draft. It stands until a new one replaces it."""
    key = _key(request)
    return blind_undo(key.user_id, key.study)


@router.post("/notices/{notice}/read", response={204: None})
def notice_read(request: HttpRequest, notice: str) -> Status[None]:
    """Say that a message of the staff was read; they stand in `notices` of the pages until then."""
    blind_notice_read(_key(request).user_id, notice)
    return Status(204, None)


@router.post("/guess/start", response=GuessOut)
def guess_start(request: HttpRequest) -> dict[str, Any]:
    """After the last item: lock the verdicts for good and begin to guess arms, where the study asks for that."""
    key = _key(request)
    blind_guess_start(key.user_id, key.study)
    return guess(request)


@router.get("/guess", response=GuessOut)
def guess(request: HttpRequest) -> dict[str, Any]:
    """The next item to guess the arm of."""
    key = _key(request)
    page = blind_guess(key.user_id, key.study)
    kind = "guess" if isinstance(page, GuessPage) else "done"
    return {"kind": kind, kind: page}


@router.post("/guess", response=GuessOut)
def guess_answer(request: HttpRequest, answer: GuessIn) -> dict[str, Any]:
    """Keep a guess; the first one stands."""
    key = _key(request)
    blind_guess_answer(
        key.user_id, key.study, answer.assignment,
        guess=answer.guess, certainty=answer.certainty, reason=answer.reason,
    )  # fmt: skip
    return guess(request)


def _key(request: HttpRequest) -> RaterKey:
    key: RaterKey = request.auth  # type: ignore[attr-defined]
    return key


def _own(request: HttpRequest, assignment: str) -> int:
    """The rater's user id, if the item is one of the study that the token is for."""
    key = _key(request)
    blind_belongs(key.user_id, key.study, assignment)
    return key.user_id
