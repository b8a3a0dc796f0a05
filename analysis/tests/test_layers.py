"""Where in the network neurons are interpretable: thirds of depth and a trend, never single layers."""

import numpy as np
import pandas as pd
import pytest

from analysis.reports.layers import depth
from analysis.stats.trend import trend_test
from analysis.tests.synthetic import make_plan, make_tables
from analysis.tests.test_reports import make_report

SIZES = tuple((size, arm) for size in ("1L", "6L") for arm in ("baseline", "solu"))


def layered_tables(rising: bool = False):
    """Two sizes, one layer and six; 90 neurons in each arm, 15 in a layer."""
    tables = make_tables(plan=make_plan(groups=SIZES), neurons_per_arm=90, cannot=0.0)
    deep = tables.neurons["size"] == "6L"
    layer = pd.Series(np.where(deep, tables.neurons.groupby(["size", "arm"]).cumcount() // 15, 0), name="layer")
    by_item = dict(zip(tables.neurons["item"], layer, strict=True))
    tables.judgments["layer"] = tables.judgments["item"].map(by_item)
    if rising:
        upper = (tables.judgments["layer"] >= 3) & (tables.judgments["arm"] == "solu")
        tables.judgments.loc[upper, "verdict"] = "yes"
    return tables


def test_thirds_are_given_for_deep_sizes_only_with_every_neuron_in_one_of_them():
    report = make_report(layered_tables())
    fractions = report.select("layer_third_fraction")
    assert {number.size for number in fractions} == {"6L"}
    assert [(number.arm, number.n) for number in fractions] == [("baseline", 30), ("solu", 30)] * 3
    assert {number.part for number in fractions} == {
        "first third of layers", "middle third of layers", "last third of layers",
    }  # fmt: skip
    whole = report.number("fraction/6L/solu/all/all").estimate
    assert np.mean([number.estimate for number in fractions if number.arm == "solu"]) == pytest.approx(whole)


def test_a_rise_over_depth_is_found_where_it_was_planted():
    report = make_report(layered_tables(rising=True))
    trends = {(number.size, number.arm): number for number in report.select("layer_trend")}
    assert set(trends) == {("6L", "baseline"), ("6L", "solu")}
    assert trends["6L", "solu"].estimate < 0.001
    assert trends["6L", "baseline"].estimate > 0.01
    last = report.number("layer_third_fraction/6L/solu/all/all/last third of layers")
    assert (last.estimate, last.status) == (1.0, "exploratory")


def test_the_trend_is_that_of_the_majority_vote_by_layer():
    tables = layered_tables()
    number = next(one for one in make_report(tables).select("layer_trend") if one.arm == "solu")
    deep = tables.judgments[(tables.judgments["size"] == "6L") & (tables.judgments["arm"] == "solu")]
    votes = deep.groupby(["layer", "neuron_id"])["judgment"].mean().astype(float) > 0.5
    by_layer = votes.groupby("layer").agg(["sum", "count"])
    expected = trend_test(by_layer["sum"], by_layer["count"], np.arange(6))
    assert number.estimate == pytest.approx(expected.p)


def test_a_study_of_one_layer_says_nothing_of_layers():
    report = make_report(make_tables())
    assert report.select("layer_third_fraction") == ()
    assert report.select("layer_trend") == ()


@pytest.mark.parametrize("layers", [3, 4, 16, 24, 64])
def test_thirds_of_depth_have_equally_many_layers_up_to_one(layers):
    thirds = np.floor(3 * depth(np.arange(layers), layers))
    counts = np.bincount(thirds.astype(int), minlength=3)
    assert len(counts) == 3
    assert counts.max() - counts.min() <= 2
    assert counts[0] == counts[2]
