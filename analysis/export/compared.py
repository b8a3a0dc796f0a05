"""Two studies side by side, in words, figures and tables."""

from collections.abc import Iterator

from analysis.export.blocks import Block, Chart, Paragraph, Section
from analysis.export.cells import ALL_SIZES, Cell, Table, head, table
from analysis.export.charts import chart
from analysis.export.tables import compared as arms_said
from analysis.export.words import NOTHING, both, formatted, level
from analysis.figures import DIFFERENCES, SHARES, DifferenceRow, forest_figure
from analysis.reports.comparison import Compared, Comparison
from analysis.stats.results import Interval, Number

YES_NO = {True: "yes", False: "no", None: NOTHING}
LEAD = (
    "“Inside” says whether the other study's estimate lies in this one's interval. An estimate of a second study is "
    "expected inside the prediction interval, which is wider, because both studies err by chance. Both together: "
    "weighted by precision, once as if both estimated one value (fixed), once as if values differed between studies "
    "(random)."
)
SHOWN_DIFFERENCES = 12


def comparison_sections(comparison: Comparison) -> tuple[Section, ...]:
    """Whether it agreed, quantity by quantity, and what of the two protocols differs."""
    shared = comparison.shared
    differences = [row for row in shared if row.first.versus]
    shares = [row for row in shared if not row.first.versus]
    made: list[tuple[str, str, list[Block]]] = [
        ("agreed", "Did it agree?", [*_headline(comparison)]),
        ("differences", "Differences between arms", [*_figure(comparison, differences), *_tables(differences)]),
        ("shares", "Fractions", [*_figure(comparison, shares), *_tables(shares)]),
        ("protocols", "What differs between the protocols", [_protocols(comparison)]),
    ]
    return tuple(Section(name, title, tuple(blocks)) for name, title, blocks in made if blocks)


def _headline(comparison: Comparison) -> Iterator[Block]:
    row = comparison.main
    if row is None:
        yield Paragraph.of(
            "The two studies did not promise the same contrast, so there is no primary answer. What both have in "
            "common stands below."
        )
        return
    contrast = arms_said(row.first.arm, row.first.versus)
    if not (row.first.defined and row.second.defined):
        yield Paragraph.of(f"{contrast}: one of the two studies has no estimate.")
        return
    yield Paragraph.of(
        f"{contrast}: {both(row.first)} points in the first study, {both(row.second)} points in the second. The second "
        f"differs from the first by {_said(row.change, row.first.unit)} points."
    )
    yield Paragraph.of(" ".join(_answers(row)))
    yield Paragraph.of(LEAD, small=True)


def _answers(row: Compared) -> Iterator[str]:
    if row.same_direction is not None:
        yield "Both point in one direction." if row.same_direction else "They point in different directions."
    if row.same_significance is not None:
        both_say = "Both say the same of whether 0 is excluded." if row.same_significance else ""
        yield both_say or "One of the intervals excludes 0 and the other does not, which alone is no disagreement."
    if row.as_predicted is not None:
        inside = "inside" if row.as_predicted else "outside"
        yield f"The second estimate lies {inside} the prediction interval {_limits(row.predicted, row.first.unit)}."


def _figure(comparison: Comparison, rows: list[Compared]) -> Iterator[Chart]:
    rows = rows[:SHOWN_DIFFERENCES]
    if not any(row.first.defined or row.second.defined for row in rows):
        return
    signed = bool(rows[0].first.versus)
    name = "differences" if signed else "shares"
    title = "Differences in both studies" if signed else "Fractions in both studies"
    made = [made for row in rows for made in _lines(row)]
    svg = forest_figure(
        made, note=_who(comparison), name=name, title=title, heading=title,
        scale=DIFFERENCES if signed else SHARES,
        lead="Circles: each study with its interval; filled squares: both together, fixed effect.",
    )  # fmt: skip
    yield chart(name, svg, "Circles: each study. Filled squares: both together, weighted by precision (fixed effect).")


def _lines(row: Compared) -> Iterator[DifferenceRow]:
    place = f"{row.first.size or 'all sizes'}: {arms_said(row.first.arm, row.first.versus)}"
    yield DifferenceRow("first study", row.first, main=False, group=place)
    yield DifferenceRow("second study", row.second, main=False, group=place)
    together = Number.of(row.fixed, kind="together", unit=row.first.unit)
    if together.defined:
        yield DifferenceRow("both together", together, main=True, group=place)


def _who(comparison: Comparison) -> str:
    names = {True: "simulated raters", False: "human raters"}
    first, second = (names[simulated] for simulated in comparison.simulated)
    return first if first == second else f"first study {first}, second study {second}"


def _tables(rows: list[Compared]) -> list[Table]:
    if not rows:
        return []
    at = level(rows[0].first.level)
    places = [(Cell(row.first.size or ALL_SIZES), Cell(arms_said(row.first.arm, row.first.versus))) for row in rows]
    estimates = [
        (*place, _number(both(row.first)), _number(both(row.second)), _number(_said(row.change, "difference")),
         _number(_said(row.fixed, row.first.unit)), _number(_said(row.random, row.first.unit)))
        for place, row in zip(places, rows, strict=True)
    ]  # fmt: skip
    answers = [
        (*place, _yes(row.in_first), _yes(row.in_second), _number(_limits(row.predicted, row.first.unit)),
         _yes(row.as_predicted), _yes(row.same_direction), _yes(row.same_significance))
        for place, row in zip(places, rows, strict=True)
    ]  # fmt: skip
    heads = head("Size", "Arm", f"#First [{at}]", f"#Second [{at}]", "#Second − first", "#Both, fixed", "#Both, random")
    asked = head(
        "Size", "Arm", "Second inside first's interval", "First inside second's", "#Prediction interval",
        "Second inside it", "Same direction", "Same on 0",
    )  # fmt: skip
    notes = f"Second − first: {rows[0].change.method}. Fixed: {rows[0].fixed.method}. Random: {rows[0].random.method}."
    return [
        table("Estimates", notes, heads, estimates),
        table("Agreement", f"Prediction: {rows[0].predicted.method}.", asked, answers),
    ]


def _protocols(comparison: Comparison) -> Block:
    if not comparison.differs:
        return Paragraph.of("Nothing: question, task, display, arms, sizes and raters are alike.")
    rows = [(Cell(row.what), Cell(row.first, long=True), Cell(row.second, long=True)) for row in comparison.differs]
    note = "Whatever differs here can be why the studies differ; it is no fault of either."
    return table("Protocols", note, head("What", "First study", "Second study"), rows)


def _said(interval: Interval, unit: str) -> str:
    number = Number.of(interval, kind="", unit=unit)
    return both(number) if number.defined else NOTHING


def _limits(interval: Interval, unit: str) -> str:
    if interval.low != interval.low:
        return NOTHING
    return f"[{formatted(interval.low, unit)}, {formatted(interval.high, unit)}]"


def _yes(answer: bool | None) -> Cell:
    return Cell(YES_NO[answer])


def _number(text: str) -> Cell:
    return Cell(text, number=True)
