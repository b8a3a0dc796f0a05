"""The harvest: one pass of a network over a corpus, without logits, that keeps what each neuron liked best.

For every neuron of every layer, in the same pass: the top documents by their strongest token, exactly, with the
activations around it as they were when it was seen; and its activations at a hash-chosen sample of all tokens.

What makes it cheap: of everything only the maximum over each context is taken (neurons.lab.capture). What makes it
exact: a total order, and thresholds that only let too many through (neurons.lab.topk). What makes it the same to the
last bit whoever reads which part: the shapes of the matrix products are part of the plan (neurons.lab.harvest_plan),
and joining parts is associative and commutative (neurons.lab.harvest_merge).
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float16
from torch import Tensor

from neurons.lab.bases import InBasis
from neurons.lab.capture import Scratch, all_finite, capture, to_half, without_not_finite
from neurons.lab.harvest_config import HarvestConfig
from neurons.lab.harvest_files import SHARD, ShardInfo, ShardState
from neurons.lab.harvest_merge import merge_parts, merge_shards
from neurons.lab.harvest_plan import BlockSample, HarvestPlan, Tile, make_plan, tiles_of
from neurons.lab.source import NeuronSource
from neurons.store.corpus import CorpusStore
from neurons.store.harvest import META, HarvestError, HarvestStore, corpus_identity

__all__ = ["HarvestConfig", "HarvestStopped", "harvest", "harvest_shard", "make_plan", "merge_shards"]


class HarvestStopped(Exception):
    """The harvest was asked to stop; its state is on disk and the same call takes it up again."""


Progress = Callable[[int, int], None]  # (tokens read, tokens in all)


def harvest(
    source: NeuronSource,
    corpus: CorpusStore,
    folder: Path,
    config: HarvestConfig,
    *,
    facts: dict[str, Any],
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
    checkpoint_seconds: float = 60.0,
) -> HarvestStore:
    """Harvest a network on a corpus into a folder, in one process; one that was interrupted there is taken up again.

    Parameters
    ----------
    source : NeuronSource
    folder : Path
        Takes its name when everything is on disk; until then work is done in neighbour folders.
    facts : dict
        Provenance that goes into meta.json, the network's name and sha256 among it.
    progress : callable, optional
        Called with tokens read and tokens in all after each block.
    stop : callable, optional
        Asked after each block; True saves the state and raises HarvestStopped.
    checkpoint_seconds : float
        Time between saved states; has no influence on the result.

    Raises
    ------
    HarvestError
        If the folder holds a harvest of another configuration, network or corpus, or there is no token to read.
    """
    plan = make_plan(corpus, config)
    if (folder / META).is_file():
        return _open_finished(folder, corpus, shared_meta(source, corpus, config, facts))
    work = folder.with_name(folder.name + ".unfinished")
    state = ShardState.open(work, shared_meta(source, corpus, config, facts), range(plan.blocks))
    _read_blocks(_Reader(source, corpus, plan, config, state), progress, stop, checkpoint_seconds)
    store = merge_parts([state.part()], folder, corpus, plan, config, facts=facts)
    shutil.rmtree(work)
    return store


def harvest_shard(
    source: NeuronSource,
    corpus: CorpusStore,
    folder: Path,
    plan: HarvestPlan,
    config: HarvestConfig,
    blocks: range,
    *,
    facts: dict[str, Any],
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
    checkpoint_seconds: float = 60.0,
) -> ShardInfo:
    """Read some blocks of a harvest into a folder; a shard that was interrupted there is taken up again.

    Parameters are those of `harvest`, and
    ----------
    folder : Path
        Takes its name when the shard is on disk; until then work is done in <folder>.unfinished.
    blocks : range
        Consecutive blocks of the plan.
    """
    meta = shared_meta(source, corpus, config, facts)
    if (folder / SHARD).is_file():
        return _finished_shard(folder, meta, blocks)
    state = ShardState.open(folder.with_name(folder.name + ".unfinished"), meta, blocks)
    _read_blocks(_Reader(source, corpus, plan, config, state), progress, stop, checkpoint_seconds)
    return state.finish(folder)


def _read_blocks(
    reader: "_Reader", progress: Progress | None, stop: Callable[[], bool], checkpoint_seconds: float
) -> None:
    """Read the blocks that the state does not hold yet."""
    state, saved = reader.state, time.monotonic()
    total = reader.plan.tokens_of(state.blocks)
    for block in range(state.done, state.blocks.stop):
        reader.read(block)
        if progress is not None:
            progress(state.tokens, total)
        if stop():
            state.save()
            raise HarvestStopped(f"stopped after {state.tokens:,} of {total:,} tokens; start it again to go on.")
        if time.monotonic() - saved > checkpoint_seconds:
            state.save()
            saved = time.monotonic()


def shared_meta(
    source: NeuronSource, corpus: CorpusStore, config: HarvestConfig, facts: dict[str, Any]
) -> dict[str, Any]:
    """What all parts of a harvest share, and what the finished harvest says of itself."""
    shape = source.config
    basis = {"basis": source.facts} if isinstance(source, InBasis) else {}
    return facts | corpus_identity(corpus) | basis | {
        "config": config.as_dict(),
        "site": config.site,
        "n_layers": int(shape.n_layers),
        "d_mlp": int(shape.d_mlp),
        "context": int(shape.context),
        "excluded": "BOS (position 0 of every context) and padding",
    }  # fmt: skip


def _open_finished(folder: Path, corpus: CorpusStore, meta: dict[str, Any]) -> HarvestStore:
    store = HarvestStore.open(folder, corpus)
    if changed := sorted(key for key in meta if store.meta.get(key) != meta[key]):
        raise HarvestError(
            f"{folder} holds a harvest with another {' and '.join(changed)}; harvest into another folder."
        )
    return store


def _finished_shard(folder: Path, meta: dict[str, Any], blocks: range) -> ShardInfo:
    info = ShardInfo.read(folder)
    if info.meta != meta or (info.first, info.end) != (blocks.start, blocks.stop):
        raise HarvestError(
            f"{folder} holds blocks {info.first}–{info.end - 1} of a harvest that differs from the one asked for; "
            "read the shard into another folder."
        )
    return info


class _Reader:
    """Reads blocks into a shard's state."""

    def __init__(
        self, source: NeuronSource, corpus: CorpusStore, plan: HarvestPlan, config: HarvestConfig, state: ShardState
    ) -> None:
        self.source, self.corpus, self.plan, self.config, self.state = source, corpus, plan, config, state
        self.device = next((p.device for p in getattr(source, "parameters", list)()), torch.device("cpu"))
        self.scratch = Scratch()
        self.autocast = config.precision == "bfloat16"

    @torch.inference_mode()
    def read(self, block: int) -> None:
        """Read whole documents and bring what they held into the state."""
        config, shape = self.config, self.source.config
        documents = self.plan.documents_of(block)
        chosen = BlockSample.choose(self.corpus, documents, self.plan.one_in)
        samples = [np.zeros((len(chosen), shape.d_mlp), dtype=np.float16) for _ in range(shape.n_layers)]
        tokens = 0
        for tile in tiles_of(
            self.corpus,
            documents,
            context=int(shape.context),
            tile_tokens=config.tile_tokens,
            bos=self.source.bos_id,
        ):
            self._read_tile(tile, *_sampled_places(tile, chosen), samples)
            tokens += tile.read
        self.state.add_block(block, tokens, chosen, samples)

    def _read_tile(self, tile: Tile, rows: np.ndarray, places: np.ndarray, samples: list[np.ndarray]) -> None:
        tokens = torch.from_numpy(tile.tokens).to(self.device)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.autocast):
            for layer, activations in self.source.neuron_activations(tokens, site=self.config.site):
                samples[layer][rows] = self._read_layer(layer, tile, activations, places)

    def _read_layer(
        self, layer: int, tile: Tile, activations: Float[Tensor, "rows width neurons"], places: np.ndarray
    ) -> Float16[np.ndarray, "s neurons"]:
        """Bring one layer's candidates into the state; returns its activations at the sampled places."""
        finite = all_finite(activations)
        if not finite:
            activations, found = without_not_finite(layer, tile, activations)
            self.state.note_not_finite(found)
        topk = self.state.layers[layer]
        if (candidates := capture(tile, activations, topk.thresholds, self.config, self.scratch)) is not None:
            if not finite:
                candidates.windows[np.isneginf(candidates.windows)] = 0
            topk.add(candidates)
        return to_half(activations[places[:, 0], places[:, 1]].float().cpu().numpy())


def _sampled_places(tile: Tile, chosen: BlockSample) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the block's sample that this tile fills, and (row, column) of their tokens in the tile."""
    sample_rows: list[np.ndarray] = []
    places: list[np.ndarray] = []
    for row, (document, first, length) in enumerate(zip(tile.documents, tile.firsts, tile.lengths, strict=True)):
        found = chosen.rows_of(int(document), int(first), int(first + length))
        columns = chosen.positions[found] - first + 1
        sample_rows.append(np.arange(found.start, found.stop))
        places.append(np.stack([np.full(len(columns), row), columns], axis=1))
    return np.concatenate(sample_rows), np.concatenate(places)
