"""Items in two stages: a rule that one rater writes, and predictions that another makes from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.design import DesignRefused, StudyDesign
from annotation.models import Assignment, Study
from annotation.randomize import Lists, Prediction, predictions_choose

BATCH = 500  # rows of one UPDATE


def predictions_make(
    design: StudyDesign, lists: Lists, writing: Mapping[str, str], salt: str
) -> tuple[Prediction, ...]:
    """Who predicts from whose rule; nobody in a study without such items.

    Parameters
    ----------
    writing : mapping of str to str
        For the public id of each item to predict, that of the item whose rule it is predicted from.

    Raises
    ------
    DesignRefused
        If every rater sees every neuron, so that nobody is left to predict.
    """
    predictions = predictions_choose(design.seed, salt, lists, writing)
    if writing and not predictions:
        message = (
            f"Received {design.raters} raters, and {design.raters_per_neuron} of them write a rule for each neuron; "
            "nobody is left who has not seen it and could predict from the rules. Plan more raters."
        )
        raise DesignRefused([("raters", message)])
    return predictions


def rules_link(study: Study, predictions: Sequence[Prediction], writing: Mapping[str, str]) -> None:
    """Point each prediction to the assignment whose rule it is made from."""
    rows = Assignment.objects.filter(seat__study=study, repeat_of__isnull=True).select_related("seat", "item")
    places = {(row.seat.number, row.item.public_id): row for row in rows.defer("item__snippets")} if predictions else {}
    linked = []
    for one in predictions:
        row = places[one.seat, one.item]
        row.rule_from = places[one.writer, writing[one.item]]
        linked.append(row)
    Assignment.objects.bulk_update(linked, ["rule_from"], batch_size=BATCH)


def predictions_json(predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """As they stand in the frozen protocol."""
    return [{"item": one.item, "seat": one.seat, "rule_of_seat": one.writer} for one in predictions]


def predictions_stored(study: Study) -> list[dict[str, Any]]:
    """As they stand in the tables, in the protocol's form and order."""
    rows = Assignment.objects.filter(seat__study=study, rule_from__isnull=False)
    stored = rows.values_list("item__public_id", "seat__number", "rule_from__seat__number")
    return [{"item": item, "seat": seat, "rule_of_seat": writer} for item, seat, writer in sorted(stored)]
