"""Answers by question: scored against the opened key, task by task, and predictions by writer and predictor."""

import json

import pytest
from frictionless import validate

from analysis.export import folder_write, report_files
from analysis.export.page import standalone_page
from analysis.frames import judgment_frame, study_frames
from analysis.reports.responses import PREDICTION_COLUMNS, prediction_table, response_table
from analysis.services import report_facts, report_sources
from annotation import services
from annotation.blinding import RatePage, blind_judgment_submit, blind_next
from annotation.models import Study, Unblinding
from annotation.sealed.models import SealedKey
from annotation.selectors import judgments_sha256
from annotation.tests.factories import make_answer, make_open_study, make_rater

pytestmark = pytest.mark.django_db
SPECTRUM = {"protocol": "spectrum", "snippets_per_neuron": 10}
RULES = {"protocol": "rule_prediction", "raters": 2, "raters_per_neuron": 1, "options": {"firing": 3, "silent": 3}}


def play(study: Study, answer) -> Study:
    """Everybody answers everything, in turns as long as somebody waits for a rule; then the study is opened."""
    raters = [make_rater(study) for _ in range(study.seats.count())]
    truth = {key.item.public_id: key.truth for key in SealedKey.objects.filter(study=study).select_related("item")}
    for _ in range(2):
        for user in raters:
            while isinstance(page := blind_next(user, study.slug), RatePage):
                row = study.seats.get(evaluator__user_id=user).assignments.get(public_id=page.assignment)
                blind_judgment_submit(user, page.assignment, answer(page, truth[row.item.public_id]), "k" * 9)
    study = services.study_close(study=study, reason="All raters are done.")
    Unblinding.objects.create(study=study, reason="a test", judgments_sha256=judgments_sha256(study))
    return study


def right_but_for_the_first(page, truth):
    """Every question answered rightly but the first one."""
    if not truth:
        return make_answer("yes", rule="a rule")
    right = {name: value for name, value in truth.items() if name != "kinds"}
    if not right:  # a spectrum: what was drawn is known, but nothing is right or wrong
        return make_answer("no")
    first = min(right)
    wrong = {"a": "b", "b": "a", "yes": "no", "no": "yes"}.get(right[first], "a")
    sure = {f"{name}_confidence": "2" for name in right if name.startswith("trial")}
    return make_answer("", confidence=2, responses=right | {first: wrong} | sure)


def test_a_forced_choice_is_scored_against_the_opened_key():
    study = play(make_open_study(protocol="forced_choice", raters=1), right_but_for_the_first)
    frame = judgment_frame(study)
    assert set(frame["task"]) == {"forced_choice"}
    assert frame["score"].tolist() == pytest.approx([2 / 3] * 12)
    assert frame["judgment"].isna().all()
    assert set(json.loads(frame["right_answers"][0])) == {"trial_1", "trial_2", "trial_3"}
    table = response_table(frame)
    assert len(table) == 12 * 6
    assert table["response"][:4].tolist() == ["trial_1", "trial_1_confidence", "trial_2", "trial_2_confidence"]
    assert table.groupby("response")["right"].mean()[["trial_1", "trial_2", "trial_3"]].tolist() == [0, 1, 1]
    assert table[table["response"] == "trial_1_confidence"]["right"].isna().all()
    assert set(table[table["response"] == "trial_1"]["drawn"]) == {"top"}
    assert prediction_table(frame).empty


def test_the_bands_of_a_spectrum_are_rows_too_also_where_the_verdict_over_all_is_no():
    study = play(
        make_open_study(protocol="spectrum", raters=1, snippets_per_neuron=10),
        lambda page, truth: make_answer("no"),
    )
    table = response_table(judgment_frame(study))
    assert len(table) == 12 * 5
    assert set(table["value"]) == {""}
    assert table["right"].isna().all()
    assert table.groupby("item")["drawn"].nunique().eq(5).all()


def test_a_first_glance_has_no_questions_and_no_score():
    study = play(make_open_study(raters=1), lambda page, truth: make_answer("yes"))
    frame = judgment_frame(study)
    assert set(frame["task"]) == {"first_glance"}
    assert frame["score"].isna().all()
    assert set(frame["responses"]) == {"{}"}
    assert response_table(frame).empty


def test_predictions_carry_their_writer_and_the_rule_as_it_was_given():
    study = play(make_open_study(**RULES), right_but_for_the_first)
    frame = judgment_frame(study)
    assert frame.groupby("task").size().to_dict() == {"first_glance": 12, "rule_prediction": 12}
    predictions = frame[frame["task"] == "rule_prediction"]
    assert set(predictions["rule_given"]) == {"a rule"}
    assert (predictions["rule_writer"] != predictions["rater"]).all()
    assert set(predictions["rule_writer"]) == set(frame["rater"])
    assert frame[frame["task"] == "first_glance"]["rule_writer"].eq("").all()
    assert predictions["score"].tolist() == pytest.approx([5 / 6] * 12)


def test_precision_and_recall_are_counted_over_the_rules_of_a_pair():
    study = play(
        make_open_study(**RULES),
        lambda page, truth: (
            make_answer("", confidence=3, responses=dict.fromkeys((name for name in truth if name != "kinds"), "yes"))
            if truth
            else make_answer("yes", rule="everything")
        ),
    )
    table = prediction_table(judgment_frame(study))
    assert list(table.columns) == PREDICTION_COLUMNS
    assert table.groupby(["rule_writer", "rater"]).ngroups == 2
    assert table["rules"].sum() == 12
    assert set(table["precision"]) == {0.5}
    assert set(table["recall"]) == {1.0}
    assert (table["hits"] == 3 * table["rules"]).all()


def test_a_rule_that_could_not_be_used_counts_as_no_rule():
    study = play(
        make_open_study(**RULES),
        lambda page, truth: make_answer("cannot") if truth else make_answer("yes", rule="???"),
    )
    table = prediction_table(judgment_frame(study))
    assert table["rules"].sum() == 0
    assert table[["precision", "recall"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "design", [{"protocol": "forced_choice"}, {"protocol": "intruder"}, SPECTRUM, RULES], ids=lambda d: d["protocol"]
)
def test_every_file_of_the_export_can_be_made_and_is_what_the_package_says(design, tmp_path):
    study = play(make_open_study(**design), right_but_for_the_first)
    folder_write(tmp_path / "out", report_files(report_sources(study=study)))
    files = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    found = validate(str(tmp_path / "out" / "datapackage.json"))
    assert found.valid, found.flatten(["title", "fieldName", "message"])
    assert files["responses.csv"].count(b"\n") == 1 + len(response_table(study_frames(study).judgments))
    header = files["judgments.csv"].split(b"\n")[0].decode().split(",")
    described = files["codebook.csv"].decode()
    assert all(f",{column}," in described or f'"{column}' in described for column in header)


def report_of(study):
    return report_sources(study=study).report


def test_the_report_of_a_forced_choice_is_about_right_answers_and_calls_nothing_interpretable():
    report = report_of(play(make_open_study(protocol="forced_choice"), right_but_for_the_first))
    assert report.scored
    for arm in ("baseline", "solu", "ln_only"):
        number = report.number(f"score/tiny/{arm}/all/all")
        assert (number.estimate, number.n, number.judgments) == (pytest.approx(2 / 3), 4, 24)
    assert report.number("score_difference/tiny/solu/baseline/all").estimate == pytest.approx(0)
    assert {(row.scored, row.unanswered, row.shown) for row in report.flow} == {(8, 0, 8)}
    assert report.judgments == 24
    assert report.primary.id == "score_difference/tiny/solu/baseline/all"
    assert {number.id for number in report.of_status("planned")} == {
        "score/tiny/baseline/all/all", "score/tiny/solu/all/all", "permutation_p/tiny/solu/baseline/all",
    }  # fmt: skip
    new = report.number("generalising_score/tiny/solu/all/all")
    assert new.estimate == pytest.approx(2 / 3)
    assert "generalising question" in new.estimand
    page = standalone_page(report, report_facts(Study.objects.get()))
    assert "of questions answered rightly" in page
    assert "nterpretable" not in page


def test_the_report_of_a_rule_study_counts_verdicts_of_writers_and_precision_and_recall_of_predictions():
    report = report_of(play(make_open_study(**RULES), right_but_for_the_first))
    assert not report.scored
    assert report.number("fraction/tiny/solu/all/all").estimate == 1.0
    assert {(row.neurons, row.assigned, row.shown, row.yes, row.scored) for row in report.flow} == {(4, 4, 4, 4, 0)}
    assert report.number("score/tiny/solu/all/all").estimate == pytest.approx(5 / 6)
    recall, precision = (report.number(f"{kind}/tiny/solu/all/all") for kind in ("recall", "precision"))
    assert 0.6 < recall.estimate <= 1
    assert 0.7 < precision.estimate <= 1
    assert "Recall of predictions" in standalone_page(report, report_facts(Study.objects.get()))


def test_a_report_without_right_answers_has_no_scores():
    report = report_of(play(make_open_study(raters=1), lambda page, truth: make_answer("yes")))
    assert not report.scored
    assert not report.select("score")
