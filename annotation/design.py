"""What the author of a study asks for, checked and in one canonical form. Pure: no database.

A design comes from a TOML file or a form, and is stored as JSON. Everything that a study needs and that is not a fact
about a harvest stands here, so that a study can be drawn again from its design.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from annotation.protocols import first_glance
from annotation.protocols.display import PEAK, PROPORTIONAL

HUMAN, SIMULATED = "human", "simulated"
PROTOCOLS = (first_glance.NAME,)
DISPLAYS = (PEAK, PROPORTIONAL)
RATER_KINDS = (HUMAN, SIMULATED)

# Whole numbers: field -> smallest and largest allowed value.
RANGES: dict[str, tuple[int, int]] = {
    "seed": (0, 2**63 - 1),
    "marked_per_snippet": (1, 12),
    "bands": (2, 9),
    "neurons_per_arm": (1, 10_000),
    "snippets_per_neuron": (1, 100),
    "context_before": (0, 1_024),
    "context_after": (0, 1_024),
    "raters": (1, 500),
    "raters_per_neuron": (1, 500),
}
CHOICES: dict[str, tuple[str, ...]] = {"protocol": PROTOCOLS, "display": DISPLAYS, "rater_kind": RATER_KINDS}
# Texts: field -> (may be empty, most characters).
TEXTS: dict[str, tuple[bool, int]] = {
    "title": (False, 160),
    "corpus": (False, 60),
    "instructions": (False, 20_000),
    "contact": (True, 400),
}
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ARM_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class DesignRefused(ValueError):
    """A design that cannot be used; `problems` holds (field, message) for every fault found."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{field}: {message}" for field, message in problems))
        self.problems = tuple(problems)
        self.field, self.message = self.problems[0]


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


@dataclass(frozen=True, slots=True)
class StudyDesign:
    """A study as its author asks for it.

    Attributes
    ----------
    title, slug : str
        Shown to raters; name no arm in them.
    seed : int
        The author's number, 0 … 2**63 - 1. The draw also depends on a salt that stays sealed until unblinding.
    corpus : str
        Name of the corpus whose harvests are shown.
    pairs : tuple of PairDesign
    protocol : {"first_glance"}
    display : {"peak", "proportional"}
        How firing tokens are marked; see `annotation.protocols.display`.
    marked_per_snippet : int
        Tokens marked in every snippet (peak display).
    bands : int
        Bands of shading (proportional display).
    neurons_per_arm : int
        Per size and arm; 60 in Elhage et al. 2022.
    snippets_per_neuron : int
        20 in Elhage et al. 2022.
    context_before, context_after : int
        Tokens shown around the strongest one.
    raters : int
        Seats.
    raters_per_neuron : int
        Seats that judge each neuron, 1 … raters.
    rater_kind : {"human", "simulated"}
    instructions : str
        Plain paragraphs, parted by empty lines.
    contact : str
        Whom raters may ask; may be empty.
    """

    title: str
    slug: str
    seed: int
    corpus: str
    pairs: tuple[PairDesign, ...]
    protocol: str = first_glance.NAME
    display: str = PEAK
    marked_per_snippet: int = 3
    bands: int = 5
    neurons_per_arm: int = 60
    snippets_per_neuron: int = 20
    context_before: int = 48
    context_after: int = 16
    raters: int = 3
    raters_per_neuron: int = 3
    rater_kind: str = HUMAN
    instructions: str = first_glance.DEFAULT_INSTRUCTIONS
    contact: str = ""

    def __post_init__(self) -> None:
        """A design that exists is a design that can be used."""
        problems = _problems({name: getattr(self, name) for name in FIELD_NAMES} | {"pairs": asdict(self)["pairs"]})
        if problems:
            raise DesignRefused(problems)

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The instructions as paragraphs without line breaks."""
        parts = re.split(r"\n\s*\n", self.instructions.strip())
        return tuple(" ".join(part.split()) for part in parts)

    @property
    def items_total(self) -> int:
        """Neurons shown in all: sizes × arms × neurons per arm."""
        return sum(len(pair.arms) for pair in self.pairs) * self.neurons_per_arm


REQUIRED = ("title", "slug", "seed", "corpus", "pairs")
FIELD_NAMES = tuple(field.name for field in fields(StudyDesign))
DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(StudyDesign) if field.default is not MISSING}


def design_from_toml(text: str) -> StudyDesign:
    """Read a design from TOML text.

    Raises
    ------
    DesignRefused
        With every fault found, or with the place where the text stops being TOML.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DesignRefused([("file", f"This is not valid TOML: {error}.")]) from None
    return design_from_dict(data)


def design_from_dict(data: Mapping[str, Any]) -> StudyDesign:
    """Check a design given as plain data (TOML, stored JSON, a form).

    Parameters
    ----------
    data : mapping
        Keys as in `StudyDesign`; `raters_per_neuron` defaults to `raters`. `arms` of a pair is a table
        name -> network, or a list of {"name", "network"}.

    Raises
    ------
    DesignRefused
        With every fault found: field, what was received, what is allowed.

    Examples
    --------
    >>> arms = {"baseline": "tiny-gelu", "solu": "tiny-solu-ln"}
    >>> pair = {"size": "tiny", "layers": [0], "arms": arms}
    >>> base = {"title": "Tiny", "slug": "tiny", "seed": 1, "corpus": "embedded", "pairs": [pair]}
    >>> design_from_dict(base).items_total
    120
    >>> design_from_dict({**base, "display": "neon"})
    Traceback (most recent call last):
        ...
    annotation.design.DesignRefused: display: Received 'neon'; choose one of: peak, proportional.
    """
    values = dict(data)
    if "raters" in values:
        values.setdefault("raters_per_neuron", values["raters"])
    problems = _key_problems(values) + _problems(values)
    if problems:
        raise DesignRefused(problems)
    return StudyDesign(**{**values, "pairs": _pairs_read(values["pairs"], [])})


def design_to_dict(design: StudyDesign) -> dict[str, Any]:
    """The design as plain data that `design_from_dict` reads back unchanged."""
    data: dict[str, Any] = json.loads(json.dumps(asdict(design)))
    return data


def canonical_json(data: Any) -> str:
    """One text for one value: sorted keys, no spaces, UTF-8 characters as they are, no NaN.

    Examples
    --------
    >>> canonical_json({"b": 1, "a": ["é"]})
    '{"a":["é"],"b":1}'
    """
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _key_problems(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    missing = [(name, "Missing; give a value.") for name in REQUIRED if name not in values]
    unknown = [
        (name, f"Unknown field; known are: {', '.join(FIELD_NAMES)}.") for name in values if name not in FIELD_NAMES
    ]
    return missing + unknown


def _problems(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    problems = _value_problems(values)
    if "pairs" in values:
        _pairs_read(values["pairs"], problems)
    return problems or _joint_problems(values)


def _value_problems(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    problems = []
    for name, value in values.items():
        message = _value_problem(name, value)
        if message:
            problems.append((name, message))
    return problems


def _value_problem(name: str, value: Any) -> str | None:
    if name in RANGES:
        return _number_problem(value, *RANGES[name])
    if name in CHOICES and value not in CHOICES[name]:
        return f"Received {value!r}; choose one of: {', '.join(CHOICES[name])}."
    if name in TEXTS:
        return _text_problem(value, *TEXTS[name])
    if name == "slug" and not (isinstance(value, str) and len(value) <= 60 and SLUG.fullmatch(value)):
        return f"Received {value!r}; use lower-case letters, digits and single hyphens, at most 60 characters."
    return None


def _number_problem(value: Any, least: int, most: int) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        return f"Received {value!r}; give a whole number from {least} to {most}."
    return None


def _text_problem(value: Any, may_be_empty: bool, most: int) -> str | None:
    if not isinstance(value, str):
        return f"Received {value!r}; give a text."
    if not value.strip() and not may_be_empty:
        return "Received an empty text; write something."
    if len(value) > most:
        return f"Received {len(value)} characters; at most {most} fit."
    return None


def _joint_problems(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Faults that show only when the single fields are right."""
    raters = values.get("raters", DEFAULTS["raters"])
    per_neuron = values.get("raters_per_neuron", raters)
    if per_neuron > raters:
        return [("raters_per_neuron", f"Received {per_neuron}; at most the number of raters, {raters}.")]
    return []


def _pairs_read(value: Any, problems: list[tuple[str, str]]) -> tuple[PairDesign, ...]:
    if not isinstance(value, list | tuple) or not value:
        problems.append(("pairs", f"Received {value!r}; give at least one pair with size, layers and arms."))
        return ()
    pairs = tuple(_pair_read(f"pairs[{index}]", pair, problems) for index, pair in enumerate(value))
    sizes = [pair.size for pair in pairs]
    for size in sorted({size for size in sizes if sizes.count(size) > 1}):
        problems.append(("pairs", f"The size {size!r} stands in {sizes.count(size)} pairs; give each its own label."))
    return pairs


def _pair_read(place: str, value: Any, problems: list[tuple[str, str]]) -> PairDesign:
    if not isinstance(value, Mapping):
        problems.append((place, f"Received {value!r}; give a table with size, layers and arms."))
        return PairDesign("", (), ())
    for name in set(value) - {"size", "layers", "arms"}:
        problems.append((f"{place}.{name}", "Unknown field; known are: size, layers, arms."))
    size = value.get("size")
    message = _text_problem(size, False, 40)
    if message:
        problems.append((f"{place}.size", message))
    return PairDesign(
        size=str(size),
        layers=_layers_read(f"{place}.layers", value.get("layers"), problems),
        arms=_arms_read(f"{place}.arms", value.get("arms"), problems),
    )


def _layers_read(place: str, value: Any, problems: list[tuple[str, str]]) -> tuple[int, ...]:
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


def _arms_read(place: str, value: Any, problems: list[tuple[str, str]]) -> tuple[ArmDesign, ...]:
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
