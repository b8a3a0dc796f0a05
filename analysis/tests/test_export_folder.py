"""`study_export` and the folder it writes: whole or not there, and never over somebody's files."""

import hashlib
import json
import zipfile

import pytest
from django.core.management import CommandError, call_command

from analysis.export import FolderInUse, export_write, file_notes, folder_write, zip_bytes
from analysis.models import ReportSnapshot
from analysis.services import report_current, report_sources
from analysis.tasks import report_build_task
from analysis.tests.factories import make_study
from annotation.services.leaving import rater_erase
from annotation.tests.factories import make_unblinded_study


def files_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.django_db
def test_the_command_writes_every_file_with_right_checksums(tmp_path, capsys):
    study = make_study(neurons=6, yes={"baseline": 2, "solu": 4})
    call_command("study_export", study.slug, "--out", str(tmp_path / "out"))
    files = files_of(tmp_path / "out")
    assert set(files) == set(file_notes(report_sources(study=study).report))
    for line in files["SHA256SUMS"].decode().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(files[name]).hexdigest() == digest
    assert "simulated raters" in capsys.readouterr().out


@pytest.mark.django_db
def test_a_second_run_replaces_the_folder_with_the_same_bytes(tmp_path):
    study = make_study(neurons=6, yes={"baseline": 2, "solu": 4})
    contents = []
    for _ in range(2):
        call_command("study_export", study.slug, "--out", str(tmp_path / "out"))
        contents.append(files_of(tmp_path / "out"))
    assert contents[0] == contents[1]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.django_db
def test_the_report_page_in_the_folder_needs_nothing_else(tmp_path):
    study = make_study(neurons=6, yes={"baseline": 2, "solu": 4})
    call_command("study_export", study.slug, "--out", str(tmp_path / "out"))
    page = (tmp_path / "out" / "report.html").read_text()
    assert "src=" not in page
    assert 'rel="stylesheet"' not in page
    assert "--accent" in page
    assert page.count("<svg") >= 3


@pytest.mark.django_db
def test_the_command_refuses_a_blinded_study_and_writes_nothing(tmp_path):
    study = make_study(neurons=2, yes={"baseline": 1, "solu": 1}, unblinded=False)
    with pytest.raises(CommandError, match="unblinded"):
        call_command("study_export", study.slug, "--out", str(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_the_command_names_the_studies_when_the_name_is_wrong(tmp_path):
    make_study("here", neurons=1, yes={"baseline": 1, "solu": 1})
    with pytest.raises(CommandError, match="no study 'there'; studies here: here"):
        call_command("study_export", "there", "--out", str(tmp_path / "out"))


@pytest.mark.django_db
def test_the_task_makes_one_snapshot_however_often_it_runs():
    study = make_study(neurons=2, yes={"baseline": 1, "solu": 1})
    assert report_build_task(study.pk) == report_build_task(study.pk)
    assert ReportSnapshot.objects.get().numbers["simulated"] is True


@pytest.mark.django_db
def test_the_opened_key_is_the_one_that_lies_in_the_tables(tmp_path):
    study = make_study(neurons=2, yes={"baseline": 1, "solu": 1})
    call_command("study_export", study.slug, "--out", str(tmp_path / "out"))
    opened = json.loads((tmp_path / "out" / "opened_key.json").read_text())
    assert len(opened["key"]) == 4
    assert opened["salt"]


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FolderInUse, match=r"thesis\.txt"):
        folder_write(tmp_path, {"report.json": lambda: b"{}"})
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_file_that_cannot_be_made_leaves_the_old_folder_as_it_was(tmp_path):
    target = tmp_path / "out"
    sums = {"SHA256SUMS": lambda: b"0  report.json\n"}
    folder_write(target, {"report.json": lambda: b"old", **sums})

    def broken() -> bytes:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        folder_write(target, {"report.json": lambda: b"new", "key.csv": broken})
    assert files_of(target) == {"report.json": b"old", "SHA256SUMS": b"0  report.json\n"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_zip_has_the_same_bytes_every_time():
    files = {"report.json": lambda: b"{}", "key.csv": lambda: b"a"}
    assert zip_bytes("study", files) == zip_bytes("study", files)


@pytest.mark.django_db
def test_the_export_can_be_one_zip_and_never_replaces_a_file_that_is_none(tmp_path):
    study = make_study(neurons=2, yes={"baseline": 1, "solu": 1})
    target = tmp_path / "study.zip"
    for _ in range(2):
        call_command("study_export", study.slug, "--out", str(target))
    with zipfile.ZipFile(target) as archive:
        assert f"{study.slug}/report.json" in archive.namelist()
    assert [path.name for path in tmp_path.iterdir()] == ["study.zip"]
    thesis = tmp_path / "thesis.zip"
    thesis.write_text("years of work")
    with pytest.raises(FolderInUse, match="no export"):
        export_write(thesis, "study", {"report.json": lambda: b"{}"})
    assert thesis.read_text() == "years of work"


@pytest.mark.django_db
def test_the_page_follows_when_a_rater_is_erased_after_the_opening():
    study = make_unblinded_study(consent={"text": "We ask you to rate neurons.", "withdrawal": "set aside"}, raters=2)
    before = report_current(study=study)
    assert report_current(study=study) == before
    gone = study.seats.get(number=1).evaluator
    rater_erase(evaluator=gone)
    after = report_current(study=study)
    assert gone.pseudonym in before.numbers["raters"]
    assert gone.pseudonym not in after.numbers["raters"]
    assert after.numbers["judgments"] == before.numbers["judgments"] / 2
