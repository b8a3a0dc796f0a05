"""Raters compared with each other: Cochran's Q, McNemar, centred effects, and rater by arm."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import cochrans_q
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar

from analysis.stats.leniency import cochran_q, leniency_test, mcnemar, mid_p, rater_effects
from analysis.stats.rater_by_arm import rater_by_arm


def panel(said, there=None):
    """Arguments for single answers from a table of neurons by raters."""
    said = np.asarray(said)
    neuron, rater = np.nonzero(np.ones(said.shape, dtype=bool) if there is None else there)
    return {"said": said[neuron, rater], "neuron": neuron, "rater": rater}


def make_answers(neurons=80, raters=4, present=1.0, seed=1, leniency=0.5):
    generator = np.random.default_rng(seed)
    level = 2 * generator.normal(size=(neurons, 1)) + leniency * generator.normal(size=raters)
    said = (generator.random(level.shape) < 1 / (1 + np.exp(-level))).astype(int)
    return said, generator.random(level.shape) < present


def test_cochrans_q_is_that_of_statsmodels_and_equals_the_test_for_missing_answers_when_none_is_missing():
    said, _ = make_answers()
    theirs = cochrans_q(said)
    for test in (cochran_q(**panel(said)), leniency_test(**panel(said))):
        assert test.statistic == pytest.approx(theirs.statistic)
        assert (test.df, test.n) == (3, 80)
        assert test.p == pytest.approx(theirs.pvalue)


def test_cochrans_q_uses_complete_neurons_only_and_says_how_many():
    said, there = make_answers(present=0.8)
    whole = there.all(axis=1)
    test = cochran_q(**panel(said, there))
    assert (test.n, test.judgments) == (whole.sum(), 4 * whole.sum())
    assert test.statistic == pytest.approx(cochrans_q(said[whole]).statistic)
    assert "all 4 raters" in test.method


def test_two_raters_with_missing_answers_have_mcnemars_chi_square():
    said, there = make_answers(raters=2, present=0.8)
    both = there.all(axis=1)
    table = np.bincount(said[both, 0] * 2 + said[both, 1], minlength=4).reshape(2, 2)
    theirs = their_mcnemar(table, exact=False, correction=False)
    test = leniency_test(**panel(said, there))
    assert test.statistic == pytest.approx(theirs.statistic)
    assert test.p == pytest.approx(theirs.pvalue)


def test_the_test_for_missing_answers_has_the_moments_of_dealing_each_neurons_answers_anew():
    said, there = make_answers(neurons=25, raters=3, present=0.8, seed=4)
    observed = leniency_test(**panel(said, there)).statistic
    generator, drawn = np.random.default_rng(1), []
    for _ in range(2000):
        shuffled = said.copy()
        for row in range(25):
            shuffled[row, there[row]] = generator.permutation(said[row, there[row]])
        drawn.append(leniency_test(**panel(shuffled, there)).statistic)
    assert np.mean(drawn) == pytest.approx(2, abs=0.15)
    exact = np.mean(np.array(drawn) >= observed - 1e-9)
    assert leniency_test(**panel(said, there)).p == pytest.approx(exact, abs=0.05)


@given(st.integers(0, 12), st.integers(0, 12))
def test_mid_p_is_the_exact_test_less_one_probability(one, other):
    exact = their_mcnemar([[0, one], [other, 0]], exact=True).pvalue if one + other else 1.0
    less = stats.binom.pmf(min(one, other), one + other, 0.5) if one != other else 0.0
    assert mid_p([one], [other])[0] == pytest.approx(exact - less)
    assert mid_p([one], [other])[0] == mid_p([other], [one])[0]


def test_mcnemar_counts_who_alone_said_yes_on_common_neurons():
    said, there = make_answers(present=0.7, seed=3)
    pairs = mcnemar(**panel(said, there))
    assert len(pairs) == 6
    for place, (one, other) in enumerate(zip(pairs.first, pairs.second, strict=True)):
        both = there[:, one] & there[:, other]
        assert pairs.neurons[place] == both.sum()
        assert pairs.only_first[place] == (both & (said[:, one] > said[:, other])).sum()
        assert pairs.only_second[place] == (both & (said[:, one] < said[:, other])).sum()
    test = pairs.test(0)
    assert (test.statistic, test.p) == (pairs.only_first[0], pairs.p[0])


def test_centred_effects_are_plain_differences_when_complete():
    said, _ = make_answers()
    effects = rater_effects(**panel(said))
    centred = said - said.mean(axis=1, keepdims=True)
    for rater, effect in enumerate(effects):
        assert effect.estimate == pytest.approx(said[:, rater].mean() - said.mean())
        half = stats.t.ppf(0.975, 79) * centred[:, rater].std(ddof=1) / math.sqrt(80)
        assert (effect.low, effect.high) == pytest.approx((effect.estimate - half, effect.estimate + half))


def test_centred_effects_with_missing_answers_are_least_squares_with_standard_errors_by_neuron():
    said, there = make_answers(present=0.6, seed=9)
    there[there.sum(axis=1) < 2] = True
    data = panel(said, there)
    neurons = np.eye(80)[data["neuron"]]
    raters = np.vstack([np.eye(3), -np.ones(3)])[data["rater"]]  # the fourth is minus the sum of the others
    theirs = sm.OLS(data["said"], np.column_stack([raters, neurons])).fit(
        cov_type="cluster", cov_kwds={"groups": data["neuron"], "use_correction": False}
    )
    for rater, effect in enumerate(rater_effects(**data)[:3]):
        assert effect.estimate == pytest.approx(theirs.params[rater])
        error = (effect.high - effect.low) / 2 / stats.t.ppf(0.975, effect.n - 1)
        assert error == pytest.approx(theirs.bse[rater] * math.sqrt(80 / 79), rel=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.sampled_from([0, 1, None]), min_size=3, max_size=3), min_size=1, max_size=20))
def test_renaming_raters_changes_nothing_and_effects_add_up_to_0(rows):
    there = np.array([[answer is not None for answer in row] for row in rows])
    said = np.array([[answer or 0 for answer in row] for row in rows])
    data, turned = panel(said, there), panel(said[:, ::-1], there[:, ::-1])
    for test in (cochran_q, leniency_test):
        once, again = test(**data), test(**turned)
        assert math.isnan(once.p) or 0 <= once.p <= 1
        if there.any(axis=0).all():
            assert once.statistic == pytest.approx(again.statistic, nan_ok=True)
    effects = [effect.estimate for effect in rater_effects(**data)]
    assert any(map(math.isnan, effects)) or sum(effects) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("said", [np.ones((20, 3)), np.zeros((20, 3)), np.ones((20, 1)), np.zeros((0, 2))])
def test_raters_who_never_differ_or_are_alone_leave_the_tests_undefined(said):
    data = panel(said.astype(int))
    assert math.isnan(cochran_q(**data).p)
    assert math.isnan(leniency_test(**data).p)
    assert (mcnemar(**data).p == 1).all()
    for effect in rater_effects(**data):
        assert effect.refused


def test_raters_without_a_common_neuron_are_not_compared():
    said, there = np.zeros((4, 4), dtype=int), np.zeros((4, 4), dtype=bool)
    there[:2, :2] = there[2:, 2:] = True
    said[0] = [1, 0, 0, 0]
    effects = rater_effects(**panel(said, there))
    assert all("without a common neuron" in effect.refused for effect in effects)
    said[2] = [0, 0, 0, 1]
    assert leniency_test(**panel(said, there)).df == 2


def test_a_rater_who_always_says_yes_is_found_more_lenient():
    said, _ = make_answers(leniency=0.0)
    said[:, 0] = 1
    assert rater_effects(**panel(said))[0].low > 0.1
    assert cochran_q(**panel(said)).p < 0.001


def arms_of(neurons, sizes=1):
    return {"arm": np.arange(neurons) % 2, "size": np.arange(neurons) // 2 % sizes, "treatment": 1, "baseline": 0}


def test_two_raters_by_arm_is_the_t_test_of_their_difference():
    said, _ = make_answers(neurons=120, raters=2)
    result = rater_by_arm(**panel(said), **arms_of(120))
    apart = said[:, 0] - said[:, 1]
    theirs = stats.ttest_ind(apart[1::2], apart[::2])
    assert result.test.statistic == pytest.approx(theirs.statistic**2)
    assert result.test.p == pytest.approx(theirs.pvalue)
    own = said[1::2, 0].mean() - said[::2, 0].mean()
    assert result.difference[0] == pytest.approx(own)
    spread = sum(part.var(ddof=1) / 60 for part in (said[1::2, 0], said[::2, 0]))
    assert result.error[0] == pytest.approx(math.sqrt(spread))


def test_differences_by_rater_weigh_sizes_equally_and_leave_out_who_saw_no_neuron_of_an_arm():
    said, there = make_answers(neurons=120, raters=4, present=0.9)
    plan = arms_of(120, sizes=2)
    there[(plan["arm"] == 1) & (plan["size"] == 1), 2] = False
    result = rater_by_arm(**panel(said, there), **plan)
    assert result.raters.tolist() == [0, 1, 3]
    parts = []
    for size in (0, 1):
        means = [said[there[:, 3] & (plan["arm"] == arm) & (plan["size"] == size), 3].mean() for arm in (0, 1)]
        parts.append(means[1] - means[0])
    assert result.difference[2] == pytest.approx(np.mean(parts))


def test_raters_who_find_opposite_differences_are_told_from_raters_who_do_not():
    generator = np.random.default_rng(1)
    arm = np.arange(400) % 2
    chance = np.where(arm[:, None] == 1, [0.8, 0.8, 0.2], [0.2, 0.2, 0.8])
    opposite = rater_by_arm(**panel((generator.random((400, 3)) < chance).astype(int)), **arms_of(400))
    assert opposite.test.p < 1e-6
    assert opposite.spread > 0.3
    alike = rater_by_arm(**panel((generator.random((400, 3)) < chance[:, :1]).astype(int)), **arms_of(400))
    assert alike.test.p > 0.001
    assert alike.spread < 0.1


@pytest.mark.parametrize("said", [np.ones((20, 3)), np.ones((20, 1)), np.zeros((0, 2)), np.eye(4)])
def test_rater_by_arm_is_undefined_where_there_is_nothing_to_compare(said):
    result = rater_by_arm(**panel(said.astype(int)), **arms_of(len(said)))
    assert math.isnan(result.test.p)
    empty = rater_by_arm(**panel(said.astype(int)), **{**arms_of(len(said)), "treatment": 7})
    assert math.isnan(empty.test.p)
    assert math.isnan(empty.spread)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 6), st.floats(0.3, 1.0))
def test_exchanging_the_arms_turns_the_differences_and_leaves_the_test_alone(seed, raters, present):
    said, there = make_answers(neurons=40, raters=raters, present=present, seed=seed)
    plan = arms_of(40)
    once = rater_by_arm(**panel(said, there), **plan)
    again = rater_by_arm(**panel(said, there), **{**plan, "treatment": 0, "baseline": 1})
    assert once.difference == pytest.approx(-again.difference)
    assert once.test.p == pytest.approx(again.test.p, nan_ok=True)
