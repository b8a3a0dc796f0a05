"""docs/statistics.md explains every kind of number in a report, and its table of coverage is the benchmark's."""

import csv
import re
from pathlib import Path

from django.conf import settings

from analysis.export.kinds import WORDS
from benchmarks.coverage_methods import METHODS
from benchmarks.coverage_studies import grid

DOCS = Path(settings.BASE_DIR) / "docs"


def kinds_named() -> list[re.Pattern]:
    """Code spans in the first column of a table; an ellipsis stands for any letters."""
    text = (DOCS / "statistics.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    spans = [span for cell in cells for span in re.findall(r"`([^`]+)`", cell)]
    return [re.compile(re.escape(span).replace("…", ".*")) for span in spans]


def test_every_kind_of_number_is_explained():
    patterns = kinds_named()
    assert [kind for kind in WORDS if not any(pattern.fullmatch(kind) for pattern in patterns)] == []


def test_the_cells_of_the_coverage_table_are_those_of_the_benchmark():
    with (DOCS / "coverage.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({(row["raters"], row["neurons"], row["fractions"], row["spread"]) for row in rows}) == len(list(grid()))
    for question, methods in METHODS.items():
        for method in methods:
            covered = [row[f"{question} {method} coverage"] for row in rows]
            assert all(0 <= float(text) <= 1 for text in covered if text)
            assert any(covered)
