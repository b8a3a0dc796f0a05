"""Worked items: answered like the others, explained at once, never counted."""

from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils import timezone

from annotation.blinding.answers import answer_accepted, answer_json, question_of, task_of
from annotation.blinding.pages import BlindAnswer, PracticeFeedback, PracticePage, ScreenedPage, TrainingPart
from annotation.blinding.rating import blind_snippets
from annotation.blinding.refusals import NotReady
from annotation.blinding.seats import from_crowd, open_seat, read_seat, seat_of, training_rule, training_standing
from annotation.models import PracticeAnswer, Seat
from annotation.protocols.practice import agrees
from annotation.protocols.task import Shown
from annotation.protocols.training import AGAIN, GOING, OUT, PASSED


def blind_practice(user_id: int, study: str, number: int) -> PracticePage:
    return practice_page(_learner(read_seat(user_id, study)), number, None)


def blind_screened(user_id: int, study: str) -> ScreenedPage:
    """What a rater reads who did not pass the training; not there for anybody else."""
    seat = seat_of(user_id, study)
    if seat.screened_out_at is None:
        raise Http404
    text = seat.study.rater_text
    return ScreenedPage(
        study=study,
        title=seat.study.title,
        simulated=seat.study.simulated,
        contact=text["contact"],
        from_crowd=from_crowd(seat),
    )


def blind_practice_answer(user_id: int, study: str, number: int, answer: BlindAnswer) -> PracticePage:
    """Keep an answer to a practice item (never counted) and say what a careful rater would answer."""
    with transaction.atomic():
        seat = _learner(open_seat(user_id, study, lock=True))
        item = practice_item(seat, number)
        shown = Shown(len(item["snippets"]), item.get("layout", {}))
        answer = answer_accepted(task_of(seat.study, shown.layout), answer, shown)
        said = agrees(item, answer)
        _answer_keep(seat, number, answer, said)
    feedback = PracticeFeedback(
        expected=item.get("expected", ""),
        responses=item.get("responses", {}),
        agrees=said,
        text=item["text"],
        marks=tuple(item.get("marks", ())),
        answer=answer,
    )
    return practice_page(seat, number, feedback)


def _learner(seat: Seat) -> Seat:
    if seat.screened_out_at is not None:
        raise NotReady("screened")
    return seat


def _answer_keep(seat: Seat, number: int, answer: BlindAnswer, agrees: bool) -> None:
    """Store the answer under its round, and note when it ends the training, passed or not."""
    before = training_standing(seat)
    number_of_round = before.round + (before.outcome == AGAIN)
    stored = answer_json(answer)
    PracticeAnswer.objects.create(seat=seat, number=number, round=number_of_round, agrees=agrees, answer=stored)
    outcome = training_standing(seat).outcome
    field = {PASSED: "practice_done_at", OUT: "screened_out_at"}.get(outcome, "")
    if field and seat.practice_done_at is None:
        setattr(seat, field, timezone.now())
        seat.save(update_fields=[field])


def _training(seat: Seat, answered: bool) -> TrainingPart | None:
    """Before an answer the round that it will belong to, after it the round that it belongs to."""
    rule, now = training_rule(seat), training_standing(seat)
    if not rule.least_right:
        return None
    fresh = now.outcome == AGAIN and not answered
    return TrainingPart(
        round=now.round + fresh,
        rounds=rule.rounds,
        items=rule.items,
        needed=rule.least_right,
        right=0 if fresh else now.right,
        outcome=GOING if fresh else now.outcome,
    )


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
        training=_training(seat, feedback is not None),
        feedback=feedback,
    )
