"""Which items a rater is asked about after the last one. Fixed at freeze, as all else that chance decides."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from annotation.design import StudyDesign
from annotation.models import ArmGuess, Assignment
from annotation.randomize import Lists, shuffled, stream


def guess_text(design: StudyDesign) -> dict[str, Any]:
    """What raters choose from, in the order of the labels; nobody reads it before the verdicts are locked."""
    arms = sorted({arm.name for pair in design.pairs for arm in pair.arms}, key=lambda arm: design.guess.label(arm).casefold())
    return {"choices": [{"value": arm, "label": design.guess.label(arm)} for arm in arms]}


def guess_orders(design: StudyDesign, arms: Mapping[str, str], lists: Lists, salt: str) -> tuple[tuple[str, ...], ...]:
    """The items that each seat is asked about, in the order of asking; none for machines.

    Parameters
    ----------
    arms : mapping
        Arm of each item that shows a neuron; a seat's other items are never asked about.
    lists : Lists
        Public ids of each seat's items.
    """
    return tuple(
        () if seat.machine else _chosen(design, arms, seat.items, number, salt)
        for number, seat in enumerate(lists.seats, start=1)
    )


def _chosen(
    design: StudyDesign, arms: Mapping[str, str], items: Sequence[str], seat: int, salt: str
) -> tuple[str, ...]:
    rng = stream(design.seed, salt, f"guess:{seat}")
    # A repeated item stands twice on the list.
    mixed = shuffled(rng, sorted({item for item in items if item in arms}))
    by_arm: dict[str, list[str]] = {}
    for item in mixed:
        by_arm.setdefault(arms[item], []).append(item)
    # One of each arm in turn: the first ones are as evenly spread over the arms as the seat's list allows.
    in_turn = [item for turn in zip_longest(*by_arm.values()) for item in turn if item is not None]
    return shuffled(rng, sorted(in_turn[: design.guess.items]))


def guesses_write(orders: Sequence[Sequence[str]], study_id: int) -> None:
    """Store what each seat is asked about, next to its assignments."""
    rows = Assignment.objects.filter(seat__study_id=study_id, repeat_of__isnull=True)
    first = {
        (row["seat__number"], row["item__public_id"]): row["pk"]
        for row in rows.values("seat__number", "item__public_id", "pk")
    }
    ArmGuess.objects.bulk_create(
        (
            ArmGuess(assignment_id=first[seat, item], position=position)
            for seat, items in enumerate(orders, start=1)
            for position, item in enumerate(items, start=1)
        ),
        batch_size=500,
    )
