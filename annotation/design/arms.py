"""What is compared: sizes and, at each size, arms. An arm shows neurons, or controls that say what a rate is worth."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.design.fields import Problems, text_problem
from neurons.store.basis import NEURONS, Basis, BasisError

ARM_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
RANDOM_DIRECTIONS, RANDOM_SNIPPETS = "random_directions", "random_snippets"
ARM_KINDS = (NEURONS, RANDOM_DIRECTIONS, RANDOM_SNIPPETS)
POST_ACT, POST_LN = "post_act", "post_ln"
ARM_SITES = (POST_ACT, POST_LN)
ARM_FIELDS = ("network", "kind", "site", "basis")


@dataclass(frozen=True, slots=True)
class ArmDesign:
    """One arm of a comparison and what it shows.

    Attributes
    ----------
    name : str
        Lower-case identifier, the same for one intervention at every size: "baseline", "solu", "random_directions".
    network : str
        Name of a `neurons.Network`; empty in an arm of random snippets, which needs none.
    kind : {"neurons", "random_directions", "random_snippets"}
        Neurons (or the features of imported records); random directions in the space of their activations; or random
        places of the corpus, shaded as the snippets of the pair's other arms are.
    site : {"post_act", "post_ln"}
        Where activations are read: before or after an extra LayerNorm. Records have the site that they came with.
    basis : str
        Which directions, as `neurons.store.basis.Basis` writes them: "random:1024:7"; "neurons" in other arms.
    """

    name: str
    network: str = ""
    kind: str = NEURONS
    site: str = POST_ACT
    basis: str = NEURONS

    @property
    def source(self) -> tuple[str, str, str, str]:
        """What the arm shows; no other arm of the pair may show the same."""
        return self.network, self.kind, self.site, self.basis


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
        problems.append((place, f"Received {value!r}; give a table of arms: name = network, or name = a table."))
        return ()
    found: Problems = []
    arms = tuple(_arm_read(place, name, told, found) for name, told in table)
    if not found:
        _check_different(place, arms, found)
    problems += found
    if all(arm.kind == RANDOM_SNIPPETS for arm in arms):
        problems.append((place, "Random snippets are shaded like those of the other arms; add an arm that has some."))
    return arms


def _arms_table(value: Any) -> list[tuple[Any, Any]]:
    """(name, what is told of it) for every arm."""
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, list | tuple) and all(isinstance(arm, Mapping) for arm in value):
        return [(arm.get("name"), {key: arm[key] for key in arm if key != "name"}) for arm in value]
    return []


def _arm_read(place: str, name: Any, told: Any, problems: Problems) -> ArmDesign:
    if not isinstance(name, str) or not ARM_NAME.fullmatch(name):
        problems.append((place, f"Received the arm name {name!r}; use lower-case letters, digits and underscores."))
    place, arm = f"{place}.{name}", ArmDesign(str(name))
    if isinstance(told, str):
        told = {"network": told}
    if not isinstance(told, Mapping):
        problems.append((place, f"Received {told!r}; give the name of a network, or a table with {_listed()}."))
        return arm
    found = [(f"{place}.{key}", f"Unknown field; known are: {_listed()}.") for key in told if key not in ARM_FIELDS]
    found += _text_problems(place, told)
    if not found:
        arm = ArmDesign(str(name), **told)
        found += _arm_problems(place, arm)
    problems += found
    return arm


def _listed() -> str:
    return ", ".join(ARM_FIELDS)


def _text_problems(place: str, told: Mapping[str, Any]) -> Problems:
    return [(f"{place}.{key}", f"Received {told[key]!r}; give a text.") for key in told if type(told[key]) is not str]


def _arm_problems(place: str, arm: ArmDesign) -> Problems:
    """What is wrong with one arm, all of whose fields are texts."""
    for key, choices in (("kind", ARM_KINDS), ("site", ARM_SITES)):
        if (chosen := getattr(arm, key)) not in choices:
            return [(f"{place}.{key}", f"Received {chosen!r}; choose one of: {', '.join(choices)}.")]
    if arm.kind == RANDOM_SNIPPETS:
        return [
            (f"{place}.{key}", f"Received {getattr(arm, key)!r}; random snippets come from the corpus: leave it out.")
            for key in ("network", "site", "basis")
            if getattr(arm, key) != getattr(ArmDesign(""), key)
        ]
    found = _basis_problems(f"{place}.basis", arm)
    if not arm.network.strip():
        found.append((place, f"Received {arm.network!r}; give the name of a network."))
    return found


def _basis_problems(place: str, arm: ArmDesign) -> Problems:
    try:
        basis = Basis.parse(arm.basis)
    except BasisError as error:
        return [(place, f"Received {arm.basis!r}: {error}")]
    if basis.is_neurons and arm.kind == RANDOM_DIRECTIONS:
        return [(place, "Missing; name the directions that were harvested, as in random:1024:7.")]
    if not basis.is_neurons and arm.kind == NEURONS:
        return [(place, f"Received {arm.basis!r}; directions need the kind {RANDOM_DIRECTIONS}.")]
    return []


def _check_different(place: str, arms: tuple[ArmDesign, ...], problems: Problems) -> None:
    names = [arm.name for arm in arms]
    if len(set(names)) < len(names):
        problems.append((place, f"Received {', '.join(names)}; each arm may stand once in a pair."))
    seen: dict[tuple[str, str, str, str], str] = {}
    for arm in arms:
        if arm.source in seen:
            told = ", ".join(dict.fromkeys(word for word in arm.source if word))
            names_of_both = f"{seen[arm.source]} and {arm.name}"
            problems.append(
                (place, f"Received {told} for {names_of_both}; two arms of a pair need another network, kind or site.")
            )
        seen[arm.source] = arm.name
