"""The researcher's page and files, and their refusal until unblinding."""

import io
import json
import zipfile

import pandas as pd
import pytest
from django.urls import reverse

from analysis.export import file_notes
from analysis.export.files import LAST_NOTES, PLAN_NOTES, REPORT_NOTES, STUDY_NOTES, TABLE_NOTES
from analysis.models import ReportSnapshot
from analysis.reports import Report
from analysis.tests.factories import make_study, make_user
from annotation.models import Judgment

pytestmark = pytest.mark.django_db
FILES = [*REPORT_NOTES, "fractions.svg", *(f"{name}.csv" for name in TABLE_NOTES), "judgments.parquet", *PLAN_NOTES,
         *STUDY_NOTES, *LAST_NOTES, "all.zip"]  # fmt: skip
ARM_WORDS = ("baseline", "solu", "ln_only", "arm")


@pytest.fixture
def researcher(client):
    client.force_login(make_user("researcher", "statistician"))
    return client


def download(client, slug: str, name: str) -> bytes:
    response = client.get(reverse("analysis:download", args=[slug, name]))
    assert response.status_code == 200
    return response.content


def test_the_page_shows_fractions_differences_and_figures_of_an_unblinded_study(researcher):
    study = make_study(raters=1)
    page = researcher.get(reverse("analysis:report", args=[study.slug])).content.decode().replace("\u00a0", " ")
    assert "35.0 %" in page
    assert "[24.2, 47.6]" in page
    assert "60.0 %" in page
    assert "[47.4, 71.4]" in page
    assert "[+7.1, +40.7]" in page
    assert page.count("<svg") > 3  # figures, and the brand in the header
    assert "panel question" in page


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_refused_while_blinded(researcher, name):
    study = make_study(unblinded=False, neurons=3, yes={"baseline": 1, "solu": 2})
    response = researcher.get(reverse("analysis:download", args=[study.slug, name]))
    assert response.status_code == 403
    assert "Still blinded" in response.content.decode()


def test_the_page_of_a_blinded_study_says_who_can_unblind_and_names_no_arm(researcher):
    study = make_study(unblinded=False, neurons=3, yes={"baseline": 1, "solu": 2})
    response = researcher.get(reverse("analysis:report", args=[study.slug]))
    page = response.content.decode()
    assert response.status_code == 403
    assert "Still blinded" in page
    assert "admin" in page
    assert "18 of 18" in page
    assert not [word for word in ("baseline", "solu", "ln_only", "1L-256") if word in page]
    assert ReportSnapshot.objects.count() == 0


def test_the_page_is_light_to_load(researcher):
    study = make_study(sizes=("1L-256", "2L-256"))
    reply = researcher.get(reverse("analysis:report", args=[study.slug]), headers={"Accept-Encoding": "gzip"})
    assert reply["Content-Encoding"] == "gzip"
    assert len(reply.content) < 80_000  # of 100 kB; the rest is for style and script


def test_the_list_leads_to_a_comparison_once_there_are_two_reports(researcher):
    make_study("one-study", neurons=2, yes={"baseline": 1, "solu": 1})
    assert "Compare two studies" not in researcher.get(reverse("analysis:list")).content.decode()
    make_study("two-study", neurons=2, yes={"baseline": 1, "solu": 1})
    assert "Compare two studies" in researcher.get(reverse("analysis:list")).content.decode()


def test_the_list_names_every_study_and_no_number_by_arm(researcher):
    make_study("open-one", unblinded=False, neurons=2, yes={"baseline": 1, "solu": 1})
    make_study("done-one", neurons=2, yes={"baseline": 1, "solu": 1})
    page = researcher.get(reverse("analysis:list")).content.decode()
    assert "Study open-one" in page
    assert "Study done-one" in page
    assert "still blinded" in page
    assert not [word for word in ("baseline", "solu", "%") if word in page]


def test_blinded_reports_read_no_sealed_table(researcher, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    study = make_study(unblinded=False, neurons=2, yes={"baseline": 1, "solu": 1})
    with CaptureQueriesContext(
        connection,
    ) as queries:
        researcher.get(reverse("analysis:report", args=[study.slug]))
        researcher.get(reverse("analysis:download", args=[study.slug, "judgments.csv"]))
        researcher.get(reverse("analysis:list"))
    assert not [query["sql"] for query in queries if "sealed" in query["sql"]]


def test_evaluators_and_strangers_reach_no_report(client):
    study = make_study(neurons=2, yes={"baseline": 1, "solu": 1})
    addresses = [
        reverse("analysis:list"),
        reverse("analysis:report", args=[study.slug]),
        reverse("analysis:download", args=[study.slug, "report.json"]),
    ]
    for address in addresses:
        assert client.get(address).status_code == 302
    client.force_login(make_user("rater", "evaluators"))
    for address in addresses:
        assert client.get(address).status_code == 404


def test_unknown_studies_and_files_are_404(researcher):
    study = make_study(neurons=2, yes={"baseline": 1, "solu": 1})
    assert researcher.get(reverse("analysis:report", args=["nothing"])).status_code == 404
    assert researcher.get(reverse("analysis:download", args=[study.slug, "secrets.txt"])).status_code == 404


def test_simulated_raters_are_named_on_the_page_and_in_every_file(researcher):
    study = make_study(neurons=4, yes={"baseline": 1, "solu": 2})
    page = researcher.get(reverse("analysis:report", args=[study.slug])).content.decode()
    assert "Simulated raters." in page
    archive = zipfile.ZipFile(io.BytesIO(download(researcher, study.slug, "all.zip")))
    notes = file_notes(Report.from_json(ReportSnapshot.objects.get().numbers))
    assert [name.split("/")[1] for name in archive.namelist()] == list(notes)
    # Programs, checksums, and the record, which a study made of rows does not have.
    of_no_raters = {"SHA256SUMS", "reproduce.py", "headline.py", "verify_log.py", "log.jsonl", "log_anchor.txt"}
    of_no_raters |= {"report.pdf"}  # compressed; its own tests read it
    without_lines = {"amendments.json", "leaks.json"}
    for name in set(notes) - of_no_raters - without_lines:
        content = archive.read(f"{study.slug}/{name}")
        has_rows = not name.endswith(".csv") or content.count(b"\n") > 1  # a table without rows names nobody
        assert b"imulated" in content or (not has_rows and b"rater_kind" in content), name


def test_a_study_with_people_is_not_called_simulated(researcher):
    study = make_study(neurons=4, yes={"baseline": 1, "solu": 2}, rater_kind="human")
    page = researcher.get(reverse("analysis:report", args=[study.slug])).content.decode()
    assert "Simulated raters" not in page
    assert "human raters" in page


def test_csv_cells_are_no_formulas_and_parquet_keeps_the_text(researcher):
    study = make_study(neurons=4, yes={"baseline": 1, "solu": 2})
    table = pd.read_csv(io.BytesIO(download(researcher, study.slug, "judgments.csv")))
    assert set(table["rule"].dropna()) == {"'=SUM(A1:A9)"}
    assert set(table["rater_kind"]) == {"simulated"}
    exact = pd.read_parquet(io.BytesIO(download(researcher, study.slug, "judgments.parquet")))
    assert set(exact["rule"]) == {"=SUM(A1:A9)", ""}
    assert len(exact) == len(table) == Judgment.objects.count() == 24


def test_report_json_carries_method_question_and_full_precision(researcher):
    study = make_study(raters=1)
    report = json.loads(download(researcher, study.slug, "report.json"))
    number = next(row for row in report["numbers"] if row["id"] == "difference/1L-256/solu/baseline/all")
    assert number["low"] == pytest.approx(0.07130473, abs=1e-8)
    assert number["method"] == "Newcombe"
    assert "panel question" in number["estimand"]
    assert report["simulated"] is True


def test_the_protocol_is_handed_out_byte_for_byte(researcher):
    study = make_study(neurons=2, yes={"baseline": 1, "solu": 1})
    assert download(researcher, study.slug, "protocol.json").decode() == study.protocol


def test_a_report_is_made_once_and_found_again(researcher):
    study = make_study(neurons=2, yes={"baseline": 1, "solu": 1})
    for _ in range(2):
        researcher.get(reverse("analysis:report", args=[study.slug]))
        download(researcher, study.slug, "report.json")
    assert ReportSnapshot.objects.count() == 1


def test_a_study_unblinded_before_anybody_answered_still_has_a_page(researcher):
    study = make_study(neurons=2, yes={"baseline": 1, "solu": 1}, answered=False)
    page = researcher.get(reverse("analysis:report", args=[study.slug])).content.decode()
    assert "no judgments in one of the two arms" in page
    assert download(researcher, study.slug, "all.zip")[:2] == b"PK"
