"""The gate: everything that a rater may see or do, and nothing else.

Every function takes the signed-in user's id and answers with frozen dataclasses that hold no neuron, arm, layer or
network. "Not yours" and "not there" are the same `Http404`. The tables behind the gate hold no way to the sealed key.

What a page must be ready for: `StudyNotOpen` (not opened yet, or closed: nothing can be rated), `NotReady` (the
instructions or the practice come first; `where` says what, as `blind_where` does) and `AnswerRefused` (the answer is
incomplete; `field` names the part to correct).
"""

from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from annotation.blinding.pages import (
    BlindAnswer,
    BlindPiece,
    BlindProgress,
    BlindSnippet,
    BlindStudyCard,
    DonePage,
    HomePage,
    InstructionsPage,
    PracticeFeedback,
    PracticePage,
    RatePage,
    SaveReceipt,
)
from annotation.models import Assignment, Draft, Evaluator, Judgment, PracticeAnswer, Seat, Study
from annotation.protocols import first_glance

__all__ = [
    "AnswerRefused",
    "BlindAnswer",
    "BlindPiece",
    "BlindProgress",
    "BlindSnippet",
    "BlindStudyCard",
    "DonePage",
    "GateRefused",
    "HomePage",
    "InstructionsPage",
    "NotReady",
    "PracticeFeedback",
    "PracticePage",
    "RatePage",
    "SaveReceipt",
    "StudyNotOpen",
    "blind_draft_save",
    "blind_home",
    "blind_instructions",
    "blind_instructions_read",
    "blind_item",
    "blind_judgment_submit",
    "blind_next",
    "blind_practice",
    "blind_practice_answer",
    "blind_undo",
    "blind_where",
]

MAX_MS = 2_147_483_647  # the largest value of the columns active_ms and wall_ms
WAITING, OPEN, CLOSED = "waiting", "open", "closed"
SEEN_STATES = {
    Study.State.FROZEN.value: WAITING,
    Study.State.OPEN.value: OPEN,
    Study.State.CLOSED.value: CLOSED,
    Study.State.UNBLINDED.value: CLOSED,
}


class GateRefused(Exception):
    """Something that a rater asked for and may not have now."""


class StudyNotOpen(GateRefused):
    """The study takes no answers: it is not open yet, or it is closed."""


class NotReady(GateRefused):
    """The instructions or the practice come first."""

    def __init__(self, where: str) -> None:
        super().__init__(f"Rating starts after the instructions and the practice; go to {where}.")
        self.where = where


class AnswerRefused(GateRefused):
    """An answer that cannot be accepted as it is."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


# -- Home, instructions, practice --------------------------------------------------------------------------------------


def blind_home(user_id: int) -> HomePage:
    """The rater's studies, newest first."""
    evaluator = Evaluator.objects.filter(user_id=user_id).first()
    if evaluator is None:
        raise Http404
    seats = _seats(user_id).annotate(
        total=Count("assignments"), done=Count("assignments", filter=Q(assignments__done_at__isnull=False))
    )
    return HomePage(studies=tuple(_card(seat) for seat in seats.order_by("-id")), pseudonym=evaluator.pseudonym)


def blind_instructions(user_id: int, study: str) -> InstructionsPage:
    seat = _seat(user_id, study)
    text = seat.study.rater_text
    return InstructionsPage(
        study=study,
        title=seat.study.title,
        paragraphs=tuple(text["paragraphs"]),
        question=text["question"],
        simulated=seat.study.simulated,
        minutes_per_neuron=text["minutes_per_neuron"],
        snippets=text["snippets"],
        contact=text["contact"],
        ready=seat.instructions_read_at is not None,
        progress=_progress(seat),
    )


def blind_instructions_read(user_id: int, study: str) -> None:
    """Note that the rater went through the instructions; the first time counts."""
    seat = _open_seat(user_id, study)
    Seat.objects.filter(pk=seat.pk, instructions_read_at__isnull=True).update(instructions_read_at=timezone.now())


def blind_practice(user_id: int, study: str, number: int) -> PracticePage:
    seat = _seat(user_id, study)
    return _practice_page(seat, number, None)


def blind_practice_answer(user_id: int, study: str, number: int, answer: BlindAnswer) -> PracticePage:
    """Keep an answer to a practice item (never counted) and say what a careful rater would answer."""
    with transaction.atomic():
        seat = _open_seat(user_id, study, lock=True)
        item = _practice_item(seat, number)
        answer = _accepted(answer, len(item["snippets"]))
        PracticeAnswer.objects.create(seat=seat, number=number, answer=_answer_json(answer))
        if not _practice_missing(seat) and seat.practice_done_at is None:
            seat.practice_done_at = timezone.now()
            seat.save(update_fields=["practice_done_at"])
    feedback = PracticeFeedback(
        expected=item["expected"],
        agrees=answer.verdict == item["expected"],
        text=item["text"],
        marks=tuple(item["marks"]),
        answer=answer,
    )
    return _practice_page(seat, number, feedback)


def blind_where(user_id: int, study: str) -> str:
    """Where the rater goes on: "instructions", "practice:<n>", "rate" or "done"."""
    return _where(_seat(user_id, study))


# -- Rating ------------------------------------------------------------------------------------------------------------


def blind_next(user_id: int, study: str) -> RatePage | DonePage:
    """The first unanswered item in the rater's own order: one look-up in the index `next_assignment`."""
    seat = _ready_seat(user_id, study)
    assignment = _unanswered(seat).select_related("item", "draft").first()
    return _done_page(seat) if assignment is None else _rate_page(seat, _shown(assignment))


def blind_item(user_id: int, assignment: str) -> RatePage:
    """One item by its public id: the current one, or one that this rater has seen before."""
    row = _own_assignment(user_id, assignment)
    seat = _ready_seat(user_id, row.seat.study.slug)
    if row.shown_at is None and _next_public_id(seat) != row.public_id:
        raise Http404
    return _rate_page(seat, _shown(row))


def blind_draft_save(user_id: int, assignment: str, answer: BlindAnswer) -> bool:
    """Keep an unfinished answer; False if the item is answered already (a late autosave of another tab)."""
    with transaction.atomic():
        row = _own_assignment(user_id, assignment)
        _lock_open(row)
        if row.shown_at is None or row.done_at is not None:
            return False
        Draft.objects.update_or_create(assignment=row, defaults={"answer": _answer_json(_cleaned(answer))})
    return True


def blind_judgment_submit(user_id: int, assignment: str, answer: BlindAnswer, idempotency_key: str) -> SaveReceipt:
    """Store an answer, once.

    The same key again gives the same receipt. Another key for an item that is answered (a second tab) changes nothing:
    the first answer stands. Only an undo opens an answer again.
    """
    with transaction.atomic():
        row = _own_assignment(user_id, assignment)
        seat = _lock_open(row)
        row.refresh_from_db(fields=["shown_at", "done_at"])
        earlier = _earlier_judgment(row, idempotency_key)
        if earlier is not None:
            return _receipt(seat, row, earlier, duplicate=True)
        if row.shown_at is None:
            raise Http404
        judgment = _judgment_add(row, _accepted(answer, len(row.item.snippets)), idempotency_key)
        return _receipt(seat, row, judgment, duplicate=False)


def blind_undo(user_id: int, study: str) -> RatePage:
    """Open the last answered item again, with its answer as draft. The answer stands until a new one replaces it."""
    with transaction.atomic():
        seat = _open_seat(user_id, study, lock=True)
        row = _answered(seat).select_related("item").order_by("-done_at", "-position").first()
        if row is None:
            raise Http404
        current = row.judgments.get(is_current=True)
        row.done_at = None
        row.save(update_fields=["done_at"])
        Draft.objects.update_or_create(assignment=row, defaults={"answer": _judgment_json(current)})
        return _rate_page(seat, Assignment.objects.select_related("item", "draft").get(pk=row.pk))


# -- Seats and where they stand ----------------------------------------------------------------------------------------


def _seats(user_id: int) -> QuerySet[Seat]:
    """The user's seats in studies past draft; the protocol and the design stay in the database."""
    return (
        Seat.objects.filter(evaluator__user_id=user_id, study__state__in=SEEN_STATES)
        .select_related("study")
        .defer("study__protocol", "study__design")
    )


def _seat(user_id: int, study: str, lock: bool = False) -> Seat:
    seats = _seats(user_id).filter(study__slug=study)
    seat = (seats.select_for_update(of=("self",)) if lock else seats).first()
    if seat is None:
        raise Http404
    return seat


def _open_seat(user_id: int, study: str, lock: bool = False) -> Seat:
    seat = _seat(user_id, study, lock)
    if seat.study.state != Study.State.OPEN:
        raise StudyNotOpen(f"“{seat.study.title}” is not open for rating at the moment.")
    return seat


def _ready_seat(user_id: int, study: str) -> Seat:
    seat = _open_seat(user_id, study)
    if seat.instructions_read_at is None or seat.practice_done_at is None:
        raise NotReady(_where(seat))
    return seat


def _lock_open(row: Assignment) -> Seat:
    """The assignment's seat, locked for this transaction: two tabs of one rater wait for each other."""
    user_id = row.seat.evaluator.user_id  # type: ignore[union-attr]
    return _open_seat(user_id, row.seat.study.slug, lock=True)


def _own_assignment(user_id: int, public_id: str) -> Assignment:
    row = (
        Assignment.objects.filter(
            public_id=public_id, seat__evaluator__user_id=user_id, seat__study__state__in=SEEN_STATES
        )
        .select_related("item", "draft", "seat__study", "seat__evaluator")
        .defer("seat__study__protocol", "seat__study__design")
        .first()
    )
    if row is None:
        raise Http404
    return row


def _where(seat: Seat) -> str:
    if seat.instructions_read_at is None:
        return "instructions"
    missing = _practice_missing(seat)
    if missing and seat.practice_done_at is None:
        return f"practice:{missing[0]}"
    return "rate" if _unanswered(seat).exists() else "done"


def _practice_missing(seat: Seat) -> list[int]:
    answered = set(seat.practice_answers.values_list("number", flat=True))
    return [number for number in range(1, len(seat.study.rater_text["practice"]) + 1) if number not in answered]


def _unanswered(seat: Seat) -> QuerySet[Assignment]:
    return Assignment.objects.filter(seat=seat, done_at__isnull=True).order_by("position")


def _answered(seat: Seat) -> QuerySet[Assignment]:
    return Assignment.objects.filter(seat=seat, done_at__isnull=False)


def _next_public_id(seat: Seat) -> str | None:
    return _unanswered(seat).values_list("public_id", flat=True).first()


def _progress(seat: Seat) -> BlindProgress:
    counts = Assignment.objects.filter(seat=seat).aggregate(total=Count("id"), done=Count("done_at"))
    return BlindProgress(done=counts["done"], total=counts["total"])


# -- Answers -----------------------------------------------------------------------------------------------------------


def _cleaned(answer: BlindAnswer) -> BlindAnswer:
    """An answer in the form that is stored; says nothing about whether it is complete."""
    return BlindAnswer(
        verdict=answer.verdict,
        confidence=None if answer.verdict == first_glance.CANNOT else answer.confidence,
        rule=answer.rule.replace("\x00", "").strip()[: first_glance.RULE_MAX_CHARS + 1],
        marks=tuple(answer.marks),
        active_ms=max(0, min(answer.active_ms, MAX_MS)),
        wall_ms=max(0, min(answer.wall_ms, MAX_MS)),
    )


def _accepted(answer: BlindAnswer, snippets: int) -> BlindAnswer:
    answer = _cleaned(answer)
    problem = first_glance.answer_problem(
        verdict=answer.verdict,
        confidence=answer.confidence,
        rule=answer.rule,
        marks=answer.marks,
        snippets=snippets,
    )
    if problem is not None:
        raise AnswerRefused(problem.message, problem.field)
    return answer


def _earlier_judgment(row: Assignment, idempotency_key: str) -> Judgment | None:
    if not 8 <= len(idempotency_key) <= 64:
        raise AnswerRefused("This page sent no valid key with its answer; reload it and send again.", "idempotency_key")
    same_key = row.judgments.filter(idempotency_key=idempotency_key).first()
    if same_key is not None or row.done_at is None:
        return same_key
    return row.judgments.filter(is_current=True).first()


def _judgment_add(row: Assignment, answer: BlindAnswer, idempotency_key: str) -> Judgment:
    previous = row.judgments.filter(is_current=True).first()
    row.judgments.filter(is_current=True).update(is_current=False)
    judgment = Judgment.objects.create(
        assignment=row,
        version=previous.version + 1 if previous else 1,
        idempotency_key=idempotency_key,
        shown_at=row.shown_at or timezone.now(),
        **_answer_json(answer),
    )
    row.done_at = timezone.now()
    row.save(update_fields=["done_at"])
    Draft.objects.filter(assignment=row).delete()
    return judgment


def _receipt(seat: Seat, row: Assignment, judgment: Judgment, *, duplicate: bool) -> SaveReceipt:
    return SaveReceipt(
        saved=True,
        study=seat.study.slug,
        assignment=row.public_id,
        version=judgment.version,
        duplicate=duplicate,
        next=_next_public_id(seat),
    )


def _answer_json(answer: BlindAnswer) -> dict[str, Any]:
    return {
        "verdict": answer.verdict,
        "confidence": answer.confidence,
        "rule": answer.rule,
        "marks": list(answer.marks),
        "active_ms": answer.active_ms,
        "wall_ms": answer.wall_ms,
    }


def _judgment_json(judgment: Judgment) -> dict[str, Any]:
    return {name: getattr(judgment, name) for name in _answer_json(BlindAnswer())}


def _answer_from_json(data: dict[str, Any]) -> BlindAnswer:
    return BlindAnswer(**{**data, "marks": tuple(data["marks"])})


# -- Pages -------------------------------------------------------------------------------------------------------------


def _card(seat: Any) -> BlindStudyCard:
    return BlindStudyCard(
        study=seat.study.slug,
        title=seat.study.title,
        progress=BlindProgress(done=seat.done, total=seat.total),
        state=SEEN_STATES[seat.study.state],
        simulated=seat.study.simulated,
        started=seat.instructions_read_at is not None,
    )


def _practice_item(seat: Seat, number: int) -> dict[str, Any]:
    practice: list[dict[str, Any]] = seat.study.rater_text["practice"]
    if not 1 <= number <= len(practice):
        raise Http404
    return practice[number - 1]


def _practice_page(seat: Seat, number: int, feedback: PracticeFeedback | None) -> PracticePage:
    text = seat.study.rater_text
    return PracticePage(
        study=seat.study.slug,
        title=seat.study.title,
        number=number,
        total=len(text["practice"]),
        snippets=_snippets(_practice_item(seat, number)["snippets"]),
        question=text["question"],
        threshold=text["threshold"],
        simulated=seat.study.simulated,
        feedback=feedback,
    )


def _shown(row: Assignment) -> Assignment:
    """Note the first time an item is on a screen."""
    if row.shown_at is None:
        row.shown_at = timezone.now()
        Assignment.objects.filter(pk=row.pk, shown_at__isnull=True).update(shown_at=row.shown_at)
    return row


def _rate_page(seat: Seat, row: Assignment) -> RatePage:
    text = seat.study.rater_text
    progress = _progress(seat)
    draft = getattr(row, "draft", None)
    return RatePage(
        study=seat.study.slug,
        title=seat.study.title,
        assignment=row.public_id,
        position=row.position,
        progress=progress,
        snippets=_snippets(row.item.snippets),
        question=text["question"],
        threshold=text["threshold"],
        simulated=seat.study.simulated,
        draft=None if draft is None else _answer_from_json(draft.answer),
        can_undo=progress.done > 0,
    )


def _done_page(seat: Seat) -> DonePage:
    progress = _progress(seat)
    return DonePage(
        study=seat.study.slug,
        title=seat.study.title,
        progress=progress,
        simulated=seat.study.simulated,
        can_undo=progress.done > 0,
        contact=seat.study.rater_text["contact"],
    )


def _snippets(stored: list[list[list[Any]]]) -> tuple[BlindSnippet, ...]:
    return tuple(BlindSnippet(tuple(BlindPiece(text, band) for text, band in snippet)) for snippet in stored)
