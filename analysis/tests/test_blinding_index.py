"""Blinding indices: published numbers, what they mean at the extremes, and a test that keeps clusters together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.stats.blinding_index import (
    bang_index,
    clustered_bang_index,
    clustered_james_index,
    guess_scores,
    guess_table,
    james_index,
)
from analysis.stats.guess_permutation import guess_permutation

# CRISP trial as printed by Bang, Ni & Davis (2004); limits from their formulas, as the R package BI gives them.
CRISP = np.array([[82, 27], [25, 29], [170, 83]])
guessed = st.lists(st.tuples(st.integers(-1, 1), st.integers(0, 1)), min_size=1, max_size=60)


def p_of(guess, neuron, arm, stratum, *, seed=1, permutations=999):
    generator = np.random.default_rng(seed)
    return guess_permutation(
        guess=guess, neuron=neuron, arm=arm, stratum=stratum, generator=generator, permutations=permutations
    ).p


def rows_of(table):
    """Guesses and truths of a table, don't know last."""
    guess, truth = np.nonzero(table)
    times = table[guess, truth]
    return np.repeat(np.where(guess == len(table) - 1, -1, guess), times), np.repeat(truth, times)


def test_the_published_crisp_numbers_are_reproduced():
    james = james_index(CRISP, level=0.95, estimand="")
    assert [round(value, 4) for value in (james.estimate, james.low, james.high)] == [0.7479, 0.7053, 0.7905]
    first, second = (bang_index(CRISP, arm, level=0.95, estimand="") for arm in (0, 1))
    assert [round(value, 4) for value in (first.estimate, first.low, first.high)] == [0.2058, 0.1367, 0.2748]
    assert [round(value, 4) for value in (second.estimate, second.low, second.high)] == [0.0144, -0.0911, 0.1199]


@pytest.mark.parametrize(
    ("table", "james", "bang"),
    [
        ([[30, 0], [0, 30], [0, 0]], 0.0, 1.0),
        ([[15, 15], [15, 15], [0, 0]], 0.5, 0.0),
        ([[0, 0], [0, 0], [30, 30]], 1.0, 0.0),
        ([[0, 30], [30, 0], [0, 0]], 1.0, -1.0),
    ],
)
def test_knowing_guessing_not_knowing_and_being_misled_have_the_values_they_are_defined_by(table, james, bang):
    table = np.array(table)
    assert james_index(table, level=0.95, estimand="").estimate == pytest.approx(james)
    assert bang_index(table, 0, level=0.95, estimand="").estimate == pytest.approx(bang)


def test_without_a_guess_nothing_is_said():
    nothing = np.zeros((3, 2), dtype=int)
    assert not james_index(nothing, level=0.95, estimand="").defined
    assert not bang_index(nothing, 1, level=0.95, estimand="").defined
    assert not clustered_bang_index([], [], level=0.95, estimand="").defined
    assert not clustered_james_index([], [], [], 2, level=0.95, estimand="").defined
    assert np.isnan(p_of([], [], [0, 1], [0, 0]))
    assert np.isnan(p_of([-1, -1], [0, 1], [0, 1], [0, 0]))


@given(guessed)
def test_the_clustered_indices_have_the_plain_estimates_and_all_limits_stay_in_range(rows):
    guess, truth = np.array(rows).T
    table = guess_table(guess, truth, 2)
    assert table.sum() == len(rows)
    for arm in (0, 1):
        mine = np.flatnonzero(truth == arm)
        plain = bang_index(table, arm, level=0.9, estimand="")
        if len(mine) < 2:
            continue
        clustered = clustered_bang_index(guess_scores(guess[mine], truth[mine], 2), mine, level=0.9, estimand="")
        assert clustered.estimate == pytest.approx(plain.estimate)
        assert clustered.refused or -1 <= clustered.low <= clustered.estimate <= clustered.high <= 1
    james = james_index(table, level=0.9, estimand="")
    assert not james.defined or james.refused or james.low - 1e-9 <= james.estimate <= james.high + 1e-9
    clustered = clustered_james_index(guess, truth, np.arange(len(rows)), 2, level=0.9, estimand="")
    assert clustered.estimate == pytest.approx(james.estimate, nan_ok=True)
    assert np.isnan(clustered.low) or 0 <= clustered.low <= clustered.estimate <= clustered.high <= 1


def test_one_guess_a_neuron_leaves_the_published_james_interval_nearly_as_it_is():
    guess, truth = rows_of(CRISP)
    index = clustered_james_index(guess, truth, np.arange(len(guess)), 2, level=0.95, estimand="")
    assert index.estimate == pytest.approx(0.7479, abs=5e-5)
    assert (index.low, index.high) == pytest.approx((0.7053, 0.7905), abs=5e-4)


def test_guesses_repeated_by_many_raters_do_not_make_the_indices_surer():
    guess, truth = rows_of(CRISP)
    neuron = np.arange(len(guess))
    once = clustered_james_index(guess, truth, neuron, 2, level=0.95, estimand="")
    often = clustered_james_index(np.tile(guess, 8), np.tile(truth, 8), np.tile(neuron, 8), 2, level=0.95, estimand="")
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_everybody_knowing_is_told_without_limits_that_would_pretend():
    guess = np.array([0, 1] * 10)
    james = clustered_james_index(guess, guess, np.arange(20), 2, level=0.95, estimand="")
    bang = clustered_bang_index(guess_scores(guess, guess, 2), np.arange(20), level=0.95, estimand="")
    assert (james.estimate, bang.estimate) == (0, 1)
    table = guess_table(guess, guess, 2)
    for index in (
        james,
        bang,
        james_index(table, level=0.9, estimand=""),
        bang_index(table, 1, level=0.9, estimand=""),
    ):
        assert index.refused
        assert np.isnan(index.low)


def test_three_arms_guessed_at_random_have_an_index_of_0():
    rng = np.random.default_rng(3)
    index = bang_index(guess_table(rng.integers(0, 3, 9_000), rng.integers(0, 3, 9_000), 3), 0, level=0.95, estimand="")
    assert abs(index.estimate) < 0.06  # more than four standard errors


def test_many_raters_who_share_a_neurons_look_are_not_taken_for_many_guesses():
    """Guesses follow the neuron and not the arm: counted as independent they would look unblinded now and then."""
    rng = np.random.default_rng(5)
    neuron, arm = np.repeat(np.arange(20), 8), np.array([0, 1] * 10)
    p_values = [
        p_of(np.repeat(rng.integers(0, 2, 20), 8), neuron, rng.permutation(arm), [0] * 20, seed=seed, permutations=99)
        for seed in range(200)
    ]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.09


@pytest.mark.parametrize("arms", [2, 3])
def test_counts_drawn_at_once_are_the_arrangements_dealt_one_by_one(arms):
    rng = np.random.default_rng(arms)
    neuron = np.repeat(np.arange(30), 4)
    guess, arm, stratum = rng.integers(-1, arms, 120), rng.integers(0, arms, 30), np.repeat([0, 1], 15)
    right = (guess == arm[neuron]).sum()
    dealt = []
    for _ in range(4000):
        order = np.concatenate([rng.permutation(15), 15 + rng.permutation(15)])
        dealt.append((guess == arm[order][neuron]).sum())
    slow = (np.array(dealt) >= right).mean()
    assert p_of(guess, neuron, arm, stratum, permutations=20_000) == pytest.approx(slow, abs=0.03)


def test_arms_that_never_change_places_leave_nothing_to_test():
    assert p_of([0, 1, 1, 0], [0, 1, 2, 3], [0, 1, 1, 0], [0, 1, 2, 3]) == 1


def test_guesses_that_know_the_arm_have_a_small_p_value():
    arm = [0, 1] * 10
    assert p_of(arm, range(20), arm, [0] * 20) <= 0.002
