"""The report's lines from models and about order: names, questions, and when they are left out."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis.reports.material import Material
from analysis.reports.models import model_numbers
from analysis.reports.order import order_numbers
from analysis.reports.status import statuses_given
from analysis.tests.synthetic import make_plan, make_tables

TWO_SIZES = tuple((size, arm) for size in ("1L", "16L") for arm in ("baseline", "solu"))


def frozen(tables):
    return Material.of(tables.judgments, tables.raters, tables.plan).frozen


def by_id(numbers):
    numbers = list(numbers)
    assert len({number.id for number in numbers}) == len(numbers)
    return {number.id: number for number in numbers}


def test_the_model_gives_nearly_the_difference_that_needs_no_model_and_is_a_sensitivity_analysis():
    tables = make_tables(plan=make_plan(groups=TWO_SIZES), raters=4)
    ratings = frozen(tables)
    numbers = by_id(statuses_given(model_numbers(ratings, tables.plan), tables.plan, ("fraction", "difference")))
    answered = tables.judgments.dropna(subset=["judgment"])
    means = answered.groupby(["size", "arm", "neuron_id"])["judgment"].mean().groupby(["size", "arm"]).mean()
    plain = np.mean([means[(size, "solu")] - means[(size, "baseline")] for size in ("1L", "16L")])
    assert "not drawn" in numbers.pop("bayesian_difference/all/solu/baseline/all").refused
    for kind in ("mixed", "mixed_generalising"):
        difference = numbers[f"{kind}_difference/all/solu/baseline/all"]
        assert difference.estimate == pytest.approx(plain, abs=0.03)
        assert difference.low < difference.estimate < difference.high
        assert "equal weight for each size (1L, 16L)" in difference.estimand
        assert numbers[f"{kind}_odds_ratio/all/solu/baseline/all"].estimate > 1
        assert numbers[f"{kind}_neuron_sd/all/solu/baseline/all"].estimate == pytest.approx(2.0, abs=0.7)
    assert {number.status for number in numbers.values()} == {"sensitivity"}
    assert "new raters too" in numbers["mixed_generalising_rater_sd/all/solu/baseline/all"].estimand
    assert all(number.n == 240 for number in numbers.values())


def test_the_size_of_the_primary_contrast_has_its_own_model():
    tables = make_tables(plan=make_plan(groups=TWO_SIZES, size="16L"))
    numbers = by_id(model_numbers(frozen(tables), tables.plan))
    assert numbers["mixed_difference/16L/solu/baseline/all"].n == 120
    assert numbers["mixed_difference/all/solu/baseline/all"].n == 240


def test_the_bayesian_line_is_drawn_up_to_the_plans_number_of_answers_and_else_says_so():
    plan = make_plan(groups=TWO_SIZES[:2], bayesian_answers=180)
    tables = make_tables(plan=plan, neurons_per_arm=30, cannot=0.0)
    numbers = by_id(model_numbers(frozen(tables), plan))
    drawn = numbers["bayesian_difference/1L/solu/baseline/all"]
    assert drawn.bounded
    assert drawn.estimate == pytest.approx(numbers["mixed_difference/1L/solu/baseline/all"].estimate, abs=0.05)
    assert "effective draws" in drawn.method
    fewer = dataclasses.replace(plan, bayesian_answers=179)
    left = by_id(model_numbers(frozen(tables), fewer))
    row = left["bayesian_difference/1L/solu/baseline/all"]
    assert row.refused == "not drawn: 180 answers are more than the plan's 179 (bayesian_answers)"
    assert len(numbers) - len(left) == 4


def test_one_rater_gets_logistic_regression_and_no_word_about_new_raters():
    tables = make_tables(raters=1, plan=make_plan(groups=TWO_SIZES[:2]))
    numbers = by_id(model_numbers(frozen(tables), tables.plan))
    assert numbers["mixed_odds_ratio/1L/solu/baseline/all"].bounded
    refused = numbers["mixed_generalising_difference/1L/solu/baseline/all"]
    assert (refused.refused, refused.defined) == ("too few raters to stand for others: 1; it takes 3", False)


def test_order_in_all_arms_and_in_each_times_and_confidence():
    tables = make_tables(plan=make_plan(groups=TWO_SIZES))
    first = tables.judgments["order"] <= tables.judgments["list_length"] / 3
    tables.judgments.loc[first & (tables.judgments["verdict"] != "cannot"), "verdict"] = "yes"
    slower = tables.judgments["arm"] == "solu"
    tables.judgments.loc[slower, "active_seconds"] *= 3
    tables.judgments["confidence"] = tables.judgments["confidence"].mask(slower, 3)
    numbers = by_id(order_numbers(frozen(tables), tables.plan))
    for arm in ("all", "baseline", "solu"):
        assert numbers[f"order_effect/all/{arm}/all/all"].high < 0
        assert numbers[f"last_third_difference/all/{arm}/all/all"].high < -0.2
        assert numbers[f"time_order_ratio/all/{arm}/all/all"].low < 1.1
    assert numbers["time_arm_ratio/all/solu/baseline/all"].estimate == pytest.approx(3, rel=0.15)
    surer = numbers["confidence_superiority/all/solu/baseline/all"]
    assert surer.estimate > 0.9
    assert numbers["confidence_superiority/16L/solu/baseline/all"].n == 120
    assert surer.judgments == len(tables.judgments[tables.judgments["confidence"].notna()])
    assert {number.status for number in numbers.values()} == {"exploratory"}


def test_what_nobody_was_asked_or_measured_is_not_told():
    tables = make_tables(plan=make_plan(groups=TWO_SIZES))
    tables.judgments["confidence"] = pd.array([pd.NA] * len(tables.judgments), dtype="Int8")
    tables.judgments[["seconds", "active_seconds"]] = np.nan
    kinds = {number.kind for number in order_numbers(frozen(tables), tables.plan)}
    assert kinds == {"order_effect", "last_third_difference"}
    without = dataclasses.replace(tables, judgments=tables.judgments.assign(verdict="", responses='{"trial_1":"left"}'))
    assert list(model_numbers(frozen(without), tables.plan)) == []
    assert list(order_numbers(frozen(without), tables.plan)) == []


def test_wall_seconds_stand_in_where_nobody_measured_active_ones():
    tables = make_tables(plan=make_plan(groups=TWO_SIZES))
    tables.judgments["active_seconds"] = np.nan
    numbers = by_id(order_numbers(frozen(tables), tables.plan))
    assert numbers["time_arm_ratio/all/solu/baseline/all"].defined


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.assign(verdict="yes"),
        lambda table: table.assign(verdict="no"),
        lambda table: table.assign(verdict="cannot"),
        lambda table: table[table["arm"] == "solu"],
        lambda table: table[table["neuron_id"].eq(table["neuron_id"].iloc[0])],
        lambda table: table.iloc[:0],
    ],
)
def test_data_that_say_little_give_no_number_without_a_reason(change):
    tables = make_tables(plan=make_plan(groups=TWO_SIZES), raters=3)
    ratings = frozen(dataclasses.replace(tables, judgments=change(tables.judgments)))
    for number in (*model_numbers(ratings, tables.plan), *order_numbers(ratings, tables.plan)):
        assert number.bounded or number.refused, number.id
