"""Tables of numbers of any kind, so that no number of a report is missing from its page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from analysis.export.blocks import Block, Folded
from analysis.export.cells import ALL_SIZES, Cell, Table, count_cell, head, number_cell, table
from analysis.export.kinds import kind_words
from analysis.export.tables import compared, question
from analysis.stats.results import Number

ROWS_OF_ITS_OWN = 5  # a kind with fewer shares a table with others


def other_blocks(numbers: Iterable[Number], title: str) -> Iterator[Block]:
    """One table of all kinds with few rows, what each of them asks, and a folded table for each kind with many.

    Parameters
    ----------
    title : str
        Of the table that several kinds share.
    """
    kinds: dict[str, list[Number]] = {}
    for number in numbers:
        kinds.setdefault(number.kind, []).append(number)
    shared = {kind: rows for kind, rows in kinds.items() if len(rows) < ROWS_OF_ITS_OWN}
    if shared:
        yield table(title, "", *_columns([row for rows in shared.values() for row in rows], with_kind=True))
        asked = f"{title}: questions and methods"
        yield Folded(asked, (questions_table(asked, shared),))
    for kind, rows in kinds.items():
        if kind not in shared:
            yield Folded(kind_words(kind), (_kind_table(rows),))


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
    note = f"{question(numbers)} Method: {_methods(numbers)}."
    return table(kind_words(numbers[0].kind), note, *_columns(numbers, with_kind=False))


def questions_table(title: str, kinds: Mapping[str, Sequence[Number]]) -> Table:
    """What each kind of number answers, and how it was made."""
    rows = [
        (Cell(kind_words(kind), long=True), Cell(question(numbers), long=True), Cell(_methods(numbers), long=True))
        for kind, numbers in kinds.items()
    ]
    return table(title, "", head("Quantity", "Question", "Method"), rows)


def _methods(numbers: Sequence[Number]) -> str:
    return "; ".join(dict.fromkeys(number.method for number in numbers))


def _columns(numbers: Sequence[Number], *, with_kind: bool) -> tuple[tuple[Cell, ...], list[tuple[Cell, ...]]]:
    """Heads and rows; a column that would be empty is left out."""
    with_size, with_rater = any(row.size for row in numbers), any(row.rater for row in numbers)
    with_part = any(row.part for row in numbers)
    names = [
        *(["Quantity"] * with_kind), "#Value [interval]", *(["Size"] * with_size), "Arm", *(["Rater"] * with_rater),
        *(["Part"] * with_part), "#Neurons", "#Answers",
    ]  # fmt: skip
    rows = [
        (
            *([Cell(kind_words(row.kind))] * with_kind), number_cell(row), *([Cell(row.size or ALL_SIZES)] * with_size),
            Cell(compared(row.arm, row.versus)), *([Cell(row.rater)] * with_rater), *([Cell(row.part)] * with_part),
            count_cell(row.n), count_cell(row.judgments),
        )
        for row in numbers
    ]  # fmt: skip
    return head(*names), rows
