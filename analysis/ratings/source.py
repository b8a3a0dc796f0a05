"""A file as columns of text: CSV of any separator, or Parquet. Knows on which line each of its rows stands."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from analysis.ratings.encoded import Encoded
from analysis.ratings.mapping import FileRules
from analysis.ratings.problems import Problem, RatingsRefused

SEPARATORS = (",", ";", "\t", "|")
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
UTF8_MARK = b"\xef\xbb\xbf"
SEPARATOR_LINE = re.compile(rb"sep=(.)\r?\n", re.IGNORECASE)  # Excel's own way to name the separator
PROTECTED = re.compile(r"'(?=[=+\-@\t\r\n])")  # our exports put an apostrophe before what spreadsheets would run
LONGEST_FIELD = 2**24


@dataclass
class Source:
    """Attributes
    ----------
    name : str
    table : pyarrow.Table
        Texts in text files, anything in Parquet.
    kept : (rows,) int64
        Which rows of the file are not blank.
    text : str or None
        A text file's own text.
    """

    name: str
    table: pa.Table
    kept: npt.NDArray[np.int64]
    text: bytes | None = None
    separator: str = ""
    skipped_lines: int = 0
    _encoded: dict[str, Encoded] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return "row" if self.text is None else "line"

    @property
    def columns(self) -> list[str]:
        return [name for name in self.table.column_names if name.strip()]

    @property
    def blank(self) -> int:
        """Rows in which nothing stands."""
        return int(self.table.num_rows - len(self.kept))

    def column(self, name: str) -> Encoded:
        """One column as texts."""
        if name not in self._encoded:
            encoded = Encoded.of(_as_text(self.table.column(name), self.name, name)).take(self.kept)
            plain = encoded.changed(_unprotected) if self.text is not None else encoded
            self._encoded[name] = plain
        return self._encoded[name]

    def lines(self, rows: Sequence[int]) -> list[int]:
        """Lines (or rows of a Parquet file) on which some of the rows that are not blank begin, from 1."""
        if self.text is None:
            return [int(self.kept[row]) + 1 for row in rows]
        width = self.table.num_columns
        records = _records(self.text, self.separator, self.skipped_lines)
        starts = [start for start, fields in records if len(fields) == width][1:]
        return [starts[self.kept[row]] for row in rows]


def source_read(path: Path, rules: FileRules | None = None) -> Source:
    """Read a file whole.

    Raises
    ------
    RatingsRefused
        When it cannot be read, or rows have more or fewer fields than the heading: each of them named.
    """
    rules = rules or FileRules()
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            return _parquet(path)
        data = path.read_bytes()
    except OSError as error:
        raise RatingsRefused(path.name, [Problem(f"It cannot be read: {error.strerror or error}.")]) from None
    return _csv(path.name, data, rules)


def _parquet(path: Path) -> Source:
    try:
        table = pq.ParquetFile(path).read()
    except pa.ArrowInvalid as error:
        raise RatingsRefused(path.name, [Problem(f"This is not a Parquet file: {error}.")]) from None
    return Source(path.name, table, np.arange(table.num_rows, dtype=np.int64))


def _csv(name: str, data: bytes, rules: FileRules) -> Source:
    data = _as_utf8(name, data, rules.encoding)
    skipped = 0
    separator = rules.separator
    if named := SEPARATOR_LINE.match(data):
        data, skipped = data[named.end() :], 1
        separator = separator or named[1].decode()
    if not data.strip():
        raise RatingsRefused(name, [Problem("The file is empty; its first line must name the columns.")])
    separator = separator or _separator(data)
    heading = _heading(name, data, separator)
    table = _table(name, data, separator, heading, skipped)
    return Source(name, table, _not_blank(table), data, separator, skipped)


def _as_utf8(name: str, data: bytes, encoding: str) -> bytes:
    encoding = encoding or ("utf-16" if data.startswith(UTF16_MARKS) else "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        said = f"This is not {encoding}. Save the file as UTF-8, or name its encoding in a mapping ([file] encoding)."
        raise RatingsRefused(name, [Problem(said, line)]) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise RatingsRefused(name, [Problem("A zero byte, which no text has; is this a CSV file?", line)])
    if "\n" not in text:  # old line breaks
        text = text.replace("\r", "\n")
    return text.encode().removeprefix(UTF8_MARK)


def _separator(data: bytes) -> str:
    """What parts the heading into most columns; a comma if nothing does."""
    heading = data.split(b"\n", 1)[0].decode()
    return max(SEPARATORS, key=lambda sign: len(next(csv.reader([heading], delimiter=sign), [])))


def _heading(name: str, data: bytes, separator: str) -> list[str]:
    """Names of the columns; those without a name are left without."""
    _, first = next(_records(data, separator, 0))
    names = [text.strip() for text in first]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise RatingsRefused(name, [Problem("Two columns have this name; rename one.", 1, name) for name in twice])
    return names


def _table(name: str, data: bytes, separator: str, heading: list[str], skipped: int) -> pa.Table:
    """All columns as texts, or every row that has another number of fields than the heading."""
    uneven: list[object] = []
    unnamed = [f"\0{number}" for number in range(len(heading))]

    def noted(row: arrow_csv.InvalidRow) -> str:
        if row.text.strip():
            uneven.append(row)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(use_threads=False, column_names=unnamed, block_size=2**25),
            parse_options=arrow_csv.ParseOptions(
                delimiter=separator, newlines_in_values=True, invalid_row_handler=noted
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(unnamed, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise RatingsRefused(name, _uneven(data, separator, heading, skipped) or [Problem(f"{error}.")]) from None
    if uneven:
        faults = _uneven(data, separator, heading, skipped)
        raise RatingsRefused(name, faults, len(uneven))
    return table.slice(1).rename_columns(_distinct(heading))


def _distinct(heading: list[str]) -> list[str]:
    """Columns without a name keep none, but Arrow needs them to differ: only the first is without."""
    return [name or " " * number for number, name in enumerate(heading)]


def _uneven(data: bytes, separator: str, heading: list[str], skipped: int) -> list[Problem]:
    wanted = len(heading)
    advice = f"the heading has {wanted}. Put texts that hold {separator!r} in quotes."
    return [
        Problem(f"Received {len(fields)} fields; {advice}", start)
        for start, fields in _records(data, separator, skipped)
        if len(fields) != wanted and "".join(fields).strip()
    ]


def _records(data: bytes, separator: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Every record that is not an empty line, with the line it begins on; a quoted text may go over several."""
    csv.field_size_limit(LONGEST_FIELD)
    reader = csv.reader(io.StringIO(data.decode(), newline=""), delimiter=separator)
    start = 1
    for fields in reader:
        if fields:
            yield start + skipped, fields
        start = reader.line_num + 1


def _not_blank(table: pa.Table) -> npt.NDArray[np.int64]:
    """Rows in which something stands: spreadsheets leave rows of separators at the end."""
    blank = np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        if not blank.any():
            break
        blank &= pc.equal(pc.utf8_trim_whitespace(column), "").to_numpy()
    return np.flatnonzero(~blank)


def _as_text(column: pa.ChunkedArray, file: str, name: str) -> pa.ChunkedArray:
    """A Parquet column as its values would stand in a text file; what is missing is an empty text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_nested(kind):
        raise RatingsRefused(file, [Problem(f"Received values of the type {kind}; give numbers or texts.", None, name)])
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    return column.cast(pa.large_string())


def _unprotected(text: str) -> str:
    return PROTECTED.sub("", text, count=1) if text.startswith("'") else text
