"""The rater's studies, and the instructions of one."""

from typing import Any

from django.db.models import Count, F, Q
from django.http import Http404
from django.utils import timezone

from annotation.blinding.notices import notices_for
from annotation.blinding.pages import BlindProgress, BlindStudyCard, HomePage, InstructionsPage
from annotation.blinding.seats import open_seat, progress_of, read_seat, seat_of, seats_of, state_seen, where_next
from annotation.models import Evaluator, Seat


def blind_home(user_id: int) -> HomePage:
    """The rater's studies, newest first."""
    evaluator = Evaluator.objects.filter(user_id=user_id).first()
    if evaluator is None:
        raise Http404
    own = Q(assignments__done_at__gte=F("seated_at"), assignments__retired_at__isnull=True)
    seats = seats_of(user_id).annotate(
        total=Count("assignments", filter=own | Q(assignments__done_at__isnull=True)),
        done=Count("assignments", filter=own),
    )
    return HomePage(
        studies=tuple(_card(seat) for seat in seats.order_by("-id")),
        pseudonym=evaluator.pseudonym,
        notices=notices_for(user_id),
    )


def blind_instructions(user_id: int, study: str) -> InstructionsPage:
    seat = read_seat(user_id, study)
    text = seat.study.rater_text
    return InstructionsPage(
        study=study,
        title=seat.study.title,
        paragraphs=tuple(text["paragraphs"]),
        task=text["task"],
        question=text["question"],
        simulated=seat.study.simulated,
        minutes_per_neuron=text["minutes_per_neuron"],
        snippets=text["snippets"],
        contact=text["contact"],
        ready=seat.instructions_read_at is not None,
        progress=progress_of(seat),
    )


def blind_instructions_read(user_id: int, study: str) -> None:
    """Note that the rater went through the instructions; the first time counts."""
    seat = open_seat(user_id, study)
    Seat.objects.filter(pk=seat.pk, instructions_read_at__isnull=True).update(instructions_read_at=timezone.now())


def blind_where(user_id: int, study: str) -> str:
    """Where the rater goes on: "consent", "instructions", "practice:<n>", "rate" or "done"."""
    return where_next(seat_of(user_id, study))


def _card(seat: Any) -> BlindStudyCard:
    return BlindStudyCard(
        study=seat.study.slug,
        title=seat.study.title,
        progress=BlindProgress(done=seat.done, total=seat.total),
        state=state_seen(seat.study),
        simulated=seat.study.simulated,
        started=seat.instructions_read_at is not None,
        screened_out=seat.screened_out_at is not None,
    )
