"""Cells of tables: text, and for a number of the report its anchor, status and, where it was refused, the reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analysis.export.words import NOTHING, both
from analysis.stats.results import Number

ALL_SIZES = "all sizes"  # with equal weights, as the report says above its tables
# What the frozen plan makes of a number, in the order of its weight.
STATUSES = ("primary", "planned", "sensitivity", "exploratory")
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-")


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    number: bool = False  # printed to the right
    id: str = ""  # anchor of a number of the report
    status: str = ""  # of that number
    refused: str = ""  # why it has no interval
    long: bool = False  # words that may break into lines


@dataclass(frozen=True, slots=True)
class Table:
    """`note` says which question the intervals answer, `statuses` what the plan makes of them."""

    title: str
    note: str
    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    statuses: tuple[str, ...] = ()

    kind = "table"


def anchor(number_id: str) -> str:
    """The id of a number as an address within a page: one for each, without spaces or signs.

    Examples
    --------
    >>> anchor("band: 90–100 %/all/solu/all/all")
    'band~3a~2090~2013100~20~25/all/solu/all/all'
    """
    return "".join(letter if letter in PLAIN else f"~{ord(letter):x}" for letter in number_id)


def number_cell(number: Number | None) -> Cell:
    """Estimate and interval."""
    if number is None:
        return Cell(NOTHING, number=True)
    return Cell(both(number), number=True, id=anchor(number.id), status=number.status, refused=number.refused)


def count_cell(count: int) -> Cell:
    return Cell(f"{count:,}", number=True)


def head(*names: str) -> tuple[Cell, ...]:
    """Column heads; a leading # marks a column of figures."""
    return tuple(Cell(name.removeprefix("#"), number=name.startswith("#")) for name in names)


def table(title: str, note: str, heads: tuple[Cell, ...], rows: Sequence[tuple[Cell, ...]]) -> Table:
    """A table that says the status of its numbers, in a column where they differ, and why intervals are missing."""
    found = {cell.status for row in rows for cell in row if cell.status}
    statuses = tuple(status for status in STATUSES if status in found)
    refused = dict.fromkeys(cell.refused for row in rows for cell in row if cell.refused)
    note = " ".join([note, *(f"No interval: {reason.rstrip('.')}." for reason in refused)])
    if len(statuses) > 1:
        heads = (*heads, Cell("Status"))
        rows = [(*row, Cell(_status_of(row))) for row in rows]
    return Table(title, note, heads, tuple(rows), statuses)


def _status_of(row: Iterable[Cell]) -> str:
    found = {cell.status for cell in row if cell.status}
    return ", ".join(status for status in STATUSES if status in found)
