"""One item after the other: shown, answered, undone."""

from contextlib import suppress
from typing import Any

from django.db import transaction
from django.http import Http404

from annotation.blinding.answers import (
    answer_accepted,
    answer_cleaned,
    answer_from_json,
    answer_json,
    earlier_judgment,
    judgment_add,
    judgment_json,
    question_of,
    receipt_of,
    task_of,
)
from annotation.blinding.notices import notices_for
from annotation.blinding.pages import (
    BlindAnswer,
    BlindPiece,
    BlindSnippet,
    DonePage,
    RatePage,
    SaveReceipt,
    WaitingPage,
)
from annotation.blinding.refusals import AnswerRefused, StudyPaused
from annotation.blinding.rules import check_undo, first_shown, predictions_follow, rule_of
from annotation.blinding.seats import (
    answered_of,
    available_of,
    from_crowd,
    guesses_left,
    lock_open,
    next_public_id,
    open_seat,
    own_assignment,
    progress_of,
    ready_seat,
    unanswered_of,
)
from annotation.models import Assignment, Draft, Seat
from annotation.protocols.task import Shown


def blind_next(user_id: int, study: str) -> RatePage | WaitingPage | DonePage:
    """The first item in the rater's own order that can be answered: one look-up in the index `next_assignment`."""
    seat = ready_seat(user_id, study)
    row = available_of(seat).select_related("item", "draft").first()
    if row is None:
        return _waiting_page(seat) if unanswered_of(seat).exists() else done_page(seat)
    return _rate_page(seat, row) if first_shown(row) else blind_next(user_id, study)


def blind_item(user_id: int, assignment: str) -> RatePage:
    """One item by its public id: the current one, or one that this rater has seen before."""
    row = own_assignment(user_id, assignment)
    seat = ready_seat(user_id, row.seat.study.slug)
    if row.shown_at is None and next_public_id(seat) != row.public_id:
        raise Http404
    if not first_shown(row):
        raise Http404
    return _rate_page(seat, row)


def blind_draft_save(user_id: int, assignment: str, answer: BlindAnswer) -> bool:
    """Keep an unfinished answer; False if the item is answered already (a late autosave of another tab).

    While the study is paused it is kept too: a pause takes no answers and loses none.
    """
    with transaction.atomic():
        row = own_assignment(user_id, assignment)
        with suppress(StudyPaused):
            lock_open(row)
        if row.shown_at is None or row.done_at is not None:
            return False
        Draft.objects.update_or_create(
            assignment=row,
            defaults={"answer": answer_json(answer_cleaned(task_of(row.seat.study, row.item.layout), answer))},
        )
    return True


def blind_judgment_submit(user_id: int, assignment: str, answer: BlindAnswer, idempotency_key: str) -> SaveReceipt:
    """Store an answer, once.

    The same key again gives the same receipt. Another key for an item that is answered (a second tab) changes nothing:
    the first answer stands. Only an undo opens an answer again.
    """
    with transaction.atomic():
        row = own_assignment(user_id, assignment)
        seat = lock_open(row)
        row.refresh_from_db(fields=["shown_at", "done_at"])
        earlier = earlier_judgment(row, idempotency_key)
        if earlier is not None:
            return receipt_of(seat, row, earlier, duplicate=True)
        if row.shown_at is None:
            raise Http404
        shown = Shown(len(row.item.snippets), row.item.layout)
        accepted = answer_accepted(task_of(seat.study, shown.layout), answer, shown)
        judgment = judgment_add(row, accepted, idempotency_key)
        predictions_follow(row, judgment)
        return receipt_of(seat, row, judgment, duplicate=False)


def blind_undo(user_id: int, study: str) -> RatePage:
    """Open the last answered item again, with its answer as draft. The answer stands until a new one replaces it."""
    with transaction.atomic():
        seat = open_seat(user_id, study, lock=True)
        if seat.guessing_at is not None:
            raise AnswerRefused("Your verdicts are locked, because you have begun with the last questions.", "")
        row = answered_of(seat).select_related("item").order_by("-done_at", "-position").first()
        if row is None:
            raise Http404
        check_undo(row)
        current = row.judgments.get(is_current=True)
        row.done_at = None
        row.save(update_fields=["done_at"])
        Draft.objects.update_or_create(assignment=row, defaults={"answer": judgment_json(current)})
        return _rate_page(seat, Assignment.objects.select_related("item", "draft").get(pk=row.pk))


def _rate_page(seat: Seat, row: Assignment) -> RatePage:
    progress, task = progress_of(seat), task_of(seat.study, row.item.layout)
    draft = getattr(row, "draft", None)
    return RatePage(
        study=seat.study.slug,
        title=seat.study.title,
        assignment=row.public_id,
        position=row.position,
        progress=progress,
        task=task.name,
        snippets=blind_snippets(row.item.snippets),
        layout=row.item.layout,
        question=question_of(seat.study, task),
        threshold=seat.study.rater_text["threshold"],
        rule=rule_of(row),
        simulated=seat.study.simulated,
        draft=None if draft is None else answer_from_json(draft.answer),
        can_undo=progress.done > 0,
        notices=notices_for(seat.evaluator.user_id, seat.study.slug) if seat.evaluator else (),
    )


def _waiting_page(seat: Seat) -> WaitingPage:
    progress = progress_of(seat)
    return WaitingPage(
        study=seat.study.slug,
        title=seat.study.title,
        progress=progress,
        waiting=unanswered_of(seat).count(),
        simulated=seat.study.simulated,
        can_undo=progress.done > 0,
        contact=seat.study.rater_text["contact"],
    )


def done_page(seat: Seat) -> DonePage:
    progress = progress_of(seat)
    return DonePage(
        study=seat.study.slug,
        title=seat.study.title,
        progress=progress,
        simulated=seat.study.simulated,
        can_undo=progress.done > 0 and seat.guessing_at is None,
        contact=seat.study.rater_text["contact"],
        guesses_left=guesses_left(seat),
        guessing=seat.guessing_at is not None,
        from_crowd=from_crowd(seat),
    )


def blind_snippets(stored: list[list[list[Any]]]) -> tuple[BlindSnippet, ...]:
    return tuple(BlindSnippet(tuple(BlindPiece(text, band) for text, band in snippet)) for snippet in stored)
