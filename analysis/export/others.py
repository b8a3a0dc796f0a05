"""Tables of numbers of any kind, so that no number of a report is missing from its page."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from analysis.export.cells import ALL_SIZES, Cell, Table, count_cell, head, number_cell, table
from analysis.export.kinds import kind_words
from analysis.export.tables import compared, question
from analysis.stats.results import Number

ROWS_OF_ITS_OWN = 4  # a kind with fewer shares a table with others


def other_tables(numbers: Iterable[Number], title: str) -> list[Table]:
    """A table for each kind with many rows, and one for all others, kinds in the order of the report.

    Parameters
    ----------
    title : str
        Of the table that several kinds share.
    """
    kinds: dict[str, list[Number]] = {}
    for number in numbers:
        kinds.setdefault(number.kind, []).append(number)
    own = [_kind_table(rows) for rows in kinds.values() if len(rows) >= ROWS_OF_ITS_OWN]
    shared = [number for rows in kinds.values() if len(rows) < ROWS_OF_ITS_OWN for number in rows]
    return [*([_shared_table(shared, title)] if shared else []), *own]


def repeated_table(numbers: Sequence[Number]) -> Table:
    """The rows of one size that say again, pooled over sizes, what its own rows say."""
    note = "There is one size: pooled over sizes, every number says what its own row above says."
    rows = [
        (Cell(kind_words(number.kind)), Cell(compared(number.arm, number.versus)), Cell(number.rater),
         number_cell(number))
        for number in numbers
    ]  # fmt: skip
    return table("Pooled over one size", note, head("Quantity", "Arm", "Rater", "#Value"), rows)


def _kind_table(numbers: Sequence[Number]) -> Table:
    note = question(numbers)
    return table(kind_words(numbers[0].kind), note, *_columns(numbers, with_kind=False))


def _shared_table(numbers: Sequence[Number], title: str) -> Table:
    asked = [f"{kind_words(kind)}: {question([*rows])}" for kind, rows in groupby(numbers, lambda row: row.kind)]
    return table(title, " ".join(asked), *_columns(numbers, with_kind=True))


def _columns(numbers: Sequence[Number], *, with_kind: bool) -> tuple[tuple[Cell, ...], list[tuple[Cell, ...]]]:
    """Heads and rows; a column that would be empty is left out."""
    with_size, with_rater = any(row.size for row in numbers), any(row.rater for row in numbers)
    with_part = any(row.part for row in numbers)
    names = [
        *(["Quantity"] * with_kind), *(["Size"] * with_size), "Arm", *(["Rater"] * with_rater), *(["Part"] * with_part),
        "#Value [interval]", "#Neurons", "#Answers", "Method",
    ]  # fmt: skip
    rows = [
        (
            *([Cell(kind_words(row.kind))] * with_kind), *([Cell(row.size or ALL_SIZES)] * with_size),
            Cell(compared(row.arm, row.versus)), *([Cell(row.rater)] * with_rater), *([Cell(row.part)] * with_part),
            number_cell(row), count_cell(row.n), count_cell(row.judgments), Cell(row.method, long=True),
        )
        for row in numbers
    ]  # fmt: skip
    return head(*names), rows
