"""The state of a running harvest on disk, and the finished folder (format: neurons.store.harvest)."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neurons.lab.checkpoint import write_atomically
from neurons.lab.harvest_plan import Sampling
from neurons.lab.near_duplicates import DistinctSnippets
from neurons.lab.topk import Candidates, TopK
from neurons.store.corpus import CorpusStore
from neurons.store.harvest import FORMAT, META, HarvestError, layer_folder
from neurons.store.pieces import context_bounds

STATE = "state.npz"
FIELDS = ("neurons", "values", "documents", "positions", "keys", "windows")
TRANSPOSED_NEURONS = 256  # neurons whose samples are turned from token-major to neuron-major at a time


class HarvestState:
    """Everything that a harvest needs to go on after a crash.

    Attributes
    ----------
    layers : list of TopK
    samples : list of ndarray, float16, (sampled, neurons)
        Memory-mapped; a row has its place from the start, so reading a block twice changes nothing.
    documents_read, tokens_read : int
    """

    def __init__(self, folder: Path, meta: dict[str, Any], *, reserve: int, window: int, sampled: int) -> None:
        self.folder, self.meta = folder, meta
        neurons = meta["d_mlp"]
        self.layers = [TopK(neurons, reserve, window) for _ in range(meta["n_layers"])]
        self.documents_read = self.tokens_read = 0
        self.samples = [self._sample_file(layer, (sampled, neurons)) for layer in range(meta["n_layers"])]

    @classmethod
    def open(cls, folder: Path, meta: dict[str, Any], *, reserve: int, window: int, sampled: int) -> "HarvestState":
        """Take up the state in a folder, or begin a new one.

        Raises
        ------
        HarvestError
            If the state there belongs to another harvest; what differs is named.
        """
        folder.mkdir(parents=True, exist_ok=True)
        state = cls(folder, meta, reserve=reserve, window=window, sampled=sampled)
        if (folder / STATE).is_file():
            state._load()
        return state

    def _sample_file(self, layer: int, shape: tuple[int, int]) -> np.ndarray:
        path = self.folder / f"sample{layer:02d}.rows"
        if not all(shape):
            return np.zeros(shape, dtype=np.float16)
        size = shape[0] * shape[1] * 2
        if not path.is_file() or path.stat().st_size != size:
            with path.open("wb") as handle:
                handle.truncate(size)
        return np.memmap(path, dtype=np.float16, mode="r+", shape=shape)

    def _load(self) -> None:
        with np.load(self.folder / STATE) as stored:
            facts = json.loads(str(stored["facts"]))
            if facts["meta"] != self.meta:
                changed = sorted(key for key in self.meta if facts["meta"].get(key) != self.meta[key])
                raise HarvestError(
                    f"{self.folder} holds an unfinished harvest with another {' and '.join(changed)}; "
                    "delete that folder or harvest into another one."
                )
            self.documents_read, self.tokens_read = facts["documents_read"], facts["tokens_read"]
            for number, topk in enumerate(self.layers):
                topk.put(Candidates(**{field: stored[f"{number}.{field}"] for field in FIELDS}))
                topk.equal_windows = facts["equal_windows"][number]

    def save(self) -> None:
        """Bring the state to disk; a crash leaves the state before or the state after."""
        for sample in self.samples:
            if isinstance(sample, np.memmap):
                sample.flush()
        arrays: dict[str, Any] = {}
        for number, topk in enumerate(self.layers):
            topk.merge()
            arrays |= {f"{number}.{field}": getattr(topk.kept, field) for field in FIELDS}
        facts = {
            "meta": self.meta,
            "documents_read": self.documents_read,
            "tokens_read": self.tokens_read,
            "equal_windows": [topk.equal_windows for topk in self.layers],
        }

        def write(path: Path) -> None:
            with path.open("wb") as handle:
                np.savez(handle, facts=np.array(json.dumps(facts)), **arrays)

        write_atomically(self.folder / STATE, write)


def finish_harvest(
    folder: Path, state: HarvestState, meta: dict[str, Any], corpus: CorpusStore, sampling: Sampling
) -> None:
    """Write the finished folder next to the state, the marker last, and give it its name."""
    work = state.folder / "finished"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    dead, dropped = [], []
    for number, topk in enumerate(state.layers):
        target = work / layer_folder(number)
        target.mkdir()
        chosen, passed_over = choose_distinct(topk, meta, corpus)
        counts = write_top(target, topk, chosen, passed_over, int(meta["config"]["top"]))
        write_sample(target, state.samples[number])
        dead.append(int((counts == 0).sum()))
        dropped.append(int(passed_over.sum()))
    np.save(work / "sample_documents.npy", sampling.documents)
    np.save(work / "sample_positions.npy", sampling.positions.astype(np.int32))
    facts = meta | {
        "format": FORMAT,
        "tokens": state.tokens_read,
        "sampled": len(sampling),
        "dead": dead,
        "near_duplicates": dropped,
        "torch": torch.__version__,
    }
    _sync_files(work)
    text = json.dumps(facts, indent=1, sort_keys=True) + "\n"
    write_atomically(work / META, lambda path: path.write_text(text))
    folder.parent.mkdir(parents=True, exist_ok=True)
    work.rename(folder)
    shutil.rmtree(state.folder)


def choose_distinct(topk: TopK, meta: dict[str, Any], corpus: CorpusStore) -> tuple[list[np.ndarray], np.ndarray]:
    """Choose each neuron's top snippets from its reserve, passing over near-duplicates.

    Returns
    -------
    chosen : list of ndarray, int64
        For each neuron rows of `topk.kept`, strongest first, at most `meta["config"]["top"]`.
    passed_over : ndarray, int32, (neurons,)
    """
    config, kept = meta["config"], topk.kept
    starts = np.searchsorted(kept.neurons, np.arange(topk.neurons + 1))
    chosen, passed_over = [], np.zeros(topk.neurons, dtype=np.int32)
    for neuron in range(topk.neurons):
        distinct = DistinctSnippets(config["likeness"])
        rows: list[int] = []
        for row in range(starts[neuron], starts[neuron + 1]):
            if len(rows) == config["top"]:
                break
            document, position = int(kept.documents[row]), int(kept.positions[row])
            tokens = corpus.document_tokens(document)
            low, high = context_bounds(position, len(tokens), meta["context"])
            first, last = max(low, position - config["alike_before"]), min(high, position + config["alike_after"] + 1)
            if distinct.admit(tokens[first:last].tolist()):
                rows.append(row)
            else:
                passed_over[neuron] += 1
        chosen.append(np.asarray(rows, dtype=np.int64))
    return chosen, passed_over


def write_top(target: Path, topk: TopK, chosen: list[np.ndarray], passed_over: np.ndarray, top: int) -> np.ndarray:
    """Write the arrays of one layer's top snippets; returns how many each neuron has, int32 (neurons,)."""
    kept, shape = topk.kept, (topk.neurons, top)
    counts = np.array([len(rows) for rows in chosen], dtype=np.int32)
    filled = np.arange(top) < counts[:, None]
    rows = np.concatenate(chosen)
    for name, values, dtype in (
        ("values", kept.values, np.float32),
        ("documents", kept.documents, np.int64),
        ("positions", kept.positions, np.int32),
        ("windows", kept.windows, np.float32),
    ):
        array = np.zeros(shape + values.shape[1:], dtype=dtype)
        array[filled] = values[rows]
        np.save(target / f"{name}.npy", array)
    np.save(target / "counts.npy", counts)
    np.save(target / "dropped.npy", passed_over)
    return counts


def write_sample(target: Path, rows: np.ndarray) -> None:
    """Turn the sample from token-major to neuron-major, and count the share of tokens above 0."""
    tokens, neurons = rows.shape
    density = np.zeros(neurons)
    turned = np.lib.format.open_memmap(target / "sample.npy", mode="w+", dtype=np.float16, shape=(neurons, tokens))
    for start in range(0, neurons, TRANSPOSED_NEURONS):
        part = np.ascontiguousarray(rows[:, start : start + TRANSPOSED_NEURONS].T)
        turned[start : start + TRANSPOSED_NEURONS] = part
        # Comparing bit patterns as whole numbers: float16 arithmetic is slow on most processors.
        density[start : start + TRANSPOSED_NEURONS] = (part.view(np.int16) > 0).sum(axis=1) / max(1, tokens)
    turned.flush()
    np.save(target / "density.npy", density)


def _sync_files(folder: Path) -> None:
    for path in sorted(folder.rglob("*.npy")):
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
