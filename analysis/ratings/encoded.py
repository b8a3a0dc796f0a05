"""A column of text as its distinct values and where they stand, so that a million rows are checked value by value."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Encoded:
    """Attributes
    ----------
    codes : (rows,) int64
        Which of `values` stands in each row.
    values : tuple of str
        Distinct texts, without white space at their ends.
    """

    codes: npt.NDArray[np.int64]
    values: tuple[str, ...]

    @classmethod
    def of(cls, column: pa.ChunkedArray | pa.Array) -> "Encoded":
        """From an Arrow column of texts; nulls are empty texts."""
        flat = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        coded = pc.fill_null(flat.cast(pa.large_string()), "").dictionary_encode()
        return cls(coded.indices.to_numpy(zero_copy_only=False).astype(np.int64), ()).renamed(
            coded.dictionary.to_pylist(), str.strip
        )

    @classmethod
    def constant(cls, text: str, rows: int) -> "Encoded":
        return cls(np.zeros(rows, dtype=np.int64), (text,))

    @classmethod
    def stacked(cls, columns: Sequence["Encoded"]) -> "Encoded":
        """Several columns of the same rows as one, row by row: the first row's values, then the second's."""
        values: dict[str, int] = {}
        parts = []
        for column in columns:
            places = np.array([values.setdefault(value, len(values)) for value in column.values], dtype=np.int64)
            parts.append(places[column.codes] if len(places) else column.codes)
        return cls(np.stack(parts, axis=1).ravel(), tuple(values))

    def renamed(self, texts: Sequence[str], change: Callable[[str], str]) -> "Encoded":
        """The same rows with other texts; texts that become equal become one."""
        values: dict[str, int] = {}
        places = np.array([values.setdefault(change(text), len(values)) for text in texts], dtype=np.int64)
        return Encoded(places[self.codes] if len(places) else self.codes, tuple(values))

    def changed(self, change: Callable[[str], str]) -> "Encoded":
        return self.renamed(self.values, change)

    def take(self, rows: npt.NDArray[np.int64]) -> "Encoded":
        return Encoded(self.codes[rows], self.values)

    def texts(self) -> npt.NDArray[np.object_]:
        return np.array(self.values or ("",), dtype=object)[self.codes]

    def used(self) -> list[str]:
        """Texts that stand in some row, in the order in which they come first."""
        places, first = np.unique(self.codes, return_index=True)
        return [self.values[place] for place in places[np.argsort(first, kind="stable")]]
