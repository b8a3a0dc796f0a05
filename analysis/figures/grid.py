"""One contrast under many choices: a row for each choice of question, in it a lane for each choice of exclusions."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.figures.forest import DIFFERENCES, Scale, axis_draw, axis_range, estimate_said, ticks_draw, x_of
from analysis.figures.svg import Drawing, sentence, shortened
from analysis.stats.results import Number

WIDTH, SIDE, TOP, HEAD, LANE, GROUP, BOTTOM = 380.0, 8.0, 50.0, 20.0, 11.0, 26.0, 48.0
LEGEND, RADIUS, LETTER = 20.0, 3.6, 7.2


@dataclass(frozen=True, slots=True)
class GridRow:
    """What was chosen, and the numbers under each choice of the legend, in its order; None: not computed."""

    label: str
    group: str
    numbers: tuple[Number | None, ...]


def grid_figure(
    rows: Sequence[GridRow], lanes: Sequence[str], *, main: str, title: str, heading: str, note: str,
    scale: Scale = DIFFERENCES,
) -> str:  # fmt: skip
    """SVG of a sensitivity grid.

    Parameters
    ----------
    rows : sequence of GridRow
        Those of one group beside each other.
    lanes : sequence of str
        The legend: what each number of a row was computed under.
    main : str
        Id of the number that the plan chose; its mark is filled.
    note : str
        Who the raters are; printed in the figure.
    """
    groups = list(dict.fromkeys(row.group for row in rows))
    legend = _legend_rows(lanes)
    whole = TOP + LEGEND * legend + GROUP * len(groups) + sum(map(_height, rows)) + BOTTOM
    drawing = Drawing("sensitivity", WIDTH, whole, title, _description(rows, lanes, note, scale))
    drawing.heading(heading, note)
    _legend(drawing, lanes)
    numbers = [number for row in rows for number in row.numbers if number is not None]
    low, high = axis_range(numbers, scale)
    axis_draw(drawing, low, high, whole - BOTTOM, scale)
    top = TOP + LEGEND * legend
    for group in groups:
        drawing.text(SIDE, top + 17, shortened(group, 52), bold=True, quiet=True)
        top += GROUP
        for row in (row for row in rows if row.group == group):
            _row(drawing, row, lanes, top, main, (low, high, scale))
            top += _height(row)
    return drawing.document()


def _height(row: GridRow) -> float:
    """Room for the lanes that this row has."""
    return HEAD + LANE * max(1, sum(number is not None for number in row.numbers)) + 6


def _legend_rows(lanes: Sequence[str]) -> int:
    return 1 + int(sum(_room(lane) for lane in lanes) > WIDTH - 2 * SIDE) if lanes else 0


def _room(lane: str) -> float:
    return 18 + LETTER * len(lane) + 12


def _legend(drawing: Drawing, lanes: Sequence[str]) -> None:
    x, y = SIDE, TOP
    for shape, lane in enumerate(lanes):
        if x > SIDE and x + _room(lane) > WIDTH - SIDE:
            x, y = SIDE, y + LEGEND
        drawing.marker(shape, x + 6, y, RADIUS, filled=False, tip=lane)
        drawing.text(x + 16, y + 4.5, lane, size=12)
        x += _room(lane)


def _row(
    drawing: Drawing, row: GridRow, lanes: Sequence[str], top: float, main: str, axis: tuple[float, float, Scale]
) -> None:
    low, high, scale = axis
    first = next((number for number in row.numbers if number is not None), None)
    said = "" if first is None else estimate_said(first, scale)
    drawing.text(SIDE, top + 12, shortened(row.label, 51 - len(said)))
    drawing.text(WIDTH - SIDE, top + 12, said, anchor="end")
    ticks_draw(drawing, top + HEAD - 3, top + _height(row) - 6, axis)
    asked = enumerate(zip(lanes, row.numbers, strict=True))
    there = [(shape, lane, number) for shape, (lane, number) in asked if number is not None]
    for index, (shape, lane, number) in enumerate(there):
        if not number.defined:
            continue
        y, middle = top + HEAD + LANE * index + LANE / 2, x_of(number.estimate, low, high)
        for end, direction in ((number.low, -1), (number.high, 1)) if number.bounded else ():
            edge = x_of(end, low, high)
            if direction * (edge - middle) > RADIUS + 1:
                drawing.line(edge, y, middle + direction * (RADIUS + 1), y, width=1.2)
        tip = f"{row.group}, {row.label}, {lane}: {estimate_said(number, scale)}"
        drawing.marker(shape, middle, y, RADIUS, filled=number.id == main, tip=tip)


def _description(rows: Sequence[GridRow], lanes: Sequence[str], note: str, scale: Scale) -> str:
    said = (
        f"{row.group}, {row.label}, {lane}: {estimate_said(number, scale)}"
        for row in rows
        for lane, number in zip(lanes, row.numbers, strict=True)
        if number is not None
    )
    lead = f"Points of difference with intervals, marks for {', '.join(lanes)}; filled: what the plan chose."
    return f"{lead} Judged by {note}. {sentence(said)}"
