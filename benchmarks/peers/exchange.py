"""What the environments hand each other: a job folder with tokens and weights, and one line of JSON back.

    tokens.npy     int32 (rows, context)   each row one context; column 0 is the beginning-of-sequence token
    weights.npz    float32                 one array for each tensor of a network, under the names that
                                           neurons.lab.transformer.Transformer gives them
    config.json    sizes of the network    the fields of neurons.lab.config.TransformerConfig

Harvested are the first `neurons` neurons of the last layer. Only NumPy is used here, of any version from 1.26 on.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

Entry = tuple[float, int, int]  # activation, row, column


@dataclass(frozen=True)
class Job:
    """What everyone harvests."""

    tokens: np.ndarray
    weights: dict[str, np.ndarray]
    config: dict[str, Any]

    def write(self, folder: Path) -> None:
        np.save(folder / "tokens.npy", self.tokens.astype(np.int32))
        np.savez(folder / "weights.npz", **{name: array.astype(np.float32) for name, array in self.weights.items()})
        (folder / "config.json").write_text(json.dumps(self.config))

    @classmethod
    def read(cls, folder: Path) -> "Job":
        with np.load(folder / "weights.npz") as weights:
            arrays = {name: weights[name] for name in weights.files}
        return cls(np.load(folder / "tokens.npy"), arrays, json.loads((folder / "config.json").read_text()))

    @property
    def layer(self) -> int:
        """The layer that is harvested."""
        return int(self.config["n_layers"]) - 1

    def linear(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Weight as (inputs, outputs), and bias."""
        return self.weights[f"{name}.weight"].T, self.weights[f"{name}.bias"]


@dataclass(frozen=True)
class Result:
    """What one harvester needed and found.

    Attributes
    ----------
    seconds_forward, seconds_harvest, seconds_saving : float
        Processor time of the bare forward pass, of the harvest, and of writing to files what it kept in memory.
    peak_bytes : int
        Most memory that the process ever held, the imported packages included.
    columns : (int, int)
        Columns that the harvester looks at for a neuron's top, from … to (exclusive).
    top : list of list of Entry
        The neurons' strongest tokens, strongest first.
    """

    version: str
    neurons: int
    tokens: int
    seconds_forward: float
    seconds_harvest: float
    seconds_saving: float
    peak_bytes: int
    disk_bytes: int
    columns: tuple[int, int]
    top: list[list[Entry]]

    def as_line(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> "Result":
        return cls(**json.loads(line))


def strongest_of_rows(entries: list[Entry]) -> list[Entry]:
    """The strongest entry of each row, strongest first."""
    best: dict[int, Entry] = {}
    for value, row, column in sorted(entries, key=lambda entry: (-entry[0], entry[1], entry[2])):
        best.setdefault(row, (value, row, column))
    return list(best.values())


def agreement(theirs: Result, ours: Result) -> tuple[int, int]:
    """How many of their strongest rows are among as many of ours with the same value, and how many there are.

    Values are the same up to the rounding of what is stored: float16, or four decimals. Ours looks at every column;
    rows of ours with the peak where they do not look cannot be compared and are left out.
    """
    agreed = compared = 0
    first, end = theirs.columns
    for their_entries, our_entries in zip(theirs.top, ours.top, strict=True):
        beyond = {row for _, row, column in our_entries if not first <= column < end}
        rows = [entry for entry in strongest_of_rows(their_entries) if entry[1] not in beyond]
        mine = [entry for entry in our_entries if entry[1] not in beyond]
        weakest = mine[: len(rows)][-1][0] if mine and rows else np.inf
        values = {row: value for value, row, _ in mine if value >= weakest or is_same(value, weakest)}
        agreed += sum(row in values and is_same(value, values[row]) for value, row, _ in rows)
        compared += len(rows)
    return agreed, compared


def is_same(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-4 + 1e-3 * abs(other)
