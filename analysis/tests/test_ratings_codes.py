"""The long table as integer codes: the same counts as by grouping its texts, whatever the order of its rows."""

import numpy as np
import pandas as pd
import pytest

from analysis.reports.cells import neuron_counts, rater_means
from analysis.reports.ratings import NOT_ASKED, UNANSWERED, OffPlan, ratings_read
from analysis.tests.synthetic import make_plan, make_tables


@pytest.fixture(scope="module")
def tables():
    return make_tables(cannot=0.2, not_shown=0.3)


@pytest.fixture(scope="module")
def ratings(tables):
    return ratings_read(tables.judgments, tables.plan)


def test_codes_give_the_texts_back(tables, ratings):
    rows = tables.judgments.iloc[ratings.row]
    assert [ratings.raters[code] for code in ratings.rater] == rows["rater"].tolist()
    assert ratings.names[ratings.neuron].tolist() == rows["neuron_id"].tolist()
    assert [ratings.arms[code] for code in ratings.arm[ratings.neuron]] == rows["arm"].tolist()
    assert ratings.order.tolist() == rows["order"].tolist()
    guessed = [("" if code == NOT_ASKED else "dk" if code < 0 else ratings.arms[code]) for code in ratings.guess]
    assert guessed == rows["guess_arm"].tolist()


def test_counts_are_those_of_the_grouped_table(tables, ratings):
    grouped = tables.judgments.groupby(["arm", "neuron_id"])["verdict"].value_counts().unstack(fill_value=0)
    for arm in tables.plan.arms:
        counts, expected = neuron_counts(ratings)["1L-256", arm], grouped.loc[arm]
        assert counts.yes.tolist() == expected["yes"].tolist()
        assert counts.judged.tolist() == (expected["yes"] + expected["no"]).tolist()
        assert counts.cannot.tolist() == expected["cannot"].tolist()


def test_each_raters_own_share_is_that_of_the_grouped_table(tables, ratings):
    means = tables.judgments.groupby(["rater", "arm"])["judgment"].mean()
    for rater, own in rater_means(ratings).items():
        for (_, arm), mean in own.items():
            assert mean.estimate == pytest.approx(means[rater, arm])


def test_a_neuron_on_two_corpora_is_one_neuron_and_two_items(tables):
    twice = tables.judgments.assign(item=tables.judgments["item"] + " again")
    ratings = ratings_read(pd.concat([tables.judgments, twice]), tables.plan)
    once = ratings_read(tables.judgments, tables.plan)
    for place, counts in neuron_counts(once).items():
        assert neuron_counts(ratings)[place].judged.tolist() == (2 * counts.judged).tolist()
    assert ratings.item.max() == 2 * once.item.max() + 1


def test_the_same_name_in_another_arm_is_another_neuron():
    tables = make_tables(neurons_per_arm=4)
    tables.judgments["neuron_id"] = tables.judgments.groupby(["rater", "arm"]).cumcount().astype(str)
    ratings = ratings_read(tables.judgments, tables.plan)
    assert len(ratings.names) == 12
    assert set(ratings.names) == {"0", "1", "2", "3"}


def test_answers_are_numbered_without_gaps_and_without_what_nobody_judged(tables):
    judgments = tables.judgments.copy()
    silent = judgments["neuron_id"] == judgments["neuron_id"].iloc[0]
    judgments.loc[silent, ["verdict", "responses"]] = ""
    ratings = ratings_read(judgments, tables.plan)
    assert (ratings.verdict == UNANSWERED).sum() == silent.sum()
    answers = ratings.answers(arms=["solu", "baseline"])
    assert np.unique(answers.neuron).tolist() == list(range(len(answers.names)))
    assert judgments["neuron_id"].iloc[0] not in set(answers.names)
    assert {ratings.arms[code] for code in answers.arm} == {"solu", "baseline"}


def test_a_judgment_off_the_plan_is_named(tables):
    with pytest.raises(OffPlan, match="'ln_only'"):
        ratings_read(tables.judgments, make_plan(groups=(("1L-256", "baseline"), ("1L-256", "solu"))))


def test_no_row_at_all_has_no_codes(tables):
    ratings = ratings_read(tables.judgments.iloc[:0], tables.plan)
    assert len(ratings) == 0
    assert neuron_counts(ratings) == {}
