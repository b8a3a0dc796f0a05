"""The files of an export, each made only when it is asked for, and once where others name its checksum."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path

import pandas as pd

from analysis.export.blocks import Chart
from analysis.export.charts import report_charts
from analysis.export.codebook import codebook_csv
from analysis.export.datapackage import Columns, datapackage
from analysis.export.delimited import csv_bytes, parquet_bytes
from analysis.export.headline_script import headline_text
from analysis.export.page import paragraphs_files, standalone_page
from analysis.export.pdf import report_pdf
from analysis.export.readme import licence_text, readme_text
from analysis.export.reproduce import reproduce_script
from analysis.export.sources import Sources, StudySources, Tables
from analysis.ratings import RatingsPlan, plan_text, plan_to_dict
from analysis.reports import Report
from analysis.reports.responses import prediction_table, response_table

FileSource = Callable[[], bytes]

REPORT_NOTES = {
    "README.txt": "what this folder is, who rated, and how to check it",
    "report.html": "the report as one page that opens without the site",
    "report.pdf": "the same on paper",
    "report.json": "every number of the report in full precision, with method and question",
    "report.schema.json": "what report.json may hold (JSON Schema, draft 2020-12)",
    "paragraphs.txt": "methods and results as text, each number with its row in report.json",
    "paragraphs.md": "the same as Markdown",
}
TABLE_NOTES = {
    "judgments": "one row per shown neuron and rater, with the arm",
    "responses": "one row per judgment and question, with the right answer: trials, snippets, bands, points",
    "predictions": "precision and recall of every writer of rules and every rater who predicted from them",
    "key": "which neuron and arm each item showed",
    "draws": "every draw of the sampling, rejected ones with the reason, and the reserve",
    "strata": "how many neurons each layer of each arm has, and how many were drawn",
    "raters": "every rater's catch trials and times, counted, and declared conflicts of interest",
    "checks": "every check of every judgment, with the value that was held against the frozen threshold",
    "answer_versions": "every answer that was ever given, superseded ones too, with the protocol's version then",
}
PLAN_NOTES = {
    "codebook.csv": "what every column of the tables means",
    "plan.toml": "the plan of the analysis; ratings_analyze reads it",
    "plan.json": "the same for other programs",
    "headline.py": "the main numbers again from judgments.csv, with pandas and SciPy alone: match or mismatch",
}
STUDY_NOTES = {
    "opened_key.json": "the sealed key and salt as committed to in the protocol",
    "reproduce.py": "draws and allocates the study again from protocol and salt, without Blindscope: match or mismatch",
    "protocol.json": "the frozen protocol, byte for byte; its sha256 stands in the report",
    "amendments.json": "later versions of the protocol, with reason, time and answers given by then",
    "leaks.json": "every leak audit: how well the arms could be told from how items were shown, and by what",
    "log.jsonl": "the study's log: who (by number) did what, when and why, each line chained to the one before",
    "log_anchor.txt": "number of lines of the log and its last hash; the same must have been published elsewhere",
    "verify_log.py": "checks the log: python3 verify_log.py log.jsonl --anchor-file log_anchor.txt",
}
LAST_NOTES = {
    "LICENSE.txt": "what may be done with the data",
    "datapackage.json": "the tables with types, allowed values and keys: a Frictionless tabular data package",
    "SHA256SUMS": "checksums of all files (sha256sum --check SHA256SUMS)",
}
FIGURE = "figure: "
EVERYTHING = "all.zip"
CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "svg": "image/svg+xml",
    "jsonl": "application/jsonl; charset=utf-8",
    "zip": "application/zip",
    "txt": "text/plain; charset=utf-8",
}
SCHEMA_FILE = Path(__file__).with_name("report.schema.json")


@dataclass
class Digests:
    """Checksums of files, taken when they are made, so that nothing is made twice for them."""

    files: dict[str, FileSource] = field(default_factory=dict)
    known: dict[str, tuple[str, int]] = field(default_factory=dict)

    def noted(self, name: str, make: FileSource) -> FileSource:
        """The same file, whose checksum is kept when it is made."""

        def made() -> bytes:
            content = make()
            self.known[name] = sha256(content).hexdigest(), len(content)
            return content

        self.files[name] = made
        return made

    def of(self, name: str) -> tuple[str, int]:
        """Checksum and size; the file is made for it if it was not made yet."""
        if name not in self.known:
            self.files[name]()
        return self.known[name]

    def sums(self) -> bytes:
        """All checksums as `sha256sum --check` reads them."""
        return "".join(f"{self.of(name)[0]}  {name}\n" for name in sorted(self.files)).encode()


def report_files(sources: Sources) -> dict[str, FileSource]:
    """Every file of the export by name; checksums come last."""
    tables, charts = _tables(sources), report_charts(sources.report)
    notes = _notes(charts, _listed(tables), own=sources.study is not None, given=tuple(sources.given))
    files = {
        **_report_files(sources, notes),
        **{f"{name}.svg": chart.svg.encode for name, chart in charts.items()},
        **_table_files(tables, sources.report),
        **_plan_files(sources, tables),
        **({} if sources.study is None else _study_files(sources.study, sources.report)),
        **{name: _as_given(content) for name, content in sources.given.items()},
    }
    digests = Digests()
    made = {name: digests.noted(name, files[name]) for name in notes if name in files}
    package = _package(sources, tables, notes, digests)
    made["datapackage.json"] = digests.noted("datapackage.json", package)
    return {**made, "SHA256SUMS": digests.sums}


def file_notes(report: Report) -> dict[str, str]:
    """What each file of the export of a study is, by name, in the order in which they are listed."""
    return _notes(report_charts(report), list(TABLE_NOTES), own=True)


def _notes(charts: Mapping[str, Chart], tables: list[str], *, own: bool, given: tuple[str, ...] = ()) -> dict[str, str]:
    """The same; ratings that were made elsewhere have fewer files than a study of this site."""
    return {
        **REPORT_NOTES,
        **{f"{name}.svg": f"{FIGURE}{chart.title}" for name, chart in charts.items()},
        **{f"{name}.csv": TABLE_NOTES[name] for name in tables},
        **{f"{name}.parquet": f"{name}.csv with exact types" for name in tables},
        **PLAN_NOTES,
        **(STUDY_NOTES if own else {}),
        **dict.fromkeys(given, "as it was given"),
        **LAST_NOTES,
    }


def content_type_of(name: str) -> str:
    """What a file is told to a browser to be."""
    return CONTENT_TYPES.get(name.rpartition(".")[2], CONTENT_TYPES["txt"])


def _report_files(sources: Sources, notes: Mapping[str, str]) -> dict[str, FileSource]:
    report, facts = sources.report, sources.facts
    return {
        "README.txt": lambda: readme_text(report, notes, sources.licence, sources.notes).encode(),
        "report.html": lambda: standalone_page(report, facts).encode(),
        "report.pdf": lambda: report_pdf(report, facts),
        "report.json": lambda: _json_bytes({"$schema": SCHEMA_FILE.name, **report.to_json()}),
        "report.schema.json": SCHEMA_FILE.read_bytes,
        **{name: text.encode for name, text in paragraphs_files(report, facts).items()},
    }


def _table_files(tables: Mapping[str, Callable[[], pd.DataFrame]], report: Report) -> dict[str, FileSource]:
    label = {"raters_are": report.rater_label, "study": report.plan.study}
    texts = {f"{name}.csv": (lambda make=make: csv_bytes(make())) for name, make in tables.items()}
    exact = {f"{name}.parquet": (lambda make=make: parquet_bytes(make(), label)) for name, make in tables.items()}
    return {**texts, **exact}


def _plan_files(sources: Sources, tables: Mapping[str, Callable[[], pd.DataFrame]]) -> dict[str, FileSource]:
    plan = RatingsPlan.of_report(sources.report.plan, sources.licence)
    return {
        "codebook.csv": lambda: codebook_csv(
            sources.report, {name: list(tables[name]()) for name in _listed(tables)}
        ).encode(),
        "plan.toml": plan_text(plan).encode,
        "plan.json": lambda: _json_bytes(plan_to_dict(plan)),
        "headline.py": lambda: headline_text().encode(),
        "LICENSE.txt": lambda: licence_text(sources.report, sources.licence).encode(),
    }


def _study_files(study: StudySources, report: Report) -> dict[str, FileSource]:
    return {
        "opened_key.json": lambda: _json_bytes({"raters_are": report.rater_label, **study.disclosure()}),
        "reproduce.py": lambda: reproduce_script().encode(),
        "protocol.json": study.protocol.encode,
        "amendments.json": lambda: _json_bytes(study.record().amendments),
        "leaks.json": lambda: _json_bytes(study.record().leaks),
        "log.jsonl": lambda: study.record().log.encode(),
        "log_anchor.txt": lambda: f"{study.record().anchor}\n".encode(),
        "verify_log.py": lambda: study.record().verifier.encode(),
    }


def _as_given(content: bytes) -> FileSource:
    return lambda: content


def _tables(sources: Sources) -> dict[str, Callable[[], pd.DataFrame]]:
    """The long tables by name, each made when it is asked for; who rated stands in every one."""
    kind = sources.report.plan.rater_kind
    tables = cache(sources.tables)

    def labelled(make: Callable[[Tables], pd.DataFrame]) -> Callable[[], pd.DataFrame]:
        return lambda: make(tables()).assign(rater_kind=kind)

    found: dict[str, Callable[[], pd.DataFrame]] = {
        "judgments": lambda: tables().judgments,
        "key": labelled(lambda opened: opened.neurons),
        "raters": lambda: tables().raters,
    }
    if sources.study is None:
        return found if tables().strata is None else {**found, "strata": labelled(lambda opened: opened.strata)}
    record = sources.study.record
    return {
        **found,
        "responses": lambda: response_table(tables().judgments),
        "predictions": labelled(lambda opened: prediction_table(opened.judgments)),
        "draws": labelled(lambda opened: opened.draws),
        "strata": labelled(lambda opened: opened.strata),
        "checks": labelled(lambda opened: opened.checks),
        "answer_versions": lambda: record().answers.assign(rater_kind=kind),
    }


def _package(
    sources: Sources, tables: Mapping[str, Callable[[], pd.DataFrame]], notes: Mapping[str, str], digests: Digests
) -> FileSource:
    def made() -> bytes:
        last = {*(f"{name}.csv" for name in tables), "datapackage.json", "SHA256SUMS"}
        others = {name: note for name, note in notes.items() if name in digests.files and name not in last}
        return _json_bytes(datapackage(sources.report, _columns(tables), others, digests.of, sources.licence))

    return made


def _columns(tables: Mapping[str, Callable[[], pd.DataFrame]]) -> dict[str, Columns]:
    """Columns of every table, in the order in which tables are listed."""
    return {name: Columns.of(tables[name]()) for name in _listed(tables)}


def _listed(tables: Mapping[str, object]) -> list[str]:
    return [name for name in TABLE_NOTES if name in tables]


def _json_bytes(data: object) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
