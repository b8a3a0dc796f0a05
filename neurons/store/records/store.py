"""The records that an imported harvest came from, kept beside its snippets so that nothing of them is lost.

Files: see `neurons.store.records.spool`.
"""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from neurons.store.corpus import CorpusStore
from neurons.store.harvest import HarvestStore
from neurons.store.records.record import Excerpt, NeuronRecord, RecordsError
from neurons.store.records.spool import group_of
from neurons.store.records.texts import RecordVocabulary

RECORDS = "records"  # folder in the harvest's


class RecordStore:
    """Records by neuron, memory-mapped."""

    def __init__(self, folder: Path, corpus: CorpusStore, n_layers: int, n_neurons: int) -> None:
        self.folder, self.corpus = folder, corpus
        self.n_layers, self.n_neurons = n_layers, n_neurons

    @classmethod
    def of(cls, harvest: HarvestStore) -> "RecordStore | None":
        """The records of a harvest; None if it did not come from records."""
        folder = harvest.folder / RECORDS
        return cls(folder, harvest.corpus, harvest.n_layers, harvest.d_mlp) if folder.is_dir() else None

    @cached_property
    def rows(self) -> np.ndarray:
        """ROW (rows): one per excerpt, by layer and neuron."""
        rows: np.ndarray = np.load(self.folder / "rows.npy", mmap_mode="r")
        return rows

    @cached_property
    def starts(self) -> np.ndarray:
        """int64 (layers * neurons + 1): where each neuron's rows start."""
        starts: np.ndarray = np.load(self.folder / "starts.npy", mmap_mode="r")
        return starts

    @cached_property
    def values(self) -> np.ndarray:
        """float32: activations of all excerpts."""
        return np.memmap(self.folder / "values.bin", dtype=np.float32, mode="r")

    @cached_property
    def _fact_places(self) -> np.ndarray:
        places: np.ndarray = np.load(self.folder / "facts.npy", mmap_mode="r")
        return places

    @cached_property
    def _fact_bytes(self) -> np.ndarray:
        return np.memmap(self.folder / "facts.jsonl", dtype=np.uint8, mode="r")

    @cached_property
    def _vocabulary(self) -> RecordVocabulary:
        vocabulary = RecordVocabulary.of(self.corpus)
        if vocabulary is None:
            raise RecordsError(f"{self.corpus.folder} has no vocabulary of records; import them again.")
        return vocabulary

    @property
    def longest_document(self) -> int:
        """Tokens of the longest document of the corpus."""
        return int(np.diff(self.corpus.token_offsets).max())

    def lengths(self, documents: Any) -> np.ndarray:
        """Tokens of documents, by their numbers."""
        offsets = self.corpus.token_offsets
        return np.asarray(offsets[documents + 1] - offsets[documents])

    def layer_rows(self, layer: int, first: int, end: int) -> np.ndarray:
        """Rows of the neurons first … end - 1 of a layer."""
        flat = layer * self.n_neurons
        rows: np.ndarray = self.rows[self.starts[flat + first] : self.starts[flat + end]]
        return rows

    def row_values(self, row: Any) -> np.ndarray:
        """Activations of one excerpt: float32 (tokens of its document,)."""
        tokens = int(self.lengths(row["document"]))
        return np.asarray(self.values[row["start"] : row["start"] + tokens])

    def is_known(self, layer: int, neuron: int) -> bool:
        """Whether there is any record of the neuron."""
        return len(self.layer_rows(layer, neuron, neuron + 1)) > 0 or self._fact_place(layer, neuron)[1] > 0

    def facts(self, layer: int, neuron: int) -> dict[str, Any]:
        """What the records tell about the neuron beside its excerpts."""
        start, length = self._fact_place(layer, neuron)
        facts: dict[str, Any] = json.loads(self._fact_bytes[start : start + length].tobytes()) if length else {}
        return facts

    def _fact_place(self, layer: int, neuron: int) -> tuple[int, int]:
        start, length = self._fact_places[layer * self.n_neurons + neuron]
        return int(start), int(length)

    def record(self, layer: int, neuron: int) -> NeuronRecord:
        """Everything about one neuron, excerpts in the order of the files."""
        excerpts = [self._excerpt(row) for row in self.layer_rows(layer, neuron, neuron + 1)]
        return NeuronRecord(layer, neuron, excerpts, self.facts(layer, neuron))

    def _excerpt(self, row: Any) -> Excerpt:
        document = int(row["document"])
        tokens = self._vocabulary.strings(self.corpus.document_tokens(document))
        values = self.row_values(row)
        return Excerpt(group_of(row), tokens, values, int(row["peak"]), int(row["qualifying"]), document)
