"""The data dictionary: what every column of the exported tables means."""

import csv
import io
from collections.abc import Iterable, Mapping

from analysis.export.fields import named_fields, tables_fields
from analysis.reports import Report

HEADING = ["file", "column", "type", "unit", "allowed", "meaning", "rater_kind"]
NUMBERS = (
    ("id", "string", "kind/size/arm/versus/rater and part; unique, and the same in every report of this study"),
    ("estimate", "number", "null: undefined for these data"),
    ("low, high", "number", "limits of the interval at the level; null: none, and refused says why"),
    ("se", "number", "standard error of the estimate; null: the limits are not made from one"),
    ("statistic, df", "number", "of a test: its statistic, in the unit that method says, and degrees of freedom"),
    ("level", "number", "confidence level"),
    ("method", "string", "how the interval was made"),
    ("estimand", "string", "the question that it answers"),
    ("n", "integer", "neurons behind the number"),
    ("judgments", "integer", "single answers behind the number"),
    ("status", "string", "primary, planned, sensitivity or exploratory: what the frozen plan makes of it"),
)


def codebook_csv(report: Report, columns: Mapping[str, Iterable[str]]) -> str:
    """The dictionary as CSV, with who rated in every row.

    Parameters
    ----------
    columns : mapping of str to iterable of str
        Columns of every table of the export, by its name.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADING)
    known = tables_fields(report.plan)
    for name, there in columns.items():
        for field in named_fields(known[name], there):
            files = f"{name}.csv, {name}.parquet"
            allowed = "; ".join(f"{rule} {_told(value)}" for rule, value in field.constraints.items())
            writer.writerow([files, field.name, field.type, field.unit, allowed, field.meaning, report.plan.rater_kind])
    for name, kind, meaning in NUMBERS:
        writer.writerow(["report.json", f"numbers: {name}", kind, "", "", meaning, report.plan.rater_kind])
    return out.getvalue()


def _told(value: object) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)
