"""The draw of a study: which neurons, which snippets, in which order. Reads harvests and writes nothing.

Everything follows from the design and the salt: called again with both, it gives the same study bit for bit.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from annotation.design import DesignRefused, StudyDesign, design_to_dict
from annotation.protocols import TASKS
from annotation.protocols.display import Marked
from annotation.protocols.task import CannotCompose
from annotation.randomize import (
    Draw,
    Lists,
    Prediction,
    ReserveLists,
    Unit,
    guess_orders,
    lists_make,
    predictions_listed,
    public_id,
    reserve_lists,
    rounds_of,
    rules_from,
    stream,
)
from annotation.sealed.keys import DrawRow, StratumRow
from annotation.services.catches import CatchItem, catch_items
from annotation.services.harvests import Stratum
from annotation.services.material import material_open
from annotation.services.sampling import Arm, arm_draw, arms_of, drawn_counted, parts_of, populations
from annotation.services.showing import Showing
from annotation.services.stages import predictions_make

Progress = Callable[[int, int], None]  # neurons done, neurons in all


@dataclass(frozen=True, slots=True)
class DrawnItem:
    """One neuron drawn, with what raters will see of it over one corpus."""

    public_id: str
    stratum: Stratum
    corpus: str
    layer: int
    neuron: int
    snippets: tuple[Marked, ...]
    layout: dict[str, Any]
    truth: dict[str, Any]
    predicts_from: str = ""  # public id of the item whose rule it is predicted from, if it is


@dataclass(frozen=True, slots=True)
class StudyDraw:
    """A whole study, before it is stored.

    `items` are in the order of their public ids, so that no row number tells the arm, and hold the reserve too; `lists`
    holds each seat's public ids in the order of showing, `reserve` what each round of the reserve would add to it, and
    `guesses` those whose arm the seat is to guess at the end.
    """

    items: tuple[DrawnItem, ...]
    draws: tuple[DrawRow, ...]
    strata: tuple[StratumRow, ...]
    catches: tuple[CatchItem, ...]
    lists: Lists
    reserve: ReserveLists
    predictions: tuple[Prediction, ...]
    guesses: tuple[tuple[str, ...], ...]

    @property
    def shown(self) -> list[DrawnItem | CatchItem]:
        """Everything that raters may get, in the order of public ids: no row number tells a catch trial or an arm."""
        together: list[DrawnItem | CatchItem] = [*self.items, *self.catches]
        return sorted(together, key=lambda item: item.public_id)


@dataclass(slots=True)
class _Drawn:
    """What is drawn so far. `units` are the accepted neurons, and whether each is in reserve."""

    items: list[DrawnItem]
    draws: list[DrawRow]
    units: list[tuple[Unit, bool]]


def study_draw(design: StudyDesign, strata: list[Stratum], salt: str, progress: Progress | None = None) -> StudyDraw:
    """Draw all arms, mark the snippets, and give every seat its own list.

    Parameters
    ----------
    strata : list of Stratum
        As `strata_open` gives them: every arm of every size over every corpus.
    """
    arms = arms_of(strata)
    counted = populations(design, arms)
    parts = parts_of(design, counted, salt)
    total = sum(part.count + design.sampling.reserve for arm in arms for part in parts[arm.first.pair.size])
    drawn = _Drawn([], [], [])
    for arm in arms:
        draws = _arm_add(design, arm, parts[arm.first.pair.size], salt, drawn, _counter(progress, total))
        counted = drawn_counted(counted, arm, draws)
    catches = catch_items(design, strata, salt)
    lists = _lists(
        design, [unit for unit, reserve in drawn.units if not reserve], [catch.public_id for catch in catches], salt
    )
    arms_shown = {item.public_id: item.stratum.arm.name for item in drawn.items}
    predictions = predictions_make(design, lists, writing_of(drawn.items), salt)
    return StudyDraw(
        items=tuple(sorted(drawn.items, key=lambda item: item.public_id)),
        draws=tuple(drawn.draws),
        strata=tuple(counted),
        catches=tuple(catches),
        lists=predictions_listed(design.seed, salt, lists, predictions),
        reserve=reserve_lists(design.seed, salt, rounds_of(drawn.units), rules_from(design_to_dict(design))),
        predictions=predictions,
        guesses=guess_orders(design.seed, salt, lists, arms_shown, design.guess.items),
    )


def _counter(progress: Progress | None, total: int) -> Callable[[int], None]:
    return lambda done: progress(done, total) if progress is not None else None


def _arm_add(
    design: StudyDesign, arm: Arm, parts: Any, salt: str, drawn: _Drawn, progress: Callable[[int], None]
) -> list[Draw]:
    """Draw one arm and add its items, draws and units."""
    shown: dict[tuple[int, int], list[DrawnItem]] = {}
    before = sum(draw.accepted for draw in drawn.draws)

    def reject(layer: int, neuron: int) -> str:
        try:
            shown[layer, neuron] = _items(design, arm, layer, neuron, salt)
        except CannotCompose as reason:
            return str(reason)
        progress(before + len(shown))
        return ""

    draws = arm_draw(design, arm, parts, salt, reject)
    pair, name = arm.first.pair, arm.first.arm.name
    for draw in draws:
        number = len(drawn.draws) + 1
        drawn.draws.append(
            DrawRow(number, pair.size, name, draw.layer, draw.neuron, draw.accepted, draw.reason, draw.reserve)
        )
        items = shown.get((draw.layer, draw.neuron), [])
        drawn.items += items
        if draw.accepted:
            first = tuple(item.public_id for item in items if not item.predicts_from)
            drawn.units.append((Unit(arm.first.name, draw.layer, first), draw.reserve))
    return draws


def _items(design: StudyDesign, arm: Arm, layer: int, neuron: int, salt: str) -> list[DrawnItem]:
    """The items that show a neuron, one for each corpus; raises CannotCompose."""
    return [
        item
        for stratum, corpus in zip(arm.over, design.corpora, strict=True)
        for item in item_of(design, stratum, corpus, layer, neuron, salt)
    ]


def item_of(design: StudyDesign, stratum: Stratum, corpus: str, layer: int, neuron: int, salt: str) -> list[DrawnItem]:
    """What a neuron shows over one corpus: an item, and in some tasks a second one to predict from its rule."""
    task, name = TASKS[design.protocol], f"{stratum.name}:{layer}:{neuron}:{corpus}"
    material = material_open(design, stratum, layer, neuron, stream(design.seed, salt, f"places:{name}"))
    shown = Showing(design, material)
    composed = task.compose(
        shown,
        snippets=design.snippets_per_neuron,
        options=task.options_filled(design.options),
        marker=shown.mark,
        rng=stream(design.seed, salt, f"snippets:{name}"),
    )
    item = public_id(design.seed, salt, f"item:{name}")
    first = DrawnItem(item, stratum, corpus, layer, neuron, composed.snippets, composed.layout, composed.truth)
    second = composed.prediction
    if second is None:
        return [first]
    again = public_id(design.seed, salt, f"prediction:{name}")
    predicted = replace(first, public_id=again, predicts_from=item, snippets=second.snippets, layout=second.layout)
    return [first, replace(predicted, truth=second.truth)]


def writing_of(items: Iterable[DrawnItem]) -> dict[str, str]:
    """For each item to predict, the item whose rule it is predicted from."""
    return {item.public_id: item.predicts_from for item in items if item.predicts_from}


def _lists(design: StudyDesign, units: list[Unit], catches: list[str], salt: str) -> Lists:
    try:
        return lists_make(design.seed, salt, units, rules_from(design_to_dict(design)), catches)
    except ValueError as error:
        raise DesignRefused([("assignment", str(error))]) from None
