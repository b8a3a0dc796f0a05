"""The order of one rater's list: random, in blocks if asked, with some items shown again later."""

from collections.abc import Mapping, Sequence

import numpy as np

from annotation.randomize.streams import below, permutation, words

FULL_TURN = float(2**64)


def seat_order(
    rng: np.random.Generator,
    groups: Mapping[str, Sequence[str]],
    *,
    block: int = 0,
    repeats: int = 0,
    distance: int = 1,
    never_again: Sequence[str] = (),
) -> tuple[str, ...]:
    """The items of one list in the order of showing.

    Parameters
    ----------
    rng : numpy.random.Generator
    groups : mapping of str to sequence of str
        Items by stratum (size × arm); no item twice.
    block : int
        Items in a block, >= 0; 0: no blocks. Every stratum is spread over the blocks as evenly as it goes.
    repeats : int
        Items that are shown a second time, from all strata as equally as it goes.
    distance : int
        At least so many other items stand between the two showings, >= 0.
    never_again : sequence of str
        Strata whose items are not repeated.

    Returns
    -------
    tuple of str
        Every item once, and `repeats` of them a second time.

    Raises
    ------
    ValueError
        If the list is too short for so many repeats at this distance.

    Notes
    -----
    Blocks are made of first showings; repeats are put in afterwards and make the blocks around them longer. A repeat
    goes to a random one of the places far enough behind the first showing, so repeats are more frequent later.

    Examples
    --------
    >>> from annotation.randomize.streams import stream
    >>> order = seat_order(stream(1, "s", "x"), {"a": ["a1", "a2"], "b": ["b1", "b2"]}, block=2)
    >>> [sorted(item[0] for item in order[i : i + 2]) for i in (0, 2)]
    [['a', 'b'], ['a', 'b']]
    """
    names = sorted(groups)
    order = _in_blocks(rng, [sorted(groups[name]) for name in names], block)
    if not repeats:
        return tuple(order)
    early = set(order[: max(0, len(order) - distance)])
    candidates = [sorted(early & set(groups[name])) for name in names if name not in never_again]
    again = _equally(rng, candidates, repeats)
    if len(again) < repeats:
        raise ValueError(
            f"Received repeats={repeats} at a distance of {distance} on a list of {len(order)}; "
            f"{len(again)} items can be repeated."
        )
    for item in again:
        first = order.index(item) + distance + 1
        order.insert(first + below(rng, len(order) - first + 1), item)
    return tuple(order)


def _in_blocks(rng: np.random.Generator, strata: Sequence[Sequence[str]], block: int) -> list[str]:
    """Random order; with blocks, items of a stratum lie evenly along the list and are shuffled within blocks."""
    items = [item for stratum in strata for item in stratum]
    if not block:
        return [items[int(i)] for i in permutation(rng, len(items))]
    along: list[tuple[float, str]] = []
    for stratum in strata:
        mixed = permutation(rng, len(stratum))
        offset = int(words(rng, 1)[0]) / FULL_TURN
        along += [((place + offset) / len(stratum), stratum[int(i)]) for place, i in enumerate(mixed)]
    ordered = [item for _, item in sorted(along)]
    blocks = [ordered[start : start + block] for start in range(0, len(ordered), block)]
    return [here[int(i)] for here in blocks for i in permutation(rng, len(here))]


def _equally(rng: np.random.Generator, strata: Sequence[Sequence[str]], count: int) -> list[str]:
    """At most `count` random items, one stratum after the other in random order, until they are enough."""
    mixed = [[stratum[int(i)] for i in permutation(rng, len(stratum))] for stratum in strata]
    turns = [int(i) for i in permutation(rng, len(strata))]
    rounds = max((len(stratum) for stratum in strata), default=0)
    chosen = [mixed[turn][place] for place in range(rounds) for turn in turns if place < len(mixed[turn])]
    return chosen[:count]
