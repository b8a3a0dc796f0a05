"""Adjusted p values: another package, order, undefined tests."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from analysis.stats.multiplicity import BadPValues, benjamini_hochberg, holm

METHODS = [holm, benjamini_hochberg]
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_the_known_p_values_are_adjusted_as_known():
    p = [0.01, 0.013, 0.014, 0.19, 0.35, 0.5, 0.63, 0.67, 0.75, 0.81]
    # statsmodels 0.15.0: multipletests(p, method="holm")[1], multipletests(p, method="fdr_bh")[1]
    assert holm(p) == pytest.approx([0.1, 0.117, 0.117, 1, 1, 1, 1, 1, 1, 1])
    assert benjamini_hochberg(p) == pytest.approx(
        [0.04666667, 0.04666667, 0.04666667, 0.475, 0.7, 0.81, 0.81, 0.81, 0.81, 0.81], abs=1e-8
    )


@given(p_values)
def test_benjamini_hochberg_agrees_with_scipy(p):
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p))


@pytest.mark.parametrize("method", METHODS)
@given(p=p_values)
def test_adjusting_never_lowers_a_p_value_nor_changes_the_order(method, p):
    adjusted = method(p)
    assert np.all((adjusted >= np.array(p) - 1e-15) & (adjusted <= 1))
    order = np.argsort(p, kind="stable")
    assert np.all(np.diff(adjusted[order]) >= 0)
    assert np.all(benjamini_hochberg(p) <= holm(p) + 1e-12)


@pytest.mark.parametrize("method", METHODS)
@given(p=p_values)
def test_undefined_tests_stay_undefined_and_count_for_nothing(method, p):
    adjusted = method([math.nan, *p, math.nan])
    assert np.isnan(adjusted[[0, -1]]).all()
    assert adjusted[1:-1] == pytest.approx(method(p))


@pytest.mark.parametrize("method", METHODS)
def test_one_p_value_stays_and_none_is_none(method):
    assert method([0.03]).tolist() == [0.03]
    assert method([]).tolist() == []
    with pytest.raises(BadPValues, match=r"1\.2"):
        method([0.1, 1.2])
