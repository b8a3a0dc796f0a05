"""The table of all neurons that a reader browses."""

import pandas as pd
import pytest

from analysis.reports.neurons import NEURON_COLUMNS, neuron_table
from analysis.tests.synthetic import make_tables


@pytest.fixture(scope="module")
def tables():
    return make_tables(cannot=0.2, neurons_per_arm=8)


@pytest.fixture(scope="module")
def table(tables):
    return neuron_table(tables.judgments)


def test_every_neuron_has_a_row_with_its_counts(tables, table):
    assert table.columns.tolist() == NEURON_COLUMNS
    assert len(table) == 24
    counted = tables.judgments["verdict"].value_counts()
    assert table[["yes", "no", "cannot"]].sum().tolist() == counted[["yes", "no", "cannot"]].tolist()
    judged = table[table["judged"] > 0]
    assert (judged["share"] == judged["yes"] / judged["judged"]).all()
    assert (table["neuron_id"].str.extract(r"N(\d+)$")[0].astype(int) == table["neuron"]).all()
    assert all(here["neuron"].is_monotonic_increasing for _, here in table.groupby(["size", "arm", "layer"]))


def test_majorities_are_named(table):
    for row in table.itertuples():
        expected = "yes" if row.yes > row.no else "no" if row.no > row.yes else "tie" if row.judged else ""
        assert row.majority == expected


def test_verdicts_and_rules_stand_beside_their_raters(tables, table):
    row = table[table["yes"] >= 2].iloc[0]
    own = tables.judgments[tables.judgments["neuron_id"] == row["neuron_id"]].sort_values("rater")
    assert row["verdicts"] == list(zip(own["rater"], own["verdict"], strict=True))
    ruled = own[own["verdict"] == "yes"]
    assert row["rules"] == list(zip(ruled["rater"], ruled["rule"], strict=True))


def test_repeats_and_declared_machines_are_left_out(tables, table):
    more = tables.judgments.assign(repeat=True)
    machine = tables.judgments.assign(rater="a machine", rater_kind="machine")
    assert neuron_table(pd.concat([more, machine, tables.judgments])).equals(table)


def test_a_study_of_machines_has_their_table(tables, table):
    machines = neuron_table(tables.judgments.assign(rater_kind="machine"))
    assert machines["yes"].tolist() == table["yes"].tolist()


def test_no_judgment_makes_an_empty_table(tables):
    empty = neuron_table(tables.judgments.iloc[:0])
    assert empty.columns.tolist() == NEURON_COLUMNS
    assert len(empty) == 0


def test_a_name_without_a_number_has_none():
    tables = make_tables(neurons_per_arm=2)
    table = neuron_table(tables.judgments.assign(neuron_id="the one about months"))
    assert table["neuron"].isna().all()
