"""Methods and results in words: every figure names its row, and what is undefined or refused is said."""

import re

import pytest

from analysis.export.methods import methods_paragraphs
from analysis.export.page import standalone_page
from analysis.export.paragraphs import paragraphs_markdown, paragraphs_text
from analysis.export.results import results_paragraphs
from analysis.export.sources import Amendment, Facts
from analysis.export.words import both, headline, p_value, value
from analysis.reports import Thresholds
from analysis.stats.results import Interval, Number
from analysis.tests.synthetic import make_plan, make_tables
from analysis.tests.test_reports import TWO_SIZES, make_report

NOT_AUDITED = "not audited: frozen before there were leak audits"
PARTS = {"plan", "flow", "raters", "numbers", "leaks.json"}


def make_facts(**changes) -> Facts:
    told = {
        "frozen_at": "2026-11-01 10:00 UTC", "closed_at": "2026-11-10 10:00 UTC",
        "unblinded_at": "2026-11-11 10:00 UTC", "unblinded_by": "admin", "unblinded_because": "all in",
        "leaks": NOT_AUDITED,
    }  # fmt: skip
    return Facts(**told | changes)


@pytest.fixture(scope="module", params=["one size", "two sizes", "one rater", "nothing judged", "people"])
def report(request):
    plan = make_plan(groups=TWO_SIZES) if request.param == "two sizes" else make_plan()
    plan = make_plan(rater_kind="human") if request.param == "people" else plan
    tables = make_tables(plan=plan, raters=1 if request.param == "one rater" else 3)
    if request.param == "nothing judged":
        tables.judgments = tables.judgments.iloc[:0]
    return make_report(tables)


def pieces(report):
    paragraphs = (*methods_paragraphs(report, make_facts()), *results_paragraphs(report))
    return [piece for paragraph in paragraphs for piece in paragraph.pieces]


def test_every_figure_in_the_results_belongs_to_a_row_and_every_row_is_there(report):
    known = {number.id for number in report.numbers} | PARTS
    assert {piece.ref for piece in pieces(report) if piece.ref} <= known
    reasons = [number.refused.rstrip(".") for number in report.numbers if number.refused]
    names = [*reasons, *report.plan.sizes, *report.plan.arms, "AC1", "AC2"]
    for paragraph in results_paragraphs(report):
        bare = "".join(piece.text for piece in paragraph.pieces if not piece.ref)
        for name in names:
            bare = bare.replace(name, "")
        assert not re.search(r"\d", bare), bare


def test_what_a_figure_says_is_what_its_row_holds(report):
    rows = {number.id: number for number in report.numbers}
    told = [piece for piece in pieces(report) if piece.ref in rows and rows[piece.ref].unit != "p"]
    for piece in told:
        number = rows[piece.ref]
        assert not number.defined or value(number) in piece.text or piece.text == "new raters"


def test_simulated_raters_are_named_in_both_paragraphs_and_people_are_not(report):
    methods, *results = (paragraph.text for paragraph in (
        *methods_paragraphs(report, make_facts()), *results_paragraphs(report)
    ))  # fmt: skip
    assert ("no persons judged" in methods) == report.simulated
    assert ("simulated raters" in results[0]) == report.simulated


def test_a_study_without_judgments_says_so_and_gives_no_number():
    tables = make_tables()
    tables.judgments = tables.judgments.iloc[:0]
    text = paragraphs_text(make_report(tables), make_facts())
    assert "could not be computed" in text
    assert "nan" not in text.lower()


def test_one_rater_has_no_agreement():
    text = paragraphs_text(make_report(make_tables(raters=1)), make_facts())
    assert "With fewer than two raters no agreement is defined." in text


def test_the_text_lists_each_row_once_and_refers_to_no_other(report):
    body, rows = paragraphs_text(report, make_facts()).split("Rows of report.json:\n")
    listed = re.findall(r"^\[(\d+)\] (.+)$", rows, re.MULTILINE)
    assert [int(number) for number, _ in listed] == list(range(1, len(listed) + 1))
    assert len({row for _, row in listed}) == len(listed)
    assert {int(number) for number in re.findall(r"\[(\d+)\]", body)} == {int(number) for number, _ in listed}


def test_names_and_questions_cannot_write_markdown():
    report = make_report(plan=make_plan(question="*Is* [this](http://example.org) `one`?"))
    told = paragraphs_markdown(report, make_facts())
    assert "[this](http" not in told
    assert r"\*Is\* \[this\]" in told


def test_of_ratings_made_elsewhere_nothing_is_claimed_that_nobody_here_knows():
    report = make_report(plan=make_plan(protocol_sha256="", question=""))
    nowhere = make_facts(frozen_at="", closed_at="", unblinded_at="", unblinded_by="", unblinded_because="", leaks="")
    text = paragraphs_text(report, nowhere)
    for claim in ("at random", "without knowing the arm", "frozen before", "drawn neuron", "They were asked"):
        assert claim not in text
    assert "whether the raters knew the arm, is not known here" in text
    page = standalone_page(report, nowhere)
    assert "drawn at random" not in page
    assert "who did not know the arm" not in page
    assert "Neurons drawn" not in page


def test_a_study_of_one_arm_tells_its_fraction():
    report = make_report(plan=make_plan(groups=(("1L", "baseline"),)))
    told = "".join(paragraph.text for paragraph in results_paragraphs(report))
    share = report.number("fraction/1L/baseline/all/all")
    assert f"{value(share)} (" in told
    assert "no contrast between arms" in told
    assert f"baseline: {both(share)} of neurons interpretable." in headline(report)


def test_where_the_interval_is_about_new_raters_the_test_says_that_it_is_not():
    report = make_report(plan=make_plan(asks="generalising"))
    assert "no difference, about these raters, gave" in paragraphs_text(report, make_facts())
    assert next(headline(report)).endswith("for these raters.")
    assert "multi-reader, multi-case" in paragraphs_text(report, make_facts())


def test_the_method_told_is_that_of_what_was_asked():
    majority = paragraphs_text(make_report(plan=make_plan(vote="majority")), make_facts())
    assert "Each neuron has one vote" in majority
    assert "cluster Wilson" not in majority


def test_exclusions_and_amendments_are_told():
    limits = Thresholds(least_catches_right=0.8, most_beyond_times=0.2, exclude_beyond_times=True, least_seconds=5,
                        most_seconds=600)  # fmt: skip
    facts = make_facts(amendments=(Amendment(2, "2026-11-02", "typo", 0, "0" * 64),))
    text = paragraphs_text(make_report(plan=make_plan(thresholds=limits)), facts)
    for words in ("80 % of catch trials", "20 % of answers", "less than 5 s or more than 600 s", "amended 1 time"):
        assert words in text


def test_a_refused_interval_is_said_in_words_and_not_as_a_number():
    refused = Interval(0.2, float("nan"), float("nan"), 0.95, "none", "new raters", 60, 120, refused="two raters")
    assert both(Number.of(refused, kind="difference", unit="difference")) == "+20.0 (no interval)"


@pytest.mark.parametrize(
    ("p", "said"), [(0.35, "= 0.35"), (0.0061, "= 0.006"), (1e-5, "< 0.001"), (0.0499, "= 0.050"), (1.0, "> 0.99")]
)
def test_p_values_are_written_as_journals_want_them(p, said):
    assert p_value(p).replace("\u00a0", " ") == said
