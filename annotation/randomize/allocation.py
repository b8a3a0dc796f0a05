"""Who judges what: fully crossed, or balanced incomplete blocks.

In a balanced incomplete block design every neuron goes to the same number of raters, every rater sees every size and
arm (and, as far as it goes, every layer) equally often, and every two raters have equally many neurons in common, so
that agreement can be estimated for all of them. Exact designs exist for few numbers of raters and neurons; here loads
are exact to one and the overlaps of pairs are made nearly equal by a search.

References
----------
Cox and Reid (2000), "The Theory of the Design of Experiments", chapter 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.randomize.streams import permutation, words

TRIES_PER_PLACE = 30  # swaps that the search tries for each place on a rater's list …
TRIES_AT_MOST = 60_000  # … and in all, which bounds the time of large studies


@dataclass(frozen=True, slots=True)
class Unit:
    """One neuron as it is given to raters: whoever gets it gets all its items.

    Attributes
    ----------
    stratum : str
        Size and arm.
    layer : int
        From 0.
    items : tuple of str
        Public ids: one, or one for each corpus.
    """

    stratum: str
    layer: int
    items: tuple[str, ...]


def units_sorted(units: Sequence[Unit]) -> list[Unit]:
    """By stratum, layer and id: the order from which chance starts, whatever order they came in."""
    return sorted(units, key=lambda unit: (unit.stratum, unit.layer, unit.items))


def calibration_choose(rng: np.random.Generator, units: Sequence[Unit], per_stratum: int) -> frozenset[Unit]:
    """Choose `per_stratum` units of every stratum at random, for all raters.

    Raises
    ------
    ValueError
        If a stratum has fewer.
    """
    chosen: list[Unit] = []
    for stratum, here in by_stratum(units).items():
        if len(here) < per_stratum:
            raise ValueError(f"Received a calibration set of {per_stratum}; {stratum} has {len(here)} neurons.")
        chosen += [here[int(i)] for i in permutation(rng, len(here))[:per_stratum]]
    return frozenset(chosen)


def by_stratum(units: Sequence[Unit]) -> dict[str, list[Unit]]:
    """The units of each stratum, strata in the order of their names."""
    strata: dict[str, list[Unit]] = {}
    for unit in units_sorted(units):
        strata.setdefault(unit.stratum, []).append(unit)
    return strata


def seats_allocate(
    rng: np.random.Generator, *, units: Sequence[Unit], raters: int, raters_per_neuron: int
) -> tuple[tuple[Unit, ...], ...]:
    """Give every unit to `raters_per_neuron` different seats, evenly.

    Parameters
    ----------
    rng : numpy.random.Generator
    units : sequence of Unit
        No unit twice.
    raters : int
        Number of seats, >= 1.
    raters_per_neuron : int
        1 … raters. Equal to `raters`: fully crossed.

    Returns
    -------
    tuple of tuple of Unit
        Units of each seat, sorted. Loads of two seats differ by at most 1 within every stratum and in all; their loads
        within a layer of a stratum, and the numbers of units that two seats share, are made nearly equal.

    Raises
    ------
    ValueError
        If `raters_per_neuron` is not in 1 … raters.

    Notes
    -----
    First, units of a stratum come layer by layer in random order, and each goes to the seats with the smallest load in
    the stratum, then in all, then in the layer; further ties go to seats that share the fewest units with those chosen
    before, then to chance. Second, two units of a stratum exchange one seat each unless that raises the weighted sum of
    squares of the pairs' overlaps and of the loads by layer; no load in a stratum or in all changes by that. Pairs of
    units and seats to try are random. All counts are whole numbers, so every machine finds the same allocation.
    """
    if not 1 <= raters_per_neuron <= raters:
        raise ValueError(f"Received raters_per_neuron={raters_per_neuron}; give a number from 1 to raters={raters}.")
    ordered = units_sorted(units)
    seen = np.ones((len(ordered), raters), dtype=np.int64)
    if raters_per_neuron < raters:
        seen = _dealt(rng, ordered, raters, raters_per_neuron)
        _evened(rng, ordered, seen)
    return tuple(tuple(unit for unit, here in zip(ordered, column, strict=True) if here) for column in seen.T)


def _dealt(rng: np.random.Generator, units: list[Unit], raters: int, each: int) -> np.ndarray:
    """Who sees what, dealt out to the smallest loads: int64 (units, raters) of 0 and 1."""
    seen = np.zeros((len(units), raters), dtype=np.int64)
    shared = np.zeros((raters, raters), dtype=np.int64)
    load = np.zeros(raters, dtype=np.int64)
    in_stratum: dict[str, np.ndarray] = {}
    in_layer: dict[tuple[str, int], np.ndarray] = {}
    for row in _layer_by_layer(rng, units):
        unit = units[row]
        here = in_stratum.setdefault(unit.stratum, np.zeros_like(load))
        layer = in_layer.setdefault((unit.stratum, unit.layer), np.zeros_like(load))
        chosen: list[int] = []
        for _ in range(each):
            overlap = shared[chosen].sum(axis=0)
            order = np.lexsort((words(rng, raters), overlap, layer, load, here))
            seat = next(int(seat) for seat in order if int(seat) not in chosen)
            shared[seat, chosen] += 1
            shared[chosen, seat] += 1
            chosen.append(seat)
        for count in (here, layer, load):
            count[chosen] += 1
        seen[row, chosen] = 1
    return seen


def _layer_by_layer(rng: np.random.Generator, units: list[Unit]) -> list[int]:
    """Rows of the sorted units, at random within each layer of each stratum."""
    chance = permutation(rng, len(units))
    return sorted(range(len(units)), key=lambda row: (units[row].stratum, units[row].layer, int(chance[row])))


def _evened(rng: np.random.Generator, units: list[Unit], seen: np.ndarray) -> None:
    """Exchange seats between units of a stratum while that evens out overlaps and layers; changes `seen`."""
    places = [int(row) for row in np.nonzero(seen)[0]]
    rows_of: dict[str, list[int]] = {}
    for row, unit in enumerate(units):
        rows_of.setdefault(unit.stratum, []).append(row)
    shared = seen.T @ seen
    layers = _layer_loads(units, seen)
    tries = min(TRIES_AT_MOST, TRIES_PER_PLACE * len(places))
    for at, by, one, other in words(rng, 4 * tries).reshape(tries, 4).tolist():
        i = places[at % len(places)]
        rows = rows_of[units[i].stratum]
        j = rows[by % len(rows)]
        swap = _swap(seen[i], seen[j], one, other)
        if swap is not None:
            load_i, load_j = (layers[units[row].stratum, units[row].layer] for row in (i, j))
            _exchange_if_better(seen[i], seen[j], swap, shared, load_i, load_j)


def _layer_loads(units: list[Unit], seen: np.ndarray) -> dict[tuple[str, int], np.ndarray]:
    loads: dict[tuple[str, int], np.ndarray] = {}
    for unit, row in zip(units, seen, strict=True):
        loads.setdefault((unit.stratum, unit.layer), np.zeros(len(row), dtype=np.int64))
        loads[unit.stratum, unit.layer] += row
    return loads


def _swap(first: np.ndarray, second: np.ndarray, one: int, other: int) -> tuple[int, int] | None:
    """A seat of the first unit alone and one of the second alone, by random words; None if they have the same seats."""
    a, b = np.flatnonzero(first > second), np.flatnonzero(second > first)
    return (int(a[one % len(a)]), int(b[other % len(b)])) if len(a) else None


def _exchange_if_better(
    first: np.ndarray,
    second: np.ndarray,
    swap: tuple[int, int],
    shared: np.ndarray,
    load_first: np.ndarray,
    load_second: np.ndarray,
) -> None:
    """Give seat a's place in the first unit to b and b's in the second to a, unless overlaps or layers get worse."""
    a, b = swap
    others = first - second  # the seats of one unit alone: 1 of the first, -1 of the second
    others[[a, b]] = 0
    change = 2 * int(others @ (shared[b] - shared[a]) + np.abs(others).sum())
    if load_first is not load_second:
        # Each place is in as many pairs as its unit has other seats: that weighs a step of a load against overlaps.
        steps = int(load_first[b] - load_first[a] + load_second[a] - load_second[b]) + 2
        change += 2 * steps * int(first.sum())
    if change > 0:
        return
    for seat, sign in ((a, -1), (b, 1)):
        shared[seat] += sign * others
        shared[:, seat] += sign * others
        load_first[seat] += sign
        load_second[seat] -= sign
    first[[a, b]], second[[a, b]] = (0, 1), (1, 0)


def groups_of(units: Sequence[Unit]) -> Mapping[str, list[str]]:
    """Items by stratum, for the order of a list."""
    return {stratum: [item for unit in here for item in unit.items] for stratum, here in by_stratum(units).items()}
