"""The report's permutation tests: which are planned, what they count, and how several sizes are allowed for."""

import dataclasses

import numpy as np
import pytest

from analysis.reports.material import Material
from analysis.reports.permutation import permutation_numbers
from analysis.stats.permutation import arm_permutation
from analysis.tests.synthetic import make_plan, make_tables

THREE_SIZES = tuple((size, arm) for size in ("1L", "16L", "24L") for arm in ("baseline", "solu"))


def numbers_of(tables):
    frozen = Material.of(tables.judgments, tables.raters, tables.plan).frozen
    return {number.id: number for number in permutation_numbers(frozen, tables.plan)}


def test_each_size_and_all_together_have_the_p_value_of_their_neurons_means():
    tables = make_tables(plan=make_plan(groups=THREE_SIZES), neurons_per_arm=20)
    numbers = numbers_of(tables)
    answered = tables.judgments.dropna(subset=["judgment"])
    means = answered.groupby(["size", "arm", "neuron_id"])["judgment"].mean().reset_index()
    one = means[means["size"] == "16L"]
    test = arm_permutation(
        score=one["judgment"].astype(float), arm=(one["arm"] == "solu").astype(int), size=np.zeros(len(one)),
        treatment=1, baseline=0, generator=np.random.default_rng(1), permutations=10,
    )  # fmt: skip
    assert test.method.startswith("exact")
    assert numbers["permutation_p/16L/solu/baseline/all"].estimate == pytest.approx(test.p)
    whole = numbers["permutation_p/all/solu/baseline/all"]
    assert (whole.n, whole.unit) == (len(means), "p")
    assert whole.judgments == len(answered)


def test_p_values_of_several_sizes_are_adjusted_so_that_the_smallest_counts_as_often_as_there_are_sizes():
    numbers = numbers_of(make_tables(plan=make_plan(groups=THREE_SIZES), neurons_per_arm=20))
    sizes = ("1L", "16L", "24L")
    plain = [numbers[f"permutation_p/{size}/solu/baseline/all"].estimate for size in sizes]
    adjusted = [numbers[f"permutation_holm_p/{size}/solu/baseline/all"].estimate for size in sizes]
    order = np.argsort(plain)
    steps = np.minimum(1, np.array(plain)[order] * [3, 2, 1])
    assert np.array(adjusted)[order] == pytest.approx(np.maximum.accumulate(steps))
    assert "adjusted for 3 sizes (Holm)" in numbers["permutation_holm_p/1L/solu/baseline/all"].method


def test_the_majority_of_raters_is_permuted_where_the_plan_asks_for_it():
    mean = make_tables(plan=make_plan(groups=THREE_SIZES))
    majority = dataclasses.replace(mean, plan=dataclasses.replace(mean.plan, vote="majority"))
    name = "permutation_p/all/solu/baseline/all"
    assert numbers_of(mean)[name].estimate != numbers_of(majority)[name].estimate
    assert "majority vote" in numbers_of(majority)[name].estimand


def test_one_size_needs_no_adjusting_and_an_empty_arm_has_no_p_value():
    tables = make_tables(plan=make_plan(groups=THREE_SIZES[:2]))
    assert set(numbers_of(tables)) == {"permutation_p/1L/solu/baseline/all"}
    alone = dataclasses.replace(tables, judgments=tables.judgments[tables.judgments["arm"] == "solu"])
    number = numbers_of(alone)["permutation_p/1L/solu/baseline/all"]
    assert not number.defined
    assert number.n == 0
