"""Intervals for any number of looks: what was won at their limits, their error over all looks added up exactly."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import beta as beta_function

from analysis.stats.anytime import confidence_sequence, confidence_sequence_difference
from analysis.stats.proportions import BadCounts, wilson
from analysis.stats.score import miettinen_nurminen

counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("yes", "n", "prior"), [(36, 60, (1, 1)), (0, 60, (1, 1)), (59, 60, (1, 1)), (3, 7, (0.5, 2)), (1, 1, (1, 1))]
)
def test_at_each_limit_the_mixture_has_won_just_enough(yes, n, prior):
    a, b = prior
    interval = confidence_sequence(yes, n, prior=prior)
    for limit in {interval.low, interval.high} - {0.0, 1.0}:
        won = beta_function(a + yes, b + n - yes) / beta_function(a, b) / (limit**yes * (1 - limit) ** (n - yes))
        assert won == pytest.approx(20, rel=1e-6)


def chance_ever_missed(truth: float, looks: int, level: float) -> float:
    """Chance that one of the first `looks` intervals leaves out the true share, summed over all answers."""
    alive = np.array([1.0])
    missed = 0.0
    for n in range(1, looks + 1):
        alive = np.append(alive * (1 - truth), 0) + np.append(0, alive * truth)
        for yes in range(n + 1):
            interval = confidence_sequence(yes, n, level=level)
            if not interval.low <= truth <= interval.high:
                missed += alive[yes]
                alive[yes] = 0.0
    return missed


@pytest.mark.parametrize("truth", [0.1, 0.35, 0.6])
def test_over_all_looks_together_the_interval_misses_no_more_often_than_it_says(truth):
    assert 0.01 < chance_ever_missed(truth, 120, 0.8) <= 0.2


@pytest.mark.parametrize("total", [0, 3, 7, 14])
def test_without_replacement_it_misses_no_more_often_than_it_says_either(total):
    size, missed, level = 14, 0.0, 0.8
    alive = {0: 1.0}
    for n in range(1, size + 1):
        ahead: dict[int, float] = {}
        for yes, chance in alive.items():
            up = (total - yes) / (size - n + 1)
            ahead[yes] = ahead.get(yes, 0) + chance * (1 - up)
            ahead[yes + 1] = ahead.get(yes + 1, 0) + chance * up
        alive = {}
        for yes, chance in ahead.items():
            if chance == 0:
                continue
            interval = confidence_sequence(yes, n, level=level, population=size)
            if interval.low <= total / size <= interval.high:
                alive[yes] = chance
            else:
                missed += chance
    assert missed <= 1 - level + 1e-12


@given(counts)
def test_limits_hold_the_share_mirror_and_widen_with_the_level(pair):
    yes, n = pair
    narrow, wide = confidence_sequence(yes, n, level=0.8), confidence_sequence(yes, n, level=0.99)
    assert 0 <= wide.low <= narrow.low <= yes / n <= narrow.high <= wide.high <= 1
    mirrored = confidence_sequence(n - yes, n, level=0.8)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((narrow.low, narrow.high), abs=1e-9)
    fixed = wilson(yes, n, level=0.99)
    assert wide.high - wide.low > fixed.high - fixed.low - 0.05


@given(counts, st.integers(0, 2000))
def test_a_finite_layer_narrows_the_sequence_and_all_its_neurons_close_it(pair, more):
    yes, n = pair
    finite, endless = confidence_sequence(yes, n, population=n + more), confidence_sequence(yes, n)
    step = 1 / (n + more)
    assert endless.low - step <= finite.low <= yes / n <= finite.high <= endless.high + step
    if more == 0:
        assert finite.low == finite.high == yes / n


def test_a_large_layer_is_as_good_as_endless():
    finite, endless = confidence_sequence(36, 60, population=1_000_000), confidence_sequence(36, 60)
    assert (finite.low, finite.high) == pytest.approx((endless.low, endless.high), abs=2e-5)
    assert finite.method != endless.method


def test_extremes_and_impossible_input():
    assert not confidence_sequence(0, 0).defined
    assert confidence_sequence(0, 60).low == 0
    assert confidence_sequence(60, 60).high == 1
    with pytest.raises(BadCounts, match="prior"):
        confidence_sequence(1, 2, prior=(0, 1))
    with pytest.raises(BadCounts, match="9 neurons of 8"):
        confidence_sequence(1, 9, population=8)


def chance_difference_ever_missed(p1: float, p0: float, looks: int, level: float) -> float:
    """The same for two arms that each gain one neuron between looks."""
    alive, missed = np.array([[1.0]]), 0.0
    for n in range(1, looks + 1):
        grown = np.zeros((n + 1, n + 1))
        for (up1, chance1), (up0, chance0) in itertools.product(((0, 1 - p1), (1, p1)), ((0, 1 - p0), (1, p0))):
            grown[up1 : up1 + n, up0 : up0 + n] += alive * chance1 * chance0
        for x1, x0 in itertools.product(range(n + 1), repeat=2):
            interval = confidence_sequence_difference(x1, n, x0, n, level=level)
            if not interval.low <= p1 - p0 <= interval.high:
                missed += grown[x1, x0]
                grown[x1, x0] = 0.0
        alive = grown
    return missed


@pytest.mark.parametrize("shares", [(0.35, 0.35), (0.8, 0.3)])
def test_over_all_looks_together_the_difference_misses_no_more_often_than_it_says(shares):
    assert 0 < chance_difference_ever_missed(*shares, looks=10, level=0.6) <= 0.4


@settings(max_examples=40, deadline=None)
@given(counts, counts)
def test_differences_hold_the_estimate_stay_in_range_widen_with_the_level_and_turn_with_the_arms(first, second):
    narrow, wide = (confidence_sequence_difference(*first, *second, level=level) for level in (0.8, 0.99))
    assert -1 <= wide.low <= narrow.low <= narrow.estimate <= narrow.high <= wide.high <= 1
    swapped = confidence_sequence_difference(*second, *first, level=0.8)
    assert (narrow.low, narrow.high) == pytest.approx((-swapped.high, -swapped.low), abs=1e-7)
    (x1, n1), (x0, n0) = first, second
    mirrored = confidence_sequence_difference(n1 - x1, n1, n0 - x0, n0, level=0.8)
    assert (narrow.low, narrow.high) == pytest.approx((-mirrored.high, -mirrored.low), abs=1e-7)


def test_a_difference_at_any_time_is_wider_than_at_one_look_and_narrower_than_two_sequences_at_half_the_error():
    once, always = miettinen_nurminen(36, 60, 21, 60), confidence_sequence_difference(36, 60, 21, 60)
    first, second = (confidence_sequence(yes, 60, level=0.975) for yes in (36, 21))
    assert first.low - second.high < always.low < once.low
    assert once.high < always.high < first.high - second.low


def test_at_the_limits_of_a_difference_no_pair_of_shares_with_it_is_left():
    interval = confidence_sequence_difference(36, 60, 21, 60)
    staked = beta_function(37, 25) * beta_function(22, 40)
    for limit in (interval.low, interval.high):
        grid = np.linspace(max(0, -limit) + 0.01, min(1, 1 - limit) - 0.01, 200_001)
        won = staked / ((grid + limit) ** 36 * (1 - grid - limit) ** 24 * grid**21 * (1 - grid) ** 39)
        assert won.min() == pytest.approx(20, rel=1e-4)


@pytest.mark.parametrize("table", [(0, 60, 0, 60), (60, 60, 60, 60), (60, 60, 0, 60), (0, 60, 60, 60), (1, 1, 0, 1)])
def test_extreme_differences_have_limits(table):
    interval = confidence_sequence_difference(*table)
    assert -1 <= interval.low <= interval.estimate <= interval.high <= 1
    assert interval.low < interval.high


def test_differences_of_nothing_are_undefined_and_impossible_ones_refused():
    assert not confidence_sequence_difference(0, 0, 3, 5).defined
    with pytest.raises(BadCounts, match="6 yes of 5"):
        confidence_sequence_difference(1, 2, 6, 5)
    with pytest.raises(BadCounts, match="positive"):
        confidence_sequence_difference(1, 2, 1, 2, prior=(1, 0))
