"""The formulas under all intervals: effective sizes, score and hybrid limits, quantiles with one uncertain variance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.planner.model import centre_of, mean_share
from analysis.stats.limits import effective_sizes, hybrid_limits, score_limits
from analysis.stats.welch import behrens_fisher_quantile, hillis_quantile, similar_coverage, welch_quantile

shares = st.floats(0.01, 0.99)


@given(share=shares, effect=st.floats(0.05, 1.2), n=st.integers(2, 400), raters=st.integers(2, 12))
def test_the_pull_goes_towards_one_answer_a_neuron_and_never_past_it(share, effect, n, raters):
    variance = effect * share * (1 - share) / n
    pulled = float(effective_sizes(share, variance, n, n * raters))
    found = float(effective_sizes(share, variance, n, n * raters, pull=0.0))
    assert min(found, n) - 1e-9 <= pulled <= max(found, n) + 1e-9
    assert 1 <= pulled <= n * raters


@given(share=shares, n=st.integers(2, 400))
def test_one_answer_a_neuron_is_worth_one_answer(share, n):
    assert float(effective_sizes(share, share * (1 - share) / n, n, n)) == pytest.approx(n)


def test_many_neurons_are_not_pulled():
    found = effective_sizes(0.4, 0.5 * 0.24 / 100_000, 100_000, 300_000)
    assert float(found) == pytest.approx(200_000, rel=1e-4)


def test_a_judged_layer_leaves_no_width_and_a_single_neuron_is_worth_one_answer():
    assert float(effective_sizes(0.4, 0.0, 20, 60, sampled=1.0)) == np.inf
    low, high = score_limits(0.4, np.inf, 1.96)
    assert (float(low), float(high)) == pytest.approx((0.4, 0.4))
    assert float(effective_sizes(0.5, np.nan, 1, 3)) == 1.0


@given(share=shares, size=st.floats(1, 1000), quantile=st.floats(0.5, 10))
def test_score_limits_solve_the_score_equation(share, size, quantile):
    for limit in score_limits(share, size, quantile):
        assert (share - limit) ** 2 == pytest.approx(quantile**2 * limit * (1 - limit) / size, abs=1e-9)


@given(st.lists(st.tuples(shares, shares, shares), min_size=2, max_size=2))
def test_hybrid_limits_turn_round_with_the_arms(pair):
    first, second = ((share, share * low, share + (1 - share) * high) for share, low, high in pair)
    low, high = hybrid_limits(first, second)
    turned_low, turned_high = hybrid_limits(second, first)
    assert (float(-turned_high), float(-turned_low)) == pytest.approx((float(low), float(high)))


@pytest.mark.parametrize("neurons", [3, 5, 10])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_few_neurons_are_covered_without_endless_limits(neurons, share):
    """Bands and layers have few neurons. Student's t covers 99 % there, at one and a half times the width."""
    rng, raters, runs = np.random.default_rng(3), 3, 4000
    chance = 1 / (1 + np.exp(-(centre_of(share, 2.0) + 2 * rng.standard_normal((runs, neurons)))))
    scores = rng.binomial(raters, chance) / raters
    variance = scores.var(axis=1, ddof=1) / neurons
    size = effective_sizes(scores.mean(axis=1), variance, neurons, neurons * raters)
    low, high = score_limits(scores.mean(axis=1), size, stats.norm.ppf(0.975))
    truth = float(mean_share(centre_of(share, 2.0), 2.0))
    assert np.mean((low <= truth) & (truth <= high)) > 0.93


def test_welchs_quantile_is_his_series_where_the_series_holds():
    """Welch (1947), first order: z (1 + (1 + z^2) share^2 / 4 f)."""
    share, z = np.linspace(0, 1, 11), stats.norm.ppf(0.975)
    series = z * (1 + (1 + z**2) * share**2 / (4 * 60))
    assert welch_quantile(share, 60.0, 0.95) == pytest.approx(series, abs=0.01)


@pytest.mark.parametrize("df", [2.0, 4.0])
@pytest.mark.parametrize("true_share", [0.2, 0.6, 0.95])
def test_coverage_by_quadrature_is_that_of_random_numbers(df, true_share):
    rng, runs = np.random.default_rng(8), 200_000
    rater = true_share * rng.chisquare(df, runs) / df
    variance = rater + 1 - true_share
    for quantile in (welch_quantile, behrens_fisher_quantile, hillis_quantile):
        held = np.abs(rng.standard_normal(runs)) <= quantile(rater / variance, df, 0.95) * np.sqrt(variance)
        table = quantile(np.linspace(0, 1, 25), df, 0.95)
        error = (0.05 * 0.95 / runs) ** 0.5
        assert similar_coverage(table, df, [true_share])[0] == pytest.approx(held.mean(), abs=4 * error + 2e-4)


def test_student_and_the_normal_distribution_are_the_ends():
    for quantile in (welch_quantile, behrens_fisher_quantile, hillis_quantile):
        ends = quantile([0.0, 1.0], 4.0, 0.95)
        assert ends == pytest.approx([stats.norm.ppf(0.975), stats.t.ppf(0.975, 4)], abs=2e-3)


def test_degrees_of_freedom_between_the_tables_are_rounded_down():
    assert welch_quantile([0.7], 4.1, 0.95) == welch_quantile([0.7], 4.0, 0.95)
    assert welch_quantile([0.7], 1.5, 0.95) == behrens_fisher_quantile([0.7], 1.5, 0.95)
    assert np.isfinite(welch_quantile([0.7], 5000.0, 0.95)).all()
