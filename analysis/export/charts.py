"""Which numbers of a report go into which figure."""

import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import unescape

from analysis.export.blocks import Chart
from analysis.export.kinds import kind_words, section_of
from analysis.export.prose import frozen_here
from analysis.export.results import COEFFICIENTS as SHOWN_COEFFICIENTS
from analysis.export.words import level
from analysis.figures import (
    COEFFICIENTS,
    INDICES,
    SHARES,
    Column,
    DifferenceRow,
    GridRow,
    Point,
    Step,
    TimeBar,
    flow_figure,
    forest_figure,
    grid_figure,
    headline_figure,
    lines_figure,
    times_figure,
)
from analysis.reports import FlowRow, Report
from analysis.reports.bands import FRACTION
from analysis.reports.sensitivity import KIND as SENSITIVITY
from analysis.reports.sensitivity import MODELS, Cell
from analysis.stats.results import Number

# The figure names every rater only as long as the eye can follow.
MOST_RATER_ROWS = 24
MOST_ROWS = 40
# Columns beyond which a figure scrolls on a phone.
FEW_COLUMNS, FEW_MARKS = 3, 6
ASKS = {"panel": "These raters", "generalising": "New raters too"}
EXCLUSIONS = {"frozen": "as frozen", "nobody": "nobody excluded", "strict": "strict"}
# Differences that stand in the grid already, as cells.
READ_AGAIN = re.compile(r"^(majority|generalising)_|^(score_)?difference")
OTHER_METHODS = re.compile(r"^(generalising|mixed|bayes|mantel)")
VERDICTS = {"": "All neurons", "_yes": "Called interpretable", "_no": "Called not interpretable"}


def report_charts(report: Report) -> dict[str, Chart]:
    """Figures by name; those that have nothing to show are left out."""
    made = [
        fractions_chart(report), differences_chart(report), flow_chart(report), agreement_chart(report),
        blinding_chart(report), sensitivity_chart(report), spectrum_chart(report), times_chart(report),
        layers_chart(report), raters_chart(report),
    ]  # fmt: skip
    return {chart.name: chart for chart in made if chart is not None}


def report_figures(report: Report) -> dict[str, str]:
    """SVG documents by name."""
    return {name: chart.svg for name, chart in report_charts(report).items()}


def fractions_chart(report: Report) -> Chart:
    """The headline: shares by size and arm, with every rater's own; lines where there are several sizes."""
    fractions = [number for number in report.select(report.main[0]) if number.size]
    heading = "Questions answered rightly" if report.scored else "Neurons called interpretable"
    raters = [] if report.scored else [number for number in report.select("rater_fraction") if number.size]
    caption = f"Large marks: mean of the raters with {level(report.plan.level)} interval."
    caption += "" if report.scored else " Small hollow marks: one rater each."
    if report.pooled:
        found = [Point(number.size, number.arm, number, tuple(_own(raters, number))) for number in fractions]
        title = f"{heading}: share by size and arm"
        svg = lines_figure(found, name="fractions", title=title, heading=heading, note=report.rater_label)
        return chart("fractions", svg, caption, wide=len(found) > FEW_MARKS)
    svg = headline_figure(fractions, raters, note=report.rater_label, heading=heading)
    return chart("fractions", svg, caption, wide=len(fractions) > FEW_COLUMNS)


def _own(raters: Sequence[Number], number: Number) -> Iterator[Number]:
    return (rater for rater in raters if (rater.size, rater.arm) == (number.size, number.arm))


def differences_chart(report: Report) -> Chart:
    caption = (
        f"Differences from {report.plan.baseline} with {level(report.plan.level)} intervals. Squares: the panel. "
        "Circles: one rater alone, or another method."
    )
    return chart("differences", forest_figure(list(_rows(report)), note=report.rater_label), caption)


def _rows(report: Report) -> Iterator[DifferenceRow]:
    panel = [number for number in report.select(report.main[1]) if number.size or report.pooled]
    for number in panel:
        yield DifferenceRow(_label(number, report), number, main=True)
    for number in sensitivity_numbers(report)[1:]:
        if number.status == "sensitivity" and number.defined and OTHER_METHODS.search(number.kind):
            yield DifferenceRow(kind_words(number.kind).removeprefix("Difference, "), number, False, "By other methods")
    size = "" if report.pooled else report.plan.sizes[0]
    raters = [number for number in report.select("rater_difference") if number.size == size]
    if report.scored or len(raters) > MOST_RATER_ROWS or len(report.raters) < 2:
        return
    for number in raters:
        yield DifferenceRow(f"{number.rater}: {number.arm}", number, main=False, group="Each rater alone")


def _label(number: Number, report: Report) -> str:
    comparison = f"{number.arm} − {number.versus}"
    return f"{number.size or 'all sizes'}: {comparison}" if report.pooled else comparison


def flow_chart(report: Report) -> Chart:
    caption = "Neurons first, then answers. Dashed boxes: what did not go further, and why."
    columns = [_flow_column(report, arm) for arm in report.plan.arms]
    svg = flow_figure(columns, note=report.rater_label)
    return chart("flow", svg, caption, wide=len(columns) > 2)


def _flow_column(report: Report, arm: str) -> Column:
    rows = [row for row in report.flow if row.arm == arm]
    rejected = _reasons((row.reason, row.count) for row in report.rejected if row.arm == arm)
    excluded = _reasons((row.reason, row.count) for row in report.excluded if row.arm == arm)
    yes, no, scored = (_sum(rows, field) for field in ("yes", "no", "scored"))
    cannot, shown, unanswered = (_sum(rows, field) for field in ("cannot", "shown", "unanswered"))
    verdicts = () if report.scored else (f"yes {yes:,}, no {no:,}",)
    # Of ratings that were made elsewhere it is not known what was drawn and asked for.
    drawn = (
        Step("Neurons drawn", _sum(rows, "drawn")),
        Step("Rejected", _sum(rows, "rejected"), rejected, left=True),
        Step("Neurons studied", _sum(rows, "neurons")),
        Step("Answers asked for", _sum(rows, "assigned")),
        Step("Not shown", _sum(rows, "not_shown"), left=True),
    )
    return Column(
        arm,
        (
            *(drawn if frozen_here(report) else (Step("Neurons", _sum(rows, "neurons")),)),
            Step("Shown", shown),
            Step("Not answered", unanswered, left=True),
            Step("Judged", shown - unanswered),
            Step("Excluded", _sum(rows, "excluded"), excluded, left=True),
            Step("Cannot judge", cannot, left=True),
            Step("Analysed", yes + no + scored, verdicts),
        ),
    )


def _sum(rows: Sequence[FlowRow], field: str) -> int:
    return sum(getattr(row, field) for row in rows)


def _reasons(found: Iterator[tuple[str, int]]) -> tuple[str, ...]:
    """Reasons with their counts over all sizes."""
    counts: dict[str, int] = {}
    for reason, count in found:
        counts[reason] = counts.get(reason, 0) + count
    return tuple(f"{reason}: {count:,}" for reason, count in counts.items())


def agreement_kinds(report: Report) -> list[str]:
    """Coefficients of agreement that have one value over all raters, in the order of the report."""
    kinds = dict.fromkeys(
        number.kind
        for number in report.numbers
        if section_of(number.kind, number.status) == "agreement" and number.unit != "p" and not number.versus
    )
    rows = {kind: report.select(kind) for kind in kinds}
    return [kind for kind, numbers in rows.items() if not any(number.rater or number.part for number in numbers)]


def agreement_chart(report: Report) -> Chart | None:
    kinds = [kind for kind in agreement_kinds(report) if kind in SHOWN_COEFFICIENTS]
    arms = ("", *report.plan.arms)
    rows = [
        DifferenceRow(kind_words(kind), number, main=not arm, group=arm or "All arms")
        for arm in arms
        for kind in kinds
        for number in report.select(kind)
        if number.arm == arm and not number.size
    ]
    if not any(row.number.defined for row in rows) or len(rows) > MOST_ROWS:
        return None
    svg = forest_figure(
        rows, note=report.rater_label, name="agreement", title="Agreement between raters", scale=COEFFICIENTS,
        heading="Agreement between raters",
        lead="Coefficients with intervals; filled squares: all arms, circles: one arm.",
    )  # fmt: skip
    caption = "Raw agreement is a share of pairs of raters; the coefficients take out what chance would give."
    return chart("agreement", svg, caption)


def blinding_chart(report: Report) -> Chart | None:
    rows = [
        DifferenceRow(f"Bang, {number.arm}", number, main=not verdict, group=words)
        for verdict, words in VERDICTS.items()
        for number in report.select(f"bang{verdict}")
    ]
    if not any(row.number.defined for row in rows):
        return None
    svg = forest_figure(
        rows, note=report.rater_label, name="blinding", title="Blinding indices by arm", scale=INDICES,
        heading="Bang's blinding index", lead="Indices with intervals, of all neurons and within each verdict.",
    )  # fmt: skip
    caption = (
        "0: guesses of the arm were as right as by chance; 1: always right; −1: always wrong. Within a verdict, what "
        "the verdict itself gives away is taken out."
    )
    return chart("blinding", svg, caption)


def sensitivity_numbers(report: Report) -> list[Number]:
    """The primary contrast, and every other number that answers for the same arms and size in points."""
    first = report.primary or next(iter(primary_like(report)), None)
    if first is None:
        return []
    same = [
        number
        for number in report.numbers
        if number.unit == "difference" and (number.arm, number.versus) == (first.arm, first.versus)
        and number.size == first.size and not number.rater and section_of(number.kind, "") not in ("spectrum", "layers")
        and (number.defined or number.refused)
    ]  # fmt: skip
    return [first, *(number for number in same if number.id != first.id)]


def primary_like(report: Report) -> list[Number]:
    """Differences that the headline is about, whether or not one of them was promised."""
    size = "" if report.pooled else report.plan.sizes[0]
    return [number for number in report.select(report.main[1]) if number.size == size]


def sensitivity_grid(report: Report) -> tuple[list[GridRow], list[str]]:
    """The grid of the primary contrast: a row for each reading, question and population, a lane for each exclusion."""
    found = {Cell.of(number.part): number for number in report.select(SENSITIVITY)}
    lanes = list(dict.fromkeys(cell.exclusions for cell in found))
    rows = dict.fromkeys((cell.asks, cell.population, cell.reading) for cell in found)
    made = [
        GridRow(reading, f"{ASKS.get(asks, asks)}, {population}",
                tuple(found.get(Cell(reading, asks, population, lane)) for lane in lanes))
        for asks, population, reading in rows
    ]  # fmt: skip
    models = [
        GridRow(kind_words(number.kind), "Models and stratified analyses", (number, *([None] * (len(lanes) - 1))))
        for number in sensitivity_numbers(report)
        if number.status == "sensitivity" and section_of(number.kind, "") in ("sensitivity", "strata")
        and number.kind not in (SENSITIVITY, *MODELS) and not READ_AGAIN.search(number.kind) and lanes
    ]  # fmt: skip
    return [*made, *models], lanes


def sensitivity_chart(report: Report) -> Chart | None:
    rows, lanes = sensitivity_grid(report)
    rows = [row for row in rows if any(_drawn(number, report) for number in row.numbers)]
    if not rows:
        return None
    first = sensitivity_numbers(report)[0]
    where = f"{first.arm} − {first.versus}, {first.size or 'all sizes'}"
    same = next((number.id for row in rows for number in row.numbers if number and _same(number, first)), "")
    svg = grid_figure(
        rows, [EXCLUSIONS.get(lane, lane) for lane in lanes], main=same, note=report.rater_label,
        title=f"The same contrast under other choices: {where}", heading=f"Under other choices: {where}",
    )  # fmt: skip
    caption = (
        "One contrast, whatever else could have been chosen. Filled: what the plan chose. In figures: as frozen. The "
        "table has neurons standing for others and for the counted ones."
    )
    return chart("sensitivity", svg, caption)


def _drawn(number: Number | None, report: Report) -> bool:
    """Whether it is there and about the population that the plan asks about."""
    if number is None or not number.defined:
        return False
    return number.kind != SENSITIVITY or Cell.of(number.part).population == report.plan.population


def _same(number: Number, other: Number) -> bool:
    return (number.estimate, number.low, number.high) == (other.estimate, other.low, other.high)


def spectrum_chart(report: Report) -> Chart | None:
    """Interpretable fraction over bands of activation, weakest first."""
    kinds = [kind for kind in dict.fromkeys(number.kind for number in report.numbers) if kind.startswith(FRACTION)]
    size = "" if report.pooled else report.plan.sizes[0]
    found = [
        Point(kind.removeprefix(FRACTION), number.arm, number)
        for kind in reversed(kinds)
        for number in report.select(kind)
        if number.size == size and not number.part
    ]
    if not found:
        return None
    title = "Interpretable fraction by band of activation"
    svg = lines_figure(found, name="spectrum", title=title, heading=title, note=report.rater_label)
    caption = "From the weakest band to the strongest; a rule that holds where the neuron is silent is too wide."
    return chart("spectrum", svg, caption, wide=len(found) > FEW_MARKS)


def times_chart(report: Report) -> Chart:
    return chart("times", times_figure(_bars(report), note=report.rater_label),
                 "Marks: median. Bars: the middle half of the answers.")  # fmt: skip


def layers_chart(report: Report) -> Chart | None:
    """Shares by part of the network, first layers first."""
    size = "" if report.pooled else report.plan.sizes[0]
    numbers = [
        number
        for number in report.numbers
        if section_of(number.kind, "") == "layers" and number.unit == "share" and number.size == size and number.part
    ]
    if not numbers:
        return None
    one = [number for number in numbers if number.kind == numbers[0].kind]
    found = [Point(number.part.removesuffix(" of layers"), number.arm, number) for number in one]
    title = "Interpretable fraction by layer third"
    svg = lines_figure(found, name="layers", title=title, heading=title, note=report.rater_label)
    return chart("layers", svg, "Exploratory: a third of the layers holds few neurons.", wide=len(found) > FEW_MARKS)


def raters_chart(report: Report) -> Chart | None:
    """How often each rater said yes, arm by arm."""
    size = "" if report.pooled else report.plan.sizes[0]
    numbers = [number for number in report.select("rater_fraction") if number.size == size]
    if report.scored or not numbers or len(numbers) > MOST_ROWS or len(report.raters) < 2:
        return None
    rows = [
        DifferenceRow(number.arm, number, main=False, group=rater)
        for rater in dict.fromkeys(number.rater for number in numbers)
        for number in numbers
        if number.rater == rater
    ]
    svg = forest_figure(
        rows, note=report.rater_label, name="raters", title="Share of yes by rater and arm", scale=SHARES,
        heading="How often each rater said yes", lead="Shares with intervals, rater by rater.",
    )  # fmt: skip
    return chart("raters", svg, "A rater's own bar moves all arms alike; differences between arms are free of it.")


def _bars(report: Report) -> list[TimeBar]:
    """Active time where browsers measured it, else wall time."""
    measured = any(row.n for row in report.times if row.measure == "active")
    measure = "active" if measured else "wall"
    rows = [row for row in report.times if row.measure == measure and row.arm and row.third]
    return [TimeBar(row.arm, row.third, row.n, row.median, row.first_quartile, row.third_quartile) for row in rows]


def chart(name: str, svg: str, caption: str, *, wide: bool = False) -> Chart:
    """A figure with the words that it carries in its own title and description."""
    title, description = (_inside(svg, tag) for tag in ("title", "desc"))
    return Chart(name, svg, caption, title, description, wide)


def _inside(svg: str, tag: str) -> str:
    found = re.search(f"<{tag} id=[^>]*>(.*?)</{tag}>", svg, re.DOTALL)
    return unescape(found[1]) if found else ""
