"""Permutation of arms over neurons: exact against counting all arrangements, and a p value that keeps its promise."""

from itertools import combinations, product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.stats.permutation import _key_sums, arm_permutation


def permuted(score, arm, size=None, *, permutations=999, seed=1, **options):
    size = np.zeros(len(arm), dtype=int) if size is None else size
    generator = np.random.default_rng(seed)
    return arm_permutation(
        score=score,
        arm=arm,
        size=size,
        treatment=1,
        baseline=0,
        generator=generator,
        permutations=permutations,
        **options,
    )


def all_arrangements(score, arm, size):
    """The p value by counting every arrangement: slow, and nothing of the shift algorithm in it."""
    score, arm, size = (np.asarray(values) for values in (score, arm, size))
    choices, halves = [], [size == code for code in np.unique(size)]
    for code in np.unique(size):
        here = np.flatnonzero(size == code)
        many = int((arm[here] == 1).sum())
        total = score[here].sum()
        sums = [score[list(chosen)].sum() for chosen in combinations(here, many)]
        choices.append([value / many - (total - value) / (len(here) - many) for value in sums])
    observed = np.mean([score[side & (arm == 1)].mean() - score[side & (arm == 0)].mean() for side in halves])
    far = [abs(np.mean(values)) >= abs(observed) - 1e-9 for values in product(*choices)]
    return observed, np.mean(far)


def test_one_rater_and_one_size_is_the_exact_test_of_two_shares():
    # 21 of 60 against 36 of 60 (SoLU paper, sections 6.1-6.2). With equal arms the two-sided exact permutation test is
    # Fisher's: scipy.stats.fisher_exact([[36, 24], [21, 39]]).pvalue
    score, arm = np.repeat([1, 0, 1, 0], [36, 24, 21, 39]), np.repeat([1, 0], 60)
    test = permuted(score, arm)
    assert test.p == pytest.approx(stats.fisher_exact([[36, 24], [21, 39]]).pvalue, rel=1e-10)
    assert (test.statistic, test.n) == (pytest.approx(0.25), 120)
    assert test.method.startswith("exact")


def test_unequal_arms_have_the_p_value_of_the_hypergeometric_distribution():
    score, arm = np.repeat([1, 0, 1, 0], [9, 3, 14, 26]), np.repeat([1, 0], [12, 40])
    sums = np.arange(0, 13)
    chance = stats.hypergeom.pmf(sums, 52, 23, 12)
    differences = sums / 12 - (23 - sums) / 40
    expected = chance[np.abs(differences) >= abs(9 / 12 - 14 / 40) - 1e-12].sum()
    assert permuted(score, arm).p == pytest.approx(expected, rel=1e-10)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_the_exact_p_value_is_that_of_counting_every_arrangement(data):
    sizes = data.draw(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=3))
    arm = np.concatenate([np.repeat([1, 0], pair) for pair in sizes])
    size = np.repeat(np.arange(len(sizes)), [sum(pair) for pair in sizes])
    shares = st.sampled_from([0.0, 1 / 3, 1 / 2, 2 / 3, 1.0])
    score = np.array(data.draw(st.lists(shares, min_size=len(arm), max_size=len(arm))))
    test = permuted(score, arm, size)
    observed, p = all_arrangements(score, arm, size)
    assert (test.statistic, test.p) == (pytest.approx(observed), pytest.approx(p))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_neither_the_order_of_neurons_nor_the_names_of_arms_and_sizes_matter(seed):
    rng = np.random.default_rng(seed)
    score, arm, size = rng.integers(0, 4, 40) / 3, rng.integers(0, 2, 40), rng.integers(0, 2, 40)
    turn = rng.permutation(40)
    plain = permuted(score, arm, size)
    turned = permuted(score[turn], arm[turn], 7 - size[turn])
    assert (turned.statistic, turned.p) == (pytest.approx(plain.statistic), pytest.approx(plain.p))
    mirrored = permuted(score, 1 - arm, size)
    assert (mirrored.statistic, mirrored.p) == (pytest.approx(-plain.statistic), pytest.approx(plain.p))


@pytest.mark.parametrize("values", [4, 120])
def test_random_permutations_come_near_to_the_exact_p_value(monkeypatch, values):
    """Both ways of drawing: counts of equal scores, and random keys where nearly all scores differ."""
    rng = np.random.default_rng(5)
    score = (rng.integers(0, values, 120) + np.repeat([0, values // 4], 60)) / 200
    arm, size = np.repeat([0, 1], 60), np.tile([0, 1], 60)
    exact = permuted(score, arm, size)
    assert exact.method.startswith("exact")
    monkeypatch.setattr("analysis.stats.permutation.EXACT_WORK", 0)
    drawn = permuted(score, arm, size, permutations=20_000)
    assert drawn.method.startswith("20000 random permutations")
    assert drawn.statistic == exact.statistic
    error = np.sqrt(exact.p * (1 - exact.p) / 20_000)
    assert abs(drawn.p - exact.p) < 4 * error + 1 / 20_000


def test_the_p_value_is_that_of_another_package_for_one_size():
    rng = np.random.default_rng(8)
    first, second = rng.integers(0, 4, 9) / 3, rng.integers(0, 3, 7) / 3
    # scipy 1.17.1, all 11,440 arrangements; its two-sided value doubles the smaller tail, so the square is tested
    expected = stats.permutation_test(
        (first, second), lambda x, y, axis: (x.mean(axis) - y.mean(axis)) ** 2, alternative="greater",
        n_resamples=np.inf, vectorized=True,
    )  # fmt: skip
    assert comb(16, 9) == 11_440
    test = permuted(np.concatenate([first, second]), np.repeat([1, 0], [9, 7]))
    assert test.p == pytest.approx(float(expected.pvalue))


@pytest.mark.parametrize("work", [0, 10**9])
def test_without_any_effect_the_p_value_is_below_a_level_no_more_often_than_the_level(monkeypatch, work):
    monkeypatch.setattr("analysis.stats.permutation.EXACT_WORK", work)
    rng = np.random.default_rng(3)
    arm, size = np.tile([0, 1], 30), np.repeat([0, 1], 30)
    found = []
    for run in range(1000):
        chance = np.clip(rng.normal(0.5, 0.3, 60), 0, 1)  # neurons differ, raters of a neuron agree
        found.append(permuted(rng.binomial(3, chance) / 3, arm, size, permutations=199, seed=run).p)
    found = np.array(found)
    for level in (0.05, 0.2, 0.5):
        assert np.mean(found <= level) <= level + 4 * np.sqrt(level * (1 - level) / 1000)
    assert abs(found.mean() - 0.5) < 0.06  # a little above 0.5: the distribution is discrete


def test_other_arms_and_neurons_without_an_answer_stay_out():
    score, arm = np.array([1, 1, 0, 0, 1, np.nan]), np.array([1, 1, 0, 0, 2, 1])
    test = permuted(score, arm, permutations=9)
    assert (test.n, test.statistic, test.p) == (4, 1.0, pytest.approx(2 / 6))


@pytest.mark.parametrize(("score", "arm"), [([], []), ([1.0], [1]), ([np.nan, np.nan], [0, 1]), ([1.0, 0.0], [1, 2])])
def test_an_empty_arm_gives_no_p_value(score, arm):
    test = permuted(np.array(score), np.array(arm, dtype=int))
    assert np.isnan(test.p)
    assert np.isnan(test.statistic)
    assert test.n == 0


def test_neurons_that_are_all_alike_have_a_p_value_of_1():
    for share in (0.0, 1.0):
        assert permuted(np.full(40, share), np.tile([0, 1], 20)).p == pytest.approx(1.0)


def test_no_permutation_is_no_test():
    with pytest.raises(ValueError, match="at least 1"):
        permuted([1, 0], [1, 0], permutations=0)


def test_two_neurons_with_the_same_key_are_drawn_again():
    """Keys of few digits make ties common; every arrangement must still hold the right number of neurons."""

    class Coarse(np.random.Generator):
        def random(self, *args, **options):
            return np.floor(super().random(*args, **options) * 64).astype(np.float32) / 64

    sums = _key_sums(np.ones(40), 15, Coarse(np.random.PCG64(1)), 500)
    assert set(sums) == {15.0}
