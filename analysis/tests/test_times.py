"""Response times: quartiles and thirds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.stats.times import thirds, time_summary


def test_quartiles_are_those_of_the_standard_library():
    # Python 3.11: statistics.quantiles([3, 1, 4, 1, 5, 9, 2, 6], n=4, method="inclusive") -> [1.75, 3.5, 5.25]
    summary = time_summary([3, 1, 4, 1, 5, 9, 2, 6])
    assert (summary.first_quartile, summary.median, summary.third_quartile) == (1.75, 3.5, 5.25)


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_the_median_lies_between_the_quartiles(seconds):
    summary = time_summary(seconds)
    assert min(seconds) <= summary.first_quartile <= summary.median <= summary.third_quartile <= max(seconds)


def test_times_that_were_not_measured_are_left_out():
    assert time_summary([10.0, np.nan]).n == 1
    assert time_summary([np.nan]).n == 0
    assert np.isnan(time_summary([]).median)


@given(st.integers(1, 400))
def test_thirds_are_of_nearly_equal_length_and_in_order(length):
    parts = thirds(np.arange(1, length + 1), length)
    sizes = np.bincount(parts, minlength=4)[1:]
    assert (np.diff(parts) >= 0).all()
    assert sizes.sum() == length
    assert sizes.max() - sizes.min() <= 1
