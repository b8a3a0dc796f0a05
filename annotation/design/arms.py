"""Which networks are compared: sizes and, at each size, arms."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.design.fields import Problems, text_problem

ARM_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class ArmDesign:
    """One arm of a comparison and the network it shows.

    Attributes
    ----------
    name : str
        Lower-case identifier, the same for one intervention at every size: "baseline", "solu", "ln_only".
    network : str
        Name of a `neurons.Network`.
    """

    name: str
    network: str


@dataclass(frozen=True, slots=True)
class PairDesign:
    """The arms compared at one size.

    Attributes
    ----------
    size : str
        Label of the size in tables: "1L-256".
    layers : tuple of int
        Layers to draw from, counted from 0; neurons are drawn uniformly over layers and indices.
    arms : tuple of ArmDesign
    """

    size: str
    layers: tuple[int, ...]
    arms: tuple[ArmDesign, ...]


def pairs_read(value: Any, problems: Problems) -> tuple[PairDesign, ...]:
    if not isinstance(value, list | tuple) or not value:
        problems.append(("pairs", f"Received {value!r}; give at least one pair with size, layers and arms."))
        return ()
    pairs = tuple(_pair_read(f"pairs[{index}]", pair, problems) for index, pair in enumerate(value))
    sizes = [pair.size for pair in pairs]
    for size in sorted({size for size in sizes if sizes.count(size) > 1}):
        problems.append(("pairs", f"The size {size!r} stands in {sizes.count(size)} pairs; give each its own label."))
    return pairs


def _pair_read(place: str, value: Any, problems: Problems) -> PairDesign:
    if not isinstance(value, Mapping):
        problems.append((place, f"Received {value!r}; give a table with size, layers and arms."))
        return PairDesign("", (), ())
    for name in set(value) - {"size", "layers", "arms"}:
        problems.append((f"{place}.{name}", "Unknown field; known are: size, layers, arms."))
    size = value.get("size")
    message = text_problem(size, False, 40)
    if message:
        problems.append((f"{place}.size", message))
    return PairDesign(
        size=str(size),
        layers=_layers_read(f"{place}.layers", value.get("layers"), problems),
        arms=_arms_read(f"{place}.arms", value.get("arms"), problems),
    )


def _layers_read(place: str, value: Any, problems: Problems) -> tuple[int, ...]:
    good = (
        isinstance(value, list | tuple)
        and value
        and all(isinstance(layer, int) and not isinstance(layer, bool) and layer >= 0 for layer in value)
        and len(set(value)) == len(value)
    )
    if not good:
        problems.append((place, f"Received {value!r}; give different whole numbers from 0, as in [0, 1]."))
        return ()
    return tuple(value)


def _arms_read(place: str, value: Any, problems: Problems) -> tuple[ArmDesign, ...]:
    table = _arms_table(value)
    if not table:
        problems.append((place, f"Received {value!r}; give a table of arms: name = network."))
        return ()
    for name, network in table:
        if not isinstance(name, str) or not ARM_NAME.fullmatch(name):
            problems.append((place, f"Received the arm name {name!r}; use lower-case letters, digits and underscores."))
        if not isinstance(network, str) or not network.strip():
            problems.append((f"{place}.{name}", f"Received {network!r}; give the name of a network."))
    for column, what in ((0, "arm"), (1, "network")):
        names = [str(row[column]) for row in table]
        if len(set(names)) < len(names):
            problems.append((place, f"Received {', '.join(names)}; each {what} may stand once in a pair."))
    return tuple(ArmDesign(str(name), str(network)) for name, network in table)


def _arms_table(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple) and all(isinstance(arm, Mapping) for arm in value):
        return [(arm.get("name"), arm.get("network")) for arm in value]
    return []
