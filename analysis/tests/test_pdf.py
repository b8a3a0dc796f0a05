"""The report on paper: tagged, deterministic, labelled on its first page, and closed to what a study may be called."""

import io

import pytest
from pypdf import PdfReader

from analysis.export.pdf import report_pdf
from analysis.tests.synthetic import make_plan, make_tables
from analysis.tests.test_paragraphs import make_facts
from analysis.tests.test_reports import TWO_SIZES, make_report

MARKUP = 'A #panic("title") $x$ *bold* @ref <label> \\ // ] #import "/etc/passwd"'


def opened(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content))


def first_page(content: bytes) -> str:
    return " ".join(opened(content).pages[0].extract_text().replace("\u00a0", " ").split())


@pytest.fixture(scope="module")
def report():
    return make_report(make_tables(plan=make_plan(groups=TWO_SIZES)))


@pytest.fixture(scope="module")
def paper(report):
    return report_pdf(report, make_facts())


def test_the_first_page_names_the_study_the_primary_number_and_simulated_raters(report, paper):
    page = first_page(paper)
    points = f"{100 * report.primary.estimate:+.1f} points"
    for words in (report.plan.title, "Simulated raters. No person rated", points):
        assert words in page


def test_the_metadata_say_the_same(report, paper):
    told = opened(paper).metadata
    assert told.title == report.plan.title
    assert "simulated raters" in told.author
    assert "Simulated raters" in told.subject
    assert f"{100 * report.primary.estimate:+.1f} points" in told.subject
    assert "simulated raters" in told["/Keywords"]


def test_a_report_of_people_is_not_called_simulated():
    paper = report_pdf(make_report(plan=make_plan(rater_kind="human")), make_facts())
    assert "imulated" not in first_page(paper)
    assert "imulated" not in opened(paper).metadata.subject


def test_the_same_report_gives_the_same_bytes(report, paper):
    assert report_pdf(report, make_facts()) == paper


def test_it_is_tagged_and_every_figure_has_words(paper):
    root = opened(paper).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith("en")
    alternatives = paper_alternatives(root["/StructTreeRoot"])
    assert len(alternatives) >= 6
    assert all("simulated raters" in words for words in alternatives)


def paper_alternatives(element) -> list[str]:
    element = element.get_object() if hasattr(element, "get_object") else element
    if isinstance(element, list):
        return [words for child in element for words in paper_alternatives(child)]
    if not isinstance(element, dict):
        return []
    own = [str(element["/Alt"])] if "/Alt" in element else []
    return own + (paper_alternatives(element["/K"]) if "/K" in element else [])


def test_texts_of_a_study_are_no_markup():
    plan = make_plan(title=MARKUP, question=MARKUP, groups=(("#s", "base"), ("#s", "*solu*")), baseline="base")
    tables = make_tables(plan=plan, shares={"base": 0.3, "*solu*": 0.6})
    tables.draws["reason"] = tables.draws["reason"].where(tables.draws["accepted"], "#panic() $")
    paper = report_pdf(make_report(tables), make_facts(leaks="#eval", shown="$ # *"))
    assert opened(paper).metadata.title == MARKUP
    assert '#panic("title") $x$ *bold* @ref <label>' in first_page(paper)


def test_a_study_in_which_nobody_answered_has_its_paper_too():
    tables = make_tables()
    tables.judgments = tables.judgments.iloc[:0]
    assert "no judgments in one of the two arms" in first_page(report_pdf(make_report(tables), make_facts()))


def test_letters_that_the_typeface_lacks_do_not_stop_it():
    paper = report_pdf(make_report(plan=make_plan(title="研究 исследование 🧠")), make_facts())
    assert "исследование" in first_page(paper)
