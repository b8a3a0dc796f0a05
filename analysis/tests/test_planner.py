"""The precision planner: agrees with known power and with the report's own intervals, and says what it cannot do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.planner import (
    Assumptions,
    PlanRefused,
    cost_of,
    fractions_read,
    implied_agreement,
    most_neurons,
    plan_curve,
    plan_expected,
)
from analysis.planner.intervals import differences, intervals, pooled
from analysis.planner.model import centre_of, mean_share
from analysis.stats.contrasts import cluster_newcombe
from analysis.stats.proportions import cluster_mean, cluster_wilson, pool_equal

PLAIN = {"neuron_sd": 0.0, "rater_sd": 0.0, "rater_arm_sd": 0.0, "raters": 1, "raters_per_neuron": 1}


def test_power_of_one_rater_is_that_of_the_two_sample_test_of_proportions():
    """R 4.2.2: power.prop.test(n = 60, p1 = .35, p2 = .60)$power is 0.790; for .33 and .42 it is 0.154."""
    found = plan_expected(Assumptions(**PLAIN, replicates=4_000)).differences[0]
    assert found.power.mean == pytest.approx(0.790, abs=4 * found.power.error)
    weak = Assumptions(**PLAIN, fractions=(("baseline", 0.33), ("solu", 0.42)), replicates=4_000)
    assert plan_expected(weak).differences[0].power.mean == pytest.approx(0.154, abs=0.03)


def test_width_follows_the_variance_components_of_a_crossed_study():
    """Var(D) = 2 (s_n² + s_e² / R) / n on the linear scale, here from the simulated neurons themselves."""
    assumed = Assumptions(rater_sd=0.0, rater_arm_sd=0.0, neuron_sd=2.0, neurons_per_arm=200)
    nodes = np.random.default_rng(1).standard_normal(200_000)
    variance = 0.0
    for _, fraction in assumed.fractions:
        share = 1 / (1 + np.exp(-(centre_of(fraction, 2.0) + 2.0 * nodes)))
        variance += (share.var() + (share * (1 - share)).mean() / 3) / 200
    found = plan_expected(assumed).differences[0]
    assert found.width.mean == pytest.approx(2 * 1.97 * variance**0.5, rel=0.03)


@given(
    sizes=st.integers(1, 3), each=st.integers(1, 4), n=st.integers(2, 12), level=st.sampled_from([0.8, 0.95, 0.99]),
    seed=st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_intervals_for_many_replicates_are_those_of_the_report_one_by_one(sizes, each, n, level, seed):
    rng = np.random.default_rng(seed)
    yes = rng.binomial(each, rng.random((2, sizes, 3, n, 1))[..., 0])
    many = [intervals(pooled([stratum / each for stratum in arm], each), np.zeros(3), level) for arm in yes]
    difference = differences(many[1], many[0])
    for replicate in range(3):
        means = [pool_equal([cluster_mean(stratum[replicate], [each] * n) for stratum in arm]) for arm in yes]
        for mean, found in zip(means, many, strict=True):
            one = cluster_wilson(mean, level=level)
            assert (found.low[replicate], found.high[replicate]) == pytest.approx((one.low, one.high), abs=1e-12)
        one = cluster_newcombe(means[1], means[0], level=level)
        assert (difference.low[replicate], difference.high[replicate]) == pytest.approx((one.low, one.high), abs=1e-12)


def test_intervals_hold_what_the_panel_would_say_about_as_often_as_they_claim():
    found = plan_expected(Assumptions(replicates=4_000, rater_sd=1.0, rater_arm_sd=0.5))
    for row in (*found.arms, *found.differences):
        assert 0.93 < row.coverage.mean < 0.98


def test_equal_fractions_give_the_rate_of_false_alarms():
    assumed = Assumptions(fractions=(("a", 0.4), ("b", 0.4)), rater_arm_sd=0.0, replicates=4_000)
    assert plan_expected(assumed).differences[0].power.mean == pytest.approx(0.05, abs=0.02)


def test_the_same_seed_gives_the_same_numbers_and_global_chance_is_left_alone():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002 -- the state that must not move
    assert plan_expected(Assumptions(replicates=200)) == plan_expected(Assumptions(replicates=200))
    assert plan_expected(Assumptions(replicates=200, seed=2)) != plan_expected(Assumptions(replicates=200))
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_the_curve_falls_and_holds_the_planned_number():
    curve = plan_curve(Assumptions(replicates=800))
    widths = [point.width.mean for point in curve]
    assert widths == sorted(widths, reverse=True)
    assert 60 in [point.neurons_per_arm for point in curve]


@given(st.floats(0.01, 0.99), st.floats(0, 6))
def test_the_centre_gives_the_expected_fraction(fraction, sd):
    assert float(mean_share(centre_of(fraction, sd), sd)) == pytest.approx(fraction, abs=1e-6)


def test_raters_who_do_not_differ_over_neurons_that_do_agree_more():
    loose, tight = Assumptions(neuron_sd=0.5), Assumptions(neuron_sd=4.0)
    assert all(a < b for a, b in zip(implied_agreement(loose), implied_agreement(tight), strict=True))
    assert implied_agreement(Assumptions(**PLAIN)) == pytest.approx((0.35**2 + 0.65**2, 0.6**2 + 0.4**2))


def test_the_budget_pays_for_no_more_than_it_holds():
    assumed = Assumptions(pay_per_hour=12, fee=0.33, budget=1_000)
    most = most_neurons(assumed)
    assert cost_of(Assumptions(pay_per_hour=12, fee=0.33, neurons_per_arm=most)).money <= 1_000
    assert cost_of(Assumptions(pay_per_hour=12, fee=0.33, neurons_per_arm=most + 1)).money > 1_000
    assert most_neurons(Assumptions(pay_per_hour=12, budget=0.01)) == 0
    assert most_neurons(Assumptions()) is None


def test_a_large_study_is_simulated_less_often_and_a_huge_one_refused():
    large = Assumptions(sizes=20, neurons_per_arm=500, raters=10, raters_per_neuron=10, replicates=20_000)
    assert plan_expected(large).replicates == 150
    with pytest.raises(PlanRefused, match="neurons_per_arm: Received a study of 8,000,000 answers"):
        Assumptions(sizes=50, neurons_per_arm=2_000, raters=40, raters_per_neuron=40)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("baseline", "Received 'baseline'; write each arm as name=share"),
        ("a=x, b=0.5", "Received 'a=x'"),
    ],
)
def test_fractions_that_cannot_be_read_are_named(text, told):
    with pytest.raises(PlanRefused, match=told):
        fractions_read(text)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"fractions": (("a", 0.5),)}, "fractions: Received a; give two to eight different arms"),
        ({"fractions": (("a", 0.5), ("b", 1.0))}, "fractions: Received b=1; give a name in lower case and a share"),
        ({"raters": 2}, "raters_per_neuron: Received 3; at most the number of raters, 2"),
        ({"neuron_sd": -1.0}, "neuron_sd: Received -1.0; give a number from 0 to 6"),
        ({"sizes": 1.5}, "sizes: Received 1.5; give a whole number from 1 to 50"),
    ],
)
def test_assumptions_that_make_no_study_are_refused_with_their_name(changes, told):
    with pytest.raises(PlanRefused, match=told.replace("-", r"\-")):
        Assumptions(**changes)
