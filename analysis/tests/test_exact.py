"""Clopper-Pearson and Jeffreys: known limits, mirror images, and what happens at 0 and at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from analysis.stats.exact import clopper_pearson, jeffreys
from analysis.stats.proportions import BadCounts

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
METHODS = [clopper_pearson, jeffreys]


@pytest.mark.parametrize(
    ("method", "yes", "n", "low", "high"),
    [
        # statsmodels 0.15.0: proportion_confint(yes, n, method="beta")
        (clopper_pearson, 0, 60, 0.0, 0.0596294923),
        (clopper_pearson, 1, 60, 0.0004218745, 0.0893990501),
        (clopper_pearson, 21, 60, 0.2313264221, 0.4840280094),
        (clopper_pearson, 36, 60, 0.4654054373, 0.7243784213),
        (clopper_pearson, 60, 60, 0.9403705077, 1.0),
        # method="jeffreys"; it has 8.1e-6 at 0 of 60, where the boundary rule says 0
        (jeffreys, 0, 60, 0.0, 0.0408339229),
        (jeffreys, 1, 60, 0.0018042162, 0.0752506895),
        (jeffreys, 21, 60, 0.2386141935, 0.4754697151),
        (jeffreys, 36, 60, 0.4737422899, 0.7168667538),
        (jeffreys, 60, 60, 0.9591660771, 1.0),
    ],
)
def test_the_limits_are_the_known_ones(method, yes, n, low, high):
    interval = method(yes, n)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-9)


def test_a_textbook_gives_the_same_limits():
    # Fagerland, Lydersen & Laake, Statistical Analysis of Contingency Tables (2017), chapter 2, 13 of 16; R package
    # contingencytables: ClopperPearson_exact_CI_1x2(13, 16), Jeffreys_CI_1x2(13, 16)
    exact, bayes = clopper_pearson(13, 16), jeffreys(13, 16)
    assert (exact.low, exact.high) == pytest.approx((0.5435, 0.9595), abs=5e-5)
    assert (bayes.low, bayes.high) == pytest.approx((0.5792, 0.9442), abs=5e-5)


@given(counts, st.sampled_from([0.8, 0.95, 0.999]))
def test_each_exact_limit_leaves_exactly_its_tail(pair, level):
    yes, n = pair
    interval = clopper_pearson(yes, n, level=level)
    if yes > 0:
        assert binom.sf(yes - 1, n, interval.low) == pytest.approx((1 - level) / 2)
    if yes < n:
        assert binom.cdf(yes, n, interval.high) == pytest.approx((1 - level) / 2)


@pytest.mark.parametrize("method", METHODS)
@given(pair=counts)
def test_no_mirrors_yes(method, pair):
    yes, n = pair
    interval, mirrored = method(yes, n), method(n - yes, n)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((interval.low, interval.high), abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
@given(pair=counts)
def test_limits_hold_the_share_and_widen_with_the_level(method, pair):
    narrow, wide = method(*pair, level=0.8), method(*pair, level=0.99)
    assert 0 <= wide.low <= narrow.low <= narrow.estimate <= narrow.high <= wide.high <= 1
    assert narrow.low < narrow.high


@settings(max_examples=30)
@given(counts)
def test_the_exact_interval_holds_jeffreys(pair):
    outer, inner = clopper_pearson(*pair), jeffreys(*pair)
    assert outer.low <= inner.low <= inner.high <= outer.high


@pytest.mark.parametrize("method", METHODS)
def test_no_answer_is_undefined_and_impossible_counts_are_refused(method):
    assert not method(0, 0).defined
    with pytest.raises(BadCounts, match="61 yes of 60"):
        method(61, 60)
