"""Where the reserve would go: rounds of neurons with their lists, fixed at freeze, in use only by amendment."""

from collections.abc import Iterable, Sequence

from annotation.randomize.allocation import Unit, seats_allocate
from annotation.randomize.plan import Rules, kinds_of, list_order
from annotation.randomize.streams import stream

ReserveLists = tuple[tuple[tuple[str, ...], ...], ...]  # round, seat, items in order


def rounds_of(accepted: Iterable[tuple[Unit, bool]]) -> tuple[tuple[Unit, ...], ...]:
    """The first neuron in reserve of every part that was drawn by itself, then the second ones, and so on.

    Parameters
    ----------
    accepted : iterable of (Unit, bool)
        Accepted draws in the order they were made, and whether each is in reserve. The reserve of a part comes after
        its sample.

    Examples
    --------
    >>> a, b, c, d = (Unit("x", 0, (name,)) for name in "abcd")
    >>> [[unit.items[0] for unit in units] for units in rounds_of([(a, False), (b, True), (c, False), (d, True)])]
    [['b', 'd']]
    """
    rounds: list[list[Unit]] = []
    number = 0
    for unit, reserve in accepted:
        number = number + 1 if reserve else 0
        if number > len(rounds):
            rounds.append([])
        if number:
            rounds[number - 1].append(unit)
    return tuple(tuple(units) for units in rounds)


def reserve_lists(seed: int, salt: str, rounds: Sequence[Sequence[Unit]], rules: Rules) -> ReserveLists:
    """What every round would add to each seat's list: allocated as the sample is, without repeats and blocks."""
    return tuple(_round_lists(seed, salt, number, units, rules) for number, units in enumerate(rounds, start=1))


def _round_lists(seed: int, salt: str, number: int, units: Sequence[Unit], rules: Rules) -> tuple[tuple[str, ...], ...]:
    lists: list[tuple[str, ...]] = []
    for kind, raters, each in kinds_of(rules):
        rng = stream(seed, salt, f"reserve {number}:seats:{kind}")
        for here in seats_allocate(rng, units=units, raters=raters, raters_per_neuron=each):
            lists.append(list_order(stream(seed, salt, f"reserve {number}:order:{len(lists) + 1}"), here))
    return tuple(lists)
