"""What became of every draw and every answer, arm beside arm, in the manner of the CONSORT flow diagram.

References
----------
Schulz, K. F., Altman, D. G. & Moher, D. (2010). CONSORT 2010 statement. BMJ 340, c332.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.figures.svg import Drawing, sentence, shortened

SIDE, TOP, COLUMN, GAP, ARROW = 8.0, 50.0, 178.0, 12.0, 16.0
LINE, PAD, INDENT = 16.0, 7.0, 18.0
LETTERS = 26  # of a line in a box of a column; bold ones are wider
DASH = "4 3"


@dataclass(frozen=True, slots=True)
class Step:
    """A box: what there is, or, with `left`, what did not go further here."""

    words: str
    count: int
    details: tuple[str, ...] = ()
    left: bool = False

    @property
    def said(self) -> str:
        return f"{self.words}: {self.count:,}" + (f" ({', '.join(self.details)})" if self.details else "")


@dataclass(frozen=True, slots=True)
class Column:
    """One arm, with the same steps as every other."""

    arm: str
    steps: tuple[Step, ...]


def flow_figure(columns: Sequence[Column], *, note: str) -> str:
    """SVG of the flow of one study.

    Parameters
    ----------
    columns : sequence of Column
        One per arm, at least one; all with the same number of steps.
    note : str
        Who the raters are; printed in the figure.
    """
    rows = [[_lines(column.steps[index]) for column in columns] for index in range(len(columns[0].steps))]
    heights = [2 * PAD + LINE * max(map(len, row)) for row in rows]
    width = 2 * SIDE + COLUMN * len(columns) + GAP * (len(columns) - 1)
    height = TOP + LINE + sum(heights) + ARROW * len(heights) + SIDE
    drawing = Drawing("flow", width, height, "Flow of neurons and answers", _description(columns, note))
    drawing.heading("From draw to analysis", note)
    for place, column in enumerate(columns):
        _column(drawing, column, SIDE + place * (COLUMN + GAP), heights)
    return drawing.document()


def _column(drawing: Drawing, column: Column, x: float, heights: Sequence[float]) -> None:
    drawing.text(x + COLUMN / 2, TOP + 6, shortened(column.arm, 24), anchor="middle", bold=True)
    y, spine = TOP + LINE, x + INDENT / 2
    for step, height in zip(column.steps, heights, strict=True):
        lines = _lines(step)
        own = 2 * PAD + LINE * len(lines)
        if step.left:
            # The spine passes by on the left of what leaves it.
            drawing.line(spine, y, spine, y + height + ARROW)
            drawing.line(spine, y + own / 2, x + INDENT, y + own / 2)
        else:
            drawing.arrow(spine, y - ARROW, y) if y > TOP + LINE else None
            if step is not column.steps[-1]:
                drawing.line(spine, y + own, spine, y + height + ARROW)
        _box(drawing, lines, x + (INDENT if step.left else 0), y, own, left=step.left)
        y += height + ARROW


def _box(drawing: Drawing, lines: Sequence[str], x: float, y: float, height: float, *, left: bool) -> None:
    drawing.box(x, y, COLUMN - (INDENT if left else 0), height, dash=DASH if left else "")
    for index, line in enumerate(lines):
        drawing.text(x + 8, y + PAD + LINE * index + 12, line, size=12, bold=index == 0 and not left)


def _lines(step: Step) -> list[str]:
    most = LETTERS - (3 if step.left else 0)
    head = textwrap.wrap(f"{step.words}: {step.count:,}", most - (0 if step.left else 3))
    return [*head, *(line for detail in step.details for line in textwrap.wrap(detail, most, subsequent_indent="  "))]


def _description(columns: Sequence[Column], note: str) -> str:
    arms = (f"{column.arm}: {', then '.join(step.said for step in column.steps)}" for column in columns)
    lead = "Boxes from top to bottom; dashed boxes: what did not go further. Judged by"
    return f"{lead} {note}. {sentence(arms)}"
