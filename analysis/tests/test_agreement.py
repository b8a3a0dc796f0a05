"""Agreement between raters: Krippendorff's textbook example, the reference package, and extremes."""

import math

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats.agreement import alpha_interval, krippendorff_alpha, pairwise_agreement
from analysis.stats.proportions import BadCounts

GAP = np.nan
# Krippendorff (2011), example C: four observers, twelve units, missing data.
TEXTBOOK = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, GAP, GAP, GAP],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, GAP, 3],
        [GAP, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, GAP],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, GAP],
    ]
)
votes = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30)


def value_counts(ratings: np.ndarray) -> np.ndarray:
    return np.stack([(ratings == value).sum(axis=0) for value in np.unique(ratings[~np.isnan(ratings)])], axis=1)


def test_alpha_of_the_twelve_unit_example_is_0_743():
    # krippendorff 0.9.0: krippendorff.alpha(TEXTBOOK, level_of_measurement="nominal") -> 0.743421052631579
    assert krippendorff_alpha(value_counts(TEXTBOOK)) == pytest.approx(0.743421052631579, abs=1e-12)


@given(votes)
def test_alpha_agrees_with_the_reference_package(pairs):
    table = np.array(pairs, dtype=float)
    pairable = table[table.sum(axis=1) >= 2]
    ours = krippendorff_alpha(table)
    if len(pairable) == 0 or (pairable.sum(axis=0) == 0).any():
        assert math.isnan(ours)
    else:
        theirs = krippendorff.alpha(value_counts=pairable, level_of_measurement="nominal")
        assert ours == pytest.approx(theirs, abs=1e-9)


@given(votes)
def test_renaming_the_answers_changes_nothing(pairs):
    table = np.array(pairs)
    assert krippendorff_alpha(table) == pytest.approx(krippendorff_alpha(table[:, ::-1]), nan_ok=True)
    first, second = pairwise_agreement(table), pairwise_agreement(table[:, ::-1])
    assert first.estimate == pytest.approx(second.estimate, nan_ok=True)


def test_raw_agreement_is_the_mean_of_pairs():
    # Fleiss (1971), P-bar: units 3-0 -> 1, 2-1 -> 1/3, 0-3 -> 1; a unit with one answer carries no pair
    assert pairwise_agreement([[3, 0], [2, 1], [0, 3], [1, 0]]).estimate == pytest.approx(7 / 9)


def test_alpha_and_fleiss_kappa_keep_their_identity_on_complete_data():
    # alpha = 1 - (1 - Fleiss kappa)(nR - 1)/(nR)
    yes = np.random.default_rng(3).binomial(3, 0.4, 50)
    table = np.column_stack([3 - yes, yes])
    share = yes.sum() / 150
    chance = share**2 + (1 - share) ** 2
    fleiss = (pairwise_agreement(table).estimate - chance) / (1 - chance)
    assert krippendorff_alpha(table) == pytest.approx(1 - (1 - fleiss) * 149 / 150)


def test_the_bootstrap_interval_is_repeatable_and_holds_the_estimate():
    yes = np.random.default_rng(3).binomial(3, 0.4, 50)
    table = np.column_stack([3 - yes, yes])
    first, second = (alpha_interval(table, generator=np.random.default_rng(9), resamples=500) for _ in range(2))
    assert first == second
    assert first.low < first.estimate < first.high


def test_the_bootstrap_matches_resampling_units_one_by_one():
    yes = np.random.default_rng(4).binomial(3, 0.5, 40)
    table = np.column_stack([3 - yes, yes])
    interval = alpha_interval(table, generator=np.random.default_rng(1), resamples=4000)
    generator = np.random.default_rng(2)
    slow = [krippendorff_alpha(table[generator.integers(0, 40, 40)]) for _ in range(4000)]
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])), abs=0.02)


@pytest.mark.parametrize(
    "table",
    [
        np.zeros((0, 2)),
        [[1, 0], [0, 1]],  # one rater
        [[3, 0]],  # one unit
        [[0, 3]] * 20,  # everybody always says yes
        [[0, 0], [3, 0]],  # a skipped neuron
    ],
)
def test_alpha_without_variation_is_undefined_and_never_crashes(table):
    interval = alpha_interval(table, generator=np.random.default_rng(1), resamples=100)
    assert math.isnan(interval.estimate)
    assert math.isnan(interval.low)
    assert pairwise_agreement(table).judgments >= 0


@settings(max_examples=30, deadline=None)
@given(votes)
def test_agreement_is_a_share_and_alpha_at_most_one(pairs):
    raw = pairwise_agreement(np.array(pairs))
    alpha = alpha_interval(np.array(pairs), generator=np.random.default_rng(1), resamples=100)
    assert math.isnan(raw.estimate) or 0 <= raw.estimate <= 1
    assert math.isnan(alpha.estimate) or alpha.estimate <= 1 + 1e-12


def test_bad_tables_are_refused():
    with pytest.raises(BadCounts, match="units by categories"):
        krippendorff_alpha([1, 2, 3])
    with pytest.raises(BadCounts, match="50 resamples are too few"):
        alpha_interval([[2, 1]], generator=np.random.default_rng(1), resamples=50)
