"""Order, fatigue, response times and confidence: other packages' numbers, brute force, and data that say nothing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.stats.clustered_linear import TooFewNeurons, clustered_linear
from analysis.stats.order import (
    ALIKE,
    FEW,
    SEPARATED,
    last_against_first,
    order_effect,
    superiority,
    time_arm_ratio,
    time_order_ratio,
)
from analysis.stats.times import thirds
from analysis.tests.crossed import crossed_columns


def answers(columns):
    return {"neuron": columns["neuron"], "rater": columns["rater"]}


def grouped(columns):
    return answers(columns) | {"group": columns["size_of"] * 2 + columns["arm_of"]}


def standard_error(interval, neurons=160):
    """Of an interval on the scale of the model, without the factor that other packages leave out."""
    half = (interval.high - interval.low) / 2 / stats.t.ppf(0.975, neurons - 1)
    return half * math.sqrt((neurons - 1) / neurons)


def logged(interval):
    return type(interval)(
        *(math.log(value) for value in (interval.estimate, interval.low, interval.high)), 0.95, "", "", 0, 0
    )


def test_the_effects_are_those_of_generalised_estimating_equations():
    # statsmodels 0.15.0: gee("judgment ~ order100 + size_and_arm + rater", "neuron", data, Gaussian(), Exchangeable());
    # its working correlation is estimated in another way (0.302 against 0.306), so the last digits differ.
    columns = crossed_columns()
    order = order_effect(said=columns["judgment"], order=columns["order"], **grouped(columns))
    assert order.estimate == pytest.approx(-0.059318713, abs=5e-4)
    assert standard_error(order) == pytest.approx(0.042077209, rel=1e-3)
    # gee("log_seconds ~ order100 + size_and_arm + rater", …) and gee("log_seconds ~ arm + size + rater", …)
    tired = logged(time_order_ratio(seconds=columns["seconds"], order=columns["order"], **grouped(columns)))
    assert tired.estimate == pytest.approx(-0.011645671, abs=5e-5)
    assert standard_error(tired) == pytest.approx(0.030484940, rel=1e-3)
    slower = time_arm_ratio(
        seconds=columns["seconds"], arm=columns["arm_of"], size=columns["size_of"], treatment=1, baseline=0,
        **answers(columns),
    )  # fmt: skip
    assert logged(slower).estimate == pytest.approx(0.080502791, abs=5e-5)
    assert standard_error(logged(slower)) == pytest.approx(0.029522527, rel=1e-3)
    # glmm 0.6.2, linear mixed model "log_seconds ~ arm + order100 + size + rater + (1|neuron)": arm 0.0807 (0.0296)
    assert logged(slower).estimate == pytest.approx(0.080714724, abs=5e-4)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_the_structured_sums_give_what_whole_matrices_give(seed):
    rng = np.random.default_rng(seed)
    neuron, rater = rng.integers(0, 12, 60), rng.integers(0, 4, 60)
    columns, value = rng.normal(size=(60, 2)), rng.normal(size=60) + rng.normal(size=12)[neuron]
    fit = clustered_linear(value, columns, neuron=neuron, rater=rater)
    whole = np.column_stack([columns, *(rater == code for code in np.unique(rater))])
    weights = np.linalg.inv(np.eye(60) * (1 - fit.correlation) + fit.correlation * (neuron[:, None] == neuron[None, :]))
    inverse = np.linalg.inv(whole.T @ weights @ whole)
    estimates = inverse @ whole.T @ weights @ value
    left, clusters = value - whole @ estimates, [np.flatnonzero(neuron == code) for code in np.unique(neuron)]
    scores = [whole[here].T @ weights[np.ix_(here, here)] @ left[here] for here in clusters]
    many = len(clusters)
    covariance = inverse @ np.array(scores).T @ np.array(scores) @ inverse * many / (many - 1)
    assert fit.estimates == pytest.approx(estimates[:2], abs=1e-9)
    assert fit.covariance == pytest.approx(covariance[:2, :2], abs=1e-9)


def test_an_effect_that_raters_explain_is_not_told_apart():
    rng = np.random.default_rng(3)
    neuron, rater = np.repeat(np.arange(20), 2), np.tile([0, 1], 20)
    fit = clustered_linear(rng.normal(size=40), (rater == 1).astype(float)[:, None], neuron=neuron, rater=rater)
    assert np.isnan(fit.estimates[0])
    apart = time_arm_ratio(
        seconds=rng.uniform(1, 9, 40), neuron=neuron, rater=neuron % 2, arm=np.arange(20) % 2, size=[0] * 20,
        treatment=1, baseline=0,
    )  # fmt: skip
    assert not apart.defined
    with pytest.raises(TooFewNeurons, match="at least 2"):
        clustered_linear(np.ones(3), np.zeros((3, 0)), neuron=np.zeros(3, dtype=int), rater=np.arange(3))


def test_the_interval_covers_although_answers_of_a_neuron_agree():
    """Half of the answers about a neuron are copies of one another; the effect of order is 0."""
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(300):
        neuron, rater = (codes.ravel() for codes in np.indices((30, 4)))
        yes = rng.random(30)[neuron] < np.where(rng.random(120) < 0.5, 0.5, rng.random(120))
        order = np.concatenate([rng.permutation(30) + 1 for _ in range(4)]).reshape(4, 30).T.ravel()
        effect = order_effect(said=yes, order=order, neuron=neuron, rater=rater, group=[0] * 30)
        covered += effect.low <= 0 <= effect.high
    assert covered / 300 > 0.95 - 4 * math.sqrt(0.95 * 0.05 / 300)


def test_the_last_third_is_compared_with_the_first_within_raters():
    columns = crossed_columns()
    lengths = np.bincount(columns["rater"])[columns["rater"]]
    third = thirds(columns["order"], lengths)
    change = last_against_first(said=columns["judgment"], third=third, **grouped(columns))
    kept = third != 2
    shares = [columns["judgment"][third == part].mean() for part in (1, 3)]
    assert change.estimate == pytest.approx(shares[1] - shares[0], abs=0.03)  # neurons of a third differ by chance
    assert change.judgments == kept.sum()
    assert change.low < change.estimate < change.high


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10))
def test_a_unit_of_time_changes_no_ratio_and_order_counted_backwards_turns_the_sign(seed, unit):
    rng = np.random.default_rng(seed)
    neuron, rater, order = np.repeat(np.arange(15), 2), np.tile([0, 1], 15), rng.integers(1, 200, 30)
    seconds, said = rng.uniform(1, 99, 30), rng.integers(0, 2, 30)
    place = {"neuron": neuron, "rater": rater, "group": [0] * 15}
    ratio = time_order_ratio(seconds=seconds, order=order, **place)
    scaled = time_order_ratio(seconds=seconds * unit, order=order, **place)
    assert (scaled.estimate, scaled.low) == (pytest.approx(ratio.estimate), pytest.approx(ratio.low))
    forth = order_effect(said=said, order=order, **place)
    back = order_effect(said=said, order=300 - order, **place)
    assert back.estimate == pytest.approx(-forth.estimate, abs=1e-9)
    assert back.refused == forth.refused


def test_the_chance_to_be_above_is_that_of_mann_whitney_and_brunner_and_munzel():
    rng = np.random.default_rng(2)
    first, second = rng.integers(3, 10, 25) / 3, rng.integers(2, 8, 40) / 3
    score, arm = np.concatenate([first, second]), np.repeat([1, 0], [25, 40])
    chance = superiority(score=score, arm=arm, size=np.zeros(65), treatment=1, baseline=0)
    assert chance.estimate == pytest.approx(stats.mannwhitneyu(first, second).statistic / (25 * 40))
    # The limit at 0.5 and scipy's p value are two views of one variance: undo logit and Student's t.
    test = stats.brunnermunzel(second, first)
    error = (chance.estimate - 0.5) / test.statistic
    df = stats.brunnermunzel(second, first, distribution="t")
    parts = [chance.estimate, chance.low, chance.high]
    logits = [math.log(part / (1 - part)) for part in parts]
    half = (logits[2] - logits[1]) / 2
    quantile = half / (error / (chance.estimate * (1 - chance.estimate)))
    freedom = next(value for value in np.arange(20, 64, 0.01) if stats.t.ppf(0.975, value) <= quantile)
    assert 2 * stats.t.sf(abs(test.statistic), freedom) == pytest.approx(df.pvalue, rel=1e-3)


def test_sizes_weigh_equally_in_the_chance_to_be_above():
    score = np.array([2, 1, 1, 2, 3, 3, 1, 1, 1, 2, 1, 2], dtype=float)
    arm, size = np.tile([1, 0], 6), np.repeat([0, 1], [4, 8])
    parts = [superiority(score=score[size == code], arm=arm[size == code], size=size[size == code], treatment=1,
                         baseline=0).estimate for code in (0, 1)]  # fmt: skip
    both = superiority(score=score, arm=arm, size=size, treatment=1, baseline=0, judgments=30)
    assert both.estimate == pytest.approx(sum(parts) / 2)
    assert (both.n, both.judgments) == (12, 30)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2), st.integers(0, 1)), max_size=40))
def test_the_chance_to_be_above_and_its_limits_stay_in_range_and_mirror(rows):
    score, arm, size = (
        (np.array(values, dtype=float) for values in zip(*rows, strict=True)) if rows else (np.zeros(0),) * 3
    )
    forth = superiority(score=score, arm=arm, size=size, treatment=1, baseline=0)
    back = superiority(score=score, arm=arm, size=size, treatment=0, baseline=1)
    assert forth.defined == back.defined
    assert forth.refused == back.refused
    if forth.defined:
        assert 0 <= forth.estimate <= 1
        assert back.estimate == pytest.approx(1 - forth.estimate)
    if not math.isnan(forth.low):
        assert 0 <= forth.low <= forth.estimate <= forth.high <= 1
        assert back.low == pytest.approx(1 - forth.high)


def test_data_that_say_nothing_give_no_limits():
    nothing = {"neuron": np.zeros(0, dtype=int), "rater": np.zeros(0, dtype=int), "group": np.zeros(0, dtype=int)}
    assert not order_effect(said=[], order=[], **nothing).defined
    assert not last_against_first(said=[], third=[], **nothing).defined
    assert not time_order_ratio(seconds=[], order=[], **nothing).defined
    place = {"neuron": np.arange(20), "rater": np.zeros(20, dtype=int), "group": np.zeros(20, dtype=int)}
    always = order_effect(said=np.ones(20), order=np.arange(1, 21), **place)
    assert (always.estimate, always.refused) == (pytest.approx(0, abs=1e-12), ALIKE)
    assert math.isnan(always.low)
    assert not order_effect(said=np.arange(20) % 2, order=np.full(20, 7), **place).defined
    unmeasured = time_order_ratio(seconds=np.full(20, np.nan), order=np.arange(1, 21), **place)
    assert (unmeasured.defined, unmeasured.judgments) == (False, 0)
    codes = {"size": [0] * 4, "treatment": 1, "baseline": 0}
    assert superiority(score=[2, 3, 1, 1], arm=[1, 1, 0, 0], **codes).refused == SEPARATED
    assert superiority(score=[2, 2, 2, 2], arm=[1, 1, 0, 0], **codes).refused == ALIKE
    assert superiority(score=[2, 3, 1, 2], arm=[1, 0, 0, 0], **codes).refused == FEW
    assert not superiority(score=[2, 3, 1, 2], arm=[1, 1, 1, 1], **codes).defined
