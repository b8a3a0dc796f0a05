"""Shares over sizes, bands or parts of the network: one line for each arm, told apart by mark and dash."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

from analysis.figures.svg import Drawing, percent, sentence, shortened
from analysis.stats.results import Number

LEFT, RIGHT, TOP, PLOT, BOTTOM = 52.0, 12.0, 54.0, 250.0, 34.0
LANE, GAP, LEGEND = 34.0, 26.0, 22.0
RADIUS, RATER_RADIUS = 5.5, 2.8
LEAST_WIDTH = 340.0
LETTER = 7.5  # mean width of a letter, for room in the legend and under the axis
DASHES = ("", "7 4", "2 3", "9 3 2 3", "12 4", "4 4")


@dataclass(frozen=True, slots=True)
class Point:
    """One mark: the share of an arm at one place of the axis, and what single raters said there."""

    place: str
    arm: str
    number: Number
    raters: tuple[Number, ...] = ()


@dataclass(frozen=True, slots=True)
class _Grid:
    places: tuple[str, ...]
    arms: tuple[str, ...]
    top: float  # of the plot
    width: float

    def x(self, place: str, arm: str) -> float:
        return self.middle(place) + LANE * (self.arms.index(arm) - (len(self.arms) - 1) / 2)

    def middle(self, place: str) -> float:
        room = (self.width - LEFT - RIGHT) / len(self.places)
        return LEFT + room * (self.places.index(place) + 0.5)

    def y(self, share: float) -> float:
        return self.top + PLOT * (1 - min(max(share, 0.0), 1.0))


def lines_figure(points: Sequence[Point], *, name: str, title: str, heading: str, note: str) -> str:
    """SVG of shares in [0, 1] with intervals, over places in the order in which they come.

    Parameters
    ----------
    points : sequence of Point
        At most one for each place and arm.
    name : str
        Begins the ids in the document.
    title, heading : str
        What the figure is, for those who do not see it, and what is printed over it.
    note : str
        Who the raters are; printed in the figure.
    """
    places = tuple(dict.fromkeys(point.place for point in points))
    arms = tuple(dict.fromkeys(point.arm for point in points))
    width = max(LEAST_WIDTH, LEFT + RIGHT + len(places) * (LANE * len(arms) + GAP))
    legend = list(_legend(arms, width))
    rows = 1 + max((row for _, _, row in legend), default=0)
    grid = _Grid(places, arms, TOP + LEGEND * rows, width)
    drawing = Drawing(name, width, grid.top + PLOT + BOTTOM, title, _description(points, note))
    drawing.heading(heading, note)
    _draw_legend(drawing, arms, legend)
    _axis(drawing, grid)
    for arm in arms:
        _line(drawing, grid, [point for point in points if point.arm == arm])
    for point in points:
        _mark(drawing, grid, point)
    return drawing.document()


def _legend(arms: Sequence[str], width: float) -> Iterator[tuple[str, float, int]]:
    """Arm, left edge and row of every entry."""
    x, row = LEFT, 0
    for arm in arms:
        room = 46 + LETTER * len(shortened(arm, 24)) + 14
        if x > LEFT and x + room > width:
            x, row = LEFT, row + 1
        yield arm, x, row
        x += room


def _draw_legend(drawing: Drawing, arms: Sequence[str], legend: Sequence[tuple[str, float, int]]) -> None:
    for arm, x, row in legend:
        y, shape = TOP + LEGEND * row, arms.index(arm)
        drawing.line(x, y, x + 12, y, width=1.3, dash=DASHES[shape % len(DASHES)])
        drawing.line(x + 26, y, x + 38, y, width=1.3, dash=DASHES[shape % len(DASHES)])
        drawing.marker(shape, x + 19, y, RADIUS, filled=shape > 0, tip=arm)
        drawing.text(x + 45, y + 4.5, shortened(arm, 24))


def _axis(drawing: Drawing, grid: _Grid) -> None:
    for step in range(6):
        y = grid.y(step / 5)
        drawing.line(LEFT, y, grid.width - RIGHT, y, faint=True)
        drawing.text(LEFT - 8, y + 4, percent(step / 5), anchor="end", size=12, quiet=True)
    room = (grid.width - LEFT - RIGHT) / len(grid.places)
    for place in grid.places:
        most = max(4, int(room / LETTER))
        drawing.text(grid.middle(place), grid.top + PLOT + 22, shortened(place, most), anchor="middle")


def _line(drawing: Drawing, grid: _Grid, points: Sequence[Point]) -> None:
    """From mark to mark, broken around them so that a hollow mark stays hollow."""
    shape = grid.arms.index(points[0].arm)
    known = [point for point in points if point.number.defined]
    for one, other in pairwise(known):
        x1, y1 = grid.x(one.place, one.arm), grid.y(one.number.estimate)
        x2, y2 = grid.x(other.place, other.arm), grid.y(other.number.estimate)
        part = (RADIUS + 2) / hypot(x2 - x1, y2 - y1)
        dx, dy = (x2 - x1) * part, (y2 - y1) * part
        drawing.line(x1 + dx, y1 + dy, x2 - dx, y2 - dy, width=1.3, dash=DASHES[shape % len(DASHES)])


def _mark(drawing: Drawing, grid: _Grid, point: Point) -> None:
    number, x, shape = point.number, grid.x(point.place, point.arm), grid.arms.index(point.arm)
    if not number.defined:
        drawing.text(x, grid.y(0.02), "–", anchor="middle", quiet=True)
        return
    for index, rater in enumerate(rater for rater in point.raters if rater.defined):
        tip = f"{rater.rater}: {percent(rater.estimate)}"
        drawing.marker(shape, x - 10 - 5 * (index % 2), grid.y(rater.estimate), RATER_RADIUS, filled=False, tip=tip)
    for end, direction in ((number.low, 1), (number.high, -1)) if number.bounded else ():
        edge, middle = grid.y(end), grid.y(number.estimate) + direction * (RADIUS + 1.5)
        if direction * (edge - middle) > 0:
            drawing.line(x, edge, x, middle, width=1.8)
        drawing.line(x - 4, edge, x + 4, edge, width=1.8)
    drawing.marker(shape, x, grid.y(number.estimate), RADIUS, filled=shape > 0, tip=_words(point))


def _words(point: Point) -> str:
    number, name = point.number, f"{point.place} {point.arm}"
    if not number.defined:
        return f"{name}: no data"
    if not number.bounded:
        return f"{name}: {percent(number.estimate)}, no interval"
    limits = f"{percent(number.low)} to {percent(number.high)}"
    return f"{name}: {percent(number.estimate)}, {number.level:.0%} interval {limits}"


def _description(points: Sequence[Point], note: str) -> str:
    single = " Small hollow marks: one rater each." if any(point.raters for point in points) else ""
    return f"Marks with intervals, joined by arm.{single} Judged by {note}. {sentence(map(_words, points))}"
