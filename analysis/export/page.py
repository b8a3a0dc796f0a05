"""The report as a page: one context for the web page and for the file that stands alone."""

from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from analysis.export import tables
from analysis.export.charts import report_figures
from analysis.export.sources import Facts
from analysis.export.words import headline, level
from analysis.reports import Report

STYLE_SHEETS = ("blindscope.css", "analysis/report.css")


def page_context(report: Report, facts: Facts) -> dict[str, Any]:
    """Everything that the templates of a report print."""
    return {
        "report": report,
        "plan": report.plan,
        "facts": facts,
        "headline": list(headline(report)),
        "level": level(report.plan.level),
        "figures": report_figures(report),
        "results": [*_verdict_tables(report), *tables.band_tables(report), *tables.score_tables(report)],
        "details": [] if report.scored else _details(report),
        "blinding": tables.blinding_table(report),
        "times": tables.time_table(report),
        "counts": [tables.flow_table(report), *([tables.rejected_table(report)] if report.rejected else [])],
    }


def _verdict_tables(report: Report) -> list[tables.Table]:
    return [] if report.scored else [tables.fraction_table(report), tables.difference_table(report)]


def _details(report: Report) -> list[tables.Table]:
    return [
        tables.rater_table(report),
        tables.readings_table(report),
        tables.agreement_table(report),
        tables.exclusions_table(report),
    ]


def standalone_page(report: Report, facts: Facts) -> str:
    """One HTML file with its style and figures inside; it opens from a disk without the site."""
    context = page_context(report, facts)
    return render_to_string("analysis/report_file.html", {**context, "style": _style()})


def _style() -> str:
    found = [finders.find(name) for name in STYLE_SHEETS]
    texts = []
    for path in found:
        if isinstance(path, str):
            with open(path, encoding="utf-8") as sheet:
                texts.append(sheet.read())
    return "\n".join(texts)
