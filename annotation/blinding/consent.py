"""Consent and the declaration of conflicts of interest, asked before everything else."""

from django.db import transaction
from django.http import Http404

from annotation.blinding.agreement import consent_last, consent_missing
from annotation.blinding.pages import ConsentAnswer, ConsentPage
from annotation.blinding.refusals import AnswerRefused
from annotation.blinding.seats import from_crowd, seat_of
from annotation.models import ConflictDeclaration, ConsentRecord, RaterKind, Seat

MAX_CONFLICT_TEXT = 2_000  # characters


def blind_consent(user_id: int, study: str) -> ConsentPage:
    """The text as it stands now, and what this rater said to it."""
    return _page(_asked_seat(user_id, study))


def blind_consent_answer(user_id: int, study: str, answer: ConsentAnswer) -> ConsentPage:
    """Keep what a rater says to the text that was on the screen."""
    with transaction.atomic():
        seat = _asked_seat(user_id, study, lock=True)
        shown = seat.study.rater_text["consent"]
        if answer.version != shown["version"]:
            raise AnswerRefused("The text has changed since you opened this page. Please read it once more.", "version")
        declared = shown["ask_conflicts"] and answer.agrees
        if declared:
            _conflict_checked(answer)
        said = ConsentRecord.Answer.AGREED if answer.agrees else ConsentRecord.Answer.DECLINED
        record = ConsentRecord.objects.create(
            study=seat.study,
            evaluator_id=seat.evaluator_id,  # type: ignore[misc]  # a seat found by its rater has one
            version=answer.version,
            answer=said,
        )
        if declared:
            ConflictDeclaration.objects.create(
                consent=record, has_conflict=answer.conflict == "yes", text=answer.conflict_text.strip()
            )
    return _page(seat)


def _asked_seat(user_id: int, study: str, lock: bool = False) -> Seat:
    seat = seat_of(user_id, study, lock)
    if seat.study.rater_text.get("consent") is None or seat.kind != RaterKind.HUMAN:
        raise Http404
    return seat


def _conflict_checked(answer: ConsentAnswer) -> None:
    if answer.conflict not in {"yes", "no"}:
        raise AnswerRefused("Say whether you have to do with the models that are judged.", "conflict")
    if answer.conflict == "yes" and not answer.conflict_text.strip():
        raise AnswerRefused("Say in a few words what you have to do with the models.", "conflict_text")
    if len(answer.conflict_text) > MAX_CONFLICT_TEXT:
        raise AnswerRefused(f"That is too long; at most {MAX_CONFLICT_TEXT} characters fit.", "conflict_text")


def _page(seat: Seat) -> ConsentPage:
    shown, last = seat.study.rater_text["consent"], consent_last(seat)
    current = last is not None and last.version == shown["version"]
    return ConsentPage(
        study=seat.study.slug,
        title=seat.study.title,
        paragraphs=tuple(shown["paragraphs"]),
        promises=tuple(shown["promises"]),
        required=shown["required"],
        ask_conflicts=shown["ask_conflicts"],
        version=shown["version"],
        answer=last.answer if last is not None and current else "",
        changed=last is not None and not current,
        missing=consent_missing(seat),
        contact=seat.study.rater_text["contact"],
        from_crowd=from_crowd(seat),
    )
