"""Every value held against what its column allows: all faults are counted, the first ones named by line and column."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.ratings.columns import Column, NotAllowed
from analysis.ratings.problems import MOST_SHOWN, Problem, RatingsRefused, quoted
from analysis.ratings.shape import Long
from analysis.ratings.source import Source

Rows = npt.NDArray[np.int64]


@dataclass
class Faults:
    """What was found so far, by row of the judgments; lines of the file are looked up when all is known."""

    source: Source
    long: Long
    total: int = 0
    found: list[tuple[int, int, str, str]] = field(default_factory=list)  # row, order of column, column, message

    def add(self, rows: Rows, column: str, messages: list[str]) -> None:
        """Faults in some rows, with a message for each of the first ones."""
        place = len(self.found)
        self.total += len(rows)
        first = zip(rows[:MOST_SHOWN].tolist(), messages, strict=False)
        self.found += [(row, place, column, message) for row, message in first]

    def refuse(self) -> None:
        """Raise `RatingsRefused` if anything was found."""
        if not self.total:
            return
        shown = sorted(self.found)[:MOST_SHOWN]
        lines = self.lines([row for row, *_ in shown])
        problems = [
            Problem(message, line, self.long.call(column, row), self.source.place)
            for (row, _, column, message), line in zip(shown, lines, strict=True)
        ]
        raise RatingsRefused(self.source.name, problems, self.total)

    def lines(self, rows: list[int]) -> list[int]:
        """Lines of the file on which some judgments stand."""
        return self.source.lines(self.long.rows[rows].tolist())


def values_read(long: Long, known: tuple[Column, ...], faults: Faults) -> dict[str, npt.NDArray[Any]]:
    """Values of every column that is there; where one is not allowed a fault is noted."""
    return {column.name: _column_read(long, column, faults) for column in known if column.name in long.columns}


def _column_read(long: Long, column: Column, faults: Faults) -> npt.NDArray[Any]:
    texts = long.columns[column.name]
    values = np.empty(max(1, len(texts.values)), dtype=object)
    refused: dict[int, str] = {}
    for code, text in enumerate(texts.values):
        try:
            values[code] = column.read(text)
        except NotAllowed as error:
            refused[code] = f"Received {quoted(text)}; allowed: {error}."
    if refused:
        wrong = np.zeros(len(values), dtype=bool)
        wrong[list(refused)] = True
        rows = np.flatnonzero(wrong[texts.codes])
        faults.add(rows, column.name, [refused[int(texts.codes[row])] for row in rows[:MOST_SHOWN]])
    return values[texts.codes]
