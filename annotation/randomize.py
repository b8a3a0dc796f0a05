"""Every random choice of a study. Pure: numpy generators in, tuples out.

Notes
-----
A study's randomness has two parts: the author's seed, which anybody may read in the design, and a salt drawn at freeze
that stays sealed until unblinding. Without the salt nobody can repeat the draw; with it anybody can, bit for bit.
Public ids are hashes and not generator output, so that they tell nothing about the generator's state.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

PUBLIC_ID_CHARS = 16  # 96 bits


class StratumExhausted(ValueError):
    """A stratum has too few neurons that can be shown."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One drawn neuron, accepted (empty reason) or rejected."""

    layer: int
    neuron: int
    accepted: bool
    reason: str


def stream(seed: int, salt: str, purpose: str) -> np.random.Generator:
    """The generator for one purpose; streams of different purposes are independent.

    Parameters
    ----------
    seed : int
        The author's seed, >= 0.
    salt : str
        The study's sealed salt.
    purpose : str
        What is drawn, for example "draw:1L-256:solu".

    Examples
    --------
    >>> a, b = stream(1, "s", "x"), stream(1, "s", "x")
    >>> bool((a.permutation(9) == b.permutation(9)).all())
    True
    """
    digest = hashlib.sha256(f"{seed}|{salt}|{purpose}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def public_id(seed: int, salt: str, what: str) -> str:
    """An unguessable id that anybody can recompute once the salt is public.

    Examples
    --------
    >>> len(public_id(1, "s", "item:0")), public_id(1, "s", "item:0") == public_id(1, "s", "item:1")
    (16, False)
    """
    digest = hashlib.sha256(f"public id|{seed}|{salt}|{what}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:PUBLIC_ID_CHARS]


def draw_stratum(
    rng: np.random.Generator,
    *,
    layers: Sequence[int],
    d_mlp: int,
    count: int,
    reject: Callable[[int, int], str],
) -> tuple[Draw, ...]:
    """Draw neurons without replacement, uniformly over layers × indices, until `count` are accepted.

    Parameters
    ----------
    rng : numpy.random.Generator
    layers : sequence of int
        Layers to draw from.
    d_mlp : int
        Neurons in a layer, >= 1.
    count : int
        Neurons wanted, >= 1.
    reject : callable (layer, neuron) -> str
        Why the neuron cannot be shown; empty to accept.

    Returns
    -------
    tuple of Draw
        Every draw in order, rejected ones included; the last one is accepted.

    Raises
    ------
    StratumExhausted
        If all neurons are drawn and fewer than `count` accepted.

    Examples
    --------
    >>> draws = draw_stratum(stream(1, "s", "x"), layers=[0], d_mlp=4, count=2, reject=lambda layer, neuron: "")
    >>> len(draws), len({d.neuron for d in draws})
    (2, 2)
    """
    draws: list[Draw] = []
    accepted = 0
    for flat in rng.permutation(len(layers) * d_mlp):
        layer, neuron = layers[int(flat) // d_mlp], int(flat) % d_mlp
        reason = reject(layer, neuron)
        draws.append(Draw(layer, neuron, not reason, reason))
        accepted += not reason
        if accepted == count:
            return tuple(draws)
    raise StratumExhausted(
        f"{accepted} of {len(draws)} neurons can be shown and {count} are wanted; ask for fewer neurons or snippets."
    )


def seats_allocate(
    rng: np.random.Generator, *, strata: Sequence[Sequence[str]], raters: int, raters_per_neuron: int
) -> tuple[tuple[str, ...], ...]:
    """Give every item to `raters_per_neuron` different seats, evenly.

    Parameters
    ----------
    rng : numpy.random.Generator
    strata : sequence of sequence of str
        Items by stratum (size × arm); no item twice.
    raters : int
        Number of seats, >= 1.
    raters_per_neuron : int
        1 … raters. Equal to `raters`: fully crossed.

    Returns
    -------
    tuple of tuple of str
        Items of each seat, sorted. Loads of two seats differ by at most 1 within every stratum and in all.

    Raises
    ------
    ValueError
        If `raters_per_neuron` is not in 1 … raters.

    Notes
    -----
    Items of a stratum come in random order; each goes to the seats with the smallest load in the stratum, ties by the
    smallest load in all, further ties at random.
    """
    if not 1 <= raters_per_neuron <= raters:
        raise ValueError(f"Received raters_per_neuron={raters_per_neuron}; give a number from 1 to raters={raters}.")
    seats: list[list[str]] = [[] for _ in range(raters)]
    for stratum in strata:
        here = np.zeros(raters, dtype=int)
        for index in rng.permutation(len(stratum)):
            load = np.array([len(seat) for seat in seats])
            for seat in np.lexsort((rng.random(raters), load, here))[:raters_per_neuron]:
                seats[seat].append(stratum[index])
                here[seat] += 1
    return tuple(tuple(sorted(seat)) for seat in seats)


def shuffled(rng: np.random.Generator, things: Sequence[str]) -> tuple[str, ...]:
    """The same things in random order.

    Examples
    --------
    >>> sorted(shuffled(stream(1, "s", "x"), ["a", "b", "c"]))
    ['a', 'b', 'c']
    """
    return tuple(things[int(i)] for i in rng.permutation(len(things)))
