"""What a stranger can do with an export: check it, read it with other programs, and work the numbers out again."""

import ast
import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import fields
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
from django.core.management import call_command
from django.db import transaction
from frictionless import Package, validate

from analysis.export.delimited import csv_bytes
from analysis.export.files import SCHEMA_FILE, TABLE_NOTES
from analysis.export.headline import main as headline_main
from analysis.export.headline_script import headline_text
from analysis.ratings import plan_from_dict, plan_read, plan_to_dict, ratings_report, ratings_tables
from analysis.reports.document import AnalysisPlan, ExcludedRow, FlowRow, PopulationRow, RejectedRow, TimeRow
from analysis.stats.results import Number
from annotation import services
from annotation.blinding import (
    blind_consent_answer,
    blind_instructions_read,
    blind_judgment_submit,
    blind_next,
    blind_practice_answer,
)
from annotation.blinding.pages import ConsentAnswer
from annotation.models import Evaluator, Study
from annotation.services.leaving import ERASED, rater_erase
from annotation.tests.factories import (
    expected_answer,
    make_answer,
    make_evaluator,
    make_open_study,
    practise,
    rate_all,
)

pytestmark = pytest.mark.django_db  # of the one study that is exported
CONSENT = {"text": "We ask you to rate neurons.", "ask_conflicts": True, "erase_words": True, "withdrawal": "keep"}
SECRETS = ("gone-words", "gone-conflict", "erased-person")


def seated(study: Study, name: str, conflict: str = "") -> Evaluator:
    """A rater who declared a conflict, or none, and is ready to rate."""
    evaluator = make_evaluator(name)
    services.seat_take(study=study, evaluator=evaluator)
    version = study.rater_text["consent"]["version"]
    answer = ConsentAnswer(version, agrees=True, conflict="yes" if conflict else "no", conflict_text=conflict)
    blind_consent_answer(evaluator.user_id, study.slug, answer)
    blind_instructions_read(evaluator.user_id, study.slug)
    for number, item in enumerate(study.rater_text["practice"], start=1):
        blind_practice_answer(evaluator.user_id, study.slug, number, expected_answer(item))
    return evaluator


def make_lived_study() -> Study:
    """A seat was handed over after its first answer; another rater finished, declared a conflict, and was erased."""
    study = make_open_study(raters=2, title="Lived", consent=CONSENT, quality={"least_seconds": 3, "most_seconds": 900})
    first = seated(study, "first-person", "I trained one of them.")
    page = blind_next(first.user_id, study.slug)
    blind_judgment_submit(first.user_id, page.assignment, make_answer("yes", active_ms=1_000), "the-first-key")
    other = make_evaluator("other-person")
    services.seat_hand_over(seat=study.seats.get(number=1), keep=True, reason="The rater fell ill.", to=other)
    practise(other.user_id, study)
    rate_all(other.user_id, study, "no")
    gone = seated(study, "erased-person", "gone-conflict")
    page = blind_next(gone.user_id, study.slug)
    blind_judgment_submit(gone.user_id, page.assignment, make_answer("yes", rule="gone-words"), "the-gone-key")
    rate_all(gone.user_id, study)
    study = services.study_close(study=study, reason="All raters are done.")
    study = services.study_unblind(study=study, reason="All judgments are in.")
    rater_erase(evaluator=gone)
    return study


@pytest.fixture(scope="module")
def export(django_db_setup, django_db_blocker, tmp_path_factory) -> Path:
    """One export for all tests here; the study is gone when they run."""
    folder = tmp_path_factory.mktemp("export") / "out"
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("study_export", make_lived_study().slug, "--out", str(folder), stdout=io.StringIO())
        transaction.set_rollback(True)
    return folder


@pytest.fixture
def copied(export, tmp_path) -> Path:
    """The same export, to be changed."""
    return Path(shutil.copytree(export, tmp_path / "copy"))


def rows_of(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# -- The data package --------------------------------------------------------------------------------------------------


def test_the_export_is_a_valid_tabular_data_package(export):
    package = Package(str(export / "datapackage.json"))
    assert package.profile == "tabular-data-package"
    assert [resource.name for resource in package.resources] == list(TABLE_NOTES)
    found = validate(str(export / "datapackage.json"))
    assert found.valid, found.flatten(["title", "message"])


@pytest.mark.parametrize(
    ("table", "column", "value", "said"),
    [
        ("judgments.csv", "arm", "gelu", "constraint-error"),
        ("judgments.csv", "judgment", "maybe", "type-error"),
        ("judgments.csv", "item", "nobody", "foreign-key"),
        ("raters.csv", "rater", "somebody", "foreign-key"),
    ],
)
def test_a_cell_that_does_not_belong_is_found(copied, table, column, value, said):
    rows = rows_of(copied, table)
    rows[-1][column] = value
    assert said in errors_with(copied, table, rows)


def test_a_row_that_stands_there_twice_is_found(copied):
    rows = rows_of(copied, "judgments.csv")
    assert "primary-key" in errors_with(copied, "judgments.csv", [*rows, rows[0]])


def errors_with(folder: Path, table: str, rows: list[dict[str, str]]) -> set[str]:
    """What frictionless finds when a table has other rows and the package no checksums, which alone would tell."""
    (folder / table).write_bytes(csv_bytes(pd.DataFrame(rows)))
    descriptor = json.loads((folder / "datapackage.json").read_text())
    for resource in descriptor["resources"]:
        del resource["hash"], resource["bytes"]
    (folder / "datapackage.json").write_text(json.dumps(descriptor))
    return {error for (error,) in validate(str(folder / "datapackage.json")).flatten(["type"])}


def test_checksums_in_the_package_are_those_of_the_files(export):
    package = json.loads((export / "datapackage.json").read_text())
    for row in [*package["resources"], *package["files"]]:
        content = (export / row["path"]).read_bytes()
        assert row["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}", row["path"]
        assert row["bytes"] == len(content)
    named = {row["path"] for row in [*package["resources"], *package["files"]]} | {"datapackage.json", "SHA256SUMS"}
    assert named == {path.name for path in export.iterdir()}


def test_every_table_is_there_as_csv_and_parquet_with_the_same_cells_and_every_column_is_described(export):
    described = {(row["file"], row["column"]) for row in rows_of(export, "codebook.csv")}
    for name in TABLE_NOTES:
        exact = pd.read_parquet(export / f"{name}.parquet")
        assert csv_bytes(exact) == (export / f"{name}.csv").read_bytes(), name
        assert {(f"{name}.csv, {name}.parquet", column) for column in exact} <= described


def test_the_licence_of_the_design_stands_in_the_package_and_in_a_file(export):
    (licence,) = json.loads((export / "datapackage.json").read_text())["licenses"]
    assert licence["name"] == "CC-BY-4.0"
    assert licence["path"] in (export / "LICENSE.txt").read_text()


# -- Raters ------------------------------------------------------------------------------------------------------------


def test_raters_and_checks_name_who_gave_the_answers_and_what_was_declared(export):
    raters = {row["rater"]: row for row in rows_of(export, "raters.csv")}
    judged = rows_of(export, "judgments.csv")
    first = next(row["rater"] for row in judged if row["seat"] == "1" and row["order"] == "1")
    (other,) = {row["rater"] for row in judged if row["seat"] == "1" and row["order"] != "1"}
    (gone,) = {row["rater"] for row in judged if row["seat"] == "2"}
    assert set(raters) == {first, other, gone}
    assert [(raters[name]["timed"], raters[name]["beyond_times"]) for name in (first, other, gone)] == [
        ("1", "1"),
        ("11", "0"),
        ("12", "0"),
    ]
    told = [(raters[name]["conflict"], raters[name]["conflict_of_interest"]) for name in (first, other, gone)]
    assert told == [("True", "I trained one of them."), ("False", ""), ("True", ERASED)]
    checks = [row for row in rows_of(export, "checks.csv") if row["check"] == "too_fast"]
    fast = {row["rater"] for row in checks if row["passed"] == "False"}
    assert fast == {first}


def test_what_an_erased_rater_was_called_wrote_and_declared_is_in_no_file(export):
    for path in export.iterdir():
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content = pd.read_parquet(path).to_csv().encode()  # compressed as it stands
        assert not [secret for secret in SECRETS if secret.encode() in content], path.name
    rules = {row["rule"] for row in rows_of(export, "judgments.csv") if row["seat"] == "2"}
    assert rules == {ERASED}


# -- report.json and its schema ----------------------------------------------------------------------------------------


def schema_of(folder: Path) -> jsonschema.Draft202012Validator:
    schema = json.loads((folder / "report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_report_is_what_its_schema_says_and_names_it(export):
    report = json.loads((export / "report.json").read_text())
    assert [error.message for error in schema_of(export).iter_errors(report)] == []
    assert report["$schema"] == "report.schema.json"
    assert any(number["estimate"] is not None for number in report["numbers"])


def test_the_schema_knows_every_field_of_a_report_and_of_its_parts(export):
    parts = json.loads((export / "report.schema.json").read_text())
    made = {"number": Number, "plan": AnalysisPlan, "flow": FlowRow, "rejected": RejectedRow, "times": TimeRow,
            "excluded": ExcludedRow, "population": PopulationRow}  # fmt: skip
    for name, kind in made.items():
        assert parts["$defs"][name]["required"] == [field.name for field in fields(kind)], name
    assert set(parts["required"]) == set(json.loads((export / "report.json").read_text())) - {"$schema"}


def numbers_changed(**changes):
    return lambda report: report["numbers"][0].update(changes)


BROKEN = {
    "another schema": lambda report: report.update(schema="blindscope-report/2"),
    "no plan": lambda report: report.pop("plan"),
    "a field that nobody knows": lambda report: report.update(extra=1),
    "a number as text": numbers_changed(estimate="0.5"),
    "a share above 1": numbers_changed(unit="share", estimate=1.5),
    "limits without an estimate": numbers_changed(estimate=None, low=0.1, high=0.2),
    "limits that were refused": numbers_changed(low=0.1, high=0.2, refused="two raters"),
    "a status that nobody knows": numbers_changed(status="confirmed"),
    "a number without its question": lambda report: report["numbers"][0].pop("estimand"),
    "raters of an unknown kind": lambda report: report.update(raters_are="robots"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_report_is_refused_by_the_schema(export, how):
    report = json.loads((export / "report.json").read_text())
    BROKEN[how](report)
    assert list(schema_of(export).iter_errors(report))


# -- The main numbers again --------------------------------------------------------------------------------------------


def run_headline(folder: Path) -> subprocess.CompletedProcess:
    """The script as anybody would run it: another process, no path to this code."""
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "-I", "headline.py"], cwd=folder, env={**environment, "PYTHONPATH": ""}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def test_the_script_in_the_export_finds_the_same_main_numbers_alone(export):
    done = run_headline(export)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "MISMATCH" not in done.stdout
    assert done.stdout.count("match   ") == 5  # three arms and two differences
    assert "difference/tiny/solu/baseline/all" in done.stdout


def test_the_script_is_one_module_in_which_no_name_hides_another_and_nothing_but_pandas_and_scipy_is_needed():
    tree = ast.parse(headline_text())
    named = [(node.name, "") for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    named += [(ast.unparse(node.targets[0]), ast.unparse(node.value)) for node in tree.body
              if isinstance(node, ast.Assign)]  # fmt: skip
    twice = Counter(name for name, _ in named) - Counter({name for name, _ in named})
    assert [name for name in twice if len({value for other, value in named if other == name}) > 1] == []
    assert not [name for name in twice if (name, "") in named]
    imported = {node.module.split(".")[0] for node in tree.body if isinstance(node, ast.ImportFrom)}
    imported |= {node.names[0].name.split(".")[0] for node in tree.body if isinstance(node, ast.Import)}
    assert imported - set(sys.stdlib_module_names) == {"numpy", "pandas", "scipy"}  # pandas brings NumPy


def test_the_script_says_what_does_not_match_and_what_cannot_be_read(copied):
    rows = rows_of(copied, "judgments.csv")
    changed = next(row for row in rows if row["arm"] == "solu" and row["judgment"] == "0")
    changed["judgment"] = "1"
    (copied / "judgments.csv").write_bytes(csv_bytes(pd.DataFrame(rows)))
    done = run_headline(copied)
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("MISMATCH") and "/solu/" in line]
    (copied / "plan.json").unlink()
    assert run_headline(copied).returncode == 2


PLANS = {
    "majority": {"analysis": {"vote": "majority"}},
    "finite": {"analysis": {"population": "finite"}},
    "finite by layer": {"analysis": {"population": "finite"}, "layers": "equal"},
    "generalising": {"analysis": {"question": "generalising"}},
    "generalising, finite": {"analysis": {"question": "generalising", "population": "finite"}},
    "exclusions": {"exclusions": {"least_catches_right": 0.8, "exclude_beyond_times": True, "least_seconds": 25}},
}


def made_ratings(folder: Path) -> None:
    """Ratings of 80 neurons by six raters with gaps, over two sizes and two layers, with tables beside them."""
    rows = ["size,arm,layer,neuron_id,rater,judgment,seconds"]
    for neuron in range(80):
        size, arm, layer = ("1L", "16L")[neuron % 2], ("baseline", "solu")[neuron // 2 % 2], neuron // 4 % 2
        for rater in range(6):
            if (neuron + 3 * rater) % 7:
                said = int((neuron * 37 + rater * 11 + 5 * (neuron // 2 % 2)) % 10 < 4 + 3 * (neuron // 2 % 2))
                seconds = 20 + (neuron * rater) % 30
                rows.append(f"{size},{arm},{layer},n{neuron},r{rater},{said},{seconds}")
    (folder / "ratings.csv").write_text("\n".join(rows))
    strata = [f"{size},{arm},{layer},{25 + 10 * layer},10" for size in ("1L", "16L") for arm in ("baseline", "solu")
              for layer in (0, 1)]  # fmt: skip
    (folder / "strata.csv").write_text("\n".join(["size,arm,layer,enough,sampled", *strata]))
    raters = [f"r{rater},5,{5 - rater % 3}" for rater in range(6)]
    (folder / "raters.csv").write_text("\n".join(["rater,catches,catches_right", *raters]))


EXTREMES = {
    "one answer": "solu,1,a,1",
    "nothing but skipped": "solu,1,a,\nbaseline,2,a,",
    "always yes": "solu,1,a,1\nbaseline,2,a,1\nsolu,1,b,1\nbaseline,2,b,1",
    "arms of different raters": "solu,1,a,1\nbaseline,2,b,0",
}


@pytest.mark.parametrize("how", EXTREMES)
@pytest.mark.parametrize("asks", ["panel", "generalising"])
def test_ratings_that_say_next_to_nothing_are_read_reported_and_found_again(how, asks, tmp_path, capsys):
    (tmp_path / "ratings.csv").write_text(f"arm,neuron_id,rater,judgment\n{EXTREMES[how]}\n")
    plan = plan_from_dict(
        {"title": "T", "question": "Q?", "arms": ["baseline", "solu"], "analysis": {"question": asks}}
    )
    tables = ratings_tables(tmp_path / "ratings.csv", plan)
    report = json.loads(json.dumps(ratings_report(tables).to_json(), allow_nan=False))
    schema = json.loads(SCHEMA_FILE.read_text())
    assert [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(report)] == []
    (tmp_path / "report.json").write_text(json.dumps(report))
    (tmp_path / "judgments.csv").write_bytes(csv_bytes(tables.judgments))
    (tmp_path / "raters.csv").write_bytes(csv_bytes(tables.raters))
    (tmp_path / "plan.json").write_text(json.dumps(plan_to_dict(type(plan).of_report(tables.plan, "none"))))
    assert headline_main(tmp_path) == 0, capsys.readouterr().out


@pytest.mark.parametrize("how", PLANS)
def test_the_script_and_the_report_agree_whatever_the_plan_asks(how, tmp_path, capsys):
    made_ratings(tmp_path)
    plan = plan_from_dict(
        {"title": "T", "question": "Q?", "arms": ["baseline", "solu"], "sizes": ["1L", "16L"], **PLANS[how]}
    )
    beside = {"raters": tmp_path / "raters.csv", "strata": tmp_path / "strata.csv"}
    tables = ratings_tables(tmp_path / "ratings.csv", plan, **beside)
    report = ratings_report(tables)
    (tmp_path / "report.json").write_text(json.dumps(report.to_json()))
    (tmp_path / "judgments.csv").write_bytes(csv_bytes(tables.judgments))
    (tmp_path / "raters.csv").write_bytes(csv_bytes(tables.raters))
    again = type(plan).of_report(report.plan, plan.data_licence)
    (tmp_path / "plan.json").write_text(json.dumps(plan_to_dict(again)))
    assert headline_main(tmp_path) == 0, capsys.readouterr().out
    told = capsys.readouterr().out
    assert f"match    {report.primary.id} " in told


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_exported_plan_asks_the_exported_judgments_the_same_again(export, form):
    plan = plan_read(export / "plan.toml")
    beside = {name: export / f"{name}.csv" for name in ("raters", "strata")}
    tables = ratings_tables(export / f"judgments.{form}", plan, **beside)
    found = {number.id: number for number in ratings_report(tables).numbers}
    report = json.loads((export / "report.json").read_text())
    assert report["plan"]["protocol_sha256"] == tables.plan.protocol_sha256
    main = [number for number in report["numbers"] if number["status"] in ("primary", "planned")]
    assert {number["status"] for number in main} == {"primary", "planned"}
    for number in [*main, *(number for number in report["numbers"] if number["kind"] in ("fraction", "difference"))]:
        assert found[number["id"]].to_json() == number
