"""The draw of a study: which neurons, which snippets, in which order. Reads harvests and writes nothing.

Everything follows from the design and the salt: called again with both, it gives the same study bit for bit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from annotation.design import DesignRefused, StudyDesign
from annotation.protocols import TASKS
from annotation.protocols.display import Marked
from annotation.protocols.task import CannotCompose
from annotation.randomize import StratumExhausted, draw_stratum, public_id, seats_allocate, shuffled, stream
from annotation.sealed.keys import DrawRow
from annotation.services.errors import NotEnoughNeurons
from annotation.services.harvests import Stratum
from annotation.services.material import HarvestMaterial, marker
from neurons.store.harvest import HarvestError

Progress = Callable[[int, int], None]  # items done, items in all


@dataclass(frozen=True, slots=True)
class DrawnItem:
    """One neuron drawn, with what raters will see of it."""

    public_id: str
    stratum: Stratum
    layer: int
    neuron: int
    snippets: tuple[Marked, ...]
    layout: dict[str, Any]
    truth: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StudyDraw:
    """A whole study, before it is stored.

    `items` are in the order of their public ids, so that no row number tells the arm; `seats` holds each rater's list
    of public ids in the order of showing.
    """

    items: tuple[DrawnItem, ...]
    draws: tuple[DrawRow, ...]
    seats: tuple[tuple[str, ...], ...]


def study_draw(design: StudyDesign, strata: list[Stratum], salt: str, progress: Progress | None = None) -> StudyDraw:
    """Draw all strata, mark the snippets, and give every seat its own order."""
    total = len(strata) * design.neurons_per_arm
    draws: list[DrawRow] = []
    by_stratum: list[list[DrawnItem]] = []
    for stratum in strata:
        done = sum(len(items) for items in by_stratum)
        rows, items = _draw_one(design, stratum, salt, _counted(progress, done, total))
        draws += [DrawRow(len(draws) + i + 1, stratum.pair.size, stratum.arm.name, *row) for i, row in enumerate(rows)]
        by_stratum.append(items)
    return StudyDraw(
        items=tuple(sorted((item for items in by_stratum for item in items), key=lambda item: item.public_id)),
        draws=tuple(draws),
        seats=_orders(design, [[item.public_id for item in items] for items in by_stratum], salt),
    )


def _counted(progress: Progress | None, before: int, total: int) -> Callable[[int], None]:
    def count(items: int) -> None:
        if progress is not None:
            progress(before + items, total)

    return count


def _draw_one(
    design: StudyDesign, stratum: Stratum, salt: str, progress: Callable[[int], None]
) -> tuple[list[tuple[int, int, bool, str]], list[DrawnItem]]:
    items: list[DrawnItem] = []

    def reject(layer: int, neuron: int) -> str:
        try:
            items.append(_item(design, stratum, layer, neuron, salt))
        except CannotCompose as reason:
            return str(reason)
        progress(len(items))
        return ""

    rng = stream(design.seed, salt, f"draw:{stratum.name}")
    try:
        draws = draw_stratum(
            rng, layers=stratum.pair.layers, d_mlp=stratum.store.d_mlp, count=design.neurons_per_arm, reject=reject
        )
    except StratumExhausted as error:
        raise NotEnoughNeurons(
            f"{stratum.arm.network} (arm {stratum.arm.name}, {stratum.pair.size}): {error}"
        ) from None
    except HarvestError as error:
        raise DesignRefused([("context_before", str(error))]) from None
    return [(draw.layer, draw.neuron, draw.accepted, draw.reason) for draw in draws], items


def _item(design: StudyDesign, stratum: Stratum, layer: int, neuron: int, salt: str) -> DrawnItem:
    """The item that shows a neuron; raises CannotCompose."""
    task, name = TASKS[design.protocol], f"{stratum.name}:{layer}:{neuron}"
    material = HarvestMaterial(design, stratum, layer, neuron)
    composed = task.compose(
        material,
        snippets=design.snippets_per_neuron,
        options=task.options_filled(design.options),
        marker=marker(design, material),
        rng=stream(design.seed, salt, f"snippets:{name}"),
    )
    item = public_id(design.seed, salt, f"item:{name}")
    return DrawnItem(item, stratum, layer, neuron, composed.snippets, composed.layout, composed.truth)


def _orders(design: StudyDesign, strata: list[list[str]], salt: str) -> tuple[tuple[str, ...], ...]:
    allocated = seats_allocate(
        stream(design.seed, salt, "seats"),
        strata=strata,
        raters=design.raters,
        raters_per_neuron=design.raters_per_neuron,
    )
    # Each seat's items are sorted by public id before they are shuffled, so the order starts from nothing but chance.
    return tuple(shuffled(stream(design.seed, salt, f"order:{i + 1}"), items) for i, items in enumerate(allocated))
