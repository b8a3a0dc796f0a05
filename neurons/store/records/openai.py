"""NeuronRecord of openai/automated-interpretability: one JSON object per neuron.

References
----------
Bills et al. (2023), Language models can explain neurons in language models; the dataclasses in the repository's
neuron_explainer/activations/activations.py.
"""

import math
from typing import Any

from neurons.store.records.numbers import numbers
from neurons.store.records.record import (
    BOUNDARIES,
    MOMENTS,
    MOST_LAYERS,
    MOST_NEURONS,
    QUANTILES,
    RANDOM,
    RANGE,
    TOP,
    BadRecord,
    Excerpt,
    Group,
    NeuronRecord,
    activations,
    shortened,
    strongest,
    token_strings,
    whole_number,
)

TOPS, SAMPLE, BY_QUANTILE = "most_positive_activation_records", "random_sample", "random_sample_by_quantile"


def is_record(item: dict[str, Any]) -> bool:
    return "neuron_id" in item or TOPS in item


def read_record(item: dict[str, Any]) -> NeuronRecord:
    """What one object tells.

    Raises
    ------
    BadRecord
        If a field that is needed is missing or wrong.
    """
    place = item.get("neuron_id")
    if not isinstance(place, dict):
        raise BadRecord(f"neuron_id is {shortened(place)}; expected an object with layer_index and neuron_index")
    layer = whole_number(place.get("layer_index"), "layer_index", MOST_LAYERS)
    neuron = whole_number(place.get("neuron_index"), "neuron_index", MOST_NEURONS)
    quantiles = _list(item, BY_QUANTILE)
    excerpts = _excerpts(_list(item, TOPS), TOPS, Group(TOP))
    for number, part in enumerate(quantiles):
        if not isinstance(part, list):
            raise BadRecord(f"{BY_QUANTILE}[{number}] is {shortened(part)}; expected a list of activation records")
        excerpts += _excerpts(part, f"{BY_QUANTILE}[{number}]", Group(RANGE, number))
    excerpts += _excerpts(_list(item, SAMPLE), SAMPLE, Group(RANDOM))
    facts = _facts(item)
    if quantiles:
        facts[QUANTILES] = len(quantiles)  # ranges at the end of the list may be empty
    return NeuronRecord(layer, neuron, excerpts, facts)


def _list(item: dict[str, Any], name: str) -> list[Any]:
    value = item.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRecord(f"{name} is {shortened(value)}; expected a list")
    return value


def _excerpts(items: list[Any], name: str, group: Group) -> list[Excerpt]:
    found = []
    for number, item in enumerate(items):
        where = f"{name}[{number}]"
        if not isinstance(item, dict):
            raise BadRecord(f"{where} is {shortened(item)}; expected an object with tokens and activations")
        tokens = token_strings(item.get("tokens"), f"{where}.tokens")
        values = activations(item.get("activations"), f"{where}.activations", len(tokens), gaps=group.kind != TOP)
        found.append(Excerpt(group, tokens, values, strongest(values)))
    return found


def _facts(item: dict[str, Any]) -> dict[str, Any]:
    """Moments and boundaries; those that are NaN are not known."""
    facts: dict[str, Any] = {}
    for name in MOMENTS:
        value = item.get(name)
        if value is not None and not _is_number(value):
            raise BadRecord(f"{name} is {shortened(value)}; expected a number")
        if value is not None and math.isfinite(value):
            facts[name] = value
    boundaries = _list(item, BOUNDARIES)
    if not all(_is_number(value) and math.isfinite(value) for value in boundaries):
        raise BadRecord(f"{BOUNDARIES} is {shortened(boundaries)}; expected a list of numbers")
    return facts | ({BOUNDARIES: boundaries} if boundaries else {})


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def write_record(record: NeuronRecord) -> dict[str, Any]:
    """The object for a neuron: what is not known is null."""
    by_kind: dict[int, list[Excerpt]] = {TOP: [], RANGE: [], RANDOM: []}
    for excerpt in record.excerpts:
        by_kind[excerpt.group.kind].append(excerpt)
    return {
        "dataclass_name": "NeuronRecord",
        "neuron_id": {"dataclass_name": "NeuronId", "layer_index": record.layer, "neuron_index": record.neuron},
        SAMPLE: [_activation_record(excerpt) for excerpt in by_kind[RANDOM]],
        BY_QUANTILE: _by_quantile(by_kind[RANGE], record.facts),
        BOUNDARIES: record.facts.get(BOUNDARIES),
        **{name: record.facts.get(name) for name in MOMENTS},
        TOPS: [_activation_record(excerpt) for excerpt in by_kind[TOP]],
    }


def _by_quantile(excerpts: list[Excerpt], facts: dict[str, Any]) -> list[list[dict[str, Any]]] | None:
    """Ranges from the weakest to the strongest."""
    lists: dict[Group, list[dict[str, Any]]] = {}
    for excerpt in sorted(excerpts, key=lambda excerpt: _strength(excerpt.group)):
        lists.setdefault(excerpt.group, []).append(_activation_record(excerpt))
    if QUANTILES not in facts:
        return list(lists.values()) or None
    numbered = {group.number: found for group, found in lists.items()}
    return [numbered.get(number, []) for number in range(facts[QUANTILES])]


def _strength(group: Group) -> tuple[int, float]:
    return group.number, -math.inf if group.low is None else group.low


def _activation_record(excerpt: Excerpt) -> dict[str, Any]:
    return {
        "dataclass_name": "ActivationRecord",
        "tokens": list(excerpt.tokens),
        "activations": numbers(excerpt.values),
    }
