"""Numbers for new raters in a report: where they stand, what they say, and when they are refused."""

import numpy as np
import pytest

from analysis.reports.estimands import Scope
from analysis.reports.generalising import generalising_numbers
from analysis.reports.population import NOWHERE, Populations
from analysis.reports.ratings import ratings_read
from analysis.stats.mrmc import mrmc_difference
from analysis.tests.synthetic import make_plan, make_tables
from annotation.design.analysis import FINITE, GENERALISING, SUPERPOPULATION

SIZES = ("1L", "2L")
PLAN = make_plan(groups=tuple((size, arm) for size in SIZES for arm in ("baseline", "solu")))


def numbers(raters=5, *, population=SUPERPOPULATION, populations=NOWHERE, plan=PLAN, **changes):
    tables = make_tables(plan=plan, neurons_per_arm=24, raters=raters, **changes)
    ratings = ratings_read(tables.judgments, plan).first_showings()
    scope = Scope(GENERALISING, population)
    return {number.id: number for number in generalising_numbers(ratings, scope, populations, plan)}, ratings


def test_each_size_and_arm_and_all_sizes_have_a_number_that_names_new_raters():
    found, _ = numbers()
    assert len(found) == 3 * 3
    assert all("new raters too (generalising question)" in number.estimand for number in found.values())
    pooled = found["generalising_difference/all/solu/baseline/all"]
    assert "equal weight for each size (1L, 2L)" in pooled.estimand
    each = [found[f"generalising_difference/{size}/solu/baseline/all"].estimate for size in SIZES]
    assert pooled.estimate == pytest.approx(np.mean(each))


def test_the_numbers_are_those_of_the_plain_arrays():
    found, ratings = numbers()
    plain = ratings.answers(arms=["solu", "baseline"]).plain
    direct = mrmc_difference(**plain, treatment=PLAN.arms.index("solu"), baseline=PLAN.arms.index("baseline"))
    number = found["generalising_difference/all/solu/baseline/all"]
    assert (number.low, number.high, number.method) == (direct.low, direct.high, direct.method)


def test_two_raters_are_refused_with_the_reason_and_the_estimate_stands():
    found, _ = numbers(raters=2)
    for number in found.values():
        assert number.defined
        assert not number.bounded
        assert number.refused.startswith("2 raters")


def test_counted_layers_shrink_the_neuron_part():
    counts = {place: {0: 30} for place in PLAN.groups}
    finite, _ = numbers(population=FINITE, populations=Populations(counts, by_layer=False))
    endless, _ = numbers()
    for name, number in finite.items():
        assert 0 < number.se < endless[name].se
        assert "counted neurons of these layers" in number.estimand


def test_missing_answers_and_one_size_are_no_obstacle():
    found, _ = numbers(not_shown=0.4, cannot=0.2)
    assert all(number.bounded for number in found.values())
    plan = make_plan(groups=(("1L", "baseline"), ("1L", "solu")))
    single, _ = numbers(plan=plan)
    assert len(single) == 3
