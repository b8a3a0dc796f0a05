"""Small files of records, in the layouts of those who publish them."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

from neurons.store.corpus import CorpusStore
from neurons.store.harvest import HarvestStore
from neurons.store.records.build import RecordImport, Wanted

WORDS = ("the", "river", "café", "日本語", "rose", "in", "night", "🙂", "letter", "def", "return", "Straße")


def make_values(tokens: int, seed: int, height: float = 5.0) -> list[float]:
    """Activations with one clear peak, in steps that float32 holds exactly."""
    random = np.random.default_rng(seed)
    values = np.round(random.normal(0, 4, tokens)) / 8
    values[random.integers(tokens)] = height
    return values.tolist()


def make_tokens(seed: int, count: int = 12) -> list[str]:
    return [" " + word for word in np.random.default_rng(seed).choice(WORDS, count)]


def make_activation(index: int, seed: int, layer: str = "0-mlp", **changes: Any) -> dict[str, Any]:
    """A line of Neuronpedia's activations."""
    tokens = make_tokens(seed)
    values = make_values(len(tokens), seed, height=20.0 - seed % 16)
    line = {
        "id": f"a{seed}",
        "tokens": tokens,
        "values": values,
        "index": str(index),
        "layer": layer,
        "modelId": "tiny",
        "maxValue": max(values),
        "maxValueTokenIndex": int(np.argmax(values)),
        "minValue": min(values),
        "creatorId": "somebody",
        "dataSource": "texts",
        "dataIndex": None,
        "dfaValues": [],
        "binMin": -1,
        "binMax": 20.0,
        "binContains": -1,
        "qualifyingTokenIndex": None,
    }
    return line | changes


def make_feature(index: int, layer: str = "0-mlp", **changes: Any) -> dict[str, Any]:
    line = {
        "modelId": "tiny",
        "layer": layer,
        "index": str(index),
        "sourceSetName": layer.partition("-")[2],
        "maxActApprox": 20.0,
        "frac_nonzero": 0.0123456789012345,
        "freq_hist_data_bar_heights": [5, 1],
        "freq_hist_data_bar_values": [0.5, 1.5],
        "pos_str": [" the", " café"],
        "pos_values": [0.75, 0.5],
        "neg_str": [" river"],
        "neg_values": [-0.5],
        "vector": [],
        "creatorId": "somebody",
    }
    return line | changes


def make_neuronpedia(folder: Path, neurons: int = 4, each: int = 6, layer: str = "0-mlp", gz: bool = True) -> Path:
    """A folder <layer>/ with features and activations in two batches each."""
    activations = [make_activation(n, 100 * n + i, layer) for n in range(neurons) for i in range(each)]
    half = len(activations) // 2
    write_lines(folder / "activations" / "batch-0.jsonl", activations[:half], gz)
    write_lines(folder / "activations" / "batch-1.jsonl", activations[half:], gz)
    write_lines(folder / "features" / "batch-0.jsonl", [make_feature(n, layer) for n in range(neurons)], gz)
    write_lines(folder / "source.jsonl", [{"id": layer, "modelId": "tiny"}], gz=False)
    return folder


def make_openai_record(layer: int, neuron: int, seed: int = 0, top: int = 6) -> dict[str, Any]:
    def record(number: int, height: float) -> dict[str, Any]:
        tokens = make_tokens(seed + 1000 * neuron + number)
        values = make_values(len(tokens), seed + 1000 * neuron + number, height)
        return {"dataclass_name": "ActivationRecord", "tokens": tokens, "activations": values}

    return {
        "dataclass_name": "NeuronRecord",
        "neuron_id": {"dataclass_name": "NeuronId", "layer_index": layer, "neuron_index": neuron},
        "random_sample": [record(100 + i, 2.0) for i in range(3)],
        "random_sample_by_quantile": [[record(200 + 10 * q + i, 2.0 + q) for i in range(2)] for q in range(4)] + [[]],
        "quantile_boundaries": [0.1, 0.25, 1.5, 3.25],
        "mean": 0.125,
        "variance": 1.25,
        "skewness": -0.5,
        "kurtosis": 3.5,
        "most_positive_activation_records": [record(i, 20.0 - i) for i in range(top)],
    }


def make_openai(folder: Path, layers: int = 2, neurons: int = 3, seed: int = 0) -> Path:
    """A folder <layer>/<neuron>.json."""
    for layer in range(layers):
        for neuron in range(neurons):
            path = folder / str(layer) / f"{neuron}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(make_openai_record(layer, neuron, seed + layer)))
    return folder


def write_lines(path: Path, lines: list[Any], gz: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    if gz:
        path = path.with_name(path.name + ".gz")
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def import_here(folder: Path, *paths: Path, **asked: Any) -> HarvestStore:
    """Import records into a new corpus; `asked` is the rest of `Wanted`."""
    importing = RecordImport(Wanted(list(paths), **asked))
    importing.into_new_corpus(folder / "corpus", folder / "harvest", name="small", facts={})
    return HarvestStore.open(folder / "harvest", CorpusStore.open(folder / "corpus"))
