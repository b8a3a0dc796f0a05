"""Separation of two groups: reference values, identities, properties, and what is reached by chance."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from neurons.store.separation import (
    SeparationError,
    auc,
    chance,
    deals,
    held_out,
    margins,
    midranks,
    newcombe_interval,
    order,
)

GROUPS = st.tuples(
    st.lists(st.integers(0, 5), min_size=1, max_size=9), st.lists(st.integers(0, 5), min_size=1, max_size=9)
)
SIZES = st.integers(1, 60)


def generator() -> np.random.Generator:
    return np.random.default_rng(20)


def table(examples, counters) -> tuple[np.ndarray, np.ndarray]:
    """(texts, 1) values and who is an example."""
    values = np.array([*examples, *counters], dtype=np.float32)[:, None]
    return values, np.arange(len(values)) < len(examples)


def quartic_limits(share: float, m: int, n: int, z: float) -> list[float]:
    """The same limits by another road: (share - t)² m n (2 - t)(1 + t) = z² t (1 - t) […], a polynomial of degree 4."""
    t = np.polynomial.Polynomial([0, 1])
    mean = (m + n) / 2 - 1
    bracket = (2 - t) * (1 + t) + mean * (1 - t) * (1 + t) + mean * t * (2 - t)
    roots = ((share - t) ** 2 * m * n * (2 - t) * (1 + t) - z**2 * t * (1 - t) * bracket).roots()
    return sorted(float(root.real) for root in roots if abs(root.imag) < 1e-7 and -1e-9 <= root.real <= 1 + 1e-9)


@given(GROUPS)
def test_the_auc_is_the_share_of_pairs_that_stand_the_right_way_round(groups):
    values, examples = table(*groups)
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in product(*groups)]
    found = auc(midranks(values), examples)[0]
    assert found == pytest.approx(np.mean(pairs), abs=1e-12)
    reference = mannwhitneyu(*groups, alternative="two-sided", method="asymptotic").statistic
    assert found == pytest.approx(reference / len(pairs), abs=1e-12)


@given(GROUPS)
def test_exchanging_the_groups_mirrors_auc_and_interval(groups):
    values, examples = table(*groups)
    ranks = midranks(values)
    share = auc(ranks, examples)[0]
    assert auc(ranks, ~examples)[0] == pytest.approx(1 - share)
    low, high = newcombe_interval(share, *map(len, groups))
    mirrored = newcombe_interval(1 - share, len(groups[1]), len(groups[0]))
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-9)


@given(st.floats(0, 1), SIZES, SIZES)
def test_the_interval_holds_the_auc_and_narrows_with_more_texts(share, m, n):
    low, high = newcombe_interval(share, m, n)
    assert 0 <= low <= share <= high <= 1
    assert low < high
    more = newcombe_interval(share, 2 * m, 2 * n)
    assert more[1] - more[0] < high - low


# Roots of the degree-4 polynomial above in 40 digits (mpmath.polyroots, z = 1.959963984540054).
@pytest.mark.parametrize(
    ("share", "m", "n", "low", "high"),
    [
        (1.0, 5, 5, 0.64270282393104, 1.0),
        (1.0, 2, 2, 0.38563570449717, 1.0),
        (0.5, 10, 10, 0.27351558818989, 0.72648441181011),
        (0.8125, 4, 8, 0.45369013227953, 0.95294616757095),
        (0.9, 30, 20, 0.76425091844098, 0.95883349910076),
        (0.75, 200, 3, 0.42466834881709, 0.91666621199224),
    ],
)
def test_intervals_agree_with_reference_values(share, m, n, low, high):
    assert newcombe_interval(share, m, n) == pytest.approx((low, high), abs=1e-9)


@given(st.floats(0.02, 0.98), SIZES, SIZES)
def test_the_limits_are_roots_of_the_score_equation(share, m, n):
    assert newcombe_interval(share, m, n) == pytest.approx(
        tuple(quartic_limits(share, m, n, 1.959963984540054)[index] for index in (0, -1)), abs=1e-6
    )


def test_the_interval_covers_what_it_says():
    """95 % for two normal groups of 8 whose true AUC is 0.85; binomial error of 4,000 runs 0.35 points."""
    random = generator()
    shift = 1.4657  # Φ(shift/√2) = 0.85
    covered = 0
    for _ in range(4_000):
        values, examples = table(random.normal(shift, 1, 8), random.normal(0, 1, 8))
        low, high = newcombe_interval(float(auc(midranks(values), examples)[0]), 8, 8)
        covered += low <= 0.85 <= high
    assert 0.935 < covered / 4_000 < 0.975


@pytest.mark.parametrize("bad", [(1.2, 3, 3), (0.5, 0, 3), (0.5, 3, 0)])
def test_what_has_no_interval_is_refused(bad):
    with pytest.raises(SeparationError, match="no interval"):
        newcombe_interval(*bad)
    with pytest.raises(SeparationError, match="at least one text"):
        auc(np.ones((2, 1), dtype=np.float32), np.array([True, True]))


def test_few_deals_are_all_taken_and_many_are_drawn():
    every, exact = deals(4, 2, 100, generator())
    assert exact
    assert sorted(map(tuple, np.nonzero(every)[1].reshape(-1, 2).tolist())) == [
        (0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3),
    ]  # fmt: skip
    some, exact = deals(20, 8, 100, generator())
    assert not exact
    assert some.shape == (100, 20)
    assert set(some.sum(axis=1)) == {8}
    np.testing.assert_array_equal(some, deals(20, 8, 100, generator())[0])


def test_chance_counts_what_a_loop_over_all_deals_counts():
    random = generator()
    values = random.integers(0, 6, (6, 40)).astype(np.float32)
    examples = np.array([True, True, True, False, False, False])
    thresholds = np.array([1.0, 0.8, 0.5])
    found = chance(midranks(values), examples, thresholds, most=100, generator=random)
    every = [auc(midranks(values), dealt) for dealt in deals(6, 3, 100, random)[0]]
    counts = np.array([[(shares >= threshold - 1e-9).sum() for threshold in thresholds] for shares in every])
    np.testing.assert_allclose(found.reached, counts.mean(axis=0))
    np.testing.assert_allclose(found.some, (counts > 0).mean(axis=0))
    mine = [(auc(midranks(values), examples) >= threshold - 1e-9).sum() for threshold in thresholds]
    np.testing.assert_allclose(found.as_many, (counts >= mine).mean(axis=0))
    assert (found.deals, found.exact) == (20, True)


def test_among_neurons_that_know_nothing_chance_explains_the_best():
    """Both p-values are valid: at most 10 % of the time they are 0.1 or less (400 runs)."""
    random = generator()
    small = np.zeros(2)
    for _ in range(400):
        values = random.normal(size=(8, 30)).astype(np.float32)
        examples = np.arange(8) < 4
        ranks = midranks(values)
        best = auc(ranks, examples).max()
        luck = chance(ranks, examples, np.array([best]), most=200, generator=random)
        small += [luck.some[0] <= 0.1, luck.as_many[0] <= 0.1]
    assert (small / 400 <= 0.13).all()


def test_the_winner_of_noise_fails_on_texts_it_was_not_chosen_on():
    random = generator()
    values = random.normal(size=(24, 500)).astype(np.float32)
    examples = np.arange(24) < 12
    chosen, other = held_out(values, examples, splits=40, generator=random)
    assert chosen > 0.95
    assert 0.35 < other < 0.65
    values[:, 7] = examples + 0.1 * random.normal(size=24)
    chosen, other = held_out(values, examples, splits=10, generator=random)
    assert (chosen, other) == (1.0, 1.0)


def test_three_texts_in_a_group_are_too_few_to_hold_some_out():
    values, examples = table([1, 2, 3], [0, 0, 0, 0])
    assert held_out(values, examples, splits=5, generator=generator()) is None


def test_neurons_are_ordered_by_auc_then_by_margin_then_by_number():
    values = np.array([[1.0, 5.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]], dtype=np.float32)
    examples = np.array([True, False])
    shares = auc(midranks(values), examples)
    assert margins(values, examples).tolist() == [1.0, 4.0, 0.0, 1.0]
    assert order(shares, margins(values, examples)).tolist() == [1, 0, 3, 2]
