"""What counts as an answer, and how it is stored."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils import timezone

from annotation.blinding.pages import BlindAnswer, SaveReceipt
from annotation.blinding.refusals import AnswerRefused
from annotation.blinding.seats import next_public_id
from annotation.models import Assignment, Draft, Judgment, Seat, Study
from annotation.protocols import TASKS
from annotation.protocols.task import Derives, Shown, Task

MAX_MS = 2_147_483_647  # the largest value of the columns active_ms and wall_ms


def task_of(study: Study, layout: Mapping[str, Any]) -> Task:
    """The task of an item: the study's, unless the item's layout names its own."""
    return TASKS[layout.get("task") or study.rater_text["task"]]


def question_of(study: Study, task: Task) -> str:
    """What an item asks: as frozen for the study's own task, and for others as the task asks it."""
    return str(study.rater_text["question"]) if task.name == study.rater_text["task"] else task.question


def answer_cleaned(task: Task, answer: BlindAnswer) -> BlindAnswer:
    """An answer in the form that is stored; says nothing about whether it is complete."""
    return replace(
        task.cleaned(answer),
        active_ms=max(0, min(answer.active_ms, MAX_MS)),
        wall_ms=max(0, min(answer.wall_ms, MAX_MS)),
    )


def answer_accepted(task: Task, answer: BlindAnswer, shown: Shown) -> BlindAnswer:
    answer = answer_cleaned(task, answer)
    problem = task.answer_problem(answer, shown)
    if problem is not None:
        raise AnswerRefused(problem.message, problem.field)
    return task.derived(answer, shown) if isinstance(task, Derives) else answer


def earlier_judgment(row: Assignment, idempotency_key: str) -> Judgment | None:
    if not 8 <= len(idempotency_key) <= 64:
        raise AnswerRefused("This page sent no valid key with its answer; reload it and send again.", "idempotency_key")
    same_key = row.judgments.filter(idempotency_key=idempotency_key).first()
    seated_at = row.seat.seated_at
    if same_key is not None and seated_at is not None and same_key.submitted_at < seated_at:
        raise AnswerRefused("Another rater used this key on the same seat; make a random one.", "idempotency_key")
    if same_key is not None or row.done_at is None:
        return same_key
    return row.judgments.filter(is_current=True).first()


def judgment_add(row: Assignment, answer: BlindAnswer, idempotency_key: str) -> Judgment:
    previous = row.judgments.order_by("-version").first()
    row.judgments.filter(is_current=True).update(is_current=False)
    judgment = Judgment.objects.create(
        assignment=row,
        version=previous.version + 1 if previous else 1,
        idempotency_key=idempotency_key,
        shown_at=row.shown_at or timezone.now(),
        **answer_json(answer),
    )
    row.done_at = timezone.now()
    row.save(update_fields=["done_at"])
    Draft.objects.filter(assignment=row).delete()
    return judgment


def receipt_of(seat: Seat, row: Assignment, judgment: Judgment, *, duplicate: bool) -> SaveReceipt:
    return SaveReceipt(
        saved=True,
        study=seat.study.slug,
        assignment=row.public_id,
        version=judgment.version,
        duplicate=duplicate,
        next=next_public_id(seat),
    )


def answer_json(answer: BlindAnswer) -> dict[str, Any]:
    return {
        "verdict": answer.verdict,
        "confidence": answer.confidence,
        "rule": answer.rule,
        "responses": answer.responses,
        "marks": list(answer.marks),
        "active_ms": answer.active_ms,
        "wall_ms": answer.wall_ms,
    }


def judgment_json(judgment: Judgment) -> dict[str, Any]:
    return {name: getattr(judgment, name) for name in answer_json(BlindAnswer())}


def answer_from_json(data: dict[str, Any]) -> BlindAnswer:
    return BlindAnswer(**{**data, "marks": tuple(data["marks"])})
