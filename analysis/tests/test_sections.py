"""The report as a page: nothing of report.json is missing from it, and every number says what it is."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from analysis.export.cells import anchor
from analysis.export.page import standalone_page
from analysis.export.sections import report_sections
from analysis.export.sources import Amendment, LeakArea
from analysis.stats.results import UNDEFINED, Interval, Number
from analysis.tests.synthetic import make_plan, make_tables
from analysis.tests.test_paragraphs import make_facts
from analysis.tests.test_reports import TWO_SIZES, make_report

PLANS = {
    "two sizes": {"groups": TWO_SIZES},
    "new raters": {"groups": TWO_SIZES, "asks": "generalising"},
    "majority": {"vote": "majority"},
    "one arm": {"groups": (("1L", "baseline"),)},
    "three looks": {"looks": 3},
}


@pytest.fixture(scope="module", params=["one size", "one rater", "nothing judged", *PLANS])
def report(request):
    plan = make_plan(**PLANS.get(request.param, {}))
    tables = make_tables(plan=plan, raters=1 if request.param == "one rater" else 3)
    if request.param == "nothing judged":
        tables.judgments = tables.judgments.iloc[:0]
    return make_report(tables)


@pytest.fixture(scope="module")
def page(report):
    return standalone_page(report, make_facts())


def ids_of(page: str) -> Counter:
    return Counter(re.findall(r'\bid="([^"]+)"', page))


def test_every_number_of_the_report_has_exactly_one_place_on_the_page(report, page):
    found = ids_of(page)
    assert [number.id for number in report.numbers if found[anchor(number.id)] != 1] == []


def test_no_id_is_given_twice_and_every_link_within_the_page_leads_somewhere(page):
    found = ids_of(page)
    assert [name for name, count in found.items() if count > 1] == []
    assert [target for target in re.findall(r'href="#([^"]+)"', page) if target not in found] == []


def test_a_kind_that_nobody_has_heard_of_is_shown_with_question_method_status_and_reason(report):
    refused = Interval(0.3, UNDEFINED, UNDEFINED, 0.95, "a new method", "a new question", 7, 9, refused="too few suns")
    numbers = (
        Number.of(refused, kind="solar_share", arm="solu", status="sensitivity"),
        Number.of(replace(refused, refused="", low=0.1, high=0.5), kind="solar_kappa", unit="kappa", part="noon"),
    )
    report = replace(report, numbers=(*report.numbers, *numbers))
    page = standalone_page(report, make_facts())
    for words in ("Solar share", "Solar kappa", "A new question", "a new method", "No interval: too few suns", "noon"):
        assert words in page
    assert all(ids_of(page)[anchor(number.id)] == 1 for number in numbers)


def test_every_table_with_numbers_says_what_the_plan_makes_of_them(report):
    for section in report_sections(report, make_facts()):
        for table in section.tables:
            cells = [cell for row in table.rows for cell in row if cell.status]
            statuses = {cell.status for cell in cells}
            assert statuses == set(table.statuses)
            assert len(statuses) < 2 or table.head[-1].text == "Status"


def test_what_was_asked_comes_before_what_came_out_and_the_flow_before_the_numbers(report):
    names = [section.id for section in report_sections(report, make_facts())]
    order = [name for name in names if name in ("plan", "flow", "fractions", "agreement", "blind", "sensitivity")]
    assert order == ["plan", "flow", "fractions", *(["agreement"]), "blind", "sensitivity"]
    assert names[0] == "found"
    assert {"paste", "how"} <= set(names)


def test_amendments_and_the_leak_audit_are_told():
    amended = Amendment(2, "2026-11-02 09:00 UTC", "a typo in the <question>", 12, "ab" * 32)
    page = standalone_page(make_report(), make_facts(amendments=(amended,), leaks="largest area 0.55."))
    assert "a typo in the &lt;question&gt;" in page
    assert "Leak audit: largest area 0.55." in page
    area = LeakArea("baseline, solu", "how it is shown", True, 0.55, 0.5, 0.6, 120)
    assert "0.55 [0.50, 0.60]" in standalone_page(make_report(), make_facts(leak_areas=(area,)))


def test_anchors_are_one_to_one_and_hold_no_space_or_sign():
    names = ["a b/c", "a_b/c", "a~20b/c", "ä%/c", "a b/ c"]
    assert len({anchor(name) for name in names}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9/._~-]+", anchor(name)) for name in names)
