"""The state of a shard on disk, while it is read and when it is finished.

    <folder>.unfinished/     work
        saved.json           marker: which generation of the files below is valid, and how far it goes
        <generation>.layer00.npz …   what is kept of each layer
        sample00.rows …      float16, token-major: rows of the sample; those beyond the marker's count are written again
    <folder>/                a finished shard: the same files, and shard.json, written last

A crash leaves the state before or the state after, never half of one.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Float16, Int32, Int64

from neurons.lab.capture import NotFinite
from neurons.lab.checkpoint import write_atomically
from neurons.lab.harvest_plan import BlockSample
from neurons.lab.topk import Candidates, Peaks, TopK
from neurons.store.harvest import HarvestError

SAVED, SHARD, SAMPLE_INDEX = "saved.json", "shard.json", "sample.npz"
NOT_FINITE_LISTED = 10_000  # the first so many tokens in order of document, position and layer are listed


@dataclass(frozen=True)
class ShardInfo:
    """A finished shard's facts.

    Attributes
    ----------
    meta : dict
        What all shards of a harvest share.
    first, end : int
        Its blocks, from … to (exclusive).
    tokens, sampled : int
    """

    meta: dict[str, Any]
    first: int
    end: int
    tokens: int
    sampled: int
    not_finite: int
    listed: list[list[int]]

    @classmethod
    def read(cls, folder: Path) -> "ShardInfo":
        """Facts of the finished shard in a folder.

        Raises
        ------
        HarvestError
            If the shard is unfinished.
        """
        path = folder / SHARD
        if not path.is_file():
            raise HarvestError(f"{folder} holds no finished shard ({SHARD} is missing); read that shard again.")
        return cls(**json.loads(path.read_text()))

    def listed_not_finite(self) -> list[NotFinite]:
        return [NotFinite(*row) for row in self.listed]


@dataclass(frozen=True)
class Part:
    """What the merge asks of some blocks that were read: a finished shard, or one that is still in memory.

    Attributes
    ----------
    layer : callable
        Candidates of a layer, by neuron, strongest first.
    rows : callable
        File with a layer's rows of the sample.
    documents, positions : ndarray, (sampled,)
        The sampled tokens.
    """

    info: ShardInfo
    layer: Callable[[int], Candidates]
    rows: Callable[[int], Path]
    documents: Int64[np.ndarray, "sampled"]
    positions: Int32[np.ndarray, "sampled"]

    @classmethod
    def read(cls, folder: Path) -> "Part":
        """The finished shard in a folder.

        Raises
        ------
        HarvestError
            If the shard is unfinished or damaged.
        """
        info = ShardInfo.read(folder)
        with load_arrays(folder / SAMPLE_INDEX) as index:
            documents, positions = index["documents"], index["positions"]
        return Part(
            info=info,
            layer=lambda number: load_candidates(folder / layer_file(number)),
            rows=lambda number: folder / sample_file(number),
            documents=documents,
            positions=positions,
        )


class ShardState:
    """Everything that a shard under way needs to go on after a crash.

    Attributes
    ----------
    layers : list of TopK
    done : int
        The first block that is not in the state yet.
    tokens, sampled : int
        Read so far; rows of the sample so far.
    not_finite : int
        Values that were left out because they are NaN or infinite.
    listed : list of NotFinite
        Where, the first NOT_FINITE_LISTED of them.
    """

    def __init__(self, folder: Path, meta: dict[str, Any], blocks: range) -> None:
        self.folder, self.meta, self.blocks = folder, meta, blocks
        config = meta["config"]
        window = config["before"] + 1 + config["after"]
        self.layers = [TopK(meta["d_mlp"], config["reserve"], window) for _ in range(meta["n_layers"])]
        self.done, self.tokens, self.sampled, self.generation = blocks.start, 0, 0, 0
        self.not_finite = 0
        self.listed: list[NotFinite] = []
        self.sample_documents = np.zeros(0, dtype=np.int64)
        self.sample_positions = np.zeros(0, dtype=np.int32)

    @classmethod
    def open(cls, folder: Path, meta: dict[str, Any], blocks: range) -> "ShardState":
        """Take up the state in a folder, or begin a new one.

        Raises
        ------
        HarvestError
            If the state there belongs to another harvest or other blocks; what differs is named.
        """
        folder.mkdir(parents=True, exist_ok=True)
        state = cls(folder, meta, blocks)
        if (folder / SAVED).is_file():
            state._load(json.loads((folder / SAVED).read_text()))
        return state

    def _load(self, saved: dict[str, Any]) -> None:
        expected = self.meta | {"blocks": [self.blocks.start, self.blocks.stop]}
        if changed := sorted(key for key in expected if saved["identity"].get(key) != expected[key]):
            raise HarvestError(
                f"{self.folder} holds an unfinished harvest with another {' and '.join(changed)}; "
                "delete that folder or harvest into another one."
            )
        self.generation = saved["generation"]
        self.done, self.tokens, self.sampled = saved["done"], saved["tokens"], saved["sampled"]
        self.not_finite, self.listed = saved["not_finite"], [NotFinite(*row) for row in saved["listed"]]
        for number, topk in enumerate(self.layers):
            topk.add(load_candidates(self._layer_file(self.generation, number)))
            topk.merge()
        with load_arrays(self._index_file(self.generation)) as index:
            self.sample_documents, self.sample_positions = index["documents"], index["positions"]

    def note_not_finite(self, found: list[NotFinite]) -> None:
        self.not_finite += sum(place.neurons for place in found)
        self.listed = first_not_finite(self.listed + found)

    def add_block(self, block: int, tokens: int, chosen: BlockSample, samples: list[np.ndarray]) -> None:
        """Note that a block is read: its sample goes to disk, and its candidates may be merged from now on.

        Parameters
        ----------
        samples : list of ndarray, float16, (sampled, neurons)
            One for each layer.
        """
        for number, rows in enumerate(samples):
            write_rows(self.folder / sample_file(number), self.sampled, rows)
        self.sample_documents = np.concatenate([self.sample_documents, chosen.documents])
        self.sample_positions = np.concatenate([self.sample_positions, chosen.positions])
        self.sampled += len(chosen)
        self.tokens += tokens
        self.done = block + 1
        for topk in self.layers:
            if topk.due:
                topk.merge()

    # -- to and from disk ----------------------------------------------------------------------------------------------
    def _layer_file(self, generation: int, number: int) -> Path:
        return self.folder / f"{generation}.layer{number:02d}.npz"

    def _index_file(self, generation: int) -> Path:
        return self.folder / f"{generation}.sample.npz"

    def save(self) -> None:
        """Bring the state to disk, one layer at a time."""
        new = self.generation + 1
        for number, topk in enumerate(self.layers):
            topk.merge()
            save_candidates(self._layer_file(new, number), topk.candidates())
            _sync(self.folder / sample_file(number))
        self._save_index(self._index_file(new))
        identity = self.meta | {"blocks": [self.blocks.start, self.blocks.stop]}
        self._mark(SAVED, self._facts() | {"identity": identity, "generation": new, "done": self.done})
        for old in self.folder.glob(f"{self.generation}.*.npz"):
            old.unlink()
        self.generation = new

    def finish(self, folder: Path) -> ShardInfo:
        """Write the finished shard, the marker last, and give it its name."""
        for number, topk in enumerate(self.layers):
            topk.merge()
            save_candidates(self.folder / layer_file(number), topk.candidates())
            _sync(self.folder / sample_file(number))
        self._save_index(self.folder / SAMPLE_INDEX)
        self._mark(SHARD, self._facts() | {"meta": self.meta, "first": self.blocks.start, "end": self.blocks.stop})
        (self.folder / SAVED).unlink(missing_ok=True)
        for old in self.folder.glob(f"{self.generation}.*.npz"):
            old.unlink()
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.rename(folder)
        return ShardInfo.read(folder)

    def part(self) -> Part:
        """All that was read, for a merge in this process."""

        def layer(number: int) -> Candidates:
            self.layers[number].merge()
            return self.layers[number].candidates()

        return Part(
            info=ShardInfo(**self._facts(), meta=self.meta, first=self.blocks.start, end=self.blocks.stop),
            layer=layer,
            rows=lambda number: self.folder / sample_file(number),
            **self._sample_index(),
        )

    def _facts(self) -> dict[str, Any]:
        return {
            "tokens": self.tokens,
            "sampled": self.sampled,
            "not_finite": self.not_finite,
            "listed": [list(astuple(place)) for place in self.listed],
        }

    def _sample_index(self) -> dict[str, np.ndarray]:
        return {"documents": self.sample_documents, "positions": self.sample_positions}

    def _save_index(self, path: Path) -> None:
        _save_arrays(path, self._sample_index())

    def _mark(self, name: str, facts: dict[str, Any]) -> None:
        text = json.dumps(facts, sort_keys=True) + "\n"
        write_atomically(self.folder / name, lambda path: path.write_text(text))


def adopt_saved_state(source: Path, target: Path) -> bool:
    """Copy the last saved state of a shard's unfinished folder into another, empty one, so that a second worker goes on
    from there without writing where the first one may still write. False: nothing was saved there."""
    if not (source / SAVED).is_file():
        return False
    saved = json.loads((source / SAVED).read_text())
    target.mkdir(parents=True, exist_ok=True)
    try:
        for path in [*source.glob(f"{saved['generation']}.*.npz"), *source.glob("sample*.rows")]:
            shutil.copyfile(path, target / path.name)
    except FileNotFoundError:  # the first worker lives and has saved anew meanwhile
        shutil.rmtree(target)
        return adopt_saved_state(source, target)
    complete = len(list(target.glob("*.npz"))) == saved["identity"]["n_layers"] + 1
    if not complete:
        shutil.rmtree(target)
        return adopt_saved_state(source, target)
    write_atomically(target / SAVED, lambda path: path.write_text(json.dumps(saved)))
    return True


def layer_file(number: int) -> str:
    return f"layer{number:02d}.npz"


def sample_file(number: int) -> str:
    return f"sample{number:02d}.rows"


def first_not_finite(found: list[NotFinite]) -> list[NotFinite]:
    """The places that are listed: the first in order of document, position and layer."""
    return sorted(found, key=lambda place: (place.document, place.position, place.layer))[:NOT_FINITE_LISTED]


def save_candidates(path: Path, candidates: Candidates) -> None:
    arrays = {field.name: getattr(candidates.peaks, field.name) for field in fields(Peaks)}
    _save_arrays(path, arrays | {"windows": candidates.windows})


def load_candidates(path: Path) -> Candidates:
    """Candidates of one layer, as they were saved.

    Raises
    ------
    HarvestError
        If the file is damaged.
    """
    with load_arrays(path) as stored:
        peaks = Peaks(**{field.name: stored[field.name] for field in fields(Peaks)})
        return Candidates(peaks, stored["windows"])


@contextmanager
def load_arrays(path: Path) -> Iterator[Any]:
    """Arrays of an .npz file; damage is a HarvestError."""
    try:
        with np.load(path) as stored:
            yield stored
    except (ValueError, KeyError, EOFError, OSError, BadZipFile) as error:
        raise HarvestError(f"{path} is damaged ({error}); delete its folder and read that shard again.") from None


def write_rows(path: Path, first: int, rows: Float16[np.ndarray, "rows neurons"]) -> None:
    """Write rows of the sample at their place; what an interrupted run left behind there is written over."""
    with path.open("r+b" if path.exists() else "wb") as handle:
        handle.seek(first * rows.shape[1] * rows.itemsize)
        handle.write(rows.tobytes())
        handle.truncate()


def _save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **arrays)
        handle.flush()
        os.fsync(handle.fileno())


def _sync(path: Path) -> None:
    with path.open("ab") as handle:
        os.fsync(handle.fileno())
