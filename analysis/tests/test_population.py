"""Counted layers: how many neurons there are, and what that does to a mean."""

import pandas as pd
import pytest

from analysis.reports.cells import NeuronCounts
from analysis.reports.population import population_rows, populations_of
from analysis.stats.finite import finite_mean
from analysis.tests.synthetic import make_plan
from analysis.tests.test_layers import SIZES

PLACE = ("6L", "solu")
COLUMNS = ["size", "arm", "layer", "corpus", "neurons", "unrecorded", "dead", "enough", "sampled", "reserved"]


def strata(enough, corpora=("tiny",)):
    rows = [
        (*PLACE, layer, corpus, 100, 0, 0, count - 10 * place, 4, 0)
        for layer, count in enumerate(enough)
        for place, corpus in enumerate(corpora)
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"enough": "Int64"})


def counts(layers):
    """Neurons with one answer each, yes in every second one."""
    neurons = pd.DataFrame({"layer": layers, "yes": [number % 2 for number in range(len(layers))]})
    zero, one = neurons["yes"].to_numpy() * 0, neurons["yes"].to_numpy() * 0 + 1
    return NeuronCounts(neurons["yes"].to_numpy(), one, zero, zero, neurons["layer"].to_numpy())


def populations(table, layers="pooled"):
    plan = make_plan(groups=SIZES, layers=layers)
    return populations_of(tuple(population_rows(table, plan)), plan)


def test_several_corpora_count_what_the_poorest_of_them_can_show():
    assert populations(strata([60, 80], ("tiny", "other"))).counts == {PLACE: {0: 50, 1: 70}}


def test_a_place_with_an_uncounted_layer_has_no_population():
    table = strata([60, 80])
    table.loc[1, "enough"] = pd.NA
    assert populations(table).counts == {}
    assert populations(None).counts == {}


def test_layers_drawn_together_count_as_one():
    neurons = counts([0, 0, 0, 1])
    mean = populations(strata([60, 20])).corrected(PLACE, neurons, NeuronCounts.mean)
    assert mean == finite_mean(neurons.mean(), 80)


def test_layers_drawn_by_themselves_are_weighted_by_their_neurons():
    neurons = counts([0, 1, 0, 1])  # all no in layer 0, all yes in layer 1
    mean = populations(strata([60, 20]), "equal").corrected(PLACE, neurons, NeuronCounts.mean)
    assert mean.estimate == pytest.approx(20 / 80)
    assert neurons.mean().estimate == 0.5


def test_a_layer_of_which_one_neuron_was_judged_has_no_variance_so_that_layers_count_as_one():
    neurons = counts([0, 0, 0, 1])
    mean = populations(strata([60, 20]), "equal").corrected(PLACE, neurons, NeuronCounts.mean)
    assert mean == finite_mean(neurons.mean(), 80)


def test_what_nobody_counted_stays_as_it_is():
    neurons = counts([0, 0, 1, 1])
    assert populations(None).corrected(PLACE, neurons, NeuronCounts.mean) == neurons.mean()
