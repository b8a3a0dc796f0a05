"""Looks in a report: the planned bounds, the interval that all looks leave, and intervals for any number of looks."""

import math

import pytest

from analysis.reports.estimands import Scope
from analysis.reports.looks import NEW_RATERS, look_numbers
from analysis.reports.population import NOWHERE, Populations
from analysis.stats.anytime import confidence_sequence, confidence_sequence_difference
from analysis.stats.contrasts import cluster_newcombe
from analysis.stats.proportions import binomial_mean, pool_equal
from analysis.stats.results import EXPLORATORY, PLANNED, Interval, Number
from analysis.tests.synthetic import make_plan
from analysis.tests.test_report_stratified import GROUPS, SIZES, neurons, one_rater, the_paper


def numbers_of(counts, populations=NOWHERE, **plan) -> dict:
    made = make_plan(**{"groups": GROUPS, **plan})
    numbers = list(look_numbers(counts, Scope(population=made.population), populations, made))
    assert len({number.id for number in numbers}) == len(numbers)
    return {number.id: number for number in numbers}


def test_the_bounds_of_planned_looks_stand_beside_each_other():
    numbers = numbers_of(the_paper(), looks=4)
    rows = [numbers[f"look_bound/all/solu/baseline/all/look {look} of 4"] for look in (1, 2, 3, 4)]
    assert [row.estimate for row in rows] == pytest.approx([4.332634, 2.963131, 2.359044, 2.014090], abs=5e-6)
    assert all(row.status == PLANNED and "O'Brien" in row.method and row.n == 0 for row in rows)
    spent = [numbers[f"look_spent/all/solu/baseline/all/look {look} of 4"].estimate for look in (1, 2, 3, 4)]
    assert spent == sorted(spent)
    assert spent[-1] == pytest.approx(0.05)
    last = numbers["look_level/all/solu/baseline/all/look 4 of 4"]
    assert last.estimate == pytest.approx(0.0440, abs=5e-5)


def test_pococks_spending_is_named_and_used():
    numbers = numbers_of(the_paper(), looks=2, spending="pocock")
    first = numbers["look_bound/all/solu/baseline/all/look 1 of 2"]
    assert first.estimate == pytest.approx(2.157, abs=5e-4)
    assert "Pocock" in first.method


def test_the_last_looks_interval_is_wider_than_one_look_would_need():
    number = numbers_of(the_paper(), looks=4)["repeated_difference/all/solu/baseline/all"]
    pooled = [
        pool_equal([binomial_mean(yes, 60)] * 4 + [binomial_mean(last, 60)]) for yes, last in ((36, 25), (21, 20))
    ]
    once = cluster_newcombe(*pooled)
    assert number.estimate == pytest.approx(once.estimate)
    assert number.low < once.low
    assert number.high > once.high
    assert (number.level, number.status) == (0.95, PLANNED)
    assert "level 0.9560, which the last of 4 looks leaves" in number.method
    assert "at all 4 looks together" in number.estimand


def test_new_raters_have_bounds_but_no_repeated_interval():
    number = numbers_of(the_paper(), looks=2, asks="generalising")["repeated_difference/all/solu/baseline/all"]
    assert number.refused == NEW_RATERS
    assert not number.bounded


def test_an_interval_for_new_raters_is_asked_for_at_the_level_that_the_looks_leave():
    plan = make_plan(groups=GROUPS, looks=4, asks="generalising")
    asked = []

    def contrast(told):
        asked.append(told.level)
        difference = Interval(0.2, 0.1, 0.3, told.level, "MRMC", "new raters too", 600, 600)
        return Number.of(difference, kind="generalising_difference", unit="difference", arm="solu", versus="baseline")

    numbers = {row.id: row for row in look_numbers(the_paper(), Scope(), NOWHERE, plan, contrast)}
    number = numbers["repeated_difference/all/solu/baseline/all"]
    assert asked == [pytest.approx(0.9560, abs=5e-5)]
    assert (number.low, number.high, number.level) == (0.1, 0.3, 0.95)
    assert number.estimand == "new raters too; at all 4 looks together"
    panel = list(look_numbers(the_paper(), Scope(), NOWHERE, make_plan(groups=GROUPS, looks=4), contrast))
    assert len(asked) == 1
    assert not any("new raters" in row.estimand for row in panel)


def test_one_look_has_no_bounds_but_intervals_for_whoever_looked_more_often():
    numbers = numbers_of(the_paper())
    assert {number.kind for number in numbers.values()} == {"always_valid_fraction", "always_valid_difference"}
    assert {number.status for number in numbers.values()} == {EXPLORATORY}
    assert {number.size for number in numbers.values()} == set(SIZES)
    fraction = numbers["always_valid_fraction/16L/solu/all/all"]
    known = confidence_sequence(36, 60)
    assert (fraction.low, fraction.high) == (known.low, known.high)
    difference = numbers["always_valid_difference/16L/solu/baseline/all"]
    known = confidence_sequence_difference(36, 60, 21, 60)
    assert (difference.low, difference.high) == (known.low, known.high)


def test_a_counted_layer_is_sampled_without_replacement_if_its_neurons_were_drawn_together():
    counted = {place: {0: 80} for place in GROUPS}
    plan, name = {"population": "finite", "size": "16L"}, "always_valid_fraction/16L/solu/all/all"
    whole = numbers_of(the_paper(), Populations(counted, by_layer=False), **plan)
    finite = whole[name]
    known = confidence_sequence(36, 60, population=80)
    assert (finite.low, finite.high) == (known.low, known.high)
    assert "finite population" in finite.estimand
    both = [confidence_sequence(yes, 60, level=0.975, population=80) for yes in (36, 21)]
    difference = whole["always_valid_difference/16L/solu/baseline/all"]
    assert (difference.low, difference.high) == pytest.approx((both[0].low - both[1].high, both[0].high - both[1].low))
    assert "at level 0.975" in difference.method
    parted = Populations({place: {0: 40, 1: 40} for place in GROUPS}, by_layer=True)
    endless = numbers_of(the_paper(), parted, **plan)[name]
    assert endless.high > finite.high
    assert "superpopulation" in endless.estimand


def test_votes_that_are_none_are_refused_in_words():
    split = neurons([1] * 30 + [2] * 15 + [0] * 15, [2] * 60)
    numbers = numbers_of({place: split for place in GROUPS})
    assert all("as many yes as no" in number.refused and not number.defined for number in numbers.values())


@pytest.mark.parametrize("yes", [0, 60])
def test_extremes_have_limits_in_range(yes):
    for number in numbers_of({place: one_rater(yes, 60) for place in GROUPS}, looks=3).values():
        assert number.defined
        if number.unit in ("share", "difference"):
            assert -1 <= number.low <= number.estimate <= number.high <= 1


def test_nobody_answered_and_nothing_to_compare_never_crash():
    numbers = numbers_of({}, looks=2)
    assert math.isnan(numbers["repeated_difference/all/solu/baseline/all"].estimate)
    assert numbers["look_bound/all/solu/baseline/all/look 2 of 2"].defined
    alone = make_plan(groups=(("1L", "baseline"),), looks=3)
    assert list(look_numbers({}, Scope(), NOWHERE, alone)) == []
