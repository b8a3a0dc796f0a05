"""Which items a rater is asked about after the last one. Fixed at freeze, as all else that chance decides."""

from collections.abc import Sequence
from typing import Any

from annotation.design import StudyDesign
from annotation.models import ArmGuess, Assignment


def guess_text(design: StudyDesign) -> dict[str, Any]:
    """What raters choose from, in the order of the labels; nobody reads it before the verdicts are locked."""
    names = {arm.name for pair in design.pairs for arm in pair.arms}
    arms = sorted(names, key=lambda arm: design.guess.label(arm).casefold())
    return {"choices": [{"value": arm, "label": design.guess.label(arm)} for arm in arms]}


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
