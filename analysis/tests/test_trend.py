"""Trend of a share along a score: R's example, what the scale cannot change, extremes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.stats.proportions import BadCounts
from analysis.stats.score import score_test
from analysis.stats.trend import trend_test

SMOKERS, PATIENTS = [83, 90, 129, 70], [86, 93, 136, 82]
groups = st.lists(
    st.integers(1, 80).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=2, max_size=6
)


@pytest.mark.parametrize(
    ("scores", "statistic", "p"),
    [
        # R, help page of prop.trend.test: prop.trend.test(smokers, patients) and with scores c(0, 0, 0, 1)
        ([1, 2, 3, 4], 8.2249, 0.004132),
        ([0, 0, 0, 1], 12.173, 0.0004848),
    ],
)
def test_rs_example_gives_its_numbers(scores, statistic, p):
    test = trend_test(SMOKERS, PATIENTS, scores)
    assert test.statistic == pytest.approx(statistic, abs=5e-4)
    assert test.p == pytest.approx(p, rel=1e-3)


def test_a_textbook_table_gives_mantels_number_too():
    # Indredavik et al. in Fagerland, Lydersen & Laake (2017), chapter 5. statsmodels 0.15.0:
    # Table(np.array([yes, no]).T, shift_zeros=False).test_ordinal_association(row_scores=np.arange(1, 6),
    # col_scores=np.array([0, 1])).zscore, which is Mantel's, with N - 1 where Cochran and Armitage have N
    yes, no = [8, 10, 11, 22, 6], [53, 48, 100, 102, 129]
    n = [a + b for a, b in zip(yes, no, strict=True)]
    test = trend_test(yes, n, [1, 2, 3, 4, 5])
    assert math.sqrt(test.statistic * (sum(n) - 1) / sum(n)) == pytest.approx(1.7859788512141515)


@given(groups, st.floats(0.1, 50), st.floats(-20, 20))
def test_only_the_distances_between_scores_matter(pairs, factor, shift):
    yes, n = zip(*pairs, strict=True)
    places = range(len(pairs))
    moved = trend_test(yes, n, [shift - factor * place for place in places])
    assert moved.p == pytest.approx(trend_test(yes, n, list(places)).p, nan_ok=True, abs=1e-9)


@given(groups)
def test_calling_no_yes_changes_nothing(pairs):
    yes, n = zip(*pairs, strict=True)
    other = trend_test([b - a for a, b in pairs], n, range(len(pairs)))
    assert other.p == pytest.approx(trend_test(yes, n, range(len(pairs))).p, nan_ok=True)


@given(groups.filter(lambda pairs: len(pairs) == 2))
def test_two_groups_are_pearsons_chi_square(pairs):
    (x0, n0), (x1, n1) = pairs
    test, pearson = trend_test([x0, x1], [n0, n1], [0, 1]), score_test(x1, n1, x0, n0, corrected=False)
    assert test.statistic == pytest.approx(pearson.statistic, nan_ok=True, abs=1e-9)


@pytest.mark.parametrize(
    ("yes", "n", "scores"),
    [([0, 0], [60, 60], [1, 2]), ([60, 60], [60, 60], [1, 2]), ([3, 4], [9, 9], [2, 2]), ([3], [9], [1]), ([], [], []),
     ([3, 0], [9, 0], [1, 2])],
)  # fmt: skip
def test_without_spread_the_trend_is_undefined(yes, n, scores):
    assert math.isnan(trend_test(yes, n, scores).p)


def test_impossible_input_is_refused():
    with pytest.raises(BadCounts, match="one length"):
        trend_test([3], [2], [1])
    with pytest.raises(BadCounts, match="finite"):
        trend_test([1, 1], [2, 2], [1, math.nan])
