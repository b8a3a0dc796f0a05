"""Blinding indices: published numbers, what they mean at the extremes, and a test that keeps clusters together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.stats.blinding_index import (
    bang_index,
    clustered_bang_index,
    guess_scores,
    guess_table,
    james_index,
    permutation_p,
)

# CRISP trial as printed by Bang, Ni & Davis (2004); limits from their formulas, as the R package BI gives them.
CRISP = np.array([[82, 27], [25, 29], [170, 83]])
ARMS = ["a", "b"]


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
    assert not clustered_bang_index(np.zeros(0), [], level=0.95, estimand="").defined
    assert np.isnan(permutation_p([], [], [], [], generator=np.random.default_rng(1), permutations=9))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "dk"]), st.sampled_from(ARMS)), min_size=1, max_size=60))
def test_the_clustered_index_has_bangs_estimate_and_all_limits_stay_in_range(rows):
    guesses, truths = zip(*rows, strict=True)
    table = guess_table(guesses, truths, ARMS)
    assert table.sum() == len(rows)
    for arm, name in enumerate(ARMS):
        mine = [number for number, truth in enumerate(truths) if truth == name]
        plain = bang_index(table, arm, level=0.9, estimand="")
        if len(mine) < 2:
            continue
        scores = guess_scores([guesses[i] for i in mine], [name] * len(mine), ARMS)
        clustered = clustered_bang_index(scores, mine, level=0.9, estimand="")
        assert clustered.estimate == pytest.approx(plain.estimate)
        assert -1 <= clustered.low <= clustered.estimate <= clustered.high <= 1
    james = james_index(table, level=0.9, estimand="")
    assert not james.defined or james.low - 1e-9 <= james.estimate <= james.high + 1e-9


def test_three_arms_guessed_at_random_have_an_index_of_0():
    rng = np.random.default_rng(3)
    arms = ["a", "b", "c"]
    truths, guesses = rng.choice(arms, 9_000), rng.choice(arms, 9_000)
    index = bang_index(guess_table(guesses, truths, arms), 0, level=0.95, estimand="")
    assert abs(index.estimate) < 0.06  # more than four standard errors


def test_many_raters_who_share_a_neurons_look_are_not_taken_for_many_guesses():
    """Guesses follow the neuron and not the arm: counted as independent they would look unblinded now and then."""
    rng = np.random.default_rng(5)
    p_values = []
    for _ in range(200):
        looks = rng.choice(ARMS, 20)
        truths = np.repeat(rng.permutation(["a", "b"] * 10), 8)
        neurons = np.repeat(np.arange(20), 8)
        p_values.append(
            permutation_p(np.repeat(looks, 8), truths, neurons, ["1L"] * 160, generator=rng, permutations=99)
        )
    assert np.mean(np.array(p_values) <= 0.05) <= 0.09


def test_guesses_that_know_the_arm_have_a_small_p_value():
    truths = ["a", "b"] * 10
    p = permutation_p(truths, truths, range(20), ["1L"] * 20, generator=np.random.default_rng(1), permutations=999)
    assert p <= 0.002
