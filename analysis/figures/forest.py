"""Forest plot of differences between arms: the panel first, then each rater alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.figures.svg import Drawing, points, sentence, shortened
from analysis.stats.results import Number

WIDTH, SIDE, TOP, ROW, BOTTOM = 380.0, 8.0, 46.0, 44.0, 48.0
STEP = 0.2  # between ticks


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One line of the plot; main lines are drawn large and filled."""

    label: str
    number: Number
    main: bool


def forest_figure(rows: Sequence[DifferenceRow], *, note: str) -> str:
    """SVG of differences with intervals.

    Parameters
    ----------
    rows : sequence of DifferenceRow
        From top to bottom.
    note : str
        Who the raters are; printed in the figure.

    Returns
    -------
    str
        An SVG document.
    """
    height = TOP + ROW * len(rows) + BOTTOM
    drawing = Drawing("differences", WIDTH, height, "Differences between arms", _description(rows, note))
    drawing.heading("Difference in percentage points", note)
    low, high = _range(rows)
    _axis(drawing, low, high, height - BOTTOM)
    for index, row in enumerate(rows):
        _row(drawing, row, TOP + ROW * index, low, high)
    return drawing.document()


def _range(rows: Sequence[DifferenceRow]) -> tuple[float, float]:
    """Whole ticks around every interval and around zero."""
    ends = [end for row in rows if row.number.defined for end in (row.number.low, row.number.high)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    return STEP * math.floor(low / STEP - 1e-9), STEP * math.ceil(high / STEP + 1e-9)


def _axis(drawing: Drawing, low: float, high: float, bottom: float) -> None:
    for x, value in _ticks(low, high):
        drawing.text(x, bottom + 18, points(value), anchor="middle", size=12, quiet=True)
    zero = min(max(_x(0.0, low, high), 110.0), WIDTH - 110.0)
    drawing.text(zero, bottom + 38, "← fewer than the baseline · more →", anchor="middle", size=12, quiet=True)


def _ticks(low: float, high: float) -> list[tuple[float, float]]:
    """Place and value of every tick."""
    return [(_x(tick * STEP, low, high), tick * STEP) for tick in range(round(low / STEP), round(high / STEP) + 1)]


def _row(drawing: Drawing, row: DifferenceRow, top: float, low: float, high: float) -> None:
    number, y = row.number, top + 28
    for x, value in _ticks(low, high):
        # Grid lines stay in the lane of the mark, so that none runs through the words above it.
        drawing.line(x, y - 8, x, y + 10, width=1.5 if value == 0 else 1, faint=value != 0)
    drawing.text(SIDE, top + 15, shortened(row.label, 34), bold=row.main)
    drawing.text(WIDTH - SIDE, top + 15, _value(number), anchor="end", bold=row.main)
    if not number.defined:
        return
    radius = 6.0 if row.main else 4.0
    middle = _x(number.estimate, low, high)
    for end, direction in ((number.low, -1), (number.high, 1)):
        edge = _x(end, low, high)
        if direction * (edge - middle) > radius + 1:
            drawing.line(edge, y, middle + direction * (radius + 1), y, width=2 if row.main else 1.2)
        drawing.line(edge, y - 4, edge, y + 4, width=2 if row.main else 1.2)
    drawing.marker(1 if row.main else 0, middle, y, radius, filled=row.main, tip=f"{row.label}: {_value(number)}")


def _x(difference: float, low: float, high: float) -> float:
    inner = WIDTH - 2 * SIDE - 20
    return SIDE + 10 + inner * (difference - low) / (high - low if high > low else 1.0)


def _value(number: Number) -> str:
    if not number.defined:
        return "no data"
    return f"{points(number.estimate)} [{points(number.low)}, {points(number.high)}]"


def _description(rows: Sequence[DifferenceRow], note: str) -> str:
    lead = (
        f"Points of difference with intervals; filled squares: the panel, circles: one rater each. Judged by {note}. "
    )
    return lead + sentence(f"{row.label}: {_value(row.number)}" for row in rows)
