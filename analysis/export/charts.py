"""Which numbers of a report go into which figure."""

from collections.abc import Iterator

from analysis.figures import DifferenceRow, TimeBar, forest_figure, headline_figure, times_figure
from analysis.reports import Report
from analysis.stats.results import Number

# The figure names every rater only as long as the eye can follow.
MOST_RATER_ROWS = 24


def report_figures(report: Report) -> dict[str, str]:
    """SVG documents by name."""
    note = report.rater_label
    fractions = [number for number in report.select(report.main[0]) if number.size]
    heading = "Questions answered rightly" if report.scored else "Neurons called interpretable"
    raters = [] if report.scored else [number for number in report.select("rater_fraction") if number.size]
    return {
        "fractions": headline_figure(fractions, raters, note=note, heading=heading),
        "differences": forest_figure(list(_rows(report)), note=note),
        "times": times_figure(_bars(report), note=note),
    }


def _rows(report: Report) -> Iterator[DifferenceRow]:
    panel = [number for number in report.select(report.main[1]) if number.size or report.pooled]
    for number in panel:
        yield DifferenceRow(_label(number, report), number, main=True)
    size = "" if report.pooled else report.plan.sizes[0]
    raters = [number for number in report.select("rater_difference") if number.size == size]
    if report.scored:
        return
    if len(raters) <= MOST_RATER_ROWS and len(report.raters) > 1:
        for number in raters:
            yield DifferenceRow(f"{number.rater}: {number.arm}", number, main=False)


def _label(number: Number, report: Report) -> str:
    comparison = f"{number.arm} − {number.versus}"
    return f"{number.size or 'all sizes'}: {comparison}" if report.pooled else comparison


def _bars(report: Report) -> list[TimeBar]:
    """Active time where browsers measured it, else wall time."""
    measured = any(row.n for row in report.times if row.measure == "active")
    measure = "active" if measured else "wall"
    rows = [row for row in report.times if row.measure == measure and row.arm and row.third]
    return [TimeBar(row.arm, row.third, row.n, row.median, row.first_quartile, row.third_quartile) for row in rows]
