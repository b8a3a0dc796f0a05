"""Score intervals and tests for two arms: published limits, symmetry, agreement of test and interval, extremes."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, fisher_exact

from analysis.stats.proportions import BadCounts
from analysis.stats.score import (
    fisher_midp,
    miettinen_nurminen,
    score_odds_ratio,
    score_ratio,
    score_test,
)

arms = st.integers(1, 120).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
INTERVALS = [miettinen_nurminen, score_ratio, score_odds_ratio]
EXTREMES = [
    (0, 60, 0, 60), (60, 60, 60, 60), (60, 60, 0, 60), (0, 60, 60, 60), (0, 60, 5, 60), (5, 60, 0, 60),
    (60, 60, 5, 60), (5, 60, 60, 60), (0, 1, 1, 1), (1, 1, 0, 1), (1, 1, 1, 1), (0, 1, 0, 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        # Newcombe (1998), Stat. Med. 17, table II, method 6
        ((56, 70, 48, 80), 0.0528, 0.3382),
        ((9, 10, 3, 10), 0.1700, 0.8406),
        ((6, 7, 2, 7), 0.0342, 0.8534),
        ((5, 56, 0, 29), -0.0326, 0.1933),
        ((0, 10, 0, 20), -0.1658, 0.2844),
        ((0, 10, 0, 10), -0.2879, 0.2879),
        ((10, 10, 0, 20), 0.7156, 1.0),
        ((10, 10, 0, 10), 0.6636, 1.0),
        # R package contingencytables: MiettinenNurminen_asymptotic_score_CI_difference_2x2(ritland_2007)
        ((0, 16, 15, 72), -0.3164, -0.0056),
    ],
)
def test_differences_have_the_published_limits(table, low, high):
    interval = miettinen_nurminen(*table)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5.1e-5)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        # The report that found statsmodels' cubic wrong (statsmodels issue 10269): 36 of 60 against 12 of 60
        ((36, 60, 12, 60), 0.22961785, 0.54752463),
        # R package metalite.ae: rate_compare_sum(n0=119, n1=116, x0=70, x1=46), which stops within 1e-6
        ((46, 116, 70, 119), -0.3133431419, -0.06382126982),
    ],
)
def test_differences_have_the_limits_of_other_programs(table, low, high):
    interval = miettinen_nurminen(*table)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-7)


def test_without_the_factor_the_difference_is_that_of_mee():
    # contingencytables: Mee_asymptotic_score_CI_2x2(perondi_2004); Newcombe (1998), method 5
    perondi, newcombe = (miettinen_nurminen(*table, corrected=False) for table in ((7, 34, 1, 34), (56, 70, 48, 80)))
    assert (perondi.low, perondi.high) == pytest.approx((0.0284, 0.3439), abs=5e-5)
    assert (newcombe.low, newcombe.high) == pytest.approx((0.0533, 0.3377), abs=5e-5)


@pytest.mark.parametrize(
    ("table", "corrected", "low", "high"),
    [
        # statsmodels 0.15.0: confint_proportions_2indep(*table, method="score", compare="ratio", correction=corrected)
        ((36, 60, 21, 60), True, 1.16031013653, 2.60145881315),
        ((36, 60, 21, 60), False, 1.16215333090, 2.59682491755),
        ((25, 60, 20, 60), True, 0.78669823633, 2.00561389774),
        ((1, 60, 0, 60), True, 0.26157748984, math.nan),
        # contingencytables: MiettinenNurminen_asymptotic_score_CI_ratio_2x2 and Koopman_asymptotic_score_CI_2x2
        ((7, 34, 1, 34), True, 1.20856797509, 43.0329722187),
        ((7, 34, 1, 34), False, 1.22085285351, 42.5757176098),
    ],
)
def test_ratios_have_the_known_limits(table, corrected, low, high):
    interval = score_ratio(*table, corrected=corrected)
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("table", "corrected", "low", "high"),
    [
        # statsmodels 0.15.0: confint_proportions_2indep(*table, method="score", compare="odds-ratio")
        ((36, 60, 21, 60), True, 1.33009937164, 5.83413596731),
        ((25, 60, 20, 60), True, 0.68110575694, 2.99572535045),
        ((7, 34, 1, 34), True, 1.24662236025, 56.4615755454),
        # contingencytables: Uncorrected_asymptotic_score_CI_2x2(ritland_2007), 4 digits
        ((0, 16, 15, 72), False, 0.0, 0.9532),
    ],
)
def test_odds_ratios_have_the_known_limits(table, corrected, low, high):
    interval = score_odds_ratio(*table, corrected=corrected)
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=6e-5 if low == 0 else 1e-9)


def test_p_values_are_the_known_ones():
    # statsmodels 0.15.0: test_proportions_2indep(*table, value=0, method="score", compare="diff", correction=…)
    assert score_test(36, 60, 21, 60).p == pytest.approx(0.006322041502767338)
    assert score_test(36, 60, 21, 60, corrected=False).p == pytest.approx(0.006105844354936796)
    assert score_test(25, 60, 20, 60).p == pytest.approx(0.3477962344598543)
    # contingencytables: Fisher_midP_test_2x2(ritland_2007)
    assert fisher_midp(0, 16, 15, 72).p == pytest.approx(0.04466, abs=5e-6)


@given(arms, arms)
def test_mid_p_is_fishers_p_less_half_the_tables_as_probable(first, second):
    (x1, n1), (x0, n0) = first, second
    test = fisher_midp(x1, n1, x0, n0)
    if x1 + x0 in (0, n1 + n0):
        assert math.isnan(test.p)
    else:
        exact = fisher_exact([[x1, n1 - x1], [x0, n0 - x0]]).pvalue
        assert exact - test.statistic - 1e-9 <= test.p <= exact - test.statistic / 2 + 1e-9


@settings(max_examples=50, deadline=None)
@given(arms, arms)
def test_swapping_the_arms_turns_differences_and_inverts_ratios(first, second):
    one, other = miettinen_nurminen(*first, *second), miettinen_nurminen(*second, *first)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-9)
    if first[0] > 0 and second[0] > 0:
        one, other = score_ratio(*first, *second), score_ratio(*second, *first)
        assert (one.low, one.high) == pytest.approx((1 / other.high, 1 / other.low), rel=1e-6)
    if 0 < first[0] < first[1] and 0 < second[0] < second[1]:
        one, other = score_odds_ratio(*first, *second), score_odds_ratio(*second, *first)
        assert (one.low, one.high) == pytest.approx((1 / other.high, 1 / other.low), rel=1e-6)


@settings(max_examples=50, deadline=None)
@given(arms, arms)
def test_calling_no_yes_turns_the_difference_and_inverts_the_odds_ratio(first, second):
    (x1, n1), (x0, n0) = first, second
    one, other = miettinen_nurminen(x1, n1, x0, n0), miettinen_nurminen(n1 - x1, n1, n0 - x0, n0)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-7)
    assert score_test(x1, n1, x0, n0).p == pytest.approx(score_test(n1 - x1, n1, n0 - x0, n0).p, nan_ok=True)
    if 0 < x1 < n1 and 0 < x0 < n0:
        one, other = score_odds_ratio(x1, n1, x0, n0), score_odds_ratio(n1 - x1, n1, n0 - x0, n0)
        assert (one.low, one.high) == pytest.approx((1 / other.high, 1 / other.low), rel=1e-6)


@settings(max_examples=50, deadline=None)
@given(arms, arms)
def test_limits_hold_the_estimate_stay_in_range_and_widen_with_the_level(first, second):
    narrow, wide = (miettinen_nurminen(*first, *second, level=level) for level in (0.8, 0.99))
    assert -1 <= wide.low <= narrow.low <= narrow.estimate <= narrow.high <= wide.high <= 1
    assert narrow.low < narrow.high
    for method in (score_ratio, score_odds_ratio):
        narrow, wide = (method(*first, *second, level=level) for level in (0.8, 0.99))
        if not narrow.refused:
            assert 0 <= wide.low <= narrow.low <= narrow.estimate <= narrow.high <= wide.high < math.inf


@settings(max_examples=50, deadline=None)
@given(arms, arms)
def test_the_interval_whose_level_is_one_less_p_just_touches_no_difference(first, second):
    p = score_test(*first, *second).p
    if not 1e-6 < p < 0.999:
        return
    difference = miettinen_nurminen(*first, *second, level=1 - p)
    assert min(abs(difference.low), abs(difference.high)) == pytest.approx(0, abs=1e-7)
    for method in (score_ratio, score_odds_ratio):
        ratio = method(*first, *second, level=1 - p)
        limits = [limit for limit in (ratio.low, ratio.high) if limit > 0]
        assert min(abs(math.log(limit)) for limit in limits) == pytest.approx(0, abs=1e-6)


def test_in_all_tables_of_small_arms_together_the_difference_is_held_about_as_often_as_said():
    n, level = 15, 0.95
    intervals = [[miettinen_nurminen(x1, n, x0, n, level=level) for x0 in range(n + 1)] for x1 in range(n + 1)]
    covered = []
    for p1, p0 in itertools.product((0.1, 0.35, 0.5, 0.6, 0.9), repeat=2):
        held = np.array([[one.low <= p1 - p0 <= one.high for one in row] for row in intervals])
        covered.append(float(binom.pmf(range(n + 1), n, p1) @ held @ binom.pmf(range(n + 1), n, p0)))
    assert np.mean(covered) == pytest.approx(level, abs=0.01)
    assert min(covered) > 0.92


@pytest.mark.parametrize("table", EXTREMES)
@pytest.mark.parametrize("method", INTERVALS)
def test_extremes_never_crash_and_what_is_missing_is_explained(method, table):
    interval = method(*table)
    missing = any(math.isnan(value) for value in (interval.estimate, interval.low, interval.high))
    assert missing == bool(interval.refused)
    assert missing == (method is not miettinen_nurminen and not interval.defined)
    test, exact = score_test(*table), fisher_midp(*table)
    assert math.isnan(test.p) == math.isnan(exact.p) == (table[0] + table[2] in (0, table[1] + table[3]))


def test_a_ratio_without_an_upper_limit_still_has_the_lower_one():
    ratio, odds = score_ratio(5, 60, 0, 60), score_odds_ratio(60, 60, 50, 60)
    assert "may be of any size" in ratio.refused
    assert ratio.low > 1
    assert odds.low > 1
    nothing = score_ratio(0, 60, 0, 60)
    assert "all alike" in nothing.refused
    assert math.isnan(nothing.low)


@pytest.mark.parametrize("method", INTERVALS)
def test_an_empty_arm_is_undefined_and_impossible_counts_are_refused(method):
    assert not method(0, 0, 3, 5).defined
    assert math.isnan(score_test(3, 5, 0, 0).p)
    with pytest.raises(BadCounts, match="6 yes of 5"):
        method(1, 2, 6, 5)
