"""Estimates with intervals under each other: differences between arms, agreement, the blind, sensitivity analyses."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from analysis.figures.svg import Drawing, decimals, percent, points, sentence, shortened
from analysis.stats.results import Number

WIDTH, SIDE, TOP, ROW, GROUP, BOTTOM = 380.0, 8.0, 46.0, 44.0, 26.0, 48.0
LETTER = 6.2  # mean width of a small letter
LABEL = 34  # characters beside the value


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One line of the plot; main lines are drawn large and filled. `group` is printed above its first line."""

    label: str
    number: Number
    main: bool
    group: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """The axis of a plot.

    Attributes
    ----------
    step : float
        Between ticks, in the unit of the numbers.
    form : callable
        How a value is written.
    zero : float
        Where a line is drawn: no difference, or what chance would give.
    words : str
        Under the axis.
    low, high : float
        The axis spans at least these.
    """

    step: float
    form: Callable[[float], str]
    zero: float
    words: str
    low: float
    high: float


DIFFERENCES = Scale(0.2, points, 0.0, "← fewer than the baseline · more →", 0.0, 0.0)
SHARES = Scale(0.2, percent, 0.0, "", 0.0, 1.0)
COEFFICIENTS = Scale(0.2, decimals, 0.0, "0: as by chance · 1: complete agreement", 0.0, 1.0)
INDICES = Scale(0.5, decimals, 0.0, "0: random guessing · 1: every guess right", -1.0, 1.0)


def forest_figure(
    rows: Sequence[DifferenceRow],
    *,
    note: str,
    name: str = "differences",
    title: str = "Differences between arms",
    heading: str = "Difference in percentage points",
    lead: str = "Points of difference with intervals; filled squares: the panel, circles: one rater each.",
    scale: Scale = DIFFERENCES,
) -> str:
    """SVG of estimates with intervals.

    Parameters
    ----------
    rows : sequence of DifferenceRow
        From top to bottom.
    note : str
        Who the raters are; printed in the figure.
    name : str
        Begins the ids in the document; one page may hold several figures.
    title, lead : str
        What the figure is, and what its marks mean, for those who do not see it.
    heading : str
        Printed over it.

    Returns
    -------
    str
        An SVG document.
    """
    height = TOP + ROW * len(rows) + GROUP * sum(1 for _ in _groups(rows)) + BOTTOM
    drawing = Drawing(name, WIDTH, height, title, _description(rows, note, lead, scale))
    drawing.heading(heading, note)
    low, high = axis_range([row.number for row in rows], scale)
    axis_draw(drawing, low, high, height - BOTTOM, scale)
    top, headed = TOP, set(_groups(rows))
    for index, row in enumerate(rows):
        if index in headed:
            drawing.text(SIDE, top + 18, shortened(row.group, 52), bold=True, quiet=True)
            top += GROUP
        _row(drawing, row, top, low, high, scale)
        top += ROW
    return drawing.document()


def _groups(rows: Sequence[DifferenceRow]) -> Iterator[int]:
    """The lines that a new group begins with."""
    before = ""
    for index, row in enumerate(rows):
        if row.group and row.group != before:
            yield index
        before = row.group


def axis_range(numbers: Sequence[Number], scale: Scale) -> tuple[float, float]:
    """Whole ticks around every estimate and interval, and around what the scale spans at least."""
    ends = [end for number in numbers if number.defined for end in _ends(number)]
    low, high = min([scale.low, *ends]), max([scale.high, *ends])
    low, high = scale.step * math.floor(low / scale.step + 1e-9), scale.step * math.ceil(high / scale.step - 1e-9)
    return low, high if high > low else low + scale.step


def _ends(number: Number) -> tuple[float, ...]:
    return (number.low, number.estimate, number.high) if number.bounded else (number.estimate,)


def axis_draw(drawing: Drawing, low: float, high: float, bottom: float, scale: Scale) -> None:
    """The values of the ticks, and the words under them."""
    for x, value in _ticks(low, high, scale):
        drawing.text(x, bottom + 18, scale.form(value), anchor="middle", size=12, quiet=True)
    if scale.words:
        half = LETTER * len(scale.words) / 2 + SIDE
        middle = min(max(x_of(scale.zero, low, high), half), WIDTH - half)
        drawing.text(middle, bottom + 38, scale.words, anchor="middle", size=12, quiet=True)


def _ticks(low: float, high: float, scale: Scale) -> list[tuple[float, float]]:
    """Place and value of every tick; every second one where they would run into each other."""
    numbers = range(round(low / scale.step), round(high / scale.step) + 1)
    every = 1 + (len(numbers) - 1) // 9
    return [(x_of(tick * scale.step, low, high), tick * scale.step) for tick in numbers if tick % every == 0]


def ticks_draw(drawing: Drawing, top: float, bottom: float, axis: tuple[float, float, Scale]) -> None:
    """Grid lines that stay in the lane of a mark, so that none runs through the words above it."""
    low, high, scale = axis
    ticks = _ticks(low, high, scale)
    faint = [x for x, value in ticks if abs(value - scale.zero) > 1e-9]
    drawing.grid_lines(faint, top, bottom)
    if low <= scale.zero <= high:
        zero = x_of(scale.zero, low, high)
        drawing.line(zero, top, zero, bottom, width=1.5)


def _row(drawing: Drawing, row: DifferenceRow, top: float, low: float, high: float, scale: Scale) -> None:
    number, y = row.number, top + 28
    ticks_draw(drawing, y - 8, y + 10, (low, high, scale))
    said = estimate_said(number, scale)
    drawing.text(SIDE, top + 15, shortened(row.label, LABEL + 17 - len(said)), bold=row.main)
    drawing.text(WIDTH - SIDE, top + 15, said, anchor="end", bold=row.main)
    if not number.defined:
        return
    radius = 6.0 if row.main else 4.0
    middle = x_of(number.estimate, low, high)
    for end, direction in ((number.low, -1), (number.high, 1)) if number.bounded else ():
        edge = x_of(end, low, high)
        if direction * (edge - middle) > radius + 1:
            drawing.line(edge, y, middle + direction * (radius + 1), y, width=2 if row.main else 1.2)
        drawing.line(edge, y - 4, edge, y + 4, width=2 if row.main else 1.2)
    drawing.marker(1 if row.main else 0, middle, y, radius, filled=row.main, tip=f"{row.label}: {said}")


def x_of(value: float, low: float, high: float) -> float:
    """Where a value stands."""
    inner = WIDTH - 2 * SIDE - 20
    return SIDE + 10 + inner * (value - low) / (high - low)


def estimate_said(number: Number, scale: Scale) -> str:
    """Estimate and interval as the scale writes them."""
    if not number.defined:
        return "not estimated" if number.refused else "no data"
    if not number.bounded:
        return f"{scale.form(number.estimate)}, no interval"
    return f"{scale.form(number.estimate)} [{scale.form(number.low)}, {scale.form(number.high)}]"


def _description(rows: Sequence[DifferenceRow], note: str, lead: str, scale: Scale) -> str:
    group = (f"{row.group}, " if row.group else "" for row in rows)
    said = (f"{before}{row.label}: {estimate_said(row.number, scale)}" for before, row in zip(group, rows, strict=True))
    return f"{lead} Judged by {note}. {sentence(said)}"
