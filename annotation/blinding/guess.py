"""After the last item: which arm was it? Asked when the verdicts are locked, about items fixed at freeze.

The names of the arms are shown here and nowhere before.
"""

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from annotation.blinding.pages import BlindProgress, DonePage, GuessChoice, GuessPage
from annotation.blinding.rating import blind_snippets, done_page
from annotation.blinding.refusals import AnswerRefused, NotReady
from annotation.blinding.seats import open_seat, unanswered_of, where_next
from annotation.models import ArmGuess, Seat

DONT_KNOW = "dk"
CERTAINTIES = (1, 2, 3)  # 1 guess … 3 sure
REASON_MAX_CHARS = 1_000


def blind_guess_start(user_id: int, study: str) -> None:
    """Lock the verdicts for good and begin with the guesses."""
    with transaction.atomic():
        seat = open_seat(user_id, study, lock=True)
        if unanswered_of(seat).exists():
            raise NotReady(where_next(seat))
        Seat.objects.filter(pk=seat.pk, guessing_at__isnull=True).update(guessing_at=timezone.now())


def blind_guess(user_id: int, study: str) -> GuessPage | DonePage:
    """The next item to guess the arm of; after the last one, and before the verdicts are locked, the last page."""
    seat = open_seat(user_id, study)
    if unanswered_of(seat).exists():
        raise NotReady(where_next(seat))
    row = _waiting(seat).select_related("assignment__item").first()
    if row is None or seat.guessing_at is None:
        return done_page(seat)
    ArmGuess.objects.filter(pk=row.pk, shown_at__isnull=True).update(shown_at=timezone.now())
    return _guess_page(seat, row)


def blind_guess_answer(
    user_id: int, study: str, assignment: str, *, guess: str, certainty: int | None, reason: str
) -> None:
    """Keep a guess; the first one stands."""
    with transaction.atomic():
        seat = open_seat(user_id, study, lock=True)
        if seat.guessing_at is None:
            raise NotReady(where_next(seat))
        row = ArmGuess.objects.filter(assignment__seat=seat, assignment__public_id=assignment).first()
        if row is None or row.shown_at is None:
            raise Http404
        _check(seat, guess, certainty, reason)
        ArmGuess.objects.filter(pk=row.pk, answered_at__isnull=True).update(
            guess=guess,
            certainty=None if guess == DONT_KNOW else certainty,
            reason=reason.replace("\x00", "").strip(),
            answered_at=timezone.now(),
        )


def _waiting(seat: Seat) -> QuerySet[ArmGuess]:
    return ArmGuess.objects.filter(assignment__seat=seat, answered_at__isnull=True).order_by("position")


def _check(seat: Seat, guess: str, certainty: int | None, reason: str) -> None:
    choices = {choice["value"] for choice in seat.study.rater_text["guess"]["choices"]} | {DONT_KNOW}
    if guess not in choices:
        raise AnswerRefused("Choose one of the kinds of network, or “don't know”.", "guess")
    if guess != DONT_KNOW and certainty not in CERTAINTIES:
        raise AnswerRefused("Say how sure you are: 1 (guess), 2 or 3 (sure).", "certainty")
    if len(reason) > REASON_MAX_CHARS:
        raise AnswerRefused(f"The reason has {len(reason)} characters; shorten it to {REASON_MAX_CHARS}.", "reason")


def _guess_page(seat: Seat, row: ArmGuess) -> GuessPage:
    guesses = ArmGuess.objects.filter(assignment__seat=seat)
    done = guesses.filter(answered_at__isnull=False).count()
    verdict = row.assignment.judgments.filter(is_current=True).values_list("verdict", flat=True).first()
    return GuessPage(
        study=seat.study.slug,
        title=seat.study.title,
        assignment=row.assignment.public_id,
        progress=BlindProgress(done=done, total=guesses.count()),
        snippets=blind_snippets(row.assignment.item.snippets),
        choices=tuple(GuessChoice(**choice) for choice in seat.study.rater_text["guess"]["choices"]),
        verdict=verdict or "",
        simulated=seat.study.simulated,
    )
