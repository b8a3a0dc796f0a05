"""The lists of all seats, from the units, the rules of the design, its seed and the salt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.randomize.allocation import Unit, calibration_choose, groups_of, seats_allocate
from annotation.randomize.balance import Balance, balance_of
from annotation.randomize.order import seat_order
from annotation.randomize.streams import stream

PEOPLE, MACHINES = "people", "machines"
COMMON = "common to all"  # the stratum of items that are no neurons: catch trials


@dataclass(frozen=True, slots=True)
class Rules:
    """How items go to seats.

    Attributes
    ----------
    raters, raters_per_neuron : int
        Seats of people (or of simulated raters), and how many of them judge each neuron.
    machine_raters, machine_raters_per_neuron : int
        The same for declared machine raters, whose allocation is their own; 0 per neuron: all of them.
    calibration : int
        Neurons of every size and arm that all seats judge.
    repeats : float
        Share of a seat's neurons that it judges a second time, 0 … 0.5.
    repeat_distance : int
        At least so many other items stand between the two showings.
    block : int
        Items in a block of a list; 0: no blocks.
    """

    raters: int
    raters_per_neuron: int
    machine_raters: int = 0
    machine_raters_per_neuron: int = 0
    calibration: int = 0
    repeats: float = 0.0
    repeat_distance: int = 10
    block: int = 0


def rules_from(design: Mapping[str, Any]) -> Rules:
    """The rules of a design as it stands in the frozen protocol."""
    asked = design["assignment"]
    names = [name for name in Rules.__dataclass_fields__ if name in asked]
    return Rules(design["raters"], design["raters_per_neuron"], **{name: asked[name] for name in names})


@dataclass(frozen=True, slots=True)
class SeatList:
    """What one seat judges, in order; an item that stands a second time is a repeat."""

    machine: bool
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lists:
    """All seats, people's first, and how even each kind's allocation is."""

    seats: tuple[SeatList, ...]
    balance: dict[str, Balance]


def lists_make(seed: int, salt: str, units: Sequence[Unit], rules: Rules, common: Sequence[str] = ()) -> Lists:
    """Allocate and order everything.

    Parameters
    ----------
    seed : int
    salt : str
    units : sequence of Unit
        The neurons of the sample, without the reserve, in any order.
    rules : Rules
    common : sequence of str
        Items for every seat that are no neurons (catch trials).

    Raises
    ------
    ValueError
        If a stratum is smaller than the calibration set, or a list too short for its repeats.

    Examples
    --------
    >>> units = [Unit("1L:solu", 0, (name,)) for name in "abcdef"]
    >>> lists = lists_make(1, "salt", units, Rules(raters=3, raters_per_neuron=2))
    >>> [len(seat.items) for seat in lists.seats]
    [4, 4, 4]
    """
    calibration = calibration_choose(stream(seed, salt, "calibration"), units, rules.calibration)
    rest = [unit for unit in units if unit not in calibration]
    seats: list[SeatList] = []
    balance = {}
    for kind, raters, each in kinds_of(rules):
        rng = stream(seed, salt, f"seats:{kind}")
        allocated = seats_allocate(rng, units=rest, raters=raters, raters_per_neuron=each)
        whole = [[*calibration, *here] for here in allocated]
        balance[kind] = balance_of(whole)
        for here in whole:
            order = _order(seed, salt, len(seats) + 1, here, rules, common)
            seats.append(SeatList(kind == MACHINES, order))
    return Lists(tuple(seats), balance)


def kinds_of(rules: Rules) -> list[tuple[str, int, int]]:
    """Kinds of seats in the order of their numbers: kind, seats, seats for each neuron."""
    kinds = [(PEOPLE, rules.raters, rules.raters_per_neuron)]
    if rules.machine_raters:
        kinds.append((MACHINES, rules.machine_raters, rules.machine_raters_per_neuron or rules.machine_raters))
    return kinds


def list_order(rng: np.random.Generator, units: Sequence[Unit]) -> tuple[str, ...]:
    """The items of some units in random order."""
    return seat_order(rng, groups_of(units))


def _order(
    seed: int, salt: str, number: int, units: Sequence[Unit], rules: Rules, common: Sequence[str]
) -> tuple[str, ...]:
    groups = dict(groups_of(units)) | ({COMMON: list(common)} if common else {})
    return seat_order(
        stream(seed, salt, f"order:{number}"),
        groups,
        block=rules.block,
        repeats=int(rules.repeats * sum(len(unit.items) for unit in units) + 0.5),
        distance=rules.repeat_distance,
        never_again=(COMMON,),
    )
