"""What an export says of itself to somebody who finds the folder: what it is, how to check it, how to read it."""

from collections.abc import Iterable, Mapping

from analysis.reports import Report
from annotation.design.licence import LICENCE_TEXTS, NO_LICENCE

WIDTH = 22


def readme_text(report: Report, files: Mapping[str, str], licence: str, notes: Iterable[str] = ()) -> str:
    """README.txt.

    Parameters
    ----------
    files : mapping of str to str
        Every file of the export, with what it is.
    notes : iterable of str
        What was passed over or understood in a certain way when the ratings were read.
    """
    parts = [_what(report), _read(files), _check(files), _tables(files), _rights(licence), _notes(notes)]
    listed = "\n".join(["The files", "", *(f"{name:<{WIDTH}} {note}" for name, note in files.items())])
    return "\n\n".join([part for part in parts if part] + [listed]) + "\n"


def licence_text(report: Report, licence: str) -> str:
    """LICENSE.txt."""
    chosen = LICENCE_TEXTS[licence]
    lines = [f"Data of “{report.plan.title}” ({report.plan.study}), judged by {report.rater_label}", ""]
    lines.append(f"{chosen.title} ({chosen.name})" if chosen.address else chosen.title)
    lines += [chosen.address] if chosen.address else []
    lines += ["", chosen.allows, "", "The scripts in this folder are part of Blindscope and under the MIT licence."]
    return "\n".join(lines) + "\n"


def _what(report: Report) -> str:
    plan = report.plan
    lines = [
        f"{plan.title} ({plan.study})",
        "",
        f"Judged by {report.rater_label}." + ("" if plan.rater_kind == "human" else " No person rated these neurons."),
        f"Question: {plan.question}",
        f"Arms: {', '.join(plan.arms)}; sizes: {', '.join(plan.sizes)}. Compared with: {plan.baseline}.",
    ]
    if plan.protocol_sha256:
        lines.append(f"Frozen protocol sha256: {plan.protocol_sha256}")
    lines += [f"Input tables sha256: {report.input_sha256}", f"Analysis code: {report.code_version}; seed {plan.seed}"]
    return "\n".join(lines)


def _read(files: Mapping[str, str]) -> str:
    lines = ["Where to begin", "", "report.html holds the report with its figures; it opens in any browser without a"]
    lines += [
        "network. report.json holds every number of it in full precision: id, estimate, limits, method, the question",
        "that it answers, and what the plan makes of it (primary, planned, sensitivity, exploratory).",
        "report.schema.json describes that file (JSON Schema, draft 2020-12).",
    ]
    return "\n".join(lines)


def _check(files: Mapping[str, str]) -> str:
    ways = (
        ("SHA256SUMS", "sha256sum --check SHA256SUMS", "nothing was changed since the export was made"),
        ("headline.py", "python3 headline.py", "the main numbers, again, from judgments.csv (pandas and SciPy)"),
        ("reproduce.py", "python3 reproduce.py", "the draw of neurons and every rater's list, again (NumPy)"),
        ("verify_log.py", "python3 verify_log.py log.jsonl --anchor-file log_anchor.txt", "nobody changed the log"),
    )
    there = [f"  {command}\n      {what}" for name, command, what in ways if name in files]
    return "\n".join(["How to check it", "", *there])


def _tables(files: Mapping[str, str]) -> str:
    lines = [
        "The tables",
        "",
        "Every table is there as CSV (UTF-8, commas) and as Parquet with exact types. codebook.csv says what each",
        "column means; datapackage.json says the same to programs, with types, allowed values, keys, and what leads",
        "where (Frictionless tabular data package). An empty cell is a missing value. In the CSV files a text that",
        "begins with = + - @ has an apostrophe in front, so that no spreadsheet runs it; in Parquet it stands as it",
        "was written.",
        "Raters are pseudonyms. What a rater had erased is in no file; [erased] stands where words were taken back.",
    ]
    if "plan.toml" in files:
        beside = "".join(f" --{name} {name}.csv" for name in ("raters", "strata") if f"{name}.csv" in files)
        lines += [
            "plan.toml is the plan of the analysis. Whoever has Blindscope asks it again with",
            f"  manage.py ratings_analyze judgments.parquet --plan plan.toml{beside} --out again/",
        ]
    return "\n".join(lines)


def _rights(licence: str) -> str:
    chosen = LICENCE_TEXTS[licence]
    named = chosen.allows if licence == NO_LICENCE else f"{chosen.name}. {chosen.allows}"
    return "\n".join(["Rights", "", f"{named} See LICENSE.txt."])


def _notes(notes: Iterable[str]) -> str:
    said = list(notes)
    return "\n".join(["How the ratings were read", "", *said]) if said else ""
