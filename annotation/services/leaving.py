"""How a rater stops, and how a person is erased from the site while the study's numbers stay honest.

Nothing is deleted silently. A seat that is left gets a `SeatVacancy`; answers that no longer count stay on record; what
an erasure did to a study's judgments is written down as a `PersonErasure` and in the study's log.
"""

from django.contrib.auth.models import User as Account
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.design import KEEP, ConsentDesign, design_from_dict
from annotation.models import (
    ERASED,
    ArmGuess,
    ConflictDeclaration,
    ConsentRecord,
    Draft,
    Evaluator,
    Judgment,
    LogActor,
    PersonalLink,
    PersonErasure,
    PracticeAnswer,
    Seat,
    SeatVacancy,
    Study,
)
from annotation.selectors import judgments_sha256
from annotation.services.crowd_ids import evaluator_crowd_erase
from annotation.services.errors import AccountRefused, SeatRefused
from annotation.services.log import User, event_add
from annotation.services.vacancies import seat_vacate

LEAVABLE = (Study.State.FROZEN, Study.State.OPEN)


def consent_rules(study: Study) -> ConsentDesign:
    return design_from_dict(study.design).consent


@transaction.atomic
def rater_withdraw(*, evaluator: Evaluator, study: Study) -> Seat:
    """Stop taking part: the seat becomes free, and the answers stand or are set aside as the study's design says.

    A seat whose answers are all in and stand is not freed, for there is nothing left on it to answer.
    """
    keep = consent_rules(study).withdrawal == KEEP
    seat = Seat.objects.filter(study=study, evaluator=evaluator).first()
    if seat is None:
        raise SeatRefused(f"{evaluator.pseudonym} has no seat in “{study.title}”; there is nothing to leave.")
    if keep and seat.assignments.exists() and not seat.assignments.filter(done_at__isnull=True).exists():
        event_add(study, None, "rater stopped", seat=seat.number, evaluator=evaluator.pseudonym, kept=True)
    else:
        seat_vacate(seat=seat, keep=keep, reason="The rater stopped.")
    last = ConsentRecord.objects.filter(study=study, evaluator=evaluator).order_by("-id").first()
    if last is not None:
        ConsentRecord.objects.create(
            study=study, evaluator=evaluator, version=last.version, answer=ConsentRecord.Answer.WITHDRAWN
        )
    return seat


@transaction.atomic
def rater_erase(*, evaluator: Evaluator, by: User = None) -> Evaluator:
    """Erase the person: account, address, links, declarations. The pseudonym stays and leads to nobody."""
    row = Evaluator.objects.select_for_update().get(pk=evaluator.pk)
    if row.user is None:
        raise AccountRefused(f"The person behind {row.pseudonym} is erased already.")
    for study in _studies_of(row):
        _erased_in(study, row, by)
    ConflictDeclaration.objects.filter(consent__evaluator=row, erased_at__isnull=True).update(
        text="", erased_at=timezone.now()
    )
    _account_removed(row, row.user)
    event_add(None, by, "person erased", object=("evaluator", row.pseudonym))
    return row


def _account_removed(evaluator: Evaluator, account: Account) -> None:
    """Everything that hangs on the account goes with it; the log's actor stays and leads nowhere."""
    PersonalLink.objects.filter(evaluator=evaluator).delete()
    evaluator_crowd_erase(evaluator)
    LogActor.objects.filter(user=account).update(user=None)
    evaluator.user = None
    evaluator.save(update_fields=["user"])
    account.delete()


def _studies_of(evaluator: Evaluator) -> QuerySet[Study]:
    sat = Study.objects.filter(seats__evaluator=evaluator) | Study.objects.filter(seats__vacancies__evaluator=evaluator)
    return sat.distinct().order_by("id")


def _erased_in(study: Study, evaluator: Evaluator, by: User) -> None:
    rules, before = consent_rules(study), judgments_sha256(study)
    answers, set_aside = _answers_of(study, evaluator), 0
    current = list(answers.filter(is_current=True).values_list("pk", flat=True))
    if study.state in LEAVABLE and Seat.objects.filter(study=study, evaluator=evaluator).exists():
        rater_withdraw(evaluator=evaluator, study=study)
    if rules.withdrawal != KEEP:
        set_aside = len(current)
        Judgment.objects.filter(pk__in=current).update(is_current=False)
    words = _words_erased(study, evaluator, answers) if rules.erase_words else 0
    PersonErasure.objects.create(
        study=study,
        evaluator=evaluator,
        set_aside=set_aside,
        texts_erased=words,
        before_sha256=before,
        after_sha256=judgments_sha256(study),
    )
    event_add(
        study, by, "person erased", object=("evaluator", evaluator.pseudonym), set_aside=set_aside, texts_erased=words
    )


def _answers_of(study: Study, evaluator: Evaluator) -> QuerySet[Judgment]:
    """Every version of every answer of a rater, also on seats that somebody else has now."""
    spans = [
        (vacancy.seat_id, vacancy.seated_at, vacancy.left_at)
        for vacancy in SeatVacancy.objects.filter(seat__study=study, evaluator=evaluator)
    ]
    spans += [
        (seat.pk, seat.seated_at, timezone.now()) for seat in Seat.objects.filter(study=study, evaluator=evaluator)
    ]
    found = Judgment.objects.none()
    for seat, since, until in spans:
        found |= Judgment.objects.filter(assignment__seat_id=seat, submitted_at__gte=since, submitted_at__lte=until)
    return found


def _words_erased(study: Study, evaluator: Evaluator, answers: QuerySet[Judgment]) -> int:
    """Blank what the rater wrote in own words; verdicts, marks and times stay. The number of answers changed."""
    ids = list(answers.values_list("pk", flat=True))
    mine = Seat.objects.filter(study=study, evaluator=evaluator)
    Draft.objects.filter(assignment__seat__in=mine).delete()
    for answer in PracticeAnswer.objects.filter(seat__in=mine):
        answer.answer = answer.answer | {"rule": ERASED if answer.answer.get("rule") else ""}
        answer.save(update_fields=["answer"])
    ArmGuess.objects.filter(assignment__seat__in=mine).exclude(reason="").update(reason=ERASED)
    return Judgment.objects.filter(pk__in=ids).exclude(rule="").update(rule=ERASED)
