"""From finished shards to the harvest's folder (format: neurons.store.harvest), one layer at a time."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int, Int32

from neurons.lab.checkpoint import write_atomically
from neurons.lab.harvest_config import HarvestConfig
from neurons.lab.harvest_files import Part, ShardInfo, first_not_finite
from neurons.lab.harvest_plan import HarvestPlan
from neurons.lab.near_duplicates import SHINGLE, choose_distinct
from neurons.lab.topk import Candidates, Peaks, TopK
from neurons.store.corpus import CorpusStore
from neurons.store.harvest import FORMAT, META, HarvestError, HarvestStore, layer_folder

NEURONS_AT_ONCE = 256  # whose candidates are compared with each other together
SAMPLE_ROWS = 4096  # tokens of the sample that are turned at once

Progress = Callable[[int, int], None]


def merge_shards(
    shards: list[Path],
    folder: Path,
    corpus: CorpusStore,
    plan: HarvestPlan,
    config: HarvestConfig,
    *,
    facts: dict[str, Any],
    progress: Progress | None = None,
) -> HarvestStore:
    """Join finished shards into a harvest's folder; the bytes do not depend on how it was cut into shards.

    Parameters
    ----------
    shards : list of Path
        In any order. They stay as they are.
    folder : Path
        Takes its name when everything is on disk. A finished harvest that stands there already is opened.
    facts : dict
        What was given to harvest_shard.
    progress : callable, optional
        Called with layers done and layers in all.

    Raises
    ------
    HarvestError
        If a shard is unfinished or belongs to another harvest, or if the shards leave out a block or hold one twice.
    """
    return merge_parts(
        [Part.read(shard) for shard in shards], folder, corpus, plan, config, facts=facts, progress=progress
    )


def merge_parts(
    parts: list[Part],
    folder: Path,
    corpus: CorpusStore,
    plan: HarvestPlan,
    config: HarvestConfig,
    *,
    facts: dict[str, Any],
    progress: Progress | None = None,
) -> HarvestStore:
    """Join parts that were read into a harvest's folder; arguments and errors are those of merge_shards."""
    parts = sorted(parts, key=lambda part: part.info.first)
    infos = [part.info for part in parts]
    meta = _shared_meta(infos, facts, config)
    check_tiling([(info.first, info.end) for info in infos], plan.blocks)
    if (folder / META).is_file():
        return HarvestStore.open(folder, corpus)
    work = folder.with_name(folder.name + ".merging")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    dead, dropped = [], []
    for number in range(meta["n_layers"]):
        counts, passed_over = _merge_layer(work, number, parts, meta, corpus, config)
        dead.append(int((counts == 0).sum()))
        dropped.append(int(passed_over.sum()))
        if progress is not None:
            progress(number + 1, meta["n_layers"])
    _write_shared(work, parts)
    _finish(
        work,
        folder,
        meta
        | {
            "format": FORMAT,
            "documents": len(plan.documents),
            "tokens": sum(info.tokens for info in infos),
            "sampled": sum(info.sampled for info in infos),
            "sample_one_in": plan.one_in,
            "dead": dead,
            "near_duplicates": dropped,
            "not_finite": sum(info.not_finite for info in infos),
            "torch": torch.__version__,
        },
    )
    return HarvestStore.open(folder, corpus)


def _shared_meta(infos: list[ShardInfo], facts: dict[str, Any], config: HarvestConfig) -> dict[str, Any]:
    if not infos:
        raise HarvestError("there is no shard to merge; give the folders of all shards of the harvest.")
    meta = infos[0].meta
    expected = facts | {"config": config.as_dict()}
    for info in infos:
        wrong = {key for key in meta | info.meta if meta.get(key) != info.meta.get(key)}
        wrong |= {key for key in expected if info.meta.get(key) != expected[key]}
        if wrong:
            raise HarvestError(
                f"the shard of blocks {info.first}–{info.end - 1} belongs to another harvest: its "
                f"{' and '.join(sorted(wrong))} differs; merge only shards of one harvest."
            )
    return meta


def check_tiling(ranges: list[tuple[int, int]], blocks: int) -> None:
    """Refuse stretches, sorted by their first block, that leave a block out or hold one twice.

    Raises
    ------
    HarvestError

    Examples
    --------
    >>> check_tiling([(0, 3), (3, 5)], blocks=5)
    >>> check_tiling([(0, 3), (2, 5)], blocks=5)
    Traceback (most recent call last):
        ...
    neurons.store.harvest.HarvestError: block 2 is in two shards; a document must not count twice.
    """
    expected = 0
    for first, end in [*ranges, (blocks, blocks)]:
        if first < expected:
            raise HarvestError(f"block {first} is in two shards; a document must not count twice.")
        if first > expected:
            raise HarvestError(f"blocks {expected} to {first - 1} are in no shard; read them, then merge again.")
        expected = end


def _merge_layer(
    work: Path,
    number: int,
    parts: list[Part],
    meta: dict[str, Any],
    corpus: CorpusStore,
    config: HarvestConfig,
) -> tuple[Int32[np.ndarray, "neurons"], Int32[np.ndarray, "neurons"]]:
    """Write one layer; returns how many snippets each neuron has and how many near-duplicates were passed over."""
    target = work / layer_folder(number)
    target.mkdir()
    candidates = _merged(parts, number, meta["d_mlp"], config)
    chosen, passed_over = choose_snippets(candidates.peaks, meta["d_mlp"], meta["context"], corpus, config)
    counts = write_top(target, candidates, chosen, config.top)
    np.save(target / "dropped.npy", passed_over)
    write_sample(target, [(part.rows(number), part.info.sampled) for part in parts], meta["d_mlp"])
    return counts, passed_over


def _merged(parts: list[Part], number: int, neurons: int, config: HarvestConfig) -> Candidates:
    """One layer's candidates of all parts; the parts come one after the other, so that few are in memory."""
    if len(parts) == 1:
        return parts[0].layer(number)
    topk = TopK(neurons, config.reserve, config.window)
    for part in parts:
        topk.add(part.layer(number))
        topk.merge()
    return topk.candidates()


def choose_snippets(
    peaks: Peaks, neurons: int, context: int, corpus: CorpusStore, config: HarvestConfig
) -> tuple[Bool[np.ndarray, "neurons reserve"], Int32[np.ndarray, "neurons"]]:
    """Choose each neuron's top snippets from its reserve, passing over near-duplicates."""
    chosen = np.zeros((neurons, config.reserve), dtype=bool)
    passed_over = np.zeros(neurons, dtype=np.int32)
    starts = np.searchsorted(peaks.neurons, np.arange(neurons + 1))
    for first in range(0, neurons, NEURONS_AT_ONCE):
        end = min(neurons, first + NEURONS_AT_ONCE)
        mine = np.arange(starts[first], starts[end])
        texts = np.full((end - first, config.reserve, _text_width(config)), -1, dtype=np.int64)
        owners = peaks.neurons[mine]
        texts[owners - first, mine - starts[owners]] = texts_around(
            corpus, peaks.documents[mine], peaks.positions[mine], context, config
        )
        chosen[first:end], passed_over[first:end] = choose_distinct(texts, config.top, config.likeness)
    return chosen, passed_over


def _text_width(config: HarvestConfig) -> int:
    return max(SHINGLE, config.alike_before + 1 + config.alike_after)


def texts_around(
    corpus: CorpusStore,
    documents: Int[np.ndarray, "n"],
    positions: Int[np.ndarray, "n"],
    context: int,
    config: HarvestConfig,
) -> Int[np.ndarray, "n width"]:
    """Token ids around peaks, within the context that the network saw; −1 behind their end."""
    lows = positions // (context - 1) * (context - 1)
    highs = np.minimum(lows + context - 1, corpus.token_counts(documents))
    firsts = np.maximum(lows, positions - config.alike_before)
    ends = np.minimum(highs, positions + config.alike_after + 1)
    places = firsts[:, None] + np.arange(_text_width(config))
    inside = places < ends[:, None]
    some, which = np.unique(documents, return_inverse=True)
    starts = np.cumsum([0, *corpus.token_counts(some)])[which]
    tokens = np.concatenate([np.zeros(0, np.int64), *(corpus.document_tokens(int(document)) for document in some)])
    return np.where(inside, tokens[starts[:, None] + np.where(inside, places, firsts[:, None])], -1)


def write_top(
    target: Path, candidates: Candidates, chosen: Bool[np.ndarray, "neurons reserve"], top: int
) -> Int32[np.ndarray, "neurons"]:
    """Write the arrays of one layer's top snippets; returns how many each neuron has."""
    peaks, neurons = candidates.peaks, len(chosen)
    starts = np.searchsorted(peaks.neurons, np.arange(neurons))
    owners, ranks = np.nonzero(chosen)
    rows = starts[owners] + ranks
    counts = chosen.sum(axis=1, dtype=np.int32)
    filled = np.arange(top) < counts[:, None]
    for name, values, dtype in (
        ("values", peaks.values, np.float32),
        ("documents", peaks.documents, np.int64),
        ("positions", peaks.positions, np.int32),
        ("windows", candidates.windows, np.float32),
    ):
        array = np.zeros((neurons, top, *values.shape[1:]), dtype=dtype)
        array[filled] = values[rows]
        np.save(target / f"{name}.npy", array)
    np.save(target / "counts.npy", counts)
    return counts


def write_sample(target: Path, parts: list[tuple[Path, int]], neurons: int) -> None:
    """Turn the sample from token-major to neuron-major, and count the share of tokens above 0."""
    tokens = sum(rows for _, rows in parts)
    above, known = np.zeros(neurons, dtype=np.int64), np.zeros(neurons, dtype=np.int64)
    with (target / "sample.npy").open("wb") as handle:
        header = {"descr": "<f2", "fortran_order": False, "shape": (neurons, tokens)}
        np.lib.format.write_array_header_1_0(handle, header)
        start, done = handle.tell(), 0
        for path, rows in parts:
            for part in _pieces(path, rows, neurons):
                turned = np.ascontiguousarray(part.T)
                _write_columns(handle, start, tokens, done, turned)
                # Comparing bit patterns as whole numbers: float16 arithmetic is slow on most processors.
                bits = turned.view(np.int16)
                above += ((bits > 0) & (bits <= 0x7C00)).sum(axis=1)
                known += ((bits & 0x7FFF) <= 0x7C00).sum(axis=1)
                done += len(part)
        handle.truncate(start + neurons * tokens * 2)
    np.save(target / "density.npy", above / np.maximum(1, known))


def _pieces(path: Path, rows: int, neurons: int) -> Any:
    """The rows of a sample file, some at a time, so that the memory used does not grow with the sample."""
    with path.open("rb") as handle:
        for first in range(0, rows, SAMPLE_ROWS):
            count = min(SAMPLE_ROWS, rows - first)
            part = np.fromfile(handle, dtype=np.float16, count=count * neurons)
            if part.size != count * neurons:
                raise HarvestError(f"{path} ends early; delete its folder and read that shard again.")
            yield part.reshape(count, neurons)


def _write_columns(handle: Any, start: int, tokens: int, done: int, turned: np.ndarray) -> None:
    """Write columns done … of the (neurons, tokens) array that begins at byte `start`."""
    if turned.shape[1] == tokens:
        handle.seek(start)
        handle.write(turned.tobytes())
        return
    for neuron, values in enumerate(turned):
        handle.seek(start + 2 * (neuron * tokens + done))
        handle.write(values.tobytes())


def _write_shared(work: Path, parts: list[Part]) -> None:
    """Write what all layers share."""
    np.save(work / "sample_documents.npy", np.concatenate([part.documents for part in parts]))
    np.save(work / "sample_positions.npy", np.concatenate([part.positions for part in parts]))
    places = first_not_finite([place for part in parts for place in part.info.listed_not_finite()])
    rows = [(p.document, p.position, p.layer, p.neurons, p.neuron) for p in places]
    np.save(work / "not_finite.npy", np.array(rows, dtype=np.int64).reshape(-1, 5))


def _finish(work: Path, folder: Path, meta: dict[str, Any]) -> None:
    """Sync everything, write the marker, and give the folder its name."""
    for path in sorted(work.rglob("*.npy")):
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
    text = json.dumps(meta, indent=1, sort_keys=True) + "\n"
    write_atomically(work / META, lambda path: path.write_text(text))
    folder.parent.mkdir(parents=True, exist_ok=True)
    work.rename(folder)
