"""Fleiss' kappa, AC1, AC2 and alpha with standard errors, Cohen's pairs, repeats: reference values, identities."""

import math

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.inter_rater import fleiss_kappa as their_fleiss_kappa

from analysis.stats.agreement import (
    UnknownWeights,
    agreement_weights,
    alpha_interval,
    alpha_linearised,
    category_counts,
    cohen_kappas,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    krippendorff_alpha,
    pairwise_agreement,
    self_agreement,
)
from analysis.stats.agreement.alpha import UnknownMetric
from analysis.stats.panel import TooManyRaters
from analysis.stats.proportions import BadCounts
from analysis.tests.test_agreement import TEXTBOOK

TWELVE_UNITS = category_counts(
    TEXTBOOK[~np.isnan(TEXTBOOK)].astype(int) - 1, np.nonzero(~np.isnan(TEXTBOOK))[1], units=12, categories=5
)
# Fleiss (1971), table 1 as reprinted with statsmodels and Wikipedia: 14 raters, 10 subjects, 5 categories.
FLEISS_TABLE = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)
tables = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)
COEFFICIENTS = [fleiss_kappa, gwet_ac1, gwet_ac2, alpha_linearised]


def standard_error(interval, level=0.95):
    """Read back from the lower limit, which is not cut; the same that the interval tells."""
    read = (interval.estimate - interval.low) / stats.t.ppf((1 + level) / 2, interval.n - 1)
    assert interval.se == pytest.approx(read)
    return read


def two_raters(first, second):
    units = len(first)
    return {"said": [*first, *second], "neuron": [*range(units)] * 2, "rater": [0] * units + [1] * units}


# irrCAC 0.4.4 with scipy 1.12.0, in an environment of its own:
# from irrCAC.raw import CAC; CAC(DataFrame(TEXTBOOK.T), weights=w, digits=12).fleiss()["est"] and .gwet()["est"]
@pytest.mark.parametrize(
    ("interval", "coefficient", "error"),
    [
        (fleiss_kappa(TWELVE_UNITS), 0.761169275422, 0.153019203469),
        (gwet_ac1(TWELVE_UNITS), 0.775444068127, 0.142949950641),
        (gwet_ac2(TWELVE_UNITS), 0.898939769908, 0.106903523815),
        (gwet_ac2(TWELVE_UNITS, weights="linear"), 0.858739136433, 0.117329021881),
        (gwet_ac2(TWELVE_UNITS, weights="quadratic"), 0.914000723552, 0.103962244645),
    ],
)
def test_the_twelve_units_with_missing_answers_have_gwets_values_and_standard_errors(interval, coefficient, error):
    assert interval.estimate == pytest.approx(coefficient, abs=1e-11)
    assert standard_error(interval) == pytest.approx(error, abs=1e-11)
    assert interval.high == 1  # cut, as irrCAC cuts it


def test_gwets_textbook_ac1_is_0_77544_and_fleiss_textbook_kappa_is_0_20993():
    assert round(gwet_ac1(TWELVE_UNITS).estimate, 5) == 0.77544
    assert round(fleiss_kappa(FLEISS_TABLE).estimate, 5) == 0.20993
    assert fleiss_kappa(FLEISS_TABLE).estimate == pytest.approx(their_fleiss_kappa(FLEISS_TABLE), abs=1e-12)


def test_complete_yes_no_answers_have_irrcacs_standard_errors_for_alpha_too():
    # CAC(DataFrame([[1] * y + [0] * (3 - y) for y in yes]), digits=12): se of fleiss, gwet and krippendorff alike
    yes = np.array([3, 0, 2, 1, 3, 0, 0, 3, 1, 2, 3, 3, 0, 0, 1, 3, 0, 2, 0, 3])
    table = np.column_stack([3 - yes, yes])
    for interval, coefficient in (
        (fleiss_kappa(table), 0.6),
        (gwet_ac1(table), 0.6),
        (alpha_linearised(table), 91 / 150),
    ):
        assert interval.estimate == pytest.approx(coefficient, abs=1e-12)
        assert standard_error(interval) == pytest.approx(0.14017532881, abs=1e-11)


def test_alpha_of_the_twelve_units_is_0_743_nominal_and_0_815_ordinal():
    # krippendorff 0.9.0: krippendorff.alpha(TEXTBOOK, level_of_measurement="ordinal") -> 0.8153875037548814
    assert krippendorff_alpha(TWELVE_UNITS) == pytest.approx(0.743421052631579, abs=1e-12)
    assert krippendorff_alpha(TWELVE_UNITS, metric="ordinal") == pytest.approx(0.8153875037548814, abs=1e-12)


@given(tables)
def test_ordinal_alpha_agrees_with_the_reference_package(rows):
    table = np.array(rows, dtype=float)
    pairable = table[table.sum(axis=1) >= 2]
    ours = krippendorff_alpha(table, metric="ordinal")
    if len(pairable) == 0 or (pairable.sum(axis=0) > 0).sum() < 2:
        assert math.isnan(ours)
    else:
        assert ours == pytest.approx(
            krippendorff.alpha(value_counts=pairable, level_of_measurement="ordinal"), abs=1e-9
        )


@pytest.mark.parametrize("metric", ["nominal", "ordinal"])
def test_the_standard_error_of_alpha_is_near_the_bootstraps_with_missing_answers(metric):
    generator = np.random.default_rng(7)
    level = generator.normal(size=400)[:, None] + generator.normal(size=(400, 5)) * 0.7
    said, there = np.digitize(level, [-1, 0, 1]), generator.random((400, 5)) < 0.7
    table = category_counts(said[there], np.nonzero(there)[0], units=400, categories=4)
    linear = alpha_linearised(table, metric=metric)
    drawn = alpha_interval(table, generator=generator, resamples=4000, metric=metric)
    assert linear.estimate == drawn.estimate
    assert linear.high - linear.low == pytest.approx(drawn.high - drawn.low, rel=0.05)


def test_alpha_fleiss_and_their_standard_errors_keep_their_identity_on_complete_data():
    # alpha = 1 - (1 - Fleiss kappa)(nR - 1)/(nR), and the standard errors are one
    yes = np.random.default_rng(3).binomial(3, 0.3, 50)
    table = np.column_stack([3 - yes, yes])
    alpha, fleiss = alpha_linearised(table), fleiss_kappa(table)
    assert alpha.estimate == pytest.approx(1 - (1 - fleiss.estimate) * 149 / 150)
    assert standard_error(alpha) == pytest.approx(standard_error(fleiss))


def test_the_two_ways_of_drawing_samples_of_neurons_have_the_same_limits():
    generator = np.random.default_rng(5)
    few = np.column_stack([3 - (yes := generator.binomial(3, 0.5, 2_000)), yes])  # four different rows
    many = np.concatenate([few, np.column_stack([np.arange(4, 154), np.zeros(150)])])  # and 150 that all agree
    for table in (few, many):
        drawn = alpha_interval(table, generator=np.random.default_rng(1), resamples=4000)
        linear = alpha_linearised(table)
        assert (drawn.low, drawn.high) == pytest.approx((linear.low, linear.high), abs=0.006)


@settings(deadline=None)
@given(tables)
def test_coefficients_do_not_depend_on_the_order_of_units_nor_nominal_ones_on_the_names_of_categories(rows):
    table = np.array(rows)
    for coefficient in COEFFICIENTS:
        once, again = coefficient(table), coefficient(table[::-1])
        assert once.estimate == pytest.approx(again.estimate, nan_ok=True)
        assert once.low == pytest.approx(again.low, nan_ok=True)
        assert math.isnan(once.estimate) or once.estimate <= 1 + 1e-12
        assert math.isnan(once.low) or once.low <= once.estimate <= once.high + 1e-12
    for coefficient in (fleiss_kappa, gwet_ac1, alpha_linearised):
        assert coefficient(table).estimate == pytest.approx(coefficient(table[:, [2, 0, 1]]).estimate, nan_ok=True)


@given(tables)
def test_units_counted_twice_leave_the_coefficients_of_gwet_and_fleiss_alone(rows):
    table = np.array(rows)
    for coefficient in (fleiss_kappa, gwet_ac1, gwet_ac2):
        doubled = coefficient(np.concatenate([table, table]))
        assert coefficient(table).estimate == pytest.approx(doubled.estimate, nan_ok=True)


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
@pytest.mark.parametrize(
    "table",
    [
        np.zeros((0, 2)),
        [[1, 0], [0, 1]],  # one rater
        [[0, 0], [0, 0]],  # skipped neurons
    ],
)
def test_without_two_answers_about_a_neuron_agreement_is_undefined(coefficient, table):
    assert not coefficient(table).defined


@pytest.mark.parametrize("coefficient", COEFFICIENTS)
def test_perfect_agreement_is_1_without_limits_that_would_pretend(coefficient):
    interval = coefficient([[3, 0]] * 10 + [[0, 3]] * 10)
    assert interval.estimate == pytest.approx(1)
    assert math.isnan(interval.low)
    assert "standard error is 0" in interval.refused


def test_everybody_always_saying_yes_is_undefined_for_kappas_and_1_for_ac1():
    always = [[0, 3]] * 60
    assert not fleiss_kappa(always).defined
    assert not alpha_linearised(always).defined
    assert gwet_ac1(always).estimate == 1
    assert gwet_ac1(always).refused
    assert pairwise_agreement(always).estimate == 1
    drawn = alpha_interval([[0, 3]] * 60 + [[3, 0]], generator=np.random.default_rng(1), resamples=200)
    assert drawn.estimate == 1
    assert drawn.refused


def test_identity_weights_give_ac1_and_two_categories_leave_no_room_for_weights():
    yes = np.random.default_rng(3).binomial(3, 0.3, 50)
    table = np.column_stack([3 - yes, yes])
    for scheme in ("identity", "linear", "quadratic", "ordinal"):
        assert gwet_ac2(table, weights=scheme).estimate == pytest.approx(gwet_ac1(table).estimate)
    assert gwet_ac2(TWELVE_UNITS, weights="identity").low == pytest.approx(gwet_ac1(TWELVE_UNITS).low)
    with pytest.raises(UnknownWeights, match="choose one of identity"):
        agreement_weights(3, "cubic")
    with pytest.raises(UnknownMetric, match="choose nominal or ordinal"):
        krippendorff_alpha(TWELVE_UNITS, metric="ratio")
    with pytest.raises(BadCounts, match="number them from 0"):
        category_counts([2], [0], units=1)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=40))
def test_a_pairs_kappa_and_its_standard_error_are_those_of_statsmodels(rows):
    first, second = np.array(rows).T
    pairs = cohen_kappas(**two_raters(first, second), categories=3)
    table = np.bincount(first * 3 + second, minlength=9).reshape(3, 3)
    if math.isnan(pairs.kappa[0]):
        assert (table > 0).sum() == 1
        assert "one and the same answer" in pairs.interval(0).refused
        return
    with np.errstate(all="ignore"):  # their test of kappa = 0 divides by nothing here and there
        theirs = cohens_kappa(table)
    assert pairs.kappa[0] == pytest.approx(theirs.kappa, abs=1e-12)
    assert pairs.error[0] == pytest.approx(math.sqrt(max(0.0, theirs.var_kappa)), abs=1e-7)
    assert pairs.light.estimate == pytest.approx(pairs.kappa[0])


def test_every_pair_is_compared_on_the_neurons_that_both_answered():
    generator = np.random.default_rng(11)
    said, there = generator.integers(0, 2, (80, 6)), generator.random((80, 6)) < 0.6
    said[:, 3] = said[:, 2]
    neuron, rater = np.nonzero(there)
    pairs = cohen_kappas(said=said[there], neuron=neuron, rater=rater)
    assert len(pairs) == 15
    for place, (one, other) in enumerate(zip(pairs.first, pairs.second, strict=True)):
        both = there[:, one] & there[:, other]
        table = np.bincount(said[both, one] * 2 + said[both, other], minlength=4).reshape(2, 2)
        assert pairs.neurons[place] == both.sum()
        assert pairs.kappa[place] == pytest.approx(cohens_kappa(table).kappa)
        assert pairs.agreement[place] == pytest.approx(np.trace(table) / both.sum())
        assert pairs.interval(place).estimate == pairs.kappa[place]
    assert pairs.light.estimate == pytest.approx(pairs.kappa.mean())


def test_the_mean_over_pairs_has_the_standard_error_of_neurons_drawn_anew():
    generator = np.random.default_rng(2)
    chance = 1 / (1 + np.exp(-2 * generator.normal(size=(300, 1))))
    said, there = (generator.random((300, 4)) < chance).astype(int), generator.random((300, 4)) < 0.8
    neuron, rater = np.nonzero(there)
    light = cohen_kappas(said=said[there], neuron=neuron, rater=rater).light
    means = []
    for _ in range(400):
        drawn = generator.integers(0, 300, 300)
        place, who = np.nonzero(there[drawn])
        means.append(cohen_kappas(said=said[drawn][there[drawn]], neuron=place, rater=who).light.estimate)
    assert standard_error(light) == pytest.approx(np.std(means), rel=0.15)


def test_pairs_that_share_few_neurons_have_a_mean_without_limits():
    generator = np.random.default_rng(3)
    said = generator.integers(0, 2, (29, 3))
    neuron, rater = np.indices(said.shape)
    light = cohen_kappas(said=said.ravel(), neuron=neuron.ravel(), rater=rater.ravel()).light
    assert light.defined
    assert math.isnan(light.low)
    assert "fewer than 30 neurons" in light.refused


def test_one_rater_has_no_pairs_and_two_answers_about_one_neuron_are_refused():
    alone = cohen_kappas(said=[0, 1, 1], neuron=[0, 1, 2], rater=[0, 0, 0])
    assert len(alone) == 0
    assert not alone.light.defined
    assert not cohen_kappas(said=[], neuron=[], rater=[]).light.defined
    with pytest.raises(BadCounts, match="answers twice"):
        cohen_kappas(said=[0, 1], neuron=[0, 0], rater=[0, 0])
    with pytest.raises(BadCounts, match="in 2 categories"):
        cohen_kappas(said=[2], neuron=[0], rater=[0])
    with pytest.raises(TooManyRaters, match="501 raters"):
        cohen_kappas(said=[0], neuron=[0], rater=[500])


def test_a_rater_who_always_says_yes_has_kappa_0_with_others_and_none_with_his_like():
    said = np.array([[1, 1, 0], [1, 1, 1], [1, 1, 0], [1, 1, 1]])
    neuron, rater = np.indices(said.shape)
    pairs = cohen_kappas(said=said.ravel(), neuron=neuron.ravel(), rater=rater.ravel())
    assert math.isnan(pairs.kappa[0])
    assert pairs.kappa[1:].tolist() == [0, 0]
    assert pairs.interval(1).refused
    assert pairs.light.estimate == 0


def test_self_agreement_counts_repeats_and_has_cohens_kappa():
    generator = np.random.default_rng(4)
    first = generator.integers(0, 2, 120)
    second = np.where(generator.random(120) < 0.85, first, 1 - first)
    result = self_agreement(first=first, second=second, neuron=np.arange(120))
    theirs = cohens_kappa(np.bincount(first * 2 + second, minlength=4).reshape(2, 2))
    assert result.agreement.estimate == pytest.approx((first == second).mean())
    assert result.agreement.method.startswith("Wilson")
    assert result.kappa.estimate == pytest.approx(theirs.kappa)
    # statsmodels divides by n, the linearisation by n - 1
    assert standard_error(result.kappa) == pytest.approx(math.sqrt(theirs.var_kappa * 120 / 119))


def test_repeats_of_several_raters_about_one_neuron_are_not_taken_for_independent():
    first = np.tile([0, 1], 30)
    second = np.repeat([0, 1, 0, 1, 0, 1], 10)
    neuron = np.repeat(np.arange(6), 10)
    clustered = self_agreement(first=first, second=first, neuron=neuron)
    assert clustered.agreement.n == 6
    by_neuron = self_agreement(first=second, second=np.repeat([0, 1, 1, 1, 0, 0], 10), neuron=neuron)
    alone = self_agreement(first=second, second=np.repeat([0, 1, 1, 1, 0, 0], 10), neuron=np.arange(60))
    assert by_neuron.agreement.high - by_neuron.agreement.low > alone.agreement.high - alone.agreement.low
    assert standard_error(by_neuron.kappa) > 2 * standard_error(alone.kappa)


def test_no_repeat_and_repeats_that_are_all_yes_are_no_crash():
    nothing = self_agreement(first=[], second=[], neuron=[])
    assert not nothing.agreement.defined
    assert not nothing.kappa.defined
    always = self_agreement(first=[1] * 5, second=[1] * 5, neuron=range(5))
    assert always.agreement.estimate == 1
    assert not always.kappa.defined
