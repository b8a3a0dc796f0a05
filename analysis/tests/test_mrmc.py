"""Limits for new raters: mean squares of another package, identities, incomplete designs, extremes."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from statsmodels.stats.anova import anova_lm

from analysis.stats.mrmc import HILLIS, Spread, difference_limits, mrmc_difference, mrmc_fraction
from analysis.stats.mrmc_parts import Cells, contrast_parts
from analysis.stats.welch import hillis_quantile, similar_coverage, welch_quantile


def crossed(raters=4, neurons=12, sizes=2, seed=1, missing=0.0, spread=0.6):
    """Answers of a panel about neurons of two arms and some sizes, as the functions take them."""
    rng = np.random.default_rng(seed)
    total = 2 * sizes * neurons
    arm, size = np.tile([0, 1], total // 2), np.repeat(np.arange(sizes), 2 * neurons)
    tendency = rng.normal(0.8 * arm - 0.4, 1.5)[:, None] + rng.normal(0, spread, raters)
    tendency += rng.normal(0, spread / 2, (2, raters))[arm]
    said = (rng.random((total, raters)) < expit(tendency)).astype(int)
    there = rng.random(said.shape) >= missing
    neuron, rater = np.nonzero(there)
    return {"said": said[there], "neuron": neuron, "rater": rater, "arm": arm, "size": size}


def difference(table, **choices):
    return mrmc_difference(**table, treatment=1, baseline=0, **choices)


def fraction(table, **choices):
    return mrmc_fraction(**{key: table[key] for key in ("said", "neuron", "rater", "size")}, **choices)


def test_mean_squares_and_limits_are_those_of_an_analysis_of_variance():
    """statsmodels 0.15.0 makes the tables; the combination is Hillis (2014), neurons nested in arms."""
    table = crossed(sizes=1)
    rows = pd.DataFrame({key: table[key] for key in ("said", "neuron", "rater")}).assign(
        arm=table["arm"][table["neuron"]]
    )
    shares = rows.pivot_table(index="rater", columns="arm", values="said")
    own = shares[1] - shares[0]
    rater_part, neuron_part = own.var(ddof=1) / 4, 0.0
    for _, here in rows.groupby("arm"):
        squares = anova_lm(smf.ols("said ~ C(neuron) + C(rater)", here).fit())["mean_sq"]
        neuron_part += max(0.0, squares["C(neuron)"] - squares["Residual"]) / (12 * 4)
    variance = rater_part + neuron_part
    half = hillis_quantile(rater_part / variance, 3, 0.95) * variance**0.5
    found = difference(table, width=HILLIS)
    assert found.estimate == pytest.approx(own.mean())
    assert (found.low, found.high) == pytest.approx((own.mean() - half, own.mean() + half), abs=1e-12)


def test_the_limits_of_the_reference_data_are_those_of_r():
    """R 4.2.2, lmerTest 3.1 with Kenward and Roger: SE 0.0452, df 4.19; mean squares by hand: [0.095, 0.341]."""
    spread = Spread(0.0375**2, 0.0250**2, 2.0)
    assert float(spread.variance) ** 0.5 == pytest.approx(0.0451, abs=5e-5)
    assert [float(limit) for limit in difference_limits(0.2178, spread, 0.95, HILLIS)] == pytest.approx(
        [0.095, 0.341], abs=5e-4
    )
    assert [float(limit) for limit in difference_limits(0.2178, spread, 0.95, "Behrens-Fisher")] == pytest.approx(
        [0.050, 0.385], abs=2e-3
    )


def test_raters_who_share_no_neuron_are_compared_by_students_t():
    """With neurons of his own, each rater's difference is an independent measurement of the same quantity."""
    table = crossed(raters=1, neurons=60, sizes=1)
    table["rater"] = table["neuron"] // 2 % 5
    found = difference(table, width=HILLIS)
    cell = table["arm"][table["neuron"]]
    own = [
        np.diff([table["said"][(table["rater"] == rater) & (cell == arm)].mean() for arm in (0, 1)])[0]
        for rater in range(5)
    ]
    half = hillis_quantile(1.0, 4, 0.95) * np.std(own, ddof=1) / 5**0.5
    assert (found.estimate, found.high) == pytest.approx((np.mean(own), np.mean(own) + half))


def test_the_variance_is_unbiased_when_raters_judge_unequal_parts():
    """Six raters with shares of the neurons from 90 to 30 %: mean variance against the variance of the estimates."""
    rng = np.random.default_rng(5)
    there = rng.random((80, 6)) < np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.3])
    neuron, rater = np.nonzero(there)
    arm = np.tile([0, 1], 40)
    estimates, variances = [], []
    for _ in range(1500):
        tendency = rng.normal(0, 2, 80)[:, None] + rng.normal(0, 0.5, (2, 6))[arm] + rng.normal(0, 1, 6)
        said = (rng.random((80, 6)) < expit(tendency))[there].astype(float)
        cells = Cells(said, neuron, rater, arm[neuron], np.array([-1.0, 1.0]), 1, np.full(2, np.inf))
        parts = contrast_parts(cells)
        estimates.append(parts.estimate)
        variances.append(parts.variance)
    true = np.var(estimates)
    # Three Monte Carlo errors of a variance from 1,500 normal estimates.
    assert np.mean(variances) == pytest.approx(true, rel=3 * (2 / 1500) ** 0.5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 6), st.integers(1, 3), st.sampled_from([0.0, 0.3]))
def test_swapping_arms_and_renaming_raters_changes_nothing_else(seed, raters, sizes, missing):
    table = crossed(raters=raters, sizes=sizes, seed=seed, missing=missing)
    found = difference(table)
    swapped = mrmc_difference(**table, treatment=0, baseline=1)
    renamed = difference({**table, "rater": raters - 1 - table["rater"]})
    assert (-swapped.high, -swapped.low) == pytest.approx((found.low, found.high), nan_ok=True)
    assert (renamed.low, renamed.high) == pytest.approx((found.low, found.high), nan_ok=True)
    assert -1 <= found.low <= found.estimate <= found.high <= 1 or found.refused


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 6), st.sampled_from([0.0, 0.3]))
def test_no_mirrors_yes_in_a_fraction(seed, raters, missing):
    table = crossed(raters=raters, seed=seed, missing=missing)
    found, mirrored = fraction(table), fraction({**table, "said": 1 - table["said"]})
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((found.low, found.high))
    assert 0 <= found.low <= found.estimate <= found.high <= 1


@pytest.mark.parametrize("raters", [1, 2])
def test_few_raters_get_an_estimate_and_the_reason_why_no_limits(raters):
    table = crossed(raters=raters)
    for found in (difference(table), fraction(table)):
        assert np.isfinite(found.estimate)
        assert np.isnan(found.low)
        assert found.refused.startswith(f"{raters} rater")
    assert fraction(table).estimate == pytest.approx(table["said"].mean())


def test_arms_judged_by_different_raters_are_refused():
    table = crossed(raters=6)
    own = table["arm"][table["neuron"]] == (table["rater"] < 3)
    found = difference({**table, **{key: table[key][own] for key in ("said", "neuron", "rater")}})
    assert "no two who judged the same sizes and arms" in found.refused


def test_a_rater_of_one_arm_or_one_size_is_left_out_and_said_to_be():
    table = crossed(raters=5)
    arm, size = table["arm"][table["neuron"]], table["size"][table["neuron"]]
    for seen in (arm == 1, size == 0):
        rows = (table["rater"] < 4) | seen
        found = difference({**table, **{key: table[key][rows] for key in ("said", "neuron", "rater")}})
        four = difference({**table, **{key: table[key][table["rater"] < 4] for key in ("said", "neuron", "rater")}})
        assert (found.low, found.high) == (four.low, four.high)
        assert "1 of the raters left out" in found.method


def test_panels_of_one_size_each_are_pooled_as_independent():
    table = crossed(raters=8)
    own = (table["size"][table["neuron"]] == 0) == (table["rater"] < 4)
    split = {**table, **{key: table[key][own] for key in ("said", "neuron", "rater")}}
    found = difference(split, width=HILLIS)
    each = [difference({**split, "size": np.where(table["size"] == size, 0, 1)}) for size in (0, 1)]
    one = [mrmc_difference(**_of_size(split, size), treatment=1, baseline=0) for size in (0, 1)]
    assert found.estimate == pytest.approx((one[0].estimate + one[1].estimate) / 2)
    assert found.low < found.estimate < found.high
    assert each[0].estimate == pytest.approx(found.estimate)


def _of_size(table, size):
    rows = table["size"][table["neuron"]] == size
    return {**table, **{key: table[key][rows] for key in ("said", "neuron", "rater")}}


def test_a_finite_layer_shrinks_the_neuron_part_only():
    table = crossed(raters=5, neurons=40)
    wide = difference(table)
    finite = difference(table, population=np.full(160, 50.0))
    whole = difference(table, population=np.full(160, 40.0))
    assert wide.se > finite.se > whole.se > 0


@pytest.mark.parametrize("answer", [0, 1])
def test_answers_all_alike_never_crash(answer):
    table = crossed()
    table["said"] = np.full(len(table["said"]), answer)
    alone = fraction(table)
    assert (alone.low == 0, alone.high == 1) == (answer == 0, answer == 1)
    assert alone.low < alone.high
    assert difference(table).refused


def test_nothing_judged_one_neuron_and_a_missing_arm_never_crash():
    table = crossed()
    nothing = {**table, **{key: table[key][:0] for key in ("said", "neuron", "rater")}}
    assert not difference(nothing).defined
    assert not fraction(nothing).defined
    one_arm = table["arm"][table["neuron"]] == 1
    assert not difference({**table, **{key: table[key][one_arm] for key in ("said", "neuron", "rater")}}).defined
    few = np.isin(table["neuron"], [0, 1])
    assert (
        "one neuron" in difference({**table, **{key: table[key][few] for key in ("said", "neuron", "rater")}}).refused
    )


@settings(max_examples=12, deadline=None)
@given(st.sampled_from([2.0, 3.0, 4.0, 9.0, 30.0]), st.sampled_from([0.9, 0.95]))
def test_welchs_quantile_keeps_its_level_whatever_the_true_share(df, level):
    coverage = similar_coverage(welch_quantile(np.linspace(0, 1, 25), df, level), df, np.linspace(0, 1, 41))
    assert coverage.min() > level - 0.0005
    assert coverage.max() < level + 0.003
