"""Seats and their lists, written at freeze."""

from annotation.design import StudyDesign
from annotation.models import Assignment, Item, RaterKind, Seat, Study
from annotation.randomize import Lists, SeatList, public_id

BATCH = 2_000  # rows of one INSERT


def seat_kind(design: StudyDesign, seat: SeatList) -> str:
    """Who may sit there: a declared machine, or what the study's raters are."""
    return RaterKind.MACHINE if seat.machine else design.rater_kind


def seats_write(study: Study, design: StudyDesign, lists: Lists, items: dict[str, Item], salt: str) -> None:
    """Make the seats with their lists; an item that comes a second time points to its first showing."""
    seats = Seat.objects.bulk_create(
        Seat(study=study, number=number, kind=seat_kind(design, seat))
        for number, seat in enumerate(lists.seats, start=1)
    )
    firsts: dict[tuple[int, str], Assignment] = {}
    repeats: list[Assignment] = []
    for seat, listed in zip(seats, lists.seats, strict=True):
        for position, item in enumerate(listed.items, start=1):
            name = f"assignment:{seat.number}:{position}"
            row = Assignment(
                seat=seat, item=items[item], position=position, public_id=public_id(design.seed, salt, name)
            )
            if firsts.setdefault((seat.number, item), row) is not row:
                repeats.append(row)
    Assignment.objects.bulk_create(firsts.values(), batch_size=BATCH)
    for row in repeats:  # the first showings have their keys only now
        row.repeat_of = firsts[row.seat.number, row.item.public_id]
    Assignment.objects.bulk_create(repeats, batch_size=BATCH)
