"""Two studies side by side: the questions of a replication, each with its own answer."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from analysis.export.compared import comparison_sections
from analysis.reports.comparison import compared, comparison_make, standard_error
from analysis.stats.results import UNDEFINED, Number
from analysis.tests.synthetic import make_plan, make_tables
from analysis.tests.test_reports import TWO_SIZES, make_report

Z = float(norm.ppf(0.975))


def make_number(estimate: float, low: float, high: float, unit: str = "difference") -> Number:
    return Number("difference/all/solu/baseline/all", "difference", unit, estimate, low, high, 0.95, "m", "q", 60, 180,
                  arm="solu", versus="baseline")  # fmt: skip


def symmetric(estimate: float, error: float) -> Number:
    return make_number(estimate, estimate - Z * error, estimate + Z * error)


def test_of_symmetric_intervals_mover_gives_the_normal_interval_of_a_difference():
    row = compared(symmetric(0.2, 0.05), symmetric(0.3, 0.12))
    half = Z * math.hypot(0.05, 0.12)
    assert (row.change.estimate, row.change.low, row.change.high) == pytest.approx((0.1, 0.1 - half, 0.1 + half))
    assert (row.predicted.low, row.predicted.high) == pytest.approx((0.2 - half, 0.2 + half))


def test_newcombes_own_example_comes_out_of_two_wilson_intervals():
    # Newcombe 1998 (Stat. Med. 17, 873-890), table II, method 10: 56/70 v 48/80, 0.2 [0.0524, 0.3339].
    from analysis.stats.proportions import binomial_mean, cluster_wilson

    shares = [cluster_wilson(binomial_mean(yes, n), level=0.95, estimand="") for yes, n in ((48, 80), (56, 70))]
    first, second = (make_number(share.estimate, share.low, share.high, "share") for share in shares)
    row = compared(first, second)
    assert (row.change.estimate, row.change.low, row.change.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_fixed_and_random_means_are_those_of_the_textbook():
    # Weights 400 and 100: mean (400 * 0.2 + 100 * 0.5) / 500. Q = 400 * 0.06^2 + 100 * 0.24^2 = 7.2, C = 160.
    row = compared(symmetric(0.2, 0.05), symmetric(0.5, 0.1))
    assert (row.fixed.estimate, row.fixed.high - row.fixed.estimate) == pytest.approx((0.26, Z / math.sqrt(500)))
    weights = [1 / (error**2 + (7.2 - 1) / 160) for error in (0.05, 0.1)]
    assert row.random.estimate == pytest.approx((weights[0] * 0.2 + weights[1] * 0.5) / sum(weights))
    assert row.random.high - row.random.estimate == pytest.approx(Z / math.sqrt(sum(weights)))


def test_studies_that_agree_have_no_variance_between_them():
    row = compared(symmetric(0.2, 0.05), symmetric(0.21, 0.1))
    assert (row.random.low, row.random.high) == pytest.approx((row.fixed.low, row.fixed.high))


@pytest.mark.parametrize(
    ("second", "direction", "significance", "predicted"),
    [((0.25, 0.05), True, True, True), ((-0.3, 0.05), False, True, False), ((0.1, 0.2), True, False, True)],
)
def test_each_question_of_a_replication_has_its_own_answer(second, direction, significance, predicted):
    row = compared(symmetric(0.2, 0.05), symmetric(*second))
    assert (row.same_direction, row.same_significance, row.as_predicted) == (direction, significance, predicted)


numbers = st.builds(
    lambda estimate, below, above: make_number(estimate, estimate - below, estimate + above),
    st.floats(-1, 1), st.floats(0.001, 0.5), st.floats(0.001, 0.5),
)  # fmt: skip


@given(numbers, numbers)
def test_the_prediction_interval_holds_the_second_estimate_exactly_where_the_change_may_be_nothing(first, second):
    row, turned = compared(first, second), compared(second, first)
    if min(abs(row.change.low), abs(row.change.high)) > 1e-9:
        assert row.as_predicted == (row.change.low <= 0 <= row.change.high)
    assert turned.change.low == pytest.approx(-row.change.high)
    assert min(first.estimate, second.estimate) - 1e-9 <= row.fixed.estimate
    assert row.fixed.estimate <= max(first.estimate, second.estimate) + 1e-9
    assert row.random.high - row.random.low >= row.fixed.high - row.fixed.low - 1e-9


def test_what_is_undefined_or_refused_in_one_study_is_undefined_in_the_comparison():
    nothing = make_number(UNDEFINED, UNDEFINED, UNDEFINED)
    refused = replace(make_number(0.2, UNDEFINED, UNDEFINED), refused="two raters")
    for other in (nothing, refused):
        row = compared(symmetric(0.2, 0.05), other)
        assert math.isnan(row.change.low)
        assert not row.fixed.estimate > -1
        assert row.as_predicted is None


def test_the_standard_error_is_that_which_made_a_normal_interval():
    assert standard_error(symmetric(0.4, 0.07)) == pytest.approx(0.07)


@pytest.fixture(scope="module")
def reports():
    plan = make_plan(groups=TWO_SIZES)
    first = make_report(make_tables(plan=plan))
    other = make_plan(groups=TWO_SIZES, study="again", title="Again", rater_kind="human", question="Another one?")
    return first, make_report(make_tables(plan=other, seed=5, raters=4))


def test_two_studies_of_one_design_share_every_size_and_arm(reports):
    made = comparison_make(*reports, ({"protocol": "first_glance"}, {"protocol": "spectrum"}))
    assert made.main.first.id == reports[0].primary.id
    places = {(row.first.size, row.first.arm, row.first.versus) for row in made.shared}
    assert len(places) == len(made.shared) == 3 * 2 + 3
    assert {row.what for row in made.differs} == {"Question to the raters", "Raters", "Number of raters", "Task"}


def test_studies_without_a_common_contrast_share_what_they_can(reports):
    plan = make_plan(groups=(("1L", "baseline"), ("1L", "other")), study="other")
    shares = {"baseline": 0.3, "other": 0.6}
    made = comparison_make(reports[0], make_report(make_tables(plan=plan, shares=shares)))
    assert made.main is None
    assert {(row.first.size, row.first.arm) for row in made.shared} >= {("1L", "baseline")}
    assert "did not promise the same contrast" in comparison_sections(made)[0].blocks[0].text


def test_a_study_held_against_itself_agrees_in_everything(reports):
    made = comparison_make(reports[0], reports[0])
    assert made.differs == ()
    assert all(row.change.estimate == 0 for row in made.shared)
    assert {row.as_predicted for row in made.shared} == {True}


def test_the_comparison_is_json_in_full_precision(reports):
    told = json.loads(json.dumps(comparison_make(*reports).to_json(), allow_nan=False))
    assert told["main"]["change"]["estimate"] == reports[1].primary.estimate - reports[0].primary.estimate
    assert told["simulated"] == [True, False]


def test_an_empty_study_can_be_compared():
    tables = make_tables()
    tables.judgments = tables.judgments.iloc[:0]
    made = comparison_make(make_report(tables), make_report())
    json.dumps(made.to_json(), allow_nan=False)
    assert "no estimate" in comparison_sections(made)[0].blocks[0].text
    assert np.isnan(made.main.change.estimate)
