"""The report as PDF, typeset by Typst: tagged, the same bytes for the same report, without network or system fonts.

Texts of a study go to the typesetter as data and never as markup. Its own fonts are used: Libertinus Serif, and those
that come with it for letters that Libertinus does not have.
"""

import json
import re
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst

from analysis.export.blocks import Block, Chart, Folded, Listing, Paragraph, Section
from analysis.export.cells import Cell, Table
from analysis.export.prose import frozen_here, raters_said
from analysis.export.sections import report_sections
from analysis.export.sources import Facts
from analysis.figures.svg import FONT
from analysis.reports import Report

TEMPLATE = Path(__file__).with_name("report.typ")
LETTERS = "Libertinus Serif"
SIMULATED = "Simulated raters. No person rated these neurons; the report shows how the platform works."
# No clock in the bytes.
TIMESTAMP = datetime(2000, 1, 1, tzinfo=UTC)
STANDARDS = ["ua-1"]
# Figures in points of the page: a scale that makes their letters as large as a caption's, unless they are too large.
SCALE, LEAST_SCALE, TALLEST, WIDEST = 0.62, 0.4, 285.0, 480.0


def report_pdf(report: Report, facts: Facts) -> bytes:
    """The whole report on pages of A4."""
    sections = report_sections(report, facts)
    found = sections[0].blocks[0]
    first = found.text if isinstance(found, Paragraph) else ""
    told = {
        "title": report.plan.title,
        "author": f"Blindscope, {report.rater_label}",
        "description": f"{SIMULATED} {first}" if report.simulated else first,
        "keywords": ["interpretability", "blinded evaluation", report.rater_label],
        "header": " · ".join([report.plan.title, report.rater_label, *_protocol(report)]),
        "lead": f"Report of {report.judgments:,} answers by {raters_said(report)}.",
        "simulated": SIMULATED if report.simulated else "",
    }
    return _typeset({**told, "sections": _sections_json(sections)})


def _protocol(report: Report) -> list[str]:
    return [f"protocol {report.plan.protocol_sha256[:12]}"] if frozen_here(report) else []


def _typeset(told: dict[str, Any]) -> bytes:
    files = {"main.typ": _template(), "report.json": json.dumps(told, ensure_ascii=False).encode()}
    try:
        return _compiled(files, STANDARDS)
    except typst.TypstError:
        # PDF/UA refuses a letter that no shipped typeface has. The paper is then tagged all the same, with a box there.
        return _compiled(files, [])


def _compiled(files: dict[str, bytes], standards: list[str]) -> bytes:
    compiler: Any = typst.compile  # its stubs do not know that files may be given in memory
    made: bytes = compiler(files, format="pdf", ignore_system_fonts=True, timestamp=TIMESTAMP, pdf_standards=standards)
    return made


@cache
def _template() -> bytes:
    return TEMPLATE.read_bytes()


def _sections_json(sections: tuple[Section, ...]) -> list[dict[str, Any]]:
    anchors = {section.id for section in sections} | {
        cell.id for section in sections for sheet in section.tables for row in sheet.rows for cell in row if cell.id
    }
    return [{"id": section.id, "title": section.title, "blocks": [*_flat(section, anchors)]} for section in sections]


def _flat(section: Section, anchors: set[str]) -> list[dict[str, Any]]:
    """Blocks in their order; paper folds nothing away."""
    made: list[dict[str, Any]] = []
    for block in section.blocks:
        made += [_table_json(sheet) for sheet in block.tables] if isinstance(block, Folded) else [_json(block, anchors)]
    return made


def _json(block: Block, anchors: set[str]) -> dict[str, Any]:
    if isinstance(block, Paragraph):
        pieces = [
            {"text": piece.text, "to": piece.anchor if piece.ref and piece.anchor in anchors else ""}
            for piece in block.pieces
        ]
        return {"kind": "paragraph", "small": block.small, "pieces": pieces}
    if isinstance(block, Listing):
        return {"kind": "listing", "rows": [list(row) for row in block.rows]}
    if isinstance(block, Chart):
        return _chart_json(block)
    return _table_json(block) if isinstance(block, Table) else {}


def _chart_json(chart: Chart) -> dict[str, Any]:
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', chart.svg)
    width, height = (float(part) for part in size.groups()) if size else (400.0, 300.0)
    return {
        "kind": "chart",
        "svg": chart.svg.replace(FONT, LETTERS),
        "alt": f"{chart.title}. {chart.description}",
        "caption": f"{chart.title}. {chart.caption}",
        "width": width * max(LEAST_SCALE, min(SCALE, TALLEST / height, WIDEST / width)),
    }


def _table_json(sheet: Table) -> dict[str, Any]:
    return {
        "kind": "table",
        "title": sheet.title,
        "status": sheet.statuses[0] if len(sheet.statuses) == 1 else "",
        "note": sheet.note,
        "head": [_cell_json(cell, sheet, index) for index, cell in enumerate(sheet.head)],
        "rows": [[{"text": cell.text, "id": cell.id} for cell in row] for row in sheet.rows],
    }


def _cell_json(cell: Cell, sheet: Table, column: int) -> dict[str, Any]:
    wide = any(row[column].long for row in sheet.rows if column < len(row))
    return {"text": cell.text, "number": cell.number, "long": wide}
