"""Drawing neurons: how many from each size and layer, and which."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from annotation.randomize.streams import permutation, stream

EQUAL, POOLED = "equal", "pooled"  # anything else: in proportion


class StratumExhausted(ValueError):
    """A stratum has too few neurons that can be shown."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One drawn neuron: accepted (empty reason) or rejected; `reserve` if it is accepted beyond the sample."""

    layer: int
    neuron: int
    accepted: bool
    reason: str
    reserve: bool = False


def apportioned(rng: np.random.Generator, total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Share `total` out in proportion to the weights: whole numbers by largest remainders, equal remainders by chance.

    Parameters
    ----------
    rng : numpy.random.Generator
    total : int
        >= 0.
    weights : sequence of int
        >= 0, not all 0.

    Returns
    -------
    tuple of int
        They add up to `total`; each differs from its exact share by less than 1.

    Raises
    ------
    ValueError
        If no weight is above 0.

    Examples
    --------
    >>> from annotation.randomize.streams import stream
    >>> apportioned(stream(1, "s", "x"), 10, [1, 3, 0])
    (3, 7, 0)
    >>> sorted(apportioned(stream(1, "s", "x"), 7, [1, 1, 1]))
    [2, 2, 3]
    """
    whole = sum(weights)
    if whole <= 0:
        raise ValueError(f"Received the weights {list(weights)}; at least one must be above 0.")
    shares = [divmod(total * weight, whole) for weight in weights]
    ties = permutation(rng, len(weights))
    order = sorted(range(len(weights)), key=lambda i: (-shares[i][1], int(ties[i])))
    extra = set(order[: total - sum(share for share, _ in shares)])
    return tuple(share + (i in extra) for i, (share, _) in enumerate(shares))


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of one arm of a size, with its neurons that fired at all; 0 where they cannot be counted."""

    size: str
    arm: str
    layer: int
    living: int


@dataclass(frozen=True, slots=True)
class Part:
    """Layers that neurons are drawn from together, and how many."""

    layers: tuple[int, ...]
    count: int

    @property
    def name(self) -> str:
        """Empty for all layers together."""
        return "+".join(f"L{layer}" for layer in self.layers)


def sample_parts(
    seed: int, salt: str, layers: Sequence[Layer], *, per_arm: int, across_sizes: str, across_layers: str
) -> dict[str, tuple[Part, ...]]:
    """How many neurons every arm gives, by size and part; the arms of a size all give the same.

    Parameters
    ----------
    seed, salt : int, str
    layers : sequence of Layer
        Every layer of every arm, in the order of the design.
    per_arm : int
        Neurons of an arm at a size; on average over the sizes if they are proportional.
    across_sizes : {"equal", "proportional"}
        Proportional: to the living neurons of a size, mean over the arms that can be counted.
    across_layers : {"pooled", "equal", "proportional"}
        Proportional: to the living neurons of a layer, sum over arms.

    Examples
    --------
    >>> layers = [Layer("2L", arm, layer, 10 * (layer + 1)) for arm in ("a", "b") for layer in (0, 1)]
    >>> parts = sample_parts(1, "s", layers, per_arm=6, across_sizes="equal", across_layers="proportional")
    >>> [(part.layers, part.count) for part in parts["2L"]]
    [((0,), 2), ((1,), 4)]
    """
    sizes = list(dict.fromkeys(layer.size for layer in layers))
    counts = [per_arm] * len(sizes)
    if across_sizes != EQUAL:
        weights = _positive([_living_per_arm(layers, size) for size in sizes])
        counts = list(apportioned(stream(seed, salt, "sizes"), per_arm * len(sizes), weights))
    return {
        size: _size_parts(stream(seed, salt, f"layers:{size}"), [row for row in layers if row.size == size], count, how)
        for size, count, how in zip(sizes, counts, [across_layers] * len(sizes), strict=True)
    }


def _size_parts(rng: np.random.Generator, layers: Sequence[Layer], count: int, how: str) -> tuple[Part, ...]:
    numbers = tuple(dict.fromkeys(row.layer for row in layers))
    if how == POOLED:
        return (Part(numbers, count),)
    living = [sum(row.living for row in layers if row.layer == number) for number in numbers]
    weights = [1] * len(numbers) if how == EQUAL else _positive(living)
    shares = apportioned(rng, count, weights)
    return tuple(Part((number,), share) for number, share in zip(numbers, shares, strict=True) if share)


def _living_per_arm(layers: Sequence[Layer], size: str) -> int:
    here = [row for row in layers if row.size == size]
    counted = {row.arm for row in here if row.living}
    return sum(row.living for row in here) // max(1, len(counted))


def _positive(weights: list[int]) -> list[int]:
    """Equal weights where nothing can be counted."""
    return weights if any(weights) else [1] * len(weights)


def draw_stratum(
    rng: np.random.Generator,
    *,
    layers: Sequence[int],
    d_mlp: int,
    count: int,
    reject: Callable[[int, int], str],
    reserve: int = 0,
) -> tuple[Draw, ...]:
    """Draw neurons without replacement, uniformly over layers × indices, until enough are accepted.

    Parameters
    ----------
    rng : numpy.random.Generator
    layers : sequence of int
        Layers to draw from.
    d_mlp : int
        Neurons in a layer, >= 1.
    count : int
        Neurons wanted, >= 0.
    reject : callable (layer, neuron) -> str
        Why the neuron cannot be shown; empty to accept.
    reserve : int
        Neurons wanted after those, kept in reserve, >= 0.

    Returns
    -------
    tuple of Draw
        Every draw in order, rejected ones included; the last one is accepted. The reserve comes after the sample.

    Raises
    ------
    StratumExhausted
        If all neurons are drawn and too few accepted.

    Examples
    --------
    >>> from annotation.randomize.streams import stream
    >>> draws = draw_stratum(stream(1, "s", "x"), layers=[0], d_mlp=4, count=2, reject=lambda layer, neuron: "")
    >>> len(draws), len({d.neuron for d in draws})
    (2, 2)
    """
    draws: list[Draw] = []
    accepted, wanted = 0, count + reserve
    if not wanted:
        return ()
    for flat in permutation(rng, len(layers) * d_mlp):
        layer, neuron = layers[int(flat) // d_mlp], int(flat) % d_mlp
        reason = reject(layer, neuron)
        draws.append(Draw(layer, neuron, not reason, reason, reserve=not reason and accepted >= count))
        accepted += not reason
        if accepted == wanted:
            return tuple(draws)
    raise StratumExhausted(
        f"{accepted} of {len(draws)} neurons can be shown and {wanted} are wanted; ask for fewer neurons or snippets."
    )
