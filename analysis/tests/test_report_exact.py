"""Exact fractions in a report: which interval they have, what they are about, and votes that are none."""

import pytest

from analysis.reports.exact import exact_numbers
from analysis.reports.population import NOWHERE, Populations
from analysis.stats.exact import clopper_pearson, jeffreys
from analysis.stats.finite import hypergeometric
from analysis.tests.synthetic import make_plan
from analysis.tests.test_report_stratified import GROUPS, neurons, one_rater, the_paper


def numbers_of(counts, populations=NOWHERE, **plan) -> dict:
    numbers = list(exact_numbers(counts, populations, make_plan(**{"groups": GROUPS, **plan})))
    assert len({number.id for number in numbers}) == len(numbers) == 2 * len(GROUPS)
    return {number.id: number for number in numbers}


def limits(row) -> tuple[float, float]:
    return row.low, row.high


def test_neurons_that_stand_for_others_have_clopper_and_pearsons_interval_and_jeffreys_beside_it():
    numbers = numbers_of(the_paper())
    exact, bayes = (numbers[f"{kind}/16L/solu/all/all"] for kind in ("exact_fraction", "jeffreys_fraction"))
    assert limits(exact) == limits(clopper_pearson(36, 60))
    assert limits(bayes) == limits(jeffreys(36, 60))
    assert (exact.unit, exact.n, exact.method) == ("share", 60, "Clopper-Pearson")
    assert "superpopulation" in exact.estimand


def test_counted_neurons_drawn_together_have_the_hypergeometric_interval():
    counted = Populations({place: {0: 80} for place in GROUPS}, by_layer=False)
    numbers = numbers_of(the_paper(), counted, population="finite")
    exact = numbers["exact_fraction/16L/solu/all/all"]
    assert limits(exact) == limits(hypergeometric(36, 60, 80))
    assert "finite population" in exact.estimand
    assert "superpopulation" in numbers["jeffreys_fraction/16L/solu/all/all"].estimand
    endless = numbers_of(the_paper(), counted)["exact_fraction/16L/solu/all/all"]
    assert limits(endless) == limits(clopper_pearson(36, 60))


def test_layers_drawn_from_one_by_one_are_no_simple_random_sample():
    parted = Populations({place: {0: 40, 1: 40} for place in GROUPS}, by_layer=True)
    exact = numbers_of(the_paper(), parted, population="finite")["exact_fraction/1L/solu/all/all"]
    assert exact.method == "Clopper-Pearson"


@pytest.mark.parametrize("yes", [0, 60])
def test_extremes_have_limits_and_nobody_has_none(yes):
    assert all(row.bounded for row in numbers_of({place: one_rater(yes, 60) for place in GROUPS}).values())
    assert not any(row.defined for row in numbers_of({}).values())


def test_votes_that_are_none_are_refused_in_words():
    split = neurons([1] * 30 + [2] * 15 + [0] * 15, [2] * 60)
    assert all("as many yes as no" in row.refused for row in numbers_of({place: split for place in GROUPS}).values())
