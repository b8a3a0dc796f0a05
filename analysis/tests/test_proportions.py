"""Intervals for one share: known values, identities, properties and extremes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from analysis.stats.proportions import (
    BadCounts,
    binomial_mean,
    cluster_mean,
    cluster_wilson,
    effective_size,
    pool_equal,
    wilson,
)

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
panels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40).map(
    lambda pairs: [(min(pair), max(pair)) for pair in pairs]
)


@pytest.mark.parametrize(
    ("yes", "n", "low", "high"),
    [
        # statsmodels 0.15.0: proportion_confint(yes, n, method="wilson")
        (0, 60, 0.0, 0.06017185),
        (1, 60, 0.00294816, 0.08855130),
        (21, 60, 0.24167774, 0.47637381),  # the SoLU paper's 35 %
        (36, 60, 0.47366053, 0.71430509),  # the SoLU paper's 60 %
        (60, 60, 0.93982815, 1.0),
    ],
)
def test_wilson_gives_the_known_limits(yes, n, low, high):
    interval = wilson(yes, n)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(counts)
def test_wilson_agrees_with_scipy(pair):
    yes, n = pair
    other = binomtest(yes, n).proportion_ci(method="wilson")
    interval = wilson(yes, n)
    assert (interval.low, interval.high) == pytest.approx((other.low, other.high), abs=1e-12)


@given(counts)
def test_wilson_of_no_mirrors_wilson_of_yes(pair):
    yes, n = pair
    interval, mirrored = wilson(yes, n), wilson(n - yes, n)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((interval.low, interval.high), abs=1e-12)


@given(counts)
def test_wilson_stays_within_zero_and_one_around_the_share(pair):
    interval = wilson(*pair)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
    assert interval.low < interval.high


def test_no_judgment_is_undefined_and_impossible_counts_are_refused():
    assert not wilson(0, 0).defined
    with pytest.raises(BadCounts, match="61 yes of 60"):
        wilson(61, 60)
    with pytest.raises(BadCounts, match="0 <= yes <= judged"):
        cluster_mean([2], [1])


@given(st.lists(st.integers(0, 1), min_size=1, max_size=80))
def test_one_rater_makes_cluster_wilson_plain_wilson(answers):
    clustered = cluster_wilson(cluster_mean(answers, [1] * len(answers)))
    plain = wilson(sum(answers), len(answers))
    assert (clustered.low, clustered.high, clustered.method) == (
        pytest.approx(plain.low), pytest.approx(plain.high), "Wilson",
    )  # fmt: skip


def test_cluster_wilson_gives_the_known_limits():
    # scipy 1.17.1, the score equation solved by bisection, not by the closed form:
    # m = np.repeat([1, 2/3, 1/3, 0], [20, 10, 10, 20]); d = m.var(ddof=1) / .25; d = (60 * d + 2/3) / (60 + 2/3)
    # q = stats.norm.ppf(.975)
    # optimize.brentq(lambda x: (.5 - x)**2 - q**2 * x * (1 - x) * d / 60, 1e-9, .5, xtol=1e-15)
    interval = cluster_wilson(cluster_mean([3] * 20 + [2] * 10 + [1] * 10 + [0] * 20, [3] * 60))
    assert (interval.low, interval.high) == pytest.approx((0.3951270197, 0.6048729803), abs=1e-9)


def test_raters_who_agree_wholly_add_nothing_and_independent_ones_add_much():
    agreeing = cluster_wilson(cluster_mean([3] * 30 + [0] * 30, [3] * 60))
    one = wilson(30, 60)
    generator = np.random.default_rng(5)
    independent = cluster_wilson(cluster_mean(generator.binomial(3, 0.5, 60), [3] * 60))
    assert agreeing.high - agreeing.low == pytest.approx(one.high - one.low, rel=0.03)
    assert independent.high - independent.low < 0.7 * (one.high - one.low)


@given(panels)
def test_cluster_wilson_never_leaves_zero_to_one_and_holds_the_mean(neurons):
    mean = cluster_mean([yes for yes, _ in neurons], [judged for _, judged in neurons])
    interval = cluster_wilson(mean)
    if mean.n == 0:
        assert not interval.defined
    else:
        assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
        assert 1 <= effective_size(mean) <= mean.judgments


@given(panels, st.randoms(use_true_random=False))
def test_the_order_of_neurons_does_not_matter(neurons, shuffler):
    mixed = list(neurons)
    shuffler.shuffle(mixed)
    first, second = (
        cluster_wilson(cluster_mean([yes for yes, _ in rows], [judged for _, judged in rows]))
        for rows in (neurons, mixed)
    )
    assert (first.low, first.high) == pytest.approx((second.low, second.high), nan_ok=True)


@pytest.mark.parametrize(
    ("yes", "judged"),
    [
        ([0] * 60, [3] * 60),
        ([3] * 60, [3] * 60),
        ([2], [3]),  # one neuron, three raters
        ([1], [1]),
        ([2] * 10, [3] * 10),  # every neuron alike
        ([0, 3, 0], [0, 3, 3]),  # a skipped neuron
        ([1, 1], [2, 2]),
    ],
)
def test_extremes_give_an_interval_and_never_crash(yes, judged):
    interval = cluster_wilson(cluster_mean(yes, judged))
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
    assert interval.low < interval.high


def test_a_skipped_neuron_is_left_out():
    assert cluster_mean([3, 0, 1], [3, 0, 3]) == cluster_mean([3, 1], [3, 3])


@given(counts, counts)
def test_pooling_takes_the_plain_mean_of_sizes(first, second):
    pooled = pool_equal([binomial_mean(*first), binomial_mean(*second)])
    assert pooled.estimate == pytest.approx((first[0] / first[1] + second[0] / second[1]) / 2)
    assert pooled.variance == pytest.approx(
        (binomial_mean(*first).variance + binomial_mean(*second).variance) / 4, abs=1e-15
    )


def test_one_size_pools_to_itself_and_an_empty_size_changes_nothing():
    only = cluster_mean([3, 0, 2, 1], [3] * 4)
    assert pool_equal([only]) == only
    assert pool_equal([only, binomial_mean(0, 0)]) == only
    assert math.isnan(pool_equal([]).estimate)
