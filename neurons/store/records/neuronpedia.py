"""Neuronpedia's JSON lines: one per neuron (features) and one per excerpt (activations).

References
----------
The exports of neuronpedia.org: <model>/<number>-<set>/features/batch-N.jsonl.gz and activations/batch-N.jsonl.gz.
"""

import math
import re
from typing import Any

import numpy as np

from neurons.store.records.numbers import numbers
from neurons.store.records.record import (
    BOUNDARIES,
    MOMENTS,
    MOST_LAYERS,
    MOST_NEURONS,
    QUANTILES,
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

LAYER = re.compile(r"(\d+)(?:-(.+))?")
# Of a feature's line: who and what it is about, and what is an address in somebody's database.
NO_FACTS = ("modelId", "layer", "index", "sourceSetName", "creatorId", "createdAt", "umap_cluster")
NO_FIELDS = (*MOMENTS, BOUNDARIES, QUANTILES)
TOP_BOUND = -1  # binMin and binContains of the strongest excerpts


def names_of(line: dict[str, Any]) -> tuple[str, str]:
    """Model and set that a line is about."""
    return str(line.get("modelId") or ""), _layer(line)[1]


def _layer(line: dict[str, Any]) -> tuple[int, str]:
    found = LAYER.fullmatch(str(line.get("layer")))
    if found is None:
        raise BadRecord(f"layer is {shortened(line.get('layer'))}; expected a number and a set, such as '6-res-jb'")
    return whole_number(found[1], "the layer's number", MOST_LAYERS), found[2] or ""


def read_line(line: dict[str, Any]) -> NeuronRecord:
    """What one line of `activations` or `features` tells.

    Raises
    ------
    BadRecord
        If a field that is needed is missing or wrong.
    """
    layer, _ = _layer(line)
    neuron = whole_number(line.get("index"), "index", MOST_NEURONS)
    if "tokens" in line or "values" in line:
        return NeuronRecord(layer, neuron, excerpts=[_excerpt(line)])
    return NeuronRecord(layer, neuron, facts=_facts(line))


def _facts(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in NO_FACTS and value not in (None, [])}


def _excerpt(line: dict[str, Any]) -> Excerpt:
    tokens = token_strings(line.get("tokens"), "tokens")
    group = _group(line)
    values = activations(line.get("values"), "values", len(tokens), gaps=group.kind != TOP)
    return Excerpt(group, tokens, values, _peak(line, values), _qualifying(line, len(tokens)))


def _group(line: dict[str, Any]) -> Group:
    low, high, share = (_number(line, name) for name in ("binMin", "binMax", "binContains"))
    # Rows that were not put into bins, such as those of older exports, are the strongest.
    is_top = share == TOP_BOUND if share is not None else low == TOP_BOUND or (low is None and high is None)
    return Group(TOP if is_top else RANGE, 0, low, high, share)


def _number(line: dict[str, Any], name: str) -> float | None:
    value = line.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadRecord(f"{name} is {shortened(value)}; expected a number")
    return float(value)


def _peak(line: dict[str, Any], values: np.ndarray) -> int:
    """The token that the line names, if it is one of the strongest; otherwise the first of these."""
    first = strongest(values)
    if line.get("maxValueTokenIndex") is None:
        return first
    named = whole_number(line["maxValueTokenIndex"], "maxValueTokenIndex", len(values))
    return named if values[named] == values[first] else first


def _qualifying(line: dict[str, Any], tokens: int) -> int:
    value = line.get("qualifyingTokenIndex")
    return -1 if value in (None, -1) else whole_number(value, "qualifyingTokenIndex", tokens)


def feature_line(record: NeuronRecord, model: str, source_set: str) -> dict[str, Any]:
    """The line of `features` for a neuron: what is not known is left out."""
    place = {"modelId": model, "layer": layer_name(record.layer, source_set), "index": str(record.neuron)}
    facts = {name: value for name, value in record.facts.items() if name not in NO_FIELDS}
    return place | ({"sourceSetName": source_set} if source_set else {}) | facts


def activation_lines(record: NeuronRecord, model: str, source_set: str, corpus: str) -> list[dict[str, Any]]:
    """The lines of `activations` for a neuron: its strongest excerpts and those of ranges with known bounds.

    The others, and those at random, have no place in the format and are left out.
    """
    layer = layer_name(record.layer, source_set)
    place = {"modelId": model, "layer": layer, "index": str(record.neuron)}
    lines: list[dict[str, Any]] = []
    for excerpt in record.excerpts:
        bounds = _bounds(excerpt.group, record.facts.get(BOUNDARIES) or [])
        if bounds is not None:
            name = {"id": f"{model}-{layer}-{record.neuron}-{len(lines)}"}
            source = {"dataIndex": str(excerpt.document), "dataSource": corpus}
            lines.append(name | place | _excerpt_fields(excerpt) | bounds | source)
    return lines


def _bounds(group: Group, boundaries: list[float]) -> dict[str, float | None] | None:
    """The bin of a group; None: it cannot be told from the strongest ones."""
    low, high = group.low, group.high
    if group.kind == RANGE and (low, high, group.share) == (None, None, None):
        edges = [None, *boundaries, None]
        low, high = edges[group.number : group.number + 2] if group.number <= len(boundaries) else (None, None)
        if low is None and high is None:
            return None
    if group.kind not in (TOP, RANGE):
        return None
    return {"binMin": low, "binMax": high, "binContains": group.share}


def _excerpt_fields(excerpt: Excerpt) -> dict[str, Any]:
    values = numbers(excerpt.values)
    return {
        "tokens": list(excerpt.tokens),
        "values": values,
        "maxValue": values[excerpt.peak],
        "maxValueTokenIndex": excerpt.peak,
        "minValue": min(value for value in values if value is not None),
        "qualifyingTokenIndex": None if excerpt.qualifying < 0 else excerpt.qualifying,
    }


def layer_name(layer: int, source_set: str) -> str:
    """
    Examples
    --------
    >>> layer_name(6, "res-jb"), layer_name(6, "")
    ('6-res-jb', '6')
    """
    return f"{layer}-{source_set}" if source_set else str(layer)
