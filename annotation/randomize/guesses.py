"""Which items a rater is asked about at the end: whose arm was it?"""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

from annotation.randomize.plan import Lists
from annotation.randomize.streams import shuffled, stream


def guess_orders(
    seed: int, salt: str, lists: Lists, arms: Mapping[str, str], count: int
) -> tuple[tuple[str, ...], ...]:
    """The items that each seat is asked about, in the order of asking; none for machines.

    Parameters
    ----------
    lists : Lists
        Public ids of each seat's items.
    arms : mapping of str to str
        Arm of each item that shows a neuron; a seat's other items are never asked about.
    count : int
        Items for each seat, fewer if its list is shorter; equally many of every arm as far as it goes.

    Examples
    --------
    >>> from annotation.randomize.plan import SeatList
    >>> lists = Lists((SeatList(False, ("a", "b", "catch", "a")),), {})
    >>> [sorted(items) for items in guess_orders(1, "salt", lists, {"a": "solu", "b": "baseline"}, 9)]
    [['a', 'b']]
    """
    return tuple(
        () if seat.machine else _chosen(seed, salt, number, seat.items, arms, count)
        for number, seat in enumerate(lists.seats, start=1)
    )


def _chosen(
    seed: int, salt: str, seat: int, items: Sequence[str], arms: Mapping[str, str], count: int
) -> tuple[str, ...]:
    rng = stream(seed, salt, f"guess:{seat}")
    # A repeated item stands twice on the list.
    mixed = shuffled(rng, sorted({item for item in items if item in arms}))
    by_arm: dict[str, list[str]] = {}
    for item in mixed:
        by_arm.setdefault(arms[item], []).append(item)
    # One of each arm in turn: the first ones are as evenly spread over the arms as the seat's list allows.
    in_turn = [item for turn in zip_longest(*by_arm.values()) for item in turn if item is not None]
    return shuffled(rng, sorted(in_turn[:count]))
