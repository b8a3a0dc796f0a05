"""Whether differences are the same over sizes: by hand, shifts, extremes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.stats.heterogeneity import difference_heterogeneity, one_against_the_others

arm = st.integers(2, 60).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n)))
tables_of = st.lists(st.tuples(arm, arm).map(lambda pair: [*pair[0], *pair[1]]), min_size=2, max_size=6)


def test_the_known_tables_give_q_and_z_by_hand():
    tables = [[36, 60, 21, 60], [25, 60, 20, 60]]
    # differences 15/60 and 5/60; variances .6*.4/60 + .35*.65/60 and (5/12)(7/12)/60 + (1/3)(2/3)/60
    first, second = 0.24 / 60 + 0.2275 / 60, 35 / 144 / 60 + 2 / 9 / 60
    z = (15 / 60 - 5 / 60) / math.sqrt(first + second)
    assert difference_heterogeneity(tables).statistic == pytest.approx(z**2)
    assert one_against_the_others(tables, 0).statistic == pytest.approx(z)
    assert difference_heterogeneity(tables).p == pytest.approx(one_against_the_others(tables, 1).p)


@given(tables_of)
def test_swapping_the_arms_changes_no_p_value(tables):
    swapped = [[x0, n0, x1, n1] for x1, n1, x0, n0 in tables]
    assert difference_heterogeneity(swapped).p == pytest.approx(difference_heterogeneity(tables).p)
    assert one_against_the_others(swapped, 0).statistic == pytest.approx(
        -one_against_the_others(tables, 0).statistic, abs=1e-9
    )


@given(st.tuples(arm, arm), st.integers(2, 5))
def test_sizes_that_are_all_alike_do_not_differ(pair, count):
    tables = [[*pair[0], *pair[1]]] * count
    assert difference_heterogeneity(tables).statistic == pytest.approx(0, abs=1e-9)
    assert one_against_the_others(tables, 0).p == pytest.approx(1)


@pytest.mark.parametrize(
    "tables",
    [[], [[36, 60, 21, 60]], [[0, 60, 0, 60], [0, 60, 0, 60]], [[0, 0, 3, 5], [1, 2, 1, 2]]],
)
def test_too_few_sizes_or_no_spread_is_undefined(tables):
    assert math.isnan(difference_heterogeneity(tables).p)
    if tables:
        assert math.isnan(one_against_the_others(tables, 0).p)
