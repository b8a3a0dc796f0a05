"""One item after the other: shown, answered, undone."""

from typing import Any

from django.db import transaction
from django.http import Http404
from django.utils import timezone

from annotation.blinding.answers import (
    answer_accepted,
    answer_cleaned,
    answer_from_json,
    answer_json,
    earlier_judgment,
    judgment_add,
    judgment_json,
    receipt_of,
    task_of,
)
from annotation.blinding.pages import BlindAnswer, BlindPiece, BlindSnippet, DonePage, RatePage, SaveReceipt
from annotation.blinding.refusals import AnswerRefused
from annotation.blinding.seats import (
    answered_of,
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


def blind_next(user_id: int, study: str) -> RatePage | DonePage:
    """The first unanswered item in the rater's own order: one look-up in the index `next_assignment`."""
    seat = ready_seat(user_id, study)
    assignment = unanswered_of(seat).select_related("item", "draft").first()
    return done_page(seat) if assignment is None else _rate_page(seat, _shown(assignment))


def blind_item(user_id: int, assignment: str) -> RatePage:
    """One item by its public id: the current one, or one that this rater has seen before."""
    row = own_assignment(user_id, assignment)
    seat = ready_seat(user_id, row.seat.study.slug)
    if row.shown_at is None and next_public_id(seat) != row.public_id:
        raise Http404
    return _rate_page(seat, _shown(row))


def blind_draft_save(user_id: int, assignment: str, answer: BlindAnswer) -> bool:
    """Keep an unfinished answer; False if the item is answered already (a late autosave of another tab)."""
    with transaction.atomic():
        row = own_assignment(user_id, assignment)
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
        current = row.judgments.get(is_current=True)
        row.done_at = None
        row.save(update_fields=["done_at"])
        Draft.objects.update_or_create(assignment=row, defaults={"answer": judgment_json(current)})
        return _rate_page(seat, Assignment.objects.select_related("item", "draft").get(pk=row.pk))


def _shown(row: Assignment) -> Assignment:
    """Note the first time an item is on a screen."""
    if row.shown_at is None:
        row.shown_at = timezone.now()
        Assignment.objects.filter(pk=row.pk, shown_at__isnull=True).update(shown_at=row.shown_at)
    return row


def _rate_page(seat: Seat, row: Assignment) -> RatePage:
    text = seat.study.rater_text
    progress = progress_of(seat)
    draft = getattr(row, "draft", None)
    return RatePage(
        study=seat.study.slug,
        title=seat.study.title,
        assignment=row.public_id,
        position=row.position,
        progress=progress,
        task=task_of(seat.study, row.item.layout).name,
        snippets=blind_snippets(row.item.snippets),
        layout=row.item.layout,
        question=text["question"],
        threshold=text["threshold"],
        simulated=seat.study.simulated,
        draft=None if draft is None else answer_from_json(draft.answer),
        can_undo=progress.done > 0,
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
    )


def blind_snippets(stored: list[list[list[Any]]]) -> tuple[BlindSnippet, ...]:
    return tuple(BlindSnippet(tuple(BlindPiece(text, band) for text, band in snippet)) for snippet in stored)
