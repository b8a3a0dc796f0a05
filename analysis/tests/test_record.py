"""The export holds the log, the script that checks it, amendments and every version of every answer."""

import csv
import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command

from analysis.frames import judgment_frame
from annotation import services
from annotation.blinding import blind_judgment_submit, blind_next, blind_undo
from annotation.design import canonical_json
from annotation.models import Evaluator, Study
from annotation.tests.factories import make_answer, make_evaluator, make_open_study, make_rater, practise, rate_all

pytestmark = pytest.mark.django_db


def make_lived_study() -> Study:
    """One answer was changed, the protocol amended once, one seat handed over, then closed and unblinded."""
    study = make_open_study(raters=2, title="Lived")
    first = make_rater(study)
    page = blind_next(first, study.slug)
    blind_judgment_submit(first, page.assignment, make_answer("yes"), "the-first-key")
    blind_undo(first, study.slug)
    blind_judgment_submit(first, page.assignment, make_answer("no"), "the-second-key")
    services.study_amend(study=study, changes={"contact": "ask Grace"}, reason="Somebody else answers now.")
    other = make_evaluator()
    services.seat_hand_over(seat=study.seats.get(number=1), keep=True, reason="The rater fell ill.", to=other)
    practise(other.user_id, study)
    rate_all(other.user_id, study)
    services.study_close(study=study, reason="All raters are done.")
    return services.study_unblind(study=study, reason="All judgments are in.")


@pytest.fixture
def folder(tmp_path) -> Path:
    study = make_lived_study()
    call_command("study_export", study.slug, "--out", str(tmp_path / "out"), stdout=io.StringIO())
    return tmp_path / "out"


def check(folder: Path, *more: str) -> subprocess.CompletedProcess:
    """Run the exported script as somebody else would: on its own, outside of any environment."""
    command = [sys.executable, "-I", "-S", "verify_log.py", "log.jsonl", *(more or ("--anchor-file", "log_anchor.txt"))]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_exported_log_passes_the_exported_script(folder):
    done = check(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fit together; 1 anchor held" in done.stdout


def rewritten(lines: list[str], place: int, **changes: object) -> list[str]:
    """A line changed, with a hash of its own that fits."""
    line = json.loads(lines[place]) | changes
    del line["sha256"]
    line["sha256"] = hashlib.sha256(canonical_json(line).encode()).hexdigest()
    return [*lines[:place], canonical_json(line), *lines[place + 1 :]]


TAMPERED: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "changed": (lambda lines: [lines[0].replace('"created"', '"changed"'), *lines[1:]], "it was changed"),
    "changed with a hash that fits": (lambda lines: rewritten(lines, 1, reason="because"), "does not follow"),
    "removed": (lambda lines: [*lines[:2], *lines[3:]], "Line 3: it says that it is number 4"),
    "inserted": (lambda lines: [*lines[:2], lines[1], *lines[2:]], "Line 3: it says that it is number 2"),
    "reordered": (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "Line 2: it says that it is number 3"),
    "cut off": (lambda lines: lines[:-1], "it was cut off"),
    "last line written anew": (
        lambda lines: rewritten(lines, len(lines) - 1, reason="All is well."), "another hash than the anchor",
    ),
    "of another chain": (lambda lines: rewritten(lines, 2, chain="another"), "belongs to the chain another"),
    "emptied": (lambda lines: [], "anchor belongs to the chain"),
}  # fmt: skip


@pytest.mark.parametrize("how", TAMPERED)
def test_a_tampered_log_is_found_by_the_exported_script(folder, how):
    tamper, said = TAMPERED[how]
    path = folder / "log.jsonl"
    path.write_text("".join(line + "\n" for line in tamper(path.read_text().splitlines())))
    done = check(folder)
    assert done.returncode == 1
    assert said in done.stdout


@pytest.mark.parametrize("text", ["not json\n", "[1]\n", '"text"\n'])
def test_a_file_that_is_no_log_is_said_to_be_none(folder, text):
    (folder / "log.jsonl").write_text(text)
    done = check(folder)
    assert done.returncode == 2
    assert "Cannot read" in done.stderr


def test_a_missing_file_and_a_wrong_anchor_are_said_in_a_sentence(folder):
    assert check(folder, "--anchor=hello").returncode == 2
    (folder / "log.jsonl").unlink()
    assert "Cannot read" in check(folder).stderr


def test_every_version_of_every_answer_is_there_with_who_gave_it_and_under_which_protocol(folder):
    rows = list(csv.DictReader((folder / "answer_versions.csv").open()))
    changed = [row for row in rows if row["order"] == "1"]
    assert [(row["version"], row["verdict"], row["is_current"]) for row in changed] == [
        ("1", "yes", "False"),
        ("2", "no", "True"),
    ]
    assert {row["protocol_version"] for row in changed} == {"1"}
    assert {row["protocol_version"] for row in rows if row["order"] != "1"} == {"2"}
    assert len({row["rater"] for row in rows}) == 2
    assert len({row["rater"] for row in changed}) == 1


def test_amendments_are_there_with_their_text(folder):
    (amendment,) = json.loads((folder / "amendments.json").read_text())
    assert hashlib.sha256(amendment["text"].encode()).hexdigest() == amendment["sha256"]
    assert (amendment["version"], amendment["judgments_before"]) == (2, 2)
    first = hashlib.sha256((folder / "protocol.json").read_bytes()).hexdigest()
    assert json.loads(amendment["text"])["amendment"]["previous_sha256"] == first


def test_leak_audits_are_there_and_the_report_says_what_they_found(folder):
    (audit,) = json.loads((folder / "leaks.json").read_text())
    assert (audit["passed"], audit["limit"], audit["rule"]) == (True, 0.6, "estimate")
    assert len(audit["comparisons"]) == 6  # three pairs, and each arm against all others
    assert "not measured: too few neurons" in (folder / "report.html").read_text()


def test_answers_on_a_seat_that_was_handed_over_stay_with_who_gave_them():
    study = make_lived_study()
    frame = judgment_frame(study)
    first, other = (row.pseudonym for row in Evaluator.objects.order_by("pk"))
    assert list(frame[frame["order"] == 1]["rater"]) == [first]
    assert set(frame[frame["order"] > 1]["rater"]) == {other}


def test_nobodys_name_is_in_the_exported_log(folder):
    log = (folder / "log.jsonl").read_text()
    assert [user for user in Evaluator.objects.values_list("user__username", flat=True) if f'"{user}"' in log] == []
