"""What a record says, whatever its format: texts with a neuron's activations, and facts about the neuron."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Site of an imported harvest: where activations were read is known to whoever made the records.
AS_RECORDED = "as_recorded"
TOP, RANGE, RANDOM = 0, 1, 2  # kinds of groups of excerpts
MOST_LAYERS, MOST_NEURONS = 1 << 12, 1 << 24  # larger numbers in a record are taken for mistakes
NUMBERS = {int, float, type(None)}
# Facts that only NeuronRecord has; all others only Neuronpedia's features have.
MOMENTS = ("mean", "variance", "skewness", "kurtosis")
BOUNDARIES, QUANTILES = "quantile_boundaries", "quantiles"  # between ranges; and how many ranges there are


class RecordsError(ValueError):
    """Records cannot be read or written as asked."""


class BadRecord(ValueError):
    """One record is wrong; the message says what was found and what is expected."""


@dataclass(frozen=True, slots=True)
class Group:
    """Which excerpts of a neuron an excerpt belongs to.

    Attributes
    ----------
    kind : {TOP, RANGE, RANDOM}
        The strongest ones, some from a range of strengths, or some at random.
    number : int
        Tells ranges apart where they come as a list.
    low, high : float or None
        Bounds of the range, activations; None: not given.
    share : float or None
        Share of tokens in the range, 0 … 1, and -1 for the strongest; None: not given.
    """

    kind: int = TOP
    number: int = 0
    low: float | None = None
    high: float | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text with the activations of one neuron.

    Attributes
    ----------
    group : Group
    tokens : tuple of str
        As the record spells them; see `neurons.store.records.tokens`.
    values : ndarray, float32, (tokens,)
        Activations, unitless; NaN: not known.
    peak : int
        Token with the largest known activation.
    qualifying : int
        Token for which the excerpt was put into its group; -1: not given.
    document : int
        Number of the text in the corpus; -1: in none yet.
    """

    group: Group
    tokens: tuple[str, ...]
    values: np.ndarray
    peak: int
    qualifying: int = -1
    document: int = -1


@dataclass(frozen=True, slots=True)
class NeuronRecord:
    """What is told about one neuron, or a part of it: formats with a line per excerpt give many parts.

    Attributes
    ----------
    layer, neuron : int
    excerpts : list of Excerpt
        In the order of the record.
    facts : dict
        Numbers and lists about the neuron, under the names of the format they came from.
    """

    layer: int
    neuron: int
    excerpts: list[Excerpt] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


def whole_number(value: Any, name: str, most: int) -> int:
    """A count or index of a record: a whole number, also as digits in a text, from 0 to below `most`.

    Examples
    --------
    >>> whole_number("12", "index", 100)
    12
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < most:
        raise BadRecord(f"{name} is {shortened(value)}; expected a whole number from 0 to {most - 1}")
    return value


def token_strings(value: Any, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or set(map(type, value)) != {str}:
        raise BadRecord(f"{name} is {shortened(value)}; expected a list of at least one text")
    return tuple(value)


def activations(value: Any, name: str, tokens: int, *, gaps: bool) -> np.ndarray:
    """Activations of a record, one per token, as float32; null and NaN are gaps and become NaN.

    Raises
    ------
    BadRecord
        If they are no list of numbers, not one per token, not finite in float32, or have gaps where none may be.
    """
    if not isinstance(value, list) or not set(map(type, value)) <= NUMBERS:
        raise BadRecord(f"{name} is {shortened(value)}; expected a list of numbers")
    if len(value) != tokens:
        raise BadRecord(f"{name} holds {len(value)} numbers for {tokens} tokens; expected one for each")
    with np.errstate(over="ignore"):
        values = np.array(value, dtype=np.float64).astype(np.float32)
    if np.isinf(values).any():
        raise BadRecord(f"{name} holds an infinity or a number beyond float32; expected finite activations")
    known = ~np.isnan(values)
    if not known.any() or not (gaps or known.all()):
        raise BadRecord(f"{name} is unknown for {tokens - known.sum()} of {tokens} tokens; expected a number for each")
    return values


def shortened(value: Any, most: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= most else text[:most] + "…"


def strongest(values: np.ndarray) -> int:
    """The first token with the largest known activation.

    Examples
    --------
    >>> strongest(np.array([np.nan, 1, 3, 3], dtype=np.float32))
    2
    """
    first = int(values.argmax())  # NaN counts as largest here
    return first if values[first] == values[first] else int(np.nanargmax(values))
