"""The whole report on the edges: nothing crashes, and what is not known is not given a number."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.reports import Report, Thresholds
from analysis.tests.synthetic import make_plan, make_tables
from analysis.tests.test_reports import make_report

GROUPS = tuple((size, arm) for size in ("1L", "4L") for arm in ("baseline", "solu"))
BOUNDED_UNITS = {"share": (0, 1), "difference": (-1, 1), "p": (0, 1)}


def everybody_says(verdict):
    def change(tables):
        tables.judgments["verdict"] = verdict
        tables.judgments["responses"] = "" if verdict == "" else "{}"

    return change


def one_rater_always_yes(tables):
    tables.judgments.loc[tables.judgments["rater"] == "rater 1", "verdict"] = "yes"


def one_neuron_skipped(tables):
    skipped = tables.judgments["neuron_id"] == tables.judgments["neuron_id"].iloc[0]
    tables.judgments.loc[skipped, "verdict"] = "cannot"


def without(arm):
    def change(tables):
        tables.judgments = tables.judgments[tables.judgments["arm"] != arm]

    return change


def arm_of_one_size_empty(tables):
    gone = (tables.judgments["arm"] == "solu") & (tables.judgments["size"] == "4L")
    tables.judgments = tables.judgments[~gone]


def nothing_judged(tables):
    tables.judgments = tables.judgments.iloc[:0]


def opposite_arms(tables):
    tables.judgments["verdict"] = np.where(tables.judgments["arm"] == "solu", "yes", "no")


def everybody_guesses_right(tables):
    tables.judgments["guess_arm"] = tables.judgments["arm"]


def nobody_knows(tables):
    tables.judgments["guess_arm"] = "dk"


def no_times(tables):
    tables.judgments[["seconds", "active_seconds"]] = np.nan


def as_it_is(tables):
    pass


CHANGES = [
    everybody_says("yes"), everybody_says("no"), everybody_says("cannot"), everybody_says(""), one_rater_always_yes,
    one_neuron_skipped, without("solu"), without("baseline"), arm_of_one_size_empty, nothing_judged, opposite_arms,
    everybody_guesses_right, nobody_knows, no_times, as_it_is,
]  # fmt: skip
SHAPES = [{"raters": 1}, {"raters": 2}, {"raters": 4}, {"raters": 5, "not_shown": 0.5}]
PLANS = [{"asks": "generalising"}, {"vote": "majority"}, {"population": "finite"}, {"looks": 2}]


def report_of(change, plan=None, **shape) -> Report:
    tables = make_tables(plan=plan or make_plan(groups=GROUPS, permutations=200), **{"neurons_per_arm": 8, **shape})
    change(tables)
    return make_report(tables)


def holds_together(report: Report) -> None:
    """Ids differ, limits hold their estimate, what is missing is not bounded or says why, and all is plain JSON."""
    ids = [number.id for number in report.numbers]
    assert len(set(ids)) == len(ids)
    for number in report.numbers:
        assert number.method, number.id
        assert number.estimand, number.id
        if not number.defined:
            assert math.isnan(number.low) or number.refused, number.id
            assert math.isnan(number.high) or number.refused, number.id
        elif number.bounded:
            assert number.low <= number.estimate + 1e-12, number.id
            assert number.estimate <= number.high + 1e-12, number.id
        slope = number.kind == "order_effect"  # over 100 places, of lists that may have fewer
        if number.defined and number.unit in BOUNDED_UNITS and not slope:
            least, most = BOUNDED_UNITS[number.unit]
            assert least - 1e-12 <= number.estimate <= most + 1e-12, number.id
    text = json.dumps(report.to_json(), allow_nan=False)
    assert Report.from_json(json.loads(text)).to_json() == report.to_json()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__qualname__)
def test_no_study_is_too_odd_for_a_report(change):
    report = report_of(change)
    holds_together(report)
    assert len(report.of_status("primary")) == 1


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("change", [as_it_is, arm_of_one_size_empty], ids=lambda change: change.__qualname__)
def test_nor_are_few_raters_or_gaps(change, shape):
    holds_together(report_of(change, **shape))


CHANGES = {"all yes": everybody_says("yes"), "no solu": without("solu"), "nothing judged": nothing_judged}


@pytest.mark.parametrize("changes", PLANS, ids=str)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nor_is_another_plan(change, changes):
    report = report_of(change, make_plan(groups=GROUPS, permutations=200, **changes))
    holds_together(report)
    assert len(report.of_status("primary")) == 1


@pytest.mark.parametrize("neurons", [1, 2])
def test_one_neuron_in_an_arm_is_no_crash(neurons):
    holds_together(report_of(as_it_is, neurons_per_arm=neurons))


def test_everybody_excluded_leaves_a_report_that_says_nothing_but_how_many():
    plan = make_plan(groups=GROUPS, permutations=200, thresholds=Thresholds(least_catches_right=1.0))
    tables = make_tables(plan=plan, neurons_per_arm=8)
    tables.raters["catches_right"] = 0
    report = make_report(tables)
    holds_together(report)
    assert report.raters == ()
    assert not report.primary.defined
    assert sum(row.count for row in report.excluded) == sum(row.excluded for row in report.flow) == 96
    assert report.number("fraction_excluding_nobody/1L/solu/all/all").defined


def test_all_yes_in_one_arm_and_all_no_in_the_other_is_a_difference_of_one_with_an_interval():
    number = report_of(opposite_arms, neurons_per_arm=60).primary
    assert number.estimate == 1
    assert 0.8 < number.low < 1
    assert number.high == 1


def test_an_arm_that_nobody_judged_leaves_the_primary_contrast_undefined_and_says_so():
    number = report_of(without("solu")).primary
    assert not number.defined
    assert (number.low, number.high) != (0, 0)
    assert not number.bounded


def test_a_skipped_neuron_counts_in_the_bounds_and_nowhere_else():
    report = report_of(one_neuron_skipped, cannot=0.0)
    place = "1L/baseline/all/all"
    assert report.number(f"fraction/{place}").n == 7
    assert report.number(f"fraction_skipped_as_no/{place}").n == 8
    low, high = (report.number(f"fraction_skipped_as_{name}/{place}").estimate for name in ("no", "yes"))
    assert high - low == pytest.approx(1 / 8)


def test_ties_of_an_even_number_of_raters_are_left_out_of_the_majority_only():
    report = report_of(as_it_is, raters=2, neurons_per_arm=60, cannot=0.0)
    majority, mean = (report.number(f"{kind}/1L/solu/all/all") for kind in ("majority_fraction", "fraction"))
    assert majority.n < mean.n == 60


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([0.0, 0.3]))
def test_the_report_does_not_depend_on_the_order_of_rows(seed, raters, gaps):
    plan = make_plan(groups=GROUPS, permutations=100, resamples=100)
    tables = make_tables(plan=plan, neurons_per_arm=5, raters=raters, cannot=gaps, not_shown=gaps, seed=seed)
    first = json.dumps(make_report(tables).to_json())
    for name in ("judgments", "neurons", "draws", "raters"):
        setattr(tables, name, getattr(tables, name).sample(frac=1, random_state=seed % 2**31))
    assert json.dumps(make_report(tables).to_json()) == first
