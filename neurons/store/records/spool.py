"""Records on their way into a harvest folder: rows of fixed size, values and facts, appended to files as they come.

rows.npy      ROW (rows)                 one per excerpt, by layer and neuron, in each in the order of the files
starts.npy    int64 (layers * neurons + 1)  where each neuron's rows start
values.bin    float32                    activations of all excerpts, one per token of the excerpt's document
facts.jsonl                              a JSON object per neuron that has facts
facts.npy     int64 (layers * neurons, 2)  first byte of the neuron's object and its length; 0: no facts
"""

import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from neurons.store.records.record import BadRecord, Excerpt, Group

ROW = np.dtype(
    [
        ("layer", np.int32),
        ("neuron", np.int32),
        ("kind", np.uint8),
        ("complete", np.bool_),  # whether the activation of every token is known
        ("number", np.int16),
        ("low", np.float64),
        ("high", np.float64),
        ("share", np.float64),
        ("document", np.int64),
        ("peak", np.int32),
        ("qualifying", np.int32),
        ("value", np.float32),  # at the peak
        ("start", np.int64),  # of the values in values.bin, counted in numbers
    ]
)
BUFFERED = 4096  # rows in memory
SORTED_ROWS = 1 << 18  # rows brought into their order at a time


class RecordSpool:
    """Appends records to the files of a folder and brings them into order at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = self.layers = self.neurons = 0
        self._values = self._fact_bytes = 0
        self._row_buffer: list[tuple[Any, ...]] = []
        self._facts: list[tuple[int, int, int, int]] = []
        self._facts_seen: set[tuple[int, int]] = set()
        self._stack = ExitStack()
        folder.mkdir(parents=True)

    def __enter__(self) -> "RecordSpool":
        self._rows_file = self._open("rows.raw")
        self._values_file = self._open("values.bin")
        self._facts_file = self._open("facts.jsonl")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _open(self, name: str) -> BinaryIO:
        return self._stack.enter_context((self.folder / name).open("wb"))

    def add_facts(self, layer: int, neuron: int, facts: dict[str, Any]) -> None:
        """Facts about a neuron.

        Raises
        ------
        BadRecord
            If the neuron has facts already.
        """
        if (layer, neuron) in self._facts_seen:
            raise BadRecord(f"neuron {neuron} of layer {layer} was described before; expected one record for each")
        self._facts_seen.add((layer, neuron))
        line = json.dumps(facts).encode() + b"\n"
        self._facts_file.write(line)
        self._facts.append((layer, neuron, self._fact_bytes, len(line)))
        self._fact_bytes += len(line)
        self._see(layer, neuron)

    def add(self, layer: int, neuron: int, excerpt: Excerpt, document: int) -> None:
        """One excerpt; its values are those of the document's tokens."""
        group, values = excerpt.group, excerpt.values
        bounds = [np.nan if bound is None else bound for bound in (group.low, group.high, group.share)]
        complete = not np.isnan(values).any()
        place = (document, excerpt.peak, excerpt.qualifying, values[excerpt.peak], self._values)
        self._row_buffer.append((layer, neuron, group.kind, complete, group.number, *bounds, *place))
        self._values_file.write(values.astype(np.float32).tobytes())
        self._values += len(values)
        self.rows += 1
        self._see(layer, neuron)
        if len(self._row_buffer) >= BUFFERED:
            self._flush()

    def _see(self, layer: int, neuron: int) -> None:
        self.layers, self.neurons = max(self.layers, layer + 1), max(self.neurons, neuron + 1)

    def _flush(self) -> None:
        self._rows_file.write(np.array(self._row_buffer, dtype=ROW).tobytes())
        self._row_buffer.clear()

    def finish(self) -> None:
        """Bring rows and facts into the order of neurons."""
        self._flush()
        self._stack.close()
        self._sort_rows()
        places = np.zeros((self.layers * self.neurons, 2), dtype=np.int64)
        for layer, neuron, start, length in self._facts:
            places[layer * self.neurons + neuron] = start, length
        np.save(self.folder / "facts.npy", places)

    def _sort_rows(self) -> None:
        raw = self.folder / "rows.raw"
        rows = np.memmap(raw, dtype=ROW, mode="r") if self.rows else np.zeros(0, dtype=ROW)
        flat = rows["layer"].astype(np.int64) * self.neurons + rows["neuron"]
        order = np.argsort(flat, kind="stable")
        sorted_rows = np.lib.format.open_memmap(self.folder / "rows.npy", mode="w+", dtype=ROW, shape=rows.shape)
        for first in range(0, len(order), SORTED_ROWS):
            sorted_rows[first : first + SORTED_ROWS] = rows[order[first : first + SORTED_ROWS]]
        sorted_rows.flush()
        counts = np.bincount(flat, minlength=self.layers * self.neurons)
        np.save(self.folder / "starts.npy", np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]))
        del rows
        os.unlink(raw)


def group_of(row: Any) -> Group:
    """The group of a row of ROW."""
    bounds = [None if np.isnan(row[name]) else float(row[name]) for name in ("low", "high", "share")]
    return Group(int(row["kind"]), int(row["number"]), *bounds)
