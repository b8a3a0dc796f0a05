"""The files of an export, each made only when it is asked for."""

import io
import json
from collections.abc import Callable
from hashlib import sha256

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.export.charts import report_figures
from analysis.export.codebook import codebook_csv
from analysis.export.page import standalone_page
from analysis.export.reproduce import reproduce_script
from analysis.export.sources import Sources
from analysis.reports import Report
from analysis.reports.responses import prediction_table, response_table

FileSource = Callable[[], bytes]

FILE_NOTES = {
    "report.html": "the report as one page that opens without the site",
    "report.json": "every number of the report in full precision, with method and question",
    "judgments.csv": "one row per shown neuron and rater, with the arm",
    "judgments.parquet": "the same table with exact types",
    "responses.csv": "one row per judgment and question, with the right answer: trials, snippets, bands, points",
    "predictions.csv": "precision and recall of every writer of rules and every rater who predicted from them",
    "codebook.csv": "what every column of the tables means",
    "key.csv": "which neuron and arm each item showed",
    "draws.csv": "every draw of the sampling, rejected ones with the reason, and the reserve",
    "strata.csv": "how many neurons each layer of each arm has, and how many were drawn",
    "raters.csv": "every rater's catch trials and times, counted",
    "checks.csv": "every check of every judgment, with the value that was held against the frozen threshold",
    "opened_key.json": "the sealed key and salt as committed to in the protocol",
    "reproduce.py": "draws and allocates the study again from protocol and salt, without Blindscope: match or mismatch",
    "protocol.json": "the frozen protocol, byte for byte; its sha256 stands in the report",
    "amendments.json": "later versions of the protocol, with reason, time and answers given by then",
    "leaks.json": "every leak audit: how well the arms could be told from how items were shown, and by what",
    "answer_versions.csv": "every answer that was ever given, superseded ones too, with the protocol's version then",
    "log.jsonl": "the study's log: who (by number) did what, when and why, each line chained to the one before",
    "log_anchor.txt": "number of lines of the log and its last hash; the same must have been published elsewhere",
    "verify_log.py": "checks the log: python3 verify_log.py log.jsonl --anchor-file log_anchor.txt",
    "fractions.svg": "figure: interpretable fraction by size and arm",
    "differences.svg": "figure: differences between arms",
    "times.svg": "figure: time per neuron",
    "README.txt": "what this folder is and who rated",
    "SHA256SUMS": "checksums of all files (sha256sum --check SHA256SUMS)",
}
EVERYTHING = "all.zip"
CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "svg": "image/svg+xml",
    "jsonl": "application/jsonl; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
}
# A cell that begins with one of these is run as a formula by spreadsheets.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def report_files(sources: Sources) -> dict[str, FileSource]:
    """Every file of the export by name."""
    report = sources.report
    files: dict[str, FileSource] = {
        "report.html": lambda: standalone_page(report, sources.facts).encode(),
        "report.json": lambda: _json_bytes(report.to_json()),
        "judgments.csv": lambda: _csv_bytes(sources.tables().judgments),
        "judgments.parquet": lambda: _parquet_bytes(sources.tables().judgments, report),
        "responses.csv": lambda: _csv_bytes(response_table(sources.tables().judgments)),
        "predictions.csv": lambda: _csv_bytes(_labelled(prediction_table(sources.tables().judgments), report)),
        "codebook.csv": lambda: codebook_csv(report).encode(),
        "key.csv": lambda: _csv_bytes(_labelled(sources.tables().neurons, report)),
        "draws.csv": lambda: _csv_bytes(_labelled(sources.tables().draws, report)),
        "strata.csv": lambda: _csv_bytes(_labelled(sources.tables().strata, report)),
        "raters.csv": lambda: _csv_bytes(sources.tables().raters),
        "checks.csv": lambda: _csv_bytes(_labelled(sources.tables().checks, report)),
        "opened_key.json": lambda: _json_bytes({"raters_are": report.rater_label, **sources.disclosure()}),
        "reproduce.py": lambda: reproduce_script().encode(),
        "protocol.json": lambda: sources.protocol.encode(),
        "amendments.json": lambda: _json_bytes(sources.record().amendments),
        "leaks.json": lambda: _json_bytes(sources.record().leaks),
        "answer_versions.csv": lambda: _csv_bytes(_labelled(sources.record().answers, report)),
        "log.jsonl": lambda: sources.record().log.encode(),
        "log_anchor.txt": lambda: f"{sources.record().anchor}\n".encode(),
        "verify_log.py": lambda: sources.record().verifier.encode(),
        "README.txt": lambda: _readme(report).encode(),
    }
    for name in ("fractions", "differences", "times"):
        files[f"{name}.svg"] = lambda name=name: report_figures(report)[name].encode()  # type: ignore[misc]
    made = dict(files)
    files["SHA256SUMS"] = lambda: _checksums(made)
    return {name: files[name] for name in FILE_NOTES}


def content_type_of(name: str) -> str:
    """What a file is told to a browser to be."""
    return CONTENT_TYPES.get(name.rpartition(".")[2], CONTENT_TYPES["txt"])


def _json_bytes(data: object) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _labelled(table: pd.DataFrame, report: Report) -> pd.DataFrame:
    return table.assign(rater_kind=report.plan.rater_kind)


def _csv_bytes(table: pd.DataFrame) -> bytes:
    """UTF-8 CSV in which no cell is a formula: a text that begins like one gets an apostrophe in front."""
    safe = table.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]) and not pd.api.types.is_datetime64_any_dtype(safe[column]):
            safe[column] = safe[column].map(_defused, na_action="ignore")
    text: str = safe.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%S.%fZ")
    return text.encode()


def _defused(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def _parquet_bytes(table: pd.DataFrame, report: Report) -> bytes:
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    label = {b"raters_are": report.rater_label.encode(), b"study": report.plan.study.encode()}
    buffer = io.BytesIO()
    pq.write_table(arrow.replace_schema_metadata({**(arrow.schema.metadata or {}), **label}), buffer)
    return buffer.getvalue()


def _readme(report: Report) -> str:
    lines = [
        f"{report.plan.title} ({report.plan.study})",
        f"Judged by {report.rater_label}." + (" No person rated these neurons." if report.simulated else ""),
        f"Question: {report.plan.question}",
        f"Frozen protocol sha256: {report.plan.protocol_sha256}",
        f"Input tables sha256: {report.input_sha256}",
        f"Analysis code: {report.code_version}; seed {report.plan.seed}",
        "",
        *(f"{name:<18} {note}" for name, note in FILE_NOTES.items()),
        "",
        "In the CSV files a text that begins with = + - @ has an apostrophe in front, so that no spreadsheet runs it.",
    ]
    return "\n".join(lines) + "\n"


def _checksums(files: dict[str, FileSource]) -> bytes:
    return "".join(f"{sha256(make()).hexdigest()}  {name}\n" for name, make in sorted(files.items())).encode()
