"""The mapping file: how somebody else's columns, words and shape become ours."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.ratings.columns import columns_of
from analysis.ratings.problems import Problem, RatingsRefused

SECTIONS = ("file", "columns", "values", "constants", "wide")
NOT_ASKED, SKIPPED = "not asked", "skipped"
NAMES = tuple(column.name for column in columns_of(()))


@dataclass(frozen=True, slots=True)
class Wide:
    """A matrix of raters and neurons instead of one row for each judgment.

    Attributes
    ----------
    raters : tuple of str
        Every row is a neuron and these columns are raters.
    neurons : str
        Every row is a rater and the other columns are neurons; this file says of each neuron its arm (columns
        `neuron_id`, `arm`, and `size`, `layer`, `study` if there are any).
    blank : {"not asked", "skipped"}
        What an empty cell means.
    """

    raters: tuple[str, ...] = ()
    neurons: str = ""
    blank: str = NOT_ASKED


@dataclass(frozen=True, slots=True)
class FileRules:
    """How a text file is written; empty: found out from the file."""

    separator: str = ""
    encoding: str = ""
    decimal: str = "."


@dataclass(frozen=True, slots=True)
class RatingsMapping:
    """Attributes
    ----------
    columns : dict
        Our name -> theirs.
    values : dict
        Our column -> their word (without regard to case) -> our value.
    constants : dict
        Our column -> what stands in every row of it.
    folder : Path
        Where the file lies; `wide.neurons` is found from there.
    """

    file: FileRules = field(default_factory=FileRules)
    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    wide: Wide | None = None
    folder: Path = field(default_factory=Path)


def mapping_read(path: Path) -> RatingsMapping:
    """Read a mapping file (TOML).

    Raises
    ------
    RatingsRefused
        With every fault found.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RatingsRefused(path.name, [Problem(f"This is not a readable TOML file: {error}.")]) from None
    return mapping_from_dict(data, path.name, path.parent)


def mapping_from_dict(data: Mapping[str, Any], name: str = "mapping", folder: Path | None = None) -> RatingsMapping:
    """The same from plain data.

    Examples
    --------
    >>> mapping_from_dict({"columns": {"judgment": "Interpretable?"}}).columns
    {'judgment': 'Interpretable?'}
    """
    faults = [
        *_unknown("", data, SECTIONS),
        *(fault for section in SECTIONS for fault in _not_table(section, data.get(section, {}))),
    ]
    if not faults:
        faults = [*_column_faults(data), *_value_faults(data), *_file_faults(data), *_wide_faults(data)]
    if faults:
        raise RatingsRefused(name, [Problem(fault) for fault in faults])
    wide = data.get("wide")
    return RatingsMapping(
        file=FileRules(**data.get("file", {})),
        columns=dict(data.get("columns", {})),
        values={column: _words(table) for column, table in data.get("values", {}).items()},
        constants={column: _plain(value) for column, value in data.get("constants", {}).items()},
        wide=None if wide is None else Wide(**{**wide, "raters": tuple(wide.get("raters", ()))}),
        folder=folder or Path(),
    )


def _words(table: Mapping[str, Any]) -> dict[str, str]:
    return {theirs.strip().casefold(): _plain(ours) for theirs, ours in table.items()}


def _plain(value: Any) -> str:
    """A TOML value as it would stand in a file."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def _unknown(section: str, table: Mapping[str, Any], known: tuple[str, ...]) -> list[str]:
    where = f"[{section}] " if section else ""
    return [f"{where}received {name!r}; known are: {', '.join(known)}." for name in table if name not in known]


def _not_table(section: str, value: Any) -> list[str]:
    return [] if isinstance(value, Mapping) else [f"{section}: received {value!r}; give a table."]


def _column_faults(data: Mapping[str, Any]) -> list[str]:
    found = []
    for section in ("columns", "constants"):
        table = data.get(section, {})
        found += _unknown(section, table, NAMES)
        kinds = (str,) if section == "columns" else (str, int, float)
        found += [
            f"[{section}] {name}: received {value!r}; give a text."
            for name, value in table.items()
            if not isinstance(value, kinds) or value == ""
        ]
    both = data.get("columns", {}).keys() & data.get("constants", {}).keys()
    return found + [f"{name} stands in [columns] and in [constants]; keep one of them." for name in sorted(both)]


def _value_faults(data: Mapping[str, Any]) -> list[str]:
    tables = data.get("values", {})
    found = _unknown("values", tables, NAMES)
    for column, table in tables.items():
        found += _not_table(f"values.{column}", table)
        values = table.items() if isinstance(table, Mapping) else ()
        found += [
            f"[values.{column}] {theirs}: received {ours!r}; give a text or a number."
            for theirs, ours in values
            if not isinstance(ours, str | int | float)
        ]
    return found


def _file_faults(data: Mapping[str, Any]) -> list[str]:
    table = data.get("file", {})
    found = _unknown("file", table, ("separator", "encoding", "decimal"))
    for name, allowed in (("separator", "one character"), ("decimal", '"." or ","'), ("encoding", "a name of one")):
        value = table.get(name, ".")
        fits = isinstance(value, str) and (name == "encoding" or len(value) == 1)
        if not fits or (name == "decimal" and value not in ".,"):
            found.append(f"[file] {name}: received {value!r}; give {allowed}.")
    return found or _encoding_faults(table.get("encoding", "utf-8"))


def _encoding_faults(encoding: str) -> list[str]:
    try:
        "".encode(encoding)
    except LookupError:
        return [f"[file] encoding: received {encoding!r}; give a name that Python knows, as utf-8 or cp1252."]
    return []


def _wide_faults(data: Mapping[str, Any]) -> list[str]:
    if "wide" not in data:
        return []
    table = data["wide"]
    found = _unknown("wide", table, ("raters", "neurons", "blank"))
    raters, neurons = table.get("raters", []), table.get("neurons", "")
    if not isinstance(raters, list) or not all(isinstance(rater, str) and rater for rater in raters):
        found.append(f"[wide] raters: received {raters!r}; give a list of columns.")
    if not isinstance(neurons, str):
        found.append(f"[wide] neurons: received {neurons!r}; give the name of a file.")
    if bool(raters) == bool(neurons):
        found.append("[wide] give either raters (each row is a neuron) or neurons (each row is a rater), and not both.")
    if table.get("blank", NOT_ASKED) not in (NOT_ASKED, SKIPPED):
        found.append(f"[wide] blank: received {table['blank']!r}; choose {NOT_ASKED!r} or {SKIPPED!r}.")
    return found
