"""Figures: valid, the same bytes every time, readable without colour and by a screen reader."""

from xml.etree import ElementTree

import pytest

from analysis.export.charts import report_figures
from analysis.tests.synthetic import make_plan, make_tables
from analysis.tests.test_reports import TWO_SIZES, make_report

SVG = "{http://www.w3.org/2000/svg}"


def parsed(document: str) -> ElementTree.Element:
    return ElementTree.fromstring(document)  # noqa: S314 - our own document


@pytest.fixture(scope="module", params=["one size", "two sizes", "one rater", "nothing judged"])
def report(request):
    tables = make_tables(
        plan=make_plan(groups=TWO_SIZES) if request.param == "two sizes" else make_plan(),
        raters=1 if request.param == "one rater" else 3,
    )
    if request.param == "nothing judged":
        tables.judgments = tables.judgments.iloc[:0]
    return make_report(tables)


@pytest.fixture(scope="module")
def figures(report):
    return report_figures(report)


def test_figures_are_the_same_bytes_every_time(report, figures):
    assert report_figures(report) == figures


def test_figures_are_valid_xml_with_a_title_a_description_and_the_kind_of_raters(figures):
    for document in figures.values():
        root = parsed(document)
        described = root.get("aria-labelledby").split()
        assert {root.find(f"{SVG}title").get("id"), root.find(f"{SVG}desc").get("id")} == set(described)
        assert root.get("viewBox")
        assert "simulated raters" in "".join(text.text or "" for text in root.iter(f"{SVG}text"))


def test_figures_use_the_colour_of_the_page_and_no_style(figures):
    for document in figures.values():
        root = parsed(document)
        colours = {element.get(name) for element in root.iter() for name in ("fill", "stroke")}
        assert colours <= {None, "none", "currentColor"}
        assert "style=" not in document


def test_nothing_is_drawn_outside_the_figure(figures):
    for document in figures.values():
        root = parsed(document)
        _, _, width, height = (float(part) for part in root.get("viewBox").split())
        for element in root.iter():
            for name, limit in (
                ("x", width),
                ("x1", width),
                ("x2", width),
                ("y", height),
                ("y1", height),
                ("y2", height),
            ):
                assert 0 <= float(element.get(name, 0)) <= limit


def test_arms_differ_by_shape_and_every_rater_has_a_point():
    document = report_figures(make_report())["fractions"]
    root = parsed(document)
    tips = [path.find(f"{SVG}title").text for path in root.iter(f"{SVG}path")]
    assert sum(tip.startswith("rater ") for tip in tips) == 9
    large = [path.get("d") for path in root.iter(f"{SVG}path") if "interval" in path.find(f"{SVG}title").text]
    assert len({"a" in shape or shape.count("L") for shape in large}) == 3


def test_names_from_a_study_cannot_break_the_markup():
    plan = make_plan(groups=(("<b>&", "baseline"), ("<b>&", "solu")))
    root = parsed(report_figures(make_report(plan=plan))["fractions"])
    assert "<b>&" in {text.text for text in root.iter(f"{SVG}text")}
