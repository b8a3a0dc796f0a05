"""Mantel-Haenszel and stratified score estimates over sizes: textbook tables, one stratum, extremes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import StratifiedTable

from analysis.stats.proportions import BadCounts
from analysis.stats.score import miettinen_nurminen, score_test
from analysis.stats.stratified import (
    breslow_day_tarone,
    cochran_mantel_haenszel,
    informative,
    mantel_haenszel_odds_ratio,
    mantel_haenszel_risk_difference,
    mantel_haenszel_risk_ratio,
    stratified_miettinen_nurminen,
)

# Agresti, Categorical Data Analysis, 3rd ed. (2013), table 6.9: response to a drug and a control in eight centres
CENTRES = [
    [11, 36, 10, 37], [16, 20, 22, 32], [14, 19, 7, 19], [2, 16, 1, 17], [6, 17, 0, 12], [1, 11, 0, 10], [1, 5, 1, 9],
    [4, 6, 6, 7],
]  # fmt: skip
# Doll & Hill (1950): smokers among cases and controls, men and women; R package contingencytables, doll_hill_1950
SMOKING = [[647, 1269, 2, 29], [41, 69, 19, 51]]
# Counts on which rate_compare_sum of the R package metalite.ae was run
THREE_STRATA = [[77, 84, 70, 86], [5, 84, 9, 86], [73, 84, 44, 86]]
INTERVALS = [
    mantel_haenszel_odds_ratio, mantel_haenszel_risk_ratio, mantel_haenszel_risk_difference,
    stratified_miettinen_nurminen,
]  # fmt: skip
arm = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
strata = st.lists(st.tuples(arm, arm).map(lambda pair: [*pair[0], *pair[1]]), min_size=1, max_size=6)


def swapped(tables):
    return [[x0, n0, x1, n1] for x1, n1, x0, n0 in tables]


@pytest.mark.parametrize(
    ("method", "tables", "known", "within"),
    [
        # statsmodels 0.15.0: StratifiedTable(...).oddsratio_pooled, .oddsratio_pooled_confint()
        (mantel_haenszel_odds_ratio, CENTRES, (2.134549067196, 1.177589759646, 3.869174033612), 1e-11),
        (mantel_haenszel_odds_ratio, SMOKING, (4.523914762281, 2.417100549330, 8.467088711746), 1e-11),
        # R package cicalc: ci_rel_risk_cmh_strata and ci_prop_diff_mh_strata (Sato)
        (mantel_haenszel_risk_ratio, CENTRES, (1.424, 1.0786, 1.8812), 5e-4),
        (mantel_haenszel_risk_difference, CENTRES, (0.130, 0.0313, 0.2284), 2e-4),
        # contingencytables: Wald_test_and_CI_common_ratio_stratified_2x2(doll_hill_1950)
        (mantel_haenszel_risk_ratio, SMOKING, (2.4751, 1.5831, 3.8698), 5e-5),
        # R package metalite.ae: rate_compare_sum(..., weight = "cmh", alpha = 0.05), which stops within 1e-6
        (stratified_miettinen_nurminen, THREE_STRATA, (0.138335179, 0.073810088, 0.205266635), 2e-7),
        # R package lrstat: mnRiskDiffCI(n1 = c(10, 10), y1 = c(4, 3), n2 = c(20, 10), y2 = c(2, 0))
        (stratified_miettinen_nurminen, [[4, 10, 2, 20], [3, 10, 0, 10]], (0.3, 0.082536, 0.53206), 1e-6),
    ],
)
def test_textbook_tables_give_the_known_limits(method, tables, known, within):
    interval = method(tables)
    assert (interval.estimate, interval.low, interval.high) == pytest.approx(known, abs=within)


@pytest.mark.parametrize(
    ("test", "tables", "statistic", "df", "p", "within"),
    [
        # statsmodels 0.15.0: StratifiedTable(...).test_null_odds(correction=False), .test_equal_odds(adjust=True)
        (cochran_mantel_haenszel, CENTRES, 6.384113424999, 1, 0.011514626175, 1e-11),
        (breslow_day_tarone, CENTRES, 7.991840244134, 7, 0.333313973219, 1e-11),
        # contingencytables: CochranMantelHaenszel_test_stratified_2x2 and BreslowDay_homogeneity_test_stratified_2x2
        (cochran_mantel_haenszel, SMOKING, 24.920, 1, 0.000001, 5e-4),
        (breslow_day_tarone, SMOKING, 5.175, 1, 0.022919, 5e-4),
    ],
)
def test_textbook_tables_give_the_known_tests(test, tables, statistic, df, p, within):
    found = test(tables)
    assert (found.statistic, found.p) == pytest.approx((statistic, p), abs=within)
    assert found.df == df
    assert found.n == int(np.array(tables)[:, [1, 3]].sum())


inner = st.integers(2, 60).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n)))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(inner, inner).map(lambda pair: [*pair[0], *pair[1]]), min_size=2, max_size=6))
def test_another_package_finds_the_same(tables):
    other = StratifiedTable([np.array([[x1, n1 - x1], [x0, n0 - x0]]) for x1, n1, x0, n0 in tables])
    odds = mantel_haenszel_odds_ratio(tables)
    assert odds.estimate == pytest.approx(other.oddsratio_pooled)
    assert (odds.low, odds.high) == pytest.approx(other.oddsratio_pooled_confint())
    assert mantel_haenszel_risk_ratio(tables).estimate == pytest.approx(other.riskratio_pooled)
    assert cochran_mantel_haenszel(tables).p == pytest.approx(other.test_null_odds(correction=False).pvalue)
    if abs(other.logodds_pooled) > 0.01:  # at an odds ratio of 1 it divides by 0, and loses digits close to it
        assert breslow_day_tarone(tables).p == pytest.approx(other.test_equal_odds(adjust=True).pvalue, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(arm, arm)
def test_one_stratum_is_the_plain_method(first, second):
    table = [*first, *second]
    stratified, plain = stratified_miettinen_nurminen([table]), miettinen_nurminen(*table)
    assert (stratified.estimate, stratified.low, stratified.high) == pytest.approx(
        (plain.estimate, plain.low, plain.high), abs=1e-12
    )
    cmh, score = cochran_mantel_haenszel([table]), score_test(*table)
    assert (cmh.statistic, cmh.p) == pytest.approx((score.statistic, score.p), nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(strata)
def test_limits_hold_the_estimate_stay_in_range_and_widen_with_the_level(tables):
    for method in INTERVALS:
        narrow, wide = method(tables, level=0.8), method(tables, level=0.99)
        assert math.isnan(narrow.low) == bool(narrow.refused)
        if not narrow.refused:
            assert wide.low <= narrow.low <= narrow.estimate <= narrow.high <= wide.high
    score = stratified_miettinen_nurminen(tables)
    assert -1 <= score.low < score.high <= 1


@settings(max_examples=40, deadline=None)
@given(strata)
def test_swapping_the_arms_turns_differences_and_inverts_ratios(tables):
    for method in INTERVALS:
        one, other = method(tables), method(swapped(tables))
        if one.refused or other.refused:
            continue
        if method in (mantel_haenszel_odds_ratio, mantel_haenszel_risk_ratio):
            assert (one.low, one.high) == pytest.approx((1 / other.high, 1 / other.low))
        else:
            assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1e-8)
    for test in (cochran_mantel_haenszel, breslow_day_tarone):
        assert test(tables).p == pytest.approx(test(swapped(tables)).p, nan_ok=True, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(strata, st.randoms(use_true_random=False))
def test_the_order_of_strata_and_empty_ones_do_not_matter(tables, shuffler):
    mixed = [*tables, [0, 0, 3, 5]]
    shuffler.shuffle(mixed)
    for method in INTERVALS:
        assert method(mixed).low == pytest.approx(method(tables).low, nan_ok=True, abs=1e-9)
    assert breslow_day_tarone(mixed).p == pytest.approx(breslow_day_tarone(tables).p, nan_ok=True)


@given(st.integers(2, 6), arm, arm)
def test_strata_that_are_all_alike_are_perfectly_homogeneous(count, first, second):
    test = breslow_day_tarone([[*first, *second]] * count)
    assert math.isnan(test.p) or test.statistic == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("tables", "refused"),
    [
        ([[0, 60, 0, 60]] * 3, (True, True, True, False)),
        ([[60, 60, 60, 60]] * 3, (True, True, True, False)),
        ([[60, 60, 0, 60]] * 3, (True, True, True, False)),
        ([[0, 60, 60, 60]] * 3, (True, True, True, False)),
        ([[0, 60, 5, 60], [0, 60, 7, 60]], (True, True, False, False)),
        ([[5, 60, 0, 60], [7, 60, 0, 60]], (True, True, False, False)),
        ([[0, 0, 5, 60]], (True, True, True, True)),
        ([], (True, True, True, True)),
    ],
)
def test_extremes_never_crash_and_what_is_missing_is_explained(tables, refused):
    intervals = [method(tables) for method in INTERVALS]
    assert tuple(bool(interval.refused) for interval in intervals) == refused
    for interval in intervals:
        assert math.isnan(interval.low) == math.isnan(interval.high) == bool(interval.refused)
    assert math.isnan(breslow_day_tarone(tables).p)
    alike = not len(informative(tables)) or all(table[0] + table[2] in (0, 120) for table in tables)
    assert math.isnan(cochran_mantel_haenszel(tables).p) == alike


def test_all_yes_everywhere_is_a_ratio_of_one_without_spread():
    interval = mantel_haenszel_risk_ratio([[60, 60, 60, 60]] * 2)
    assert interval.estimate == 1
    assert "leave no variance" in interval.refused


def test_impossible_tables_are_refused():
    with pytest.raises(BadCounts, match="shape"):
        cochran_mantel_haenszel([1, 2, 3, 4])
    with pytest.raises(BadCounts, match="impossible"):
        mantel_haenszel_odds_ratio([[3, 2, 0, 1]])
