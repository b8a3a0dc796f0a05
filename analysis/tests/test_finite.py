"""Finite layers: exact hypergeometric limits, corrected variances, and samples of all neurons."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from analysis.stats.contrasts import cluster_newcombe
from analysis.stats.exact import clopper_pearson
from analysis.stats.finite import finite_mean, hypergeometric, layered_mean
from analysis.stats.proportions import BadCounts, binomial_mean, cluster_mean, cluster_wilson, pool_equal

samples = st.integers(1, 80).flatmap(
    lambda size: st.integers(1, size).flatmap(
        lambda n: st.tuples(st.integers(0, n), st.just(n), st.just(size)),
    )
)


def limits_by_search(yes: int, n: int, size: int, tail: float) -> tuple[float, float]:
    """By trying every count of yes neurons in the layer."""
    kept = [
        count
        for count in range(yes, size - (n - yes) + 1)
        if hypergeom.sf(yes - 1, size, count, n) > tail and hypergeom.cdf(yes, size, count, n) > tail
    ]
    return kept[0] / size, kept[-1] / size


@settings(max_examples=60, deadline=None)
@given(samples, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_limits_are_those_that_trying_every_count_finds(sample, level):
    yes, n, size = sample
    low, high = limits_by_search(yes, n, size, (1 - level) / 2)
    interval = hypergeometric(yes, n, size, level=level)
    assert (interval.low, interval.high) == (min(low, yes / n), max(high, yes / n))


@pytest.mark.parametrize(
    ("yes", "n", "size", "low", "high"),
    [
        # scipy 1.17.1, every count tried as in `limits_by_search`: counts of yes neurons in the layer
        (21, 60, 1024, 241, 491),
        (36, 60, 1024, 481, 738),
        (0, 60, 1024, 0, 59),
        (60, 60, 1024, 965, 1024),
    ],
)
def test_a_layer_of_1024_neurons_has_the_known_limits(yes, n, size, low, high):
    interval = hypergeometric(yes, n, size)
    assert (round(interval.low * size), round(interval.high * size)) == (low, high)
    assert (low / size, high / size) == limits_by_search(yes, n, size, 0.025)


@pytest.mark.parametrize("size", [7, 12])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_exact_interval_covers_every_layer_at_least_as_often_as_it_says(size, level):
    n = 5
    intervals = [hypergeometric(yes, n, size, level=level) for yes in range(n + 1)]
    for count in range(size + 1):
        held = [interval.low <= count / size <= interval.high for interval in intervals]
        assert hypergeom.pmf(range(n + 1), size, count, n) @ held >= level


@pytest.mark.parametrize(("yes", "n"), [(0, 60), (21, 60), (36, 60), (60, 60)])
def test_in_a_layer_without_end_the_exact_interval_is_clopper_pearson(yes, n):
    endless = clopper_pearson(yes, n)
    distances = []
    for size in (1_000, 100_000):
        finite = hypergeometric(yes, n, size)
        assert endless.low <= finite.low + 1 / size
        assert finite.high <= endless.high + 1 / size
        distances.append(max(abs(finite.low - endless.low), abs(finite.high - endless.high)))
    assert distances[1] < distances[0]
    assert distances[1] < 5e-5


def test_a_large_sample_of_a_large_layer_is_no_trouble():
    interval = hypergeometric(30_000, 50_000, 100_000)
    half = 1.96 * math.sqrt(0.6 * 0.4 / 50_000 / 2)
    assert (interval.low, interval.high) == pytest.approx((0.6 - half, 0.6 + half), abs=5e-5)


@given(samples)
def test_no_mirrors_yes_and_a_higher_level_is_wider(sample):
    yes, n, size = sample
    interval, mirrored = hypergeometric(yes, n, size), hypergeometric(n - yes, n, size)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((interval.low, interval.high), abs=1e-12)
    wide = hypergeometric(yes, n, size, level=0.99)
    assert 0 <= wide.low <= interval.low <= yes / n <= interval.high <= wide.high <= 1


def test_a_sample_of_all_neurons_knows_the_layer():
    interval = hypergeometric(7, 20, 20)
    assert (interval.low, interval.high) == (0.35, 0.35)
    whole = cluster_wilson(finite_mean(cluster_mean([3, 2, 0, 0], [3, 3, 3, 3]), 4))
    assert whole.low == whole.estimate == whole.high
    for yes in (0, 9):
        assert cluster_wilson(finite_mean(binomial_mean(yes, 9), 9)).low == yes / 9


def test_samples_that_cannot_be_are_refused_and_empty_ones_undefined():
    assert not hypergeometric(0, 0, 10).defined
    assert not cluster_wilson(finite_mean(binomial_mean(0, 0), 10)).defined
    with pytest.raises(BadCounts, match="60 neurons judged of a layer of 59"):
        hypergeometric(1, 60, 59)
    with pytest.raises(BadCounts, match="60 neurons judged of 59"):
        finite_mean(binomial_mean(1, 60), 59)
    with pytest.raises(BadCounts, match="1 layers with 2 counts"):
        layered_mean([binomial_mean(1, 2)], [3, 4])


@given(samples)
def test_the_corrected_interval_lies_within_the_one_for_endless_layers(sample):
    yes, n, size = sample
    corrected, plain = cluster_wilson(finite_mean(binomial_mean(yes, n), size)), cluster_wilson(binomial_mean(yes, n))
    assert plain.low - 1e-12 <= corrected.low <= yes / n <= corrected.high <= plain.high + 1e-12
    assert corrected.method == "Wilson with finite population correction"


def test_the_correction_multiplies_the_effective_sample():
    # n/(1 - n/N) = 60/(1 - 60/120) = 120 answers
    corrected, twice = cluster_wilson(finite_mean(binomial_mean(21, 60), 120)), cluster_wilson(binomial_mean(42, 120))
    assert (corrected.low, corrected.high) == pytest.approx((twice.low, twice.high))
    nothing, none = cluster_wilson(finite_mean(binomial_mean(0, 60), 120)), cluster_wilson(binomial_mean(0, 120))
    assert nothing.high == pytest.approx(none.high)


def test_corrected_means_pool_and_contrast_and_say_so():
    means = [finite_mean(binomial_mean(yes, 60), 240) for yes in (21, 36)]
    pooled = pool_equal(means)
    assert pooled.sampled == 0.25
    assert pooled.variance == pytest.approx(sum(mean.variance for mean in means) / 4)
    difference = cluster_newcombe(means[1], means[0])
    assert difference.method == "Newcombe with finite population correction"
    assert pool_equal([means[0], binomial_mean(3, 60)]).sampled == 0


def test_layers_are_weighed_by_their_neurons():
    # By hand, Cochran (1977) 5.1 and 5.9: weights 0.75 and 0.25; s^2 = 10/40 * 30/40 * 40/39 and 20/40 * 20/40 * 40/39;
    # 0.75^2 * s1^2/40 * (1 - 40/300) + 0.25^2 * s2^2/40 * (1 - 40/100)
    mean = layered_mean([binomial_mean(10, 40), binomial_mean(20, 40)], [300, 100])
    assert mean.estimate == pytest.approx(0.75 * 0.25 + 0.25 * 0.5)
    first, second = 0.5625 * 0.1875 / 39 * (1 - 40 / 300), 0.0625 * 0.25 / 39 * 0.6
    assert mean.variance == pytest.approx(first + second)
    assert mean.df == pytest.approx((first + second) ** 2 / (first**2 / 39 + second**2 / 39))
    assert (mean.n, mean.sampled) == (80, 0.2)


def test_one_layer_of_several_raters_is_its_own_corrected_mean():
    mean = cluster_mean([3, 2, 0, 1], [3, 3, 3, 3])
    alone, layered = finite_mean(mean, 50), layered_mean([mean], [50])
    assert (layered.estimate, layered.variance, layered.df) == pytest.approx((alone.estimate, alone.variance, alone.df))


def test_a_layer_that_nobody_judged_leaves_nothing_to_say_and_one_neuron_leaves_no_variance():
    assert not cluster_wilson(layered_mean([binomial_mean(3, 5), binomial_mean(0, 0)], [10, 10])).defined
    assert layered_mean([binomial_mean(3, 5), binomial_mean(0, 0)], [10, 0]).n == 5
    single = layered_mean([binomial_mean(3, 5), binomial_mean(1, 1)], [10, 10])
    assert math.isnan(single.variance)
    interval = cluster_wilson(single)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
    assert interval.high - interval.low > 0.7


@pytest.mark.parametrize("share", [0, 5])
def test_layers_whose_answers_are_all_alike_still_have_limits(share):
    interval = cluster_wilson(layered_mean([binomial_mean(share, 5)] * 2, [10, 30]))
    assert interval.low < interval.high
