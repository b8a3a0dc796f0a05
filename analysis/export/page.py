"""The report as a page: one context for the web page and for the file that stands alone."""

from functools import cache
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string

from analysis.export.paragraphs import paragraphs_markdown, paragraphs_text
from analysis.export.prose import raters_said
from analysis.export.sections import report_sections
from analysis.export.sources import Facts
from analysis.reports import Report

STYLE_SHEETS = ("blindscope.css", "analysis/report.css")


def page_context(report: Report, facts: Facts) -> dict[str, Any]:
    """Everything that the templates of a report print."""
    return {
        "report": report,
        "plan": report.plan,
        "facts": facts,
        "raters": raters_said(report),
        "sections": report_sections(report, facts),
        "paragraphs": paragraphs_text(report, facts),
    }


def standalone_page(report: Report, facts: Facts) -> str:
    """One HTML file with its style and figures inside; it opens from a disk without the site."""
    context = page_context(report, facts)
    return render_to_string("analysis/report_file.html", {**context, "style": _style()})


def paragraphs_files(report: Report, facts: Facts) -> dict[str, str]:
    """Methods and results as files to take along, by name."""
    return {"paragraphs.txt": paragraphs_text(report, facts), "paragraphs.md": paragraphs_markdown(report, facts)}


@cache
def _style() -> str:
    found = [finders.find(name) for name in STYLE_SHEETS]
    texts = []
    for path in found:
        if isinstance(path, str):
            with open(path, encoding="utf-8") as sheet:
                texts.append(sheet.read())
    return "\n".join(texts)
