"""Who predicts from whose rule: always somebody who never saw the neuron, and everybody about equally often."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from annotation.randomize.plan import Lists
from annotation.randomize.streams import permutation, shuffled, stream, words


@dataclass(frozen=True, slots=True)
class Prediction:
    """One seat predicts from the rule that another one writes.

    Attributes
    ----------
    item : str
        Public id of the item that is predicted.
    seat, writer : int
        Numbers of the seats, from 1.
    """

    item: str
    seat: int
    writer: int


def predictions_choose(seed: int, salt: str, lists: Lists, writing: Mapping[str, str]) -> tuple[Prediction, ...]:
    """Give every rule that may be written to one seat that does not see the neuron, as long as there are such seats.

    Parameters
    ----------
    lists : Lists
        Who sees which neurons.
    writing : mapping of str to str
        For each item to predict, the item whose rule it is predicted from.

    Returns
    -------
    tuple of Prediction
        No seat predicts an item twice, or from its own rule. Machines predict from rules of machines, people from those
        of people.

    Examples
    --------
    >>> from annotation.randomize.plan import SeatList
    >>> lists = Lists((SeatList(False, ("w1",)), SeatList(False, ("w2",))), {})
    >>> predictions_choose(1, "salt", lists, {"p1": "w1", "p2": "w2"})
    (Prediction(item='p1', seat=2, writer=1), Prediction(item='p2', seat=1, writer=2))
    """
    load = np.zeros(len(lists.seats), dtype=np.int64)
    chosen: list[Prediction] = []
    for item in shuffled(stream(seed, salt, "predicted items"), sorted(writing)):
        rng = stream(seed, salt, f"predictors:{item}")
        for machine in (False, True):
            chosen += _of_item(rng, lists, item, writing[item], machine, load)
    return tuple(sorted(chosen, key=lambda one: (one.item, one.seat)))


def _of_item(
    rng: np.random.Generator, lists: Lists, item: str, writing: str, machine: bool, load: np.ndarray
) -> list[Prediction]:
    """Writers in random order, each with the fresh seat of the smallest load, ties at random; adds to `load`."""
    kind = [number for number, seat in enumerate(lists.seats) if seat.machine == machine]
    writers = [number for number in kind if writing in lists.seats[number].items]
    fresh = [number for number in kind if number not in writers]
    chosen = []
    for writer in (writers[int(i)] for i in permutation(rng, len(writers))):
        if not fresh:
            break
        seat = fresh[int(np.lexsort((words(rng, len(fresh)), load[fresh]))[0])]
        fresh.remove(seat)
        load[seat] += 1
        chosen.append(Prediction(item, seat + 1, writer + 1))
    return chosen


def predictions_listed(seed: int, salt: str, lists: Lists, predictions: Sequence[Prediction]) -> Lists:
    """The lists with every seat's predictions behind its other items, in random order."""
    seats = []
    for number, seat in enumerate(lists.seats, start=1):
        own = sorted(one.item for one in predictions if one.seat == number)
        order = shuffled(stream(seed, salt, f"order of predictions:{number}"), own)
        seats.append(replace(seat, items=seat.items + order))
    return replace(lists, seats=tuple(seats))
