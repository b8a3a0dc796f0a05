"""Bounds for planned looks: published tables, another integration, what is spent."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from analysis.stats.sequential import OBRIEN_FLEMING, POCOCK, BadLooks, spending_bounds

LOOKS = st.lists(st.integers(1, 20), min_size=1, max_size=6, unique=True).map(
    lambda parts: [part / 20 for part in sorted(parts)]
)


def equally(looks: int) -> list[float]:
    return [(look + 1) / looks for look in range(looks)]


@pytest.mark.parametrize(
    ("looks", "spending", "z"),
    [
        # R package gsDesign: gsDesign(k = 4, test.type = 1, alpha = 0.025, sfu = sfLDOF / sfLDPocock)$upper$bound
        (4, OBRIEN_FLEMING, [4.332634, 2.963131, 2.359044, 2.014090]),
        (4, POCOCK, [2.368328, 2.367524, 2.358168, 2.350036]),
        # The same package, and rpact: getDesignGroupSequential(kMax = 3, typeOfDesign = "asOF")$criticalValues
        (3, OBRIEN_FLEMING, [3.7103, 2.5114, 1.9930]),
        # Reboussin, DeMets, Kim & Lan (2000), Control. Clin. Trials 21, 190-207 (program ld98)
        (2, OBRIEN_FLEMING, [2.963, 1.969]),
        (5, OBRIEN_FLEMING, [4.877, 3.357, 2.680, 2.290, 2.031]),
        (2, POCOCK, [2.157, 2.201]),
    ],
)
def test_one_sided_bounds_are_the_published_ones(looks, spending, z):
    bounds = spending_bounds(equally(looks), alpha=0.025, spending=spending, sides=1)
    digits = max(len(f"{value}".split(".")[1]) for value in z)
    assert bounds.z == pytest.approx(z, abs=1.1 * 10**-digits)


def test_two_sides_differ_from_one_by_what_crossed_below_first_and_from_none_at_two_looks():
    for spending in (OBRIEN_FLEMING, POCOCK):
        one = spending_bounds(equally(5), alpha=0.025, spending=spending, sides=1)
        two = spending_bounds(equally(5), alpha=0.05, spending=spending)
        assert two.z == pytest.approx(one.z, abs=2e-5)
        assert all(both <= single + 1e-9 for both, single in zip(two.z, one.z, strict=True))


@pytest.mark.parametrize("spending", [OBRIEN_FLEMING, POCOCK])
@pytest.mark.parametrize("times", [[0.5, 1.0], [0.3, 0.55, 1.0]])
def test_the_chance_of_never_crossing_is_what_is_not_spent(times, spending):
    # Another integration: scipy's multivariate normal (Genz), correlation sqrt(t_i / t_j)
    bounds = spending_bounds(times, alpha=0.05, spending=spending)
    correlation = np.sqrt(np.minimum.outer(times, times) / np.maximum.outer(times, times))
    inside = multivariate_normal.cdf(
        bounds.z, cov=correlation, lower_limit=[-z for z in bounds.z], abseps=1e-9, releps=1e-9, maxpts=2_000_000, rng=1
    )
    assert 1 - inside == pytest.approx(0.05, abs=2e-7)


@settings(max_examples=25, deadline=None)
@given(LOOKS, st.sampled_from([OBRIEN_FLEMING, POCOCK]), st.sampled_from([0.01, 0.05, 0.2]))
def test_what_is_spent_follows_the_function_and_never_exceeds_the_error(times, spending, alpha):
    bounds = spending_bounds(times, alpha=alpha, spending=spending)
    assert len(bounds.z) == len(times)
    assert np.all(np.diff(bounds.spent) > 0)
    assert bounds.spent[-1] <= alpha + 1e-12
    assert (bounds.spent[-1] == pytest.approx(alpha)) == (times[-1] == 1)
    assert bounds.nominal == pytest.approx(2 * norm.sf(bounds.z))
    assert bounds.nominal[0] == pytest.approx(bounds.spent[0])
    stricter = spending_bounds(times, alpha=alpha / 2, spending=spending)
    assert all(more > less for more, less in zip(stricter.z, bounds.z, strict=True))


def test_one_look_is_no_adjustment():
    assert spending_bounds([1.0]).z == pytest.approx([1.959963984540054])
    assert spending_bounds([1.0]).nominal == pytest.approx([0.05])


def test_a_very_early_look_stops_for_nothing_and_costs_nothing():
    early, plain = spending_bounds([0.001, 1.0]), spending_bounds([1.0])
    assert early.z[0] > 30
    assert early.z[1] == pytest.approx(plain.z[0], abs=1e-9)


def test_ten_looks_and_looks_close_together_add_up():
    # A look that adds almost no information spends almost nothing
    close = spending_bounds([0.5, 0.501, 1.0], spending=POCOCK)
    apart = spending_bounds([0.5, 1.0], spending=POCOCK)
    assert close.z[0] == apart.z[0]
    assert close.z[2] == pytest.approx(apart.z[1], abs=1e-2)
    assert spending_bounds(equally(10)).spent[-1] == pytest.approx(0.05)


@pytest.mark.parametrize("times", [[], [0.5, 0.5], [0.0, 1.0], [0.5, 1.1], [1.0, 0.5], [math.nan]])
def test_looks_that_do_not_rise_to_one_are_refused(times):
    with pytest.raises(BadLooks, match="rise"):
        spending_bounds(times)


def test_an_unknown_way_of_spending_is_refused():
    with pytest.raises(BadLooks, match="alpha"):
        spending_bounds([1.0], alpha=1.5)
    with pytest.raises(BadLooks, match="haybittle"):
        spending_bounds([1.0], spending="haybittle")
