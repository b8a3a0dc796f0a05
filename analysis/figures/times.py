"""Response times by arm and by third of the rater's list: median and the middle half of the answers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.figures.svg import Drawing, sentence, shortened

WIDTH, SIDE, TOP, ROW, LABEL, VALUE, BOTTOM = 380.0, 8.0, 46.0, 26.0, 116.0, 56.0, 30.0
TICKS = (0.0, 0.5, 1.0)  # parts of the axis
PART_NAMES = {1: "first third", 2: "middle third", 3: "last third"}


@dataclass(frozen=True, slots=True)
class TimeBar:
    """Median and quartiles in seconds of one arm in one third of the lists."""

    arm: str
    third: int
    n: int
    median: float
    first_quartile: float
    third_quartile: float


def times_figure(bars: Sequence[TimeBar], *, note: str) -> str:
    """SVG of response times.

    Parameters
    ----------
    bars : sequence of TimeBar
        Ordered by arm, then third.
    note : str
        Who the raters are; printed in the figure.

    Returns
    -------
    str
        An SVG document.
    """
    arms = list(dict.fromkeys(bar.arm for bar in bars))
    height = TOP + (ROW * 3 + 24) * len(arms) + BOTTOM
    drawing = Drawing("times", WIDTH, height, "Time per neuron", _description(bars, note))
    drawing.heading("Seconds per neuron", note)
    most = _most(bars)
    for part in TICKS:
        drawing.text(
            _x(part * most, most), height - BOTTOM + 18, _seconds(part * most), anchor="middle", size=12, quiet=True
        )
    y = TOP
    for shape, arm in enumerate(arms):
        drawing.text(SIDE, y + 16, shortened(arm, 40), bold=True)
        y += 24
        for bar in (bar for bar in bars if bar.arm == arm):
            _bar(drawing, bar, shape, y, most)
            y += ROW
    return drawing.document()


def _most(bars: Sequence[TimeBar]) -> float:
    """A round number of seconds at or above every bar."""
    longest = max([bar.third_quartile for bar in bars if bar.n > 0], default=1.0) or 1.0
    unit = 10.0 ** math.floor(math.log10(longest))
    return next(step * unit for step in (1, 2, 4, 6, 8, 10) if step * unit >= longest)


def _bar(drawing: Drawing, bar: TimeBar, shape: int, top: float, most: float) -> None:
    y = top + 12
    for part in TICKS:
        drawing.line(_x(part * most, most), top, _x(part * most, most), top + ROW, faint=True)
    drawing.text(SIDE + 12, y + 4.5, PART_NAMES[bar.third])
    if bar.n == 0:
        drawing.text(_x(0, most) + 4, y + 4.5, "no times", quiet=True)
        return
    drawing.text(WIDTH - SIDE, y + 4.5, _seconds(bar.median), anchor="end", bold=True)
    middle = _x(bar.median, most)
    for end, direction in ((bar.first_quartile, -1), (bar.third_quartile, 1)):
        if direction * (_x(end, most) - middle) > 6:
            drawing.line(_x(end, most), y, middle + direction * 6, y, width=4)
    drawing.marker(shape, middle, y, 5, filled=shape > 0, tip=_words(bar))


def _x(seconds: float, most: float) -> float:
    return SIDE + LABEL + (WIDTH - 2 * SIDE - LABEL - VALUE) * seconds / most


def _seconds(value: float) -> str:
    return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"


def _words(bar: TimeBar) -> str:
    if bar.n == 0:
        return f"{bar.arm}, {PART_NAMES[bar.third]}: no times"
    spread = f"middle half {_seconds(bar.first_quartile)} to {_seconds(bar.third_quartile)}"
    return f"{bar.arm}, {PART_NAMES[bar.third]}: median {_seconds(bar.median)}, {spread}, {bar.n} answers"


def _description(bars: Sequence[TimeBar], note: str) -> str:
    lead = f"Marks: median; bars: the middle half of the answers. Judged by {note}. "
    return lead + sentence(_words(bar) for bar in bars)
