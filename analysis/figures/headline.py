"""The headline figure, in the manner of Figure 4 of the SoLU paper: fraction by size and arm, every rater beside it.

References
----------
Elhage, N. et al. (2022). Softmax Linear Units. Transformer Circuits Thread, section 6.2.
"""

from collections.abc import Sequence

from analysis.figures.svg import Drawing, percent, sentence, shortened
from analysis.stats.results import Number

LEFT, RIGHT, TOP, PLOT, BOTTOM = 52.0, 12.0, 54.0, 250.0, 54.0
COLUMN, GAP = 96.0, 22.0
HEADING = "Neurons called interpretable"
RADIUS, RATER_RADIUS = 6.5, 3.2


def headline_figure(fractions: Sequence[Number], raters: Sequence[Number], *, note: str, heading: str = HEADING) -> str:
    """SVG of the interpretable fraction, or of another share.

    Parameters
    ----------
    fractions : sequence of Number
        One per size and arm, in the order of drawing; the first arm is hollow.
    raters : sequence of Number
        Every rater's own fraction for the same places.
    heading : str
        What the shares are shares of.
    note : str
        Who the raters are ("simulated raters"); printed in the figure.

    Returns
    -------
    str
        An SVG document.
    """
    sizes = list(dict.fromkeys(number.size for number in fractions))
    arms = list(dict.fromkeys(number.arm for number in fractions))
    width = max(320.0, LEFT + RIGHT + COLUMN * len(fractions) + GAP * max(0, len(sizes) - 1))
    title = f"{heading}: share by size and arm"
    drawing = Drawing("fractions", width, TOP + PLOT + BOTTOM, title, _description(fractions, note))
    _axis(drawing, width)
    drawing.heading(heading, note)
    x = LEFT
    for size in sizes:
        columns = [number for number in fractions if number.size == size]
        drawing.text(x + COLUMN * len(columns) / 2, TOP + PLOT + 44, size, anchor="middle", bold=True)
        for number in columns:
            own = [rater for rater in raters if (rater.size, rater.arm) == (number.size, number.arm)]
            _column(drawing, x + COLUMN / 2, arms.index(number.arm), number, own)
            x += COLUMN
        x += GAP
    return drawing.document()


def _axis(drawing: Drawing, width: float) -> None:
    for step in range(6):
        y = _y(step / 5)
        drawing.line(LEFT, y, width - RIGHT, y, faint=True)
        drawing.text(LEFT - 8, y + 4, percent(step / 5), anchor="end", size=12, quiet=True)


def _column(drawing: Drawing, x: float, shape: int, number: Number, raters: Sequence[Number]) -> None:
    drawing.text(x, TOP + PLOT + 22, shortened(number.arm, 13), anchor="middle")
    if not number.defined:
        drawing.text(x, _y(0.5), "no data", anchor="middle", quiet=True)
        return
    for index, rater in enumerate(rater for rater in raters if rater.defined):
        tip = f"{rater.rater}: {percent(rater.estimate)}"
        drawing.marker(shape, x - 15 - 7 * (index % 4), _y(rater.estimate), RATER_RADIUS, filled=False, tip=tip)
    _whiskers(drawing, x, number)
    drawing.marker(shape, x, _y(number.estimate), RADIUS, filled=shape > 0, tip=_words(number))
    drawing.text(x + RADIUS + 5, _y(number.estimate) + 4.5, percent(number.estimate), bold=True)


def _whiskers(drawing: Drawing, x: float, number: Number) -> None:
    """The interval, broken at the marker so that a hollow marker stays hollow."""
    for end, direction in ((number.low, 1), (number.high, -1)):
        edge, middle = _y(end), _y(number.estimate) + direction * (RADIUS + 1.5)
        if direction * (edge - middle) > 0:
            drawing.line(x, edge, x, middle, width=2)
        drawing.line(x - 6, edge, x + 6, edge, width=2)


def _y(share: float) -> float:
    return TOP + PLOT * (1 - share)


def _words(number: Number) -> str:
    if not number.defined:
        return f"{number.size} {number.arm}: no data"
    limits = f"{percent(number.low)} to {percent(number.high)}"
    return f"{number.size} {number.arm}: {percent(number.estimate)}, {number.level:.0%} interval {limits}"


def _description(fractions: Sequence[Number], note: str) -> str:
    lead = "Large marks: mean of the raters, with intervals. Small hollow marks: one rater each. Judged by " + note
    return f"{lead}. {sentence(_words(number) for number in fractions)}"
