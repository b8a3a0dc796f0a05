"""The reserve comes into use: by an amendment, a round at a time, on lists that were fixed at freeze.

Nothing sealed is read here. Which items a round adds to which list stands in the frozen protocol, so nobody can choose
among reserve neurons, and nobody learns what they are.
"""

import json

from django.db.models import Max

from annotation.models import Assignment, Item, Seat, Study
from annotation.services.errors import AmendmentRefused

BATCH = 2_000  # rows of one INSERT


def reserve_check(study: Study, before: int, after: int) -> None:
    """Refuse what the reserve cannot give any more.

    Raises
    ------
    AmendmentRefused
        If rounds are taken back, a rater has begun to guess arms, or neurons come with predictions.
    """
    if after < before:
        raise AmendmentRefused(f"{before} rounds of the reserve are on raters' lists; they cannot be taken back.")
    # A rater begins to guess with the seat locked: after this nobody can slip past.
    seats = Seat.objects.select_for_update().filter(study=study)
    guessing = [seat.number for seat in seats if seat.guessing_at is not None]
    if guessing:
        raise AmendmentRefused(
            f"The raters on seats {', '.join(map(str, guessing))} guess arms already; what they would judge now is not "
            "blind to that. Use the reserve before the first rater is done."
        )
    if json.loads(study.protocol)["predictions"]:
        raise AmendmentRefused("Every neuron of this task needs a second rater, chosen at freeze; make a new study.")


def reserve_use(study: Study, before: int, after: int) -> int:
    """Put the rounds from `before` to `after` at the end of raters' lists; the number of assignments made."""
    rounds = json.loads(study.protocol)["reserve"][before:after]
    items = dict(Item.objects.filter(study=study).values_list("public_id", "pk"))
    made: list[Assignment] = []
    for seat in Seat.objects.filter(study=study).annotate(last=Max("assignments__position")).order_by("number"):
        added = [item for lists in rounds for item in lists[seat.number - 1]]
        made += [
            Assignment(seat=seat, item_id=items[item], position=position)
            for position, item in enumerate(added, start=(seat.last or 0) + 1)
        ]
    Assignment.objects.bulk_create(made, batch_size=BATCH)
    return len(made)
