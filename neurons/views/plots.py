"""Small figures as SVG, drawn by the server: the page's text colour, shapes instead of hues, no style and no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from django.utils.safestring import SafeString, mark_safe

from neurons.store.layer_summary import LayerSummary, Spread

WIDTH, HEIGHT = 420.0, 170.0
LEFT, RIGHT, TOP, BOTTOM = 48.0, 24.0, 16.0, 34.0
BARS = 48  # of a neuron's histogram
LABEL = 40.0  # room for a label
ROW = 20.0  # height of a layer in a figure of all layers


@dataclass(frozen=True, slots=True)
class Tick:
    at: float  # 0 … 1 along the axis
    label: str


class Drawing:
    """Collects shapes; every number has two decimals at most."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self._head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" '
            f'height="{_n(height)}" role="img" fill="currentColor" font-family="system-ui, sans-serif" font-size="12">'
            f"<title>{escape(title)}</title>"
        )
        self._parts: list[str] = []

    def bar(self, x: float, y: float, width: float, height: float, *, faint: bool = False, tip: str = "") -> None:
        title = f"<title>{escape(tip)}</title>" if tip else ""
        opacity = ' opacity="0.35"' if faint else ' opacity="0.85"'
        box = f'x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
        self._parts.append(f"<rect {box}{opacity}>{title}</rect>")

    def line(self, x1: float, y1: float, x2: float, y2: float, *, width: float = 1, faint: bool = False) -> None:
        opacity = ' stroke-opacity="0.25"' if faint else ""
        ends = f'x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"'
        self._parts.append(f'<line {ends} stroke="currentColor" stroke-width="{_n(width)}"{opacity}/>')

    def text(self, x: float, y: float, words: str, *, anchor: str = "middle") -> None:
        place = f'x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"'
        self._parts.append(f'<text {place} opacity="0.75">{escape(words)}</text>')

    def document(self) -> SafeString:
        return mark_safe("".join([self._head, *self._parts, "</svg>"]))  # noqa: S308


def spread_histogram(spread: Spread, title: str, label: str, *, percent: bool) -> SafeString:
    """How many neurons have which density or maximum; the axis is logarithmic."""
    drawing = Drawing(WIDTH, HEIGHT, title)
    _bars(drawing, spread.counts, [f"{_decade_range(a, b, percent)}: {count} neurons" for a, b, count in _bins(spread)])
    _axis(drawing, decade_ticks(spread.edges[0], spread.edges[-1], percent=percent), label, most=max(spread.counts))
    return drawing.document()


def activation_histogram(values: np.ndarray, quantiles: Sequence[tuple[str, float]]) -> SafeString:
    """How often a neuron took which value at the sampled tokens; heights are logarithmic.

    Parameters
    ----------
    values : ndarray, float, (sampled,)
    quantiles : sequence of (str, float)
        Name and value of marks over the axis.
    """
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BARS + 1)
    bars = ((values - low) * (BARS / (high - low))).astype(np.int64).clip(0, BARS - 1)
    counts = np.bincount(bars, minlength=BARS).tolist()
    drawing = Drawing(WIDTH, HEIGHT, "Histogram of the sampled activations")
    tips = [f"{a:.3g} to {b:.3g}: {count:,} tokens" for a, b, count in zip(edges, edges[1:], counts, strict=False)]
    heights = np.log1p(counts).tolist()
    _bars(drawing, heights, tips, faint=[bool(edge <= 0) for edge in edges[1:]])
    labelled = -LABEL
    for name, value in quantiles:
        x = _x((value - low) / (high - low))
        drawing.line(x, TOP, x, HEIGHT - BOTTOM, faint=True)
        if x - labelled >= LABEL:  # labels that would lie upon each other are left out
            drawing.text(x, TOP - 4, name)
            labelled = x
    ticks = [Tick((at - low) / (high - low), f"{at:g}") for at in _round_steps(low, high)]
    _axis(drawing, ticks, "activation (tokens on a logarithmic scale)", most=max(counts))
    return drawing.document()


def layer_spreads(summaries: Sequence[LayerSummary], quantity: str, label: str, *, percent: bool) -> SafeString:
    """A row for each layer: median, middle half, and the range of nine tenths of its neurons."""
    spreads: list[Spread] = [getattr(summary, quantity) for summary in summaries]
    known = [value for spread in spreads for value in spread.quantiles]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    height = TOP + ROW * len(spreads) + BOTTOM
    drawing = Drawing(WIDTH, height, f"{label} by layer")
    ticks = decade_ticks(low, high, percent=percent)
    for tick in ticks:
        drawing.line(_x(tick.at), TOP - 4, _x(tick.at), height - BOTTOM, faint=True)
        drawing.text(_x(tick.at), height - BOTTOM + 14, tick.label)
    drawing.text((LEFT + WIDTH - RIGHT) / 2, height - 4, label)
    for number, spread in enumerate(spreads):
        y = TOP + ROW * (number + 0.5)
        drawing.text(LEFT - 8, y + 4, str(number), anchor="end")
        if spread.quantiles:
            _box(drawing, y, [_x((value - low) / (high - low)) for value in spread.quantiles])
    return drawing.document()


def sparkline(counts: Sequence[int], title: str) -> SafeString:
    """A histogram without axes, to compare networks at a glance."""
    width, height = 132.0, 30.0
    drawing = Drawing(width, height, title)
    step, most = width / len(counts), max(*counts, 1)
    for number, count in enumerate(counts):
        bar = (height - 2) * count / most
        drawing.bar(number * step, height - 1 - bar, step - 1, bar)
    drawing.line(0, height - 0.5, width, height - 0.5, faint=True)
    return drawing.document()


def decade_ticks(low: float, high: float, *, percent: bool) -> list[Tick]:
    """Ticks between two decimal logarithms, at whole decades or, within less than two of those, at 1, 2 and 5.

    Examples
    --------
    >>> [tick.label for tick in decade_ticks(-3, 0, percent=True)]
    ['0.1 %', '1 %', '10 %', '100 %']
    """
    steps = (1,) if high - low >= 2 else (1, 2, 5)
    places = [np.log10(step) + decade for decade in range(int(np.floor(low)), int(np.ceil(high)) + 1) for step in steps]
    inside = [place for place in places if low - 1e-9 <= place <= high + 1e-9]
    return [Tick(float((place - low) / (high - low)), _decade(place, percent)) for place in inside]


def _bins(spread: Spread) -> list[tuple[float, float, int]]:
    return list(zip(spread.edges, spread.edges[1:], spread.counts, strict=False))


def _decade(log: float, percent: bool) -> str:
    value = 10**log * (100 if percent else 1)
    return f"{float(f'{value:.1g}'):g}" + (" %" if percent else "")


def _decade_range(low: float, high: float, percent: bool) -> str:
    first, last = (10**log * (100 if percent else 1) for log in (low, high))
    return f"{first:.3g} to {last:.3g}" + (" %" if percent else "")


def _bars(drawing: Drawing, heights: Sequence[float], tips: Sequence[str], faint: Sequence[bool] | None = None) -> None:
    step, room = (WIDTH - LEFT - RIGHT) / len(heights), HEIGHT - TOP - BOTTOM
    most = max(heights) or 1
    for number, height in enumerate(heights):
        if height:
            tall = room * height / most
            quiet = bool(faint and faint[number])
            drawing.bar(LEFT + number * step, HEIGHT - BOTTOM - tall, step - 1, tall, faint=quiet, tip=tips[number])


def _axis(drawing: Drawing, ticks: Sequence[Tick], label: str, *, most: int) -> None:
    ground = HEIGHT - BOTTOM
    drawing.line(LEFT, ground + 0.5, WIDTH - RIGHT, ground + 0.5)
    for tick in ticks:
        drawing.line(_x(tick.at), ground, _x(tick.at), ground + 4)
        drawing.text(_x(tick.at), ground + 16, tick.label)
    drawing.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, label)
    drawing.text(LEFT - 5, TOP + 8, f"{most:,}", anchor="end")
    drawing.text(LEFT - 5, ground, "0", anchor="end")


def _box(drawing: Drawing, y: float, places: Sequence[float]) -> None:
    first, low, middle, high, last = places
    drawing.line(first, y, last, y)
    drawing.bar(low, y - 5, max(1.0, high - low), 10, faint=True)
    drawing.line(middle, y - 7, middle, y + 7, width=2.5)


def _round_steps(low: float, high: float) -> list[float]:
    """Four to nine round numbers between two values."""
    unit = 10.0 ** np.floor(np.log10(high - low))
    step = next(unit * share for share in (1, 0.5, 0.2) if (high - low) / (unit * share) >= 4)
    return [float(f"{number * step:.6g}") for number in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
