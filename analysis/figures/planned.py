"""Expected width of the interval of a difference over the number of neurons, for the planner's page."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

from analysis.figures.svg import Drawing, percent, sentence

WIDTH, LEFT, RIGHT, TOP, PLOT, BOTTOM = 620.0, 52.0, 20.0, 54.0, 200.0, 50.0
RADIUS = 5.0


class Mean(Protocol):
    @property
    def mean(self) -> float: ...


class Point(Protocol):
    """As `analysis.planner.CurvePoint`."""

    @property
    def neurons_per_arm(self) -> int: ...

    @property
    def width(self) -> Mean: ...

    @property
    def power(self) -> Mean: ...


def curve_figure(points: Sequence[Point], *, planned: int, compared: str) -> str:
    """SVG of width and power over neurons per size and arm.

    Parameters
    ----------
    points : sequence of Point
        In rising order of neurons, at least two.
    planned : int
        Its mark is filled.
    compared : str
        What is subtracted from what: "solu − baseline".
    """
    title = f"Expected interval width of {compared}"
    drawing = Drawing("curve", WIDTH, TOP + PLOT + BOTTOM, title, sentence(_words(point) for point in points))
    drawing.heading(f"Width of the interval of {compared}, in points", "Beside each mark: power, in per cent")
    top = _ceiling(max(point.width.mean for point in points))
    for step in range(5):
        y = TOP + PLOT * (1 - step / 4)
        drawing.line(LEFT, y, WIDTH - RIGHT, y, faint=True)
        drawing.text(LEFT - 8, y + 4, f"{100 * top * step / 4:.0f}", anchor="end", size=12, quiet=True)
    most = points[-1].neurons_per_arm
    places = [(_x(point, most), TOP + PLOT * (1 - point.width.mean / top)) for point in points]
    for (x1, y1), (x2, y2) in pairwise(places):
        drawing.line(x1, y1, x2, y2, width=2)
    for point, (x, y) in zip(points, places, strict=True):
        drawing.marker(0, x, y, RADIUS, filled=point.neurons_per_arm == planned, tip=_words(point))
        drawing.text(x + 7, y - 8, f"{100 * point.power.mean:.0f}", size=12, bold=point.neurons_per_arm == planned)
        drawing.text(x, TOP + PLOT + 20, str(point.neurons_per_arm), anchor="middle", size=12)
    drawing.text((LEFT + WIDTH - RIGHT) / 2, TOP + PLOT + 42, "Neurons per size and arm", anchor="middle", quiet=True)
    return drawing.document()


def _x(point: Point, most: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT - 20) * point.neurons_per_arm / most


def _ceiling(width: float) -> float:
    """The top of the scale: the next of 5, 10, 20, 40, … points."""
    top = 0.05
    while top < width:
        top *= 2
    return top


def _words(point: Point) -> str:
    width, power = 100 * point.width.mean, percent(point.power.mean)
    return f"{point.neurons_per_arm} neurons: {width:.0f} points wide, power {power}"
