"""Worked items: answered like the others, explained at once, never counted."""

from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils import timezone

from annotation.blinding.answers import answer_accepted, answer_json, question_of, task_of
from annotation.blinding.pages import BlindAnswer, PracticeFeedback, PracticePage
from annotation.blinding.rating import blind_snippets
from annotation.blinding.seats import open_seat, practice_missing, seat_of
from annotation.models import PracticeAnswer, Seat
from annotation.protocols.practice import agrees
from annotation.protocols.task import Shown


def blind_practice(user_id: int, study: str, number: int) -> PracticePage:
    seat = seat_of(user_id, study)
    return practice_page(seat, number, None)


def blind_practice_answer(user_id: int, study: str, number: int, answer: BlindAnswer) -> PracticePage:
    """Keep an answer to a practice item (never counted) and say what a careful rater would answer."""
    with transaction.atomic():
        seat = open_seat(user_id, study, lock=True)
        item = practice_item(seat, number)
        shown = Shown(len(item["snippets"]), item.get("layout", {}))
        answer = answer_accepted(task_of(seat.study, shown.layout), answer, shown)
        PracticeAnswer.objects.create(seat=seat, number=number, answer=answer_json(answer))
        if not practice_missing(seat) and seat.practice_done_at is None:
            seat.practice_done_at = timezone.now()
            seat.save(update_fields=["practice_done_at"])
    feedback = PracticeFeedback(
        expected=item.get("expected", ""),
        responses=item.get("responses", {}),
        agrees=agrees(item, answer),
        text=item["text"],
        marks=tuple(item.get("marks", ())),
        answer=answer,
    )
    return practice_page(seat, number, feedback)


def practice_item(seat: Seat, number: int) -> dict[str, Any]:
    practice: list[dict[str, Any]] = seat.study.rater_text["practice"]
    if not 1 <= number <= len(practice):
        raise Http404
    return practice[number - 1]


def practice_page(seat: Seat, number: int, feedback: PracticeFeedback | None) -> PracticePage:
    text, item = seat.study.rater_text, practice_item(seat, number)
    layout = item.get("layout", {})
    task = task_of(seat.study, layout)
    return PracticePage(
        study=seat.study.slug,
        title=seat.study.title,
        number=number,
        total=len(text["practice"]),
        task=task.name,
        snippets=blind_snippets(item["snippets"]),
        layout=layout,
        question=question_of(seat.study, task),
        threshold=text["threshold"],
        rule=item.get("rule", ""),
        simulated=seat.study.simulated,
        feedback=feedback,
    )
