"""Differences between arms: published values, symmetry, and fractions of several raters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.stats.contrasts import LevelsDiffer, cluster_newcombe, newcombe
from analysis.stats.proportions import binomial_mean, cluster_mean, pool_equal, wilson

counts = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # statsmodels 0.15.0: confint_proportions_2indep(x1, n1, x0, n0, method="newcomb", compare="diff")
        ((36, 60), (21, 60), 0.07130473, 0.40747814),  # the SoLU paper's 60 % against 35 %
        ((25, 60), (20, 60), -0.08802082, 0.24805696),  # its 64-layer pair
        ((56, 70), (48, 80), 0.05243147, 0.33387265),  # Newcombe (1998), method 10: 0.0524, 0.3339
        ((7, 34), (1, 34), 0.01892144, 0.34036869),
        ((0, 60), (0, 60), -0.06017185, 0.06017185),
        ((60, 60), (0, 60), 0.91490415, 1.0),
    ],
)
def test_newcombe_gives_the_known_limits(first, second, low, high):
    interval = newcombe(wilson(*first), wilson(*second))
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-8)


@given(counts, counts)
def test_swapping_the_arms_turns_the_sign(first, second):
    one, other = newcombe(wilson(*first), wilson(*second)), newcombe(wilson(*second), wilson(*first))
    assert (one.estimate, one.low, one.high) == pytest.approx((-other.estimate, -other.high, -other.low))


@given(counts, counts)
def test_a_difference_stays_within_minus_one_and_one_around_its_estimate(first, second):
    interval = newcombe(wilson(*first), wilson(*second))
    assert -1 <= interval.low <= interval.estimate <= interval.high <= 1


@given(counts, counts)
def test_one_rater_makes_cluster_newcombe_plain_newcombe(first, second):
    clustered = cluster_newcombe(binomial_mean(*first), binomial_mean(*second))
    plain = newcombe(wilson(*first), wilson(*second))
    assert clustered == plain


def test_an_empty_arm_gives_an_undefined_difference():
    interval = newcombe(wilson(3, 10), wilson(0, 0))
    assert not interval.defined
    assert interval.n == 10


def test_intervals_of_different_levels_are_not_mixed():
    with pytest.raises(LevelsDiffer, match=r"0\.95 and 0\.9"):
        newcombe(wilson(3, 10), wilson(3, 10, level=0.9))


def test_clustering_widens_what_naive_pooling_makes_narrow():
    solu, baseline = ([3] * 36 + [0] * 24, [3] * 60), ([3] * 21 + [0] * 39, [3] * 60)
    honest = cluster_newcombe(cluster_mean(*solu), cluster_mean(*baseline))
    naive = newcombe(wilson(108, 180), wilson(63, 180))
    assert honest.high - honest.low > 1.6 * (naive.high - naive.low)
    assert honest.method == "cluster Newcombe"


def test_pooling_over_four_sizes_narrows_the_difference_by_about_half():
    solu, baseline = binomial_mean(36, 60), binomial_mean(21, 60)
    one = cluster_newcombe(solu, baseline)
    four = cluster_newcombe(pool_equal([solu] * 4), pool_equal([baseline] * 4))
    assert four.estimate == pytest.approx(one.estimate)
    # statsmodels 0.15.0: confint_proportions_2indep(144, 240, 84, 240, method="newcomb", compare="diff")
    assert (four.low, four.high) == pytest.approx((0.16135434, 0.33309107), abs=1e-8)
