"""From a file to one row for each judgment: columns found by name, words translated, a matrix unfolded."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt

from analysis.ratings.columns import Column
from analysis.ratings.encoded import Encoded
from analysis.ratings.mapping import NOT_ASKED, RatingsMapping, Wide
from analysis.ratings.problems import Problem, RatingsRefused
from analysis.ratings.source import Source, source_read

NUMERIC = {"seconds", "active_seconds", "score"}
NEURON_FACTS = ("study", "size", "arm", "layer", "corpus", "task")


@dataclass(frozen=True, slots=True)
class Long:
    """One row for each judgment.

    Attributes
    ----------
    columns : dict
        Our name -> texts.
    called : dict
        Our name -> what the file calls the column, for messages.
    rows : (rows,) int64
        Row of the file that each judgment comes from.
    cells : Encoded or None
        In a matrix: the column that each judgment comes from.
    unused : tuple of str
        Columns of the file that are not read.
    not_asked : int
        Empty cells of a matrix that are no judgments.
    """

    columns: dict[str, Encoded]
    called: dict[str, str]
    rows: npt.NDArray[np.int64]
    cells: Encoded | None
    unused: tuple[str, ...]
    not_asked: int = 0

    def call(self, name: str, row: int) -> str:
        """What the file calls the column of one judgment's value."""
        if self.cells is not None and name in ("judgment", "rater", "neuron_id"):
            return str(self.cells.values[self.cells.codes[row]])
        return self.called.get(name, name)


def shaped(source: Source, mapping: RatingsMapping, known: tuple[Column, ...]) -> Long:
    """The judgments of a file, still as texts.

    Raises
    ------
    RatingsRefused
        When a column is missing: needed and not there, or named in the mapping and not there.
    """
    names = tuple(column.name for column in known)
    long = _tall(source, mapping, names) if mapping.wide is None else _unfolded(source, mapping, mapping.wide, names)
    constants = {name: Encoded.constant(text, len(long.rows)) for name, text in mapping.constants.items()}
    columns = {**long.columns, **constants}
    missing = [column.name for column in known if column.needed and column.name not in columns]
    if missing:
        raise RatingsRefused(source.name, [_missing(name, source.columns) for name in missing])
    translated = {name: column.changed(_translator(name, mapping)) for name, column in columns.items()}
    return Long(translated, long.called, long.rows, long.cells, long.unused, long.not_asked)


def _tall(source: Source, mapping: RatingsMapping, names: tuple[str, ...]) -> Long:
    there = source.columns
    _all_there(source, list(mapping.columns.values()))
    taken = set(mapping.columns.values())
    called = {name: name for name in names if name in there and name not in taken and name not in mapping.constants}
    called |= mapping.columns
    columns = {name: source.column(theirs) for name, theirs in called.items()}
    unused = tuple(name for name in there if name not in called.values())
    return Long(columns, called, np.arange(len(source.kept)), None, unused)


def _unfolded(source: Source, mapping: RatingsMapping, wide: Wide, names: tuple[str, ...]) -> Long:
    return _rows_are_raters(source, mapping, wide) if wide.neurons else _rows_are_neurons(source, mapping, wide, names)


def _rows_are_neurons(source: Source, mapping: RatingsMapping, wide: Wide, names: tuple[str, ...]) -> Long:
    _all_there(source, list(wide.raters))
    tall = _tall(source, mapping, names)
    place, cells, judgment, kept = _cells(source, wide.raters, wide.blank)
    columns = {name: column.take(place) for name, column in tall.columns.items() if name not in ("rater", "judgment")}
    unused = tuple(name for name in tall.unused if name not in wide.raters)
    return Long(columns | {"rater": cells, "judgment": judgment}, tall.called, place, cells, unused, int((~kept).sum()))


def _rows_are_raters(source: Source, mapping: RatingsMapping, wide: Wide) -> Long:
    neurons = source_read(mapping.folder / wide.neurons)
    needed = [name for name in ("neuron_id", "arm") if name not in neurons.columns]
    if needed:
        raise RatingsRefused(neurons.name, [_missing(name, neurons.columns) for name in needed])
    rater = mapping.columns.get("rater", "rater")
    _all_there(source, [rater, *mapping.columns.values()])
    names = neurons.column("neuron_id").texts().tolist()
    _neurons_checked(neurons, names, source, rater)
    columns = [name for name in source.columns if name in set(names)]
    place, cells, judgment, kept = _cells(source, tuple(columns), wide.blank)
    row_of = {name: row for row, name in enumerate(names)}
    rows = np.array([row_of[name] for name in columns], dtype=np.int64)[cells.codes]
    facts = {name: neurons.column(name).take(rows) for name in NEURON_FACTS if name in neurons.columns}
    found = facts | {"neuron_id": cells, "judgment": judgment, "rater": source.column(rater).take(place)}
    unused = tuple(name for name in source.columns if name not in {*columns, rater})
    return Long(found, {"rater": rater}, place, cells, unused, int((~kept).sum()))


def _neurons_checked(neurons: Source, names: list[str], source: Source, rater: str) -> None:
    """Every neuron stands in its file once, and every column but the rater's is one of them."""
    twice = sorted({name for name in names if names.count(name) > 1})[:50]
    faults = [Problem("Two rows have this neuron; give each once.", None, name) for name in twice]
    if faults:
        raise RatingsRefused(neurons.name, faults)
    strange = [name for name in source.columns if name not in {*names, rater}]
    if strange:
        said = f"{neurons.name} has no such neuron; add it there, or take the column out."
        raise RatingsRefused(source.name, [Problem(said, None, name) for name in strange], len(strange))


def _cells(
    source: Source, names: tuple[str, ...], blank: str
) -> tuple[npt.NDArray[np.int64], Encoded, Encoded, npt.NDArray[np.bool_]]:
    """Row, column and text of every cell that is a judgment, row by row; and which cells are."""
    rows = len(source.kept)
    judgment = Encoded.stacked([source.column(name) for name in names])
    empty = np.array([text == "" for text in (judgment.values or ("",))])[judgment.codes]
    kept = ~empty if blank == NOT_ASKED else np.ones(len(empty), dtype=bool)
    chosen = np.flatnonzero(kept)
    cells = Encoded(np.tile(np.arange(len(names)), rows)[chosen], names)
    return np.repeat(np.arange(rows), len(names))[chosen], cells, judgment.take(chosen), kept


def _all_there(source: Source, names: list[str]) -> None:
    missing = [name for name in dict.fromkeys(names) if name not in source.columns]
    if missing:
        said = "The mapping names it"
        raise RatingsRefused(source.name, [_missing(name, source.columns, said) for name in missing], len(missing))


def _missing(name: str, there: list[str], why: str = "It is needed") -> Problem:
    near = get_close_matches(name, there, 1)
    hint = f" Did you mean {near[0]!r}? A mapping file can rename it." if near else ""
    return Problem(f"{why} and is not there; the columns are: {', '.join(there) or 'none'}.{hint}", None, name)


def _translator(name: str, mapping: RatingsMapping) -> Callable[[str], str]:
    """From their word to our value; a decimal comma becomes a point."""
    words = mapping.values.get(name, {})
    comma = name in NUMERIC and mapping.file.decimal == ","

    def translated(text: str) -> str:
        found = words.get(text.casefold(), text)
        return found.replace(",", ".") if comma else found

    return translated
