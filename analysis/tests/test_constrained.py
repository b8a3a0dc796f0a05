"""Shares fitted under a fixed difference, ratio or odds ratio: nothing else that meets the condition is likelier."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.stats.constrained import (
    expected_given_odds_ratio,
    given_difference,
    given_ratio,
    hypergeometric_variance,
)

arms = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def columns(*counts: float) -> list[np.ndarray]:
    return [np.array([count], dtype=float) for count in counts]


def log_likelihood(x1, n1, x0, n0, p1, p0) -> np.ndarray:
    from scipy.special import xlog1py, xlogy

    return xlogy(x1, p1) + xlog1py(n1 - x1, -p1) + xlogy(x0, p0) + xlog1py(n0 - x0, -p0)


@given(arms, arms, st.floats(-0.99, 0.99))
def test_no_other_pair_with_that_difference_is_likelier(first, second, difference):
    p1, p0 = given_difference(*columns(*first, *second), difference)
    grid = np.linspace(max(0.0, -difference), min(1.0, 1 - difference), 2001)
    best = log_likelihood(*first, *second, np.clip(grid + difference, 0, 1), grid).max()
    assert p1[0] - p0[0] == pytest.approx(difference, abs=1e-12)
    assert log_likelihood(*first, *second, p1[0], p0[0]) >= best - 1e-6


@given(arms, arms, st.floats(-5, 5))
def test_no_other_pair_with_that_ratio_is_likelier(first, second, log):
    ratio = float(np.exp(log))
    p1, p0 = given_ratio(*columns(*first, *second), ratio)
    grid = np.linspace(0.0, min(1.0, 1 / ratio), 2001)
    best = log_likelihood(*first, *second, np.clip(ratio * grid, 0, 1), grid).max()
    assert p1[0] == pytest.approx(ratio * p0[0])
    assert log_likelihood(*first, *second, p1[0], p0[0]) >= best - 1e-6


@given(arms, arms, st.floats(-12, 12))
def test_expected_counts_have_that_odds_ratio_and_the_margins(first, second, log):
    (x1, n1), (x0, n0), odds_ratio = first, second, float(np.exp(log))
    yes = x1 + x0
    expected = float(expected_given_odds_ratio(*columns(n1, n0, yes), odds_ratio)[0])
    assert max(0, yes - n0) <= expected <= min(n1, yes)
    cells = expected * (n0 - yes + expected), (yes - expected) * (n1 - expected)
    assert cells[0] == pytest.approx(odds_ratio * cells[1], rel=1e-6, abs=1e-9 * max(1.0, odds_ratio) * n1 * n0)


def test_the_linear_coefficient_is_the_right_one():
    # Where the printed cubic with x0 for n0 goes wrong: at the fitted pair the derivative of the log likelihood is 0.
    p1, p0 = (float(share[0]) for share in given_difference(*columns(36, 60, 12, 60), 0.3))
    assert 36 / p1 - 24 / (1 - p1) + 12 / p0 - 48 / (1 - p0) == pytest.approx(0, abs=1e-9)


def test_strata_are_fitted_each_by_itself():
    tables = np.array([[36, 60, 21, 60], [7, 34, 1, 34], [0, 5, 0, 9]], dtype=float)
    together = given_difference(*tables.T, 0.2)
    alone = [given_difference(*columns(*row), 0.2) for row in tables]
    assert together[0].tolist() == [pair[0][0] for pair in alone]


def test_a_count_that_cannot_vary_has_no_variance():
    assert hypergeometric_variance(*columns(60, 60, 0, 0)).tolist() == [0.0]
    assert hypergeometric_variance(*columns(60, 60, 120, 60)).tolist() == [0.0]
