"""Writes a network's neurons in other tools' formats; an export that was interrupted is taken up again.

Neuronpedia    <folder>/<model>/<layer>-<set>/{release,model,sourceset,source}.jsonl, features/batch-N.jsonl.gz,
               activations/batch-N.jsonl.gz
OpenAI         <folder>/<layer>/<neuron>.json

Work is done in a neighbour folder "….unfinished"; a file in it is complete, and its export.json says what is exported.
"""

import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from neurons.store.records.harvested import RecordSource
from neurons.store.records.neuronpedia import activation_lines, feature_line, layer_name
from neurons.store.records.openai import write_record
from neurons.store.records.record import RecordsError

BATCH = 1024  # neurons in a file, as Neuronpedia has it
NOTE = "export.json"
Progress = Callable[[int, int], None]  # neurons written, neurons in all


@dataclass(frozen=True)
class ExportFacts:
    """What the files say about where the neurons come from.

    Attributes
    ----------
    format : {"neuronpedia", "openai"}
    model, source_set : str
        Of the network, and of this set of its neurons.
    corpus : str
    n_layers, d_mlp : int
    provenance : dict
        Hashes and configuration; an export is only taken up if it is the same.
    """

    format: str
    model: str
    source_set: str
    corpus: str
    n_layers: int
    d_mlp: int
    provenance: dict[str, Any]


def export(
    folder: Path,
    source: RecordSource,
    facts: ExportFacts,
    chosen: dict[int, list[int]],
    progress: Progress | None = None,
) -> int:
    """Write the chosen neurons' records.

    Parameters
    ----------
    folder : Path
        Takes its name when everything is written; must not hold anything yet.
    chosen : dict of int to list of int
        Neurons by layer. Neurons without any record are passed over.

    Returns
    -------
    int
        Neurons written.

    Raises
    ------
    RecordsError
        If the folder holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RecordsError(f"{folder} holds something already; name a new folder or an empty one.")
    unfinished = _work_folder(folder, facts, chosen)
    known = {layer: [n for n in neurons if source.is_known(layer, n)] for layer, neurons in chosen.items()}
    total, done = sum(map(len, known.values())), 0
    write = _write_neuronpedia if facts.format == "neuronpedia" else _write_openai
    for layer, neurons in known.items():
        for number, first in enumerate(range(0, len(neurons), BATCH)):
            write(unfinished, source, facts, layer, number, neurons[first : first + BATCH])
            done += len(neurons[first : first + BATCH])
            if progress is not None:
                progress(done, total)
    (unfinished / NOTE).unlink()
    if folder.exists():
        folder.rmdir()
    unfinished.rename(folder)
    return done


def _work_folder(folder: Path, facts: ExportFacts, chosen: dict[int, list[int]]) -> Path:
    """The folder of an export that was interrupted, if it is this one, otherwise an empty one."""
    unfinished = folder.with_name(folder.name + ".unfinished")
    note = json.dumps(asdict(facts) | {"chosen": list(chosen.items())}, sort_keys=True)
    if not (unfinished / NOTE).is_file() or (unfinished / NOTE).read_text() != note:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        _write(unfinished / NOTE, note.encode())
    return unfinished


def _write_neuronpedia(
    folder: Path, source: RecordSource, facts: ExportFacts, layer: int, number: int, neurons: list[int]
) -> None:
    place = folder / facts.model / layer_name(layer, facts.source_set)
    features, activations = (place / kind / f"batch-{number}.jsonl.gz" for kind in ("features", "activations"))
    if features.is_file():  # written after the activations
        return
    if not number:
        for name, line in _descriptions(facts, layer).items():
            _write(place / f"{name}.jsonl", _json(line))
    feature_lines: list[bytes] = []

    def lines() -> Iterable[bytes]:
        for neuron in neurons:
            record = source.record(layer, neuron)
            feature_lines.append(_json(feature_line(record, facts.model, facts.source_set)))
            yield from map(_json, activation_lines(record, facts.model, facts.source_set, facts.corpus))

    _write_compressed(activations, lines())
    _write_compressed(features, feature_lines)


def _write_openai(
    folder: Path, source: RecordSource, facts: ExportFacts, layer: int, number: int, neurons: list[int]
) -> None:
    for neuron in neurons:
        path = folder / str(layer) / f"{neuron}.json"
        if not path.is_file():
            _write(path, _json(write_record(source.record(layer, neuron))))


def _descriptions(facts: ExportFacts, layer: int) -> dict[str, dict[str, Any]]:
    """Release, model, set and source as far as they are known here."""
    release = f"{facts.model}-{facts.source_set}" if facts.source_set else facts.model
    about = f"Neurons of {facts.model} on the corpus {facts.corpus}"
    source_set = facts.source_set or str(layer)
    return {
        "release": {"name": release, "description": about, "urls": []},
        "model": {
            "id": facts.model,
            "displayName": facts.model,
            "displayNameShort": facts.model,
            "layers": facts.n_layers,
            "neuronsPerLayer": facts.d_mlp,
        },
        "sourceset": {
            "modelId": facts.model,
            "name": source_set,
            "description": about,
            "type": "neurons",
            "releaseName": release,
            "urls": [],
        },
        "source": {
            "id": layer_name(layer, facts.source_set),
            "modelId": facts.model,
            "setName": source_set,
            "dataset": facts.corpus,
            "notes": json.dumps(facts.provenance, sort_keys=True),
        },
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode() + b"\n"


def _write_compressed(path: Path, lines: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    # Without name and time in the header the same neurons give the same bytes.
    with temporary.open("wb") as raw:
        with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as stream:
            stream.writelines(lines)
        raw.flush()
        os.fsync(raw.fileno())
    temporary.rename(path)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    temporary.rename(path)
