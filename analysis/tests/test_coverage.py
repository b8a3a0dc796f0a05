"""What the intervals promise, in 1,000 simulated studies a cell; `make bench-coverage` takes 20,000, over a grid."""

import numpy as np
import pytest
from scipy.special import expit

from analysis.planner.model import centre_of
from analysis.stats.mrmc import BEHRENS_FISHER, WELCH, mrmc_difference, mrmc_fraction
from analysis.stats.proportions import cluster_mean, cluster_wilson, pool_equal
from analysis.stats.welch import hillis_quantile
from benchmarks.coverage import simulated
from benchmarks.coverage_methods import CLUSTER, GENERALISING, NAIVE, PANEL, complete_spread_of_difference
from benchmarks.coverage_studies import Cell, draw

RUNS = 1000
# Three Monte Carlo errors of a share near 0.95 in 1,000 studies.
TOLERANCE = 3 * (0.95 * 0.05 / RUNS) ** 0.5


def coverages(cell):
    """Coverage by question, method and quantity; the quantity is "difference" or a fraction in percent."""
    return {(one.question, one.method, one.quantity): one.covered / one.studies for one in simulated(cell, RUNS)}


@pytest.mark.parametrize("raters", [1, 2, 3, 5, 10])
@pytest.mark.parametrize(
    ("neurons", "first", "second", "spread"), [(20, 0.2, 0.4, "moderate"), (60, 0.35, 0.6, "none")]
)
def test_panel_intervals_cover_94_to_96_percent(raters, neurons, first, second, spread):
    found = coverages(Cell(raters, neurons, first, second, spread))
    for quantity in (f"{100 * first:.0f}", f"{100 * second:.0f}", "difference"):
        assert 0.94 - TOLERANCE < found[PANEL, CLUSTER, quantity] < 0.96 + TOLERANCE


@pytest.mark.parametrize(
    ("raters", "least", "most"), [(3, 0.945, 1.0), (4, 0.945, 1.0), (5, 0.935, 0.965), (10, 0.935, 0.965)]
)
@pytest.mark.parametrize(("neurons", "spread"), [(60, "moderate, by arm"), (300, "strong, by arm")])
def test_generalising_intervals_keep_their_promise(raters, least, most, neurons, spread):
    found = coverages(Cell(raters, neurons, 0.35, 0.6, spread))
    for quantity in ("35", "60", "difference"):
        assert least - TOLERANCE < found[GENERALISING, WELCH, quantity] < most + TOLERANCE


@pytest.mark.parametrize(("raters", "most"), [(2, 0.94), (3, 0.91), (5, 0.85), (10, 0.72)])
def test_naive_pooling_does_not_cover_and_the_simulation_shows_it(raters, most):
    found = coverages(Cell(raters, 60, 0.35, 0.6, "none"))
    assert found[PANEL, NAIVE, "difference"] < most
    assert found[PANEL, NAIVE, "difference"] < found[PANEL, CLUSTER, "difference"]


def test_three_raters_get_a_shorter_interval_than_behrens_and_fishers():
    outcomes = simulated(Cell(3, 60, 0.35, 0.6, "moderate"), RUNS)
    widths = {one.method: one.width for one in outcomes if (one.question, one.quantity) == (GENERALISING, "difference")}
    assert widths[WELCH] < 0.97 * widths[BEHRENS_FISHER]


def test_the_simulated_intervals_are_those_of_the_report():
    """The benchmark makes its variance from sums of complete tables; a report makes it from single answers."""
    cell = Cell(4, 25, 0.3, 0.6, "strong, by arm")
    arms = draw(cell, np.random.default_rng(7), 20, keep=True)
    many = complete_spread_of_difference(arms)
    for study in range(20):
        said = np.concatenate([arm.said[study].T for arm in arms])
        neuron, rater = np.indices(said.shape)
        table = {
            "said": said.ravel(),
            "neuron": neuron.ravel(),
            "rater": rater.ravel(),
            "size": np.zeros(50, dtype=int),
        }
        one = mrmc_difference(**table, arm=np.repeat([0, 1], 25), treatment=1, baseline=0, width="Hillis")
        half = one.high - one.estimate
        share, variance = many.share[study], many.variance[study]
        assert half == pytest.approx(hillis_quantile(share, 3.0, 0.95) * variance**0.5)


def incomplete(rng, *, sizes, neurons, panel, each, shares, spread):
    """Neurons of two arms and some sizes, each judged by some of the panel, drawn at random."""
    total = 2 * sizes * neurons
    arm, size = np.tile([0, 1], total // 2), np.repeat(np.arange(sizes), 2 * neurons)
    there = np.argsort(rng.random((total, panel)), axis=1) < each
    sd = (4 + 2 * spread**2) ** 0.5
    centres = np.array([centre_of(share, sd) for share in shares])
    tendency = centres[arm][:, None] + rng.normal(0, 2, (total, 1)) + rng.normal(0, spread, panel)
    tendency = tendency + rng.normal(0, spread, (2, panel))[arm]
    neuron, rater = np.nonzero(there)
    said = (rng.random((total, panel)) < expit(tendency))[there].astype(int)
    return {"said": said, "neuron": neuron, "rater": rater, "arm": arm, "size": size}


# Where no neuron has two raters, the fraction's effective size is held at the number of answers, and it covers more.
@pytest.mark.parametrize(("panel", "each", "sizes", "most"), [(8, 3, 2, 0.965), (5, 2, 1, 0.965), (6, 1, 1, 0.99)])
def test_new_raters_are_covered_where_raters_judge_parts_of_the_neurons(panel, each, sizes, most):
    rng = np.random.default_rng(11)
    held = {"difference": 0, "fraction": 0}
    for _ in range(RUNS):
        table = incomplete(rng, sizes=sizes, neurons=40, panel=panel, each=each, shares=(0.35, 0.6), spread=0.5)
        found = mrmc_difference(**table, treatment=1, baseline=0)
        held["difference"] += found.low <= 0.25 <= found.high
        rows = table["arm"][table["neuron"]] == 0
        part = {key: table[key][rows] for key in ("said", "neuron", "rater")}
        one = mrmc_fraction(**part, size=table["size"])
        held["fraction"] += one.low <= 0.35 <= one.high
    for count in held.values():
        assert 0.935 - TOLERANCE < count / RUNS < most + TOLERANCE


def test_the_panel_is_covered_where_neurons_of_several_sizes_have_unequal_numbers_of_answers():
    """Three sizes of 12 neurons, each judged by one to four of four raters alike."""
    rng = np.random.default_rng(12)
    shares, held = (0.2, 0.4, 0.7), 0
    for _ in range(RUNS):
        means = []
        for share in shares:
            judged = rng.integers(1, 5, 12)
            chance = expit(centre_of(share, 2.0) + rng.normal(0, 2, 12))
            means.append(cluster_mean(rng.binomial(judged, chance), judged))
        found = cluster_wilson(pool_equal(means))
        held += found.low <= np.mean(shares) <= found.high
    assert 0.94 - TOLERANCE < held / RUNS < 0.965 + TOLERANCE
