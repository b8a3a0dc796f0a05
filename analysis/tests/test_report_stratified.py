"""Tables per size in a report: the paper's counts, one vote per neuron, votes that are no votes, trends."""

import math
from dataclasses import replace

import numpy as np
import pytest

from analysis.reports.cells import NeuronCounts
from analysis.reports.stratified import NO_TEST, size_scores, stratified_numbers
from analysis.stats.results import EXPLORATORY, SENSITIVITY
from analysis.tests.synthetic import make_plan

SIZES = ("1L", "16L", "24L", "40L", "64L")
GROUPS = tuple((size, arm) for size in SIZES for arm in ("baseline", "solu"))


def neurons(yes, judged) -> NeuronCounts:
    yes, judged = np.asarray(yes), np.asarray(judged)
    nothing = np.zeros(len(yes), dtype=np.int64)
    return NeuronCounts(yes=yes, judged=judged, cannot=nothing, unanswered=nothing, layer=nothing)


def one_rater(yes: int, n: int) -> NeuronCounts:
    return neurons([1] * yes + [0] * (n - yes), [1] * n)


def the_paper() -> dict:
    solu = {size: 36 for size in SIZES} | {"64L": 25}
    baseline = {size: 21 for size in SIZES} | {"64L": 20}
    return {
        (size, arm): one_rater(counts[size], 60)
        for arm, counts in (("solu", solu), ("baseline", baseline))
        for size in SIZES
    }


def numbers_of(counts, **plan) -> dict:
    numbers = list(stratified_numbers(counts, make_plan(**{"groups": GROUPS, **plan})))
    assert len({number.id for number in numbers}) == len(numbers)
    return {number.id: number for number in numbers}


def test_the_papers_counts_give_its_implied_numbers():
    numbers = numbers_of(the_paper())
    over = {kind: numbers[f"{kind}/all/solu/baseline/all"] for kind in (
        "mantel_haenszel_difference", "mantel_haenszel_ratio", "mantel_haenszel_odds_ratio", "breslow_day_p", "cmh_p",
    )}  # fmt: skip
    difference = over["mantel_haenszel_difference"]
    assert (difference.estimate, difference.low, difference.high) == pytest.approx((0.217, 0.139, 0.294), abs=5e-4)
    assert (difference.n, difference.judgments, difference.unit) == (600, 600, "difference")
    assert over["mantel_haenszel_ratio"].high == pytest.approx(1.954, abs=5e-4)
    assert over["mantel_haenszel_odds_ratio"].low == pytest.approx(1.751, abs=5e-4)
    assert over["breslow_day_p"].estimate == pytest.approx(0.64, abs=5e-3)
    assert over["cmh_p"].estimate < 1e-6
    assert numbers["heterogeneity_of_one_size_p/64L/solu/baseline/all"].estimate == pytest.approx(0.09, abs=2e-3)


def test_estimates_of_the_contrast_are_sensitivity_lines_and_questions_about_sizes_are_exploratory():
    numbers = numbers_of(the_paper())
    assert numbers["mantel_haenszel_difference/all/solu/baseline/all"].status == SENSITIVITY
    assert numbers["breslow_day_p/all/solu/baseline/all"].status == EXPLORATORY
    assert numbers["size_trend_p/all/solu/all/all"].status == EXPLORATORY
    assert all("majority vote" in row.estimand or "this one rater" in row.estimand for row in numbers.values())
    assert all("panel question" in row.estimand and row.method for row in numbers.values())


def test_every_size_has_its_own_limits_and_p_values_adjusted_for_all_sizes():
    numbers = numbers_of(the_paper())
    single = numbers["stratum_score_difference/1L/solu/baseline/all"]
    assert (single.low, single.high) == pytest.approx((0.071, 0.413), abs=5e-4)
    raw = [numbers[f"stratum_score_p/{size}/solu/baseline/all"].estimate for size in SIZES]
    adjusted = [numbers[f"stratum_holm_p/{size}/solu/baseline/all"].estimate for size in SIZES]
    assert adjusted[:4] == pytest.approx([5 * p for p in raw[:4]])
    assert adjusted[4] == raw[4]
    assert "adjusted for 5 sizes (Holm)" in numbers["stratum_holm_p/1L/solu/baseline/all"].method


def test_three_raters_count_once_per_neuron_by_their_majority():
    counts = the_paper()
    three = {place: neurons(3 * here.yes - here.yes, 3 * here.judged) for place, here in counts.items()}
    numbers, single = numbers_of(three), numbers_of(counts)
    for name in ("mantel_haenszel_odds_ratio/all/solu/baseline/all", "stratum_score_ratio/16L/solu/baseline/all"):
        assert (numbers[name].low, numbers[name].n) == (single[name].low, single[name].n)
        assert numbers[name].judgments == 3 * single[name].judgments
    assert "majority vote" in numbers["cmh_p/all/solu/baseline/all"].estimand


def test_two_raters_who_disagree_on_many_neurons_have_no_majority_and_the_reason_is_told():
    split = neurons([1] * 30 + [2] * 15 + [0] * 15, [2] * 60)
    numbers = numbers_of({place: split for place in GROUPS})
    assert all(math.isnan(row.estimate) and not row.n for row in numbers.values())
    assert all("as many yes as no" in row.refused for row in numbers.values())
    refused = numbers["mantel_haenszel_ratio/all/solu/baseline/all"].refused
    assert refused.startswith("not given: 300 of 600 neurons")


def test_a_few_ties_are_left_out():
    few = neurons([1] * 3 + [2] * 30 + [0] * 27, [2] * 60)
    assert numbers_of({place: few for place in GROUPS})["stratum_score_difference/1L/solu/baseline/all"].n == 114


@pytest.mark.parametrize("yes", [0, 60])
def test_all_alike_gives_limits_where_there_are_any_and_words_where_not(yes):
    numbers = numbers_of({place: one_rater(yes, 60) for place in GROUPS})
    score = numbers["stratified_score_difference/all/solu/baseline/all"]
    assert score.low < score.estimate == 0 < score.high
    for row in numbers.values():
        assert row.bounded or row.refused or row.unit == "p"
        assert row.defined or row.refused
    assert numbers["cmh_p/all/solu/baseline/all"].refused == NO_TEST


def test_nobody_answered_and_an_arm_without_answers_never_crash():
    assert not any(row.defined for row in numbers_of({}).values())
    counts = the_paper()
    del counts["1L", "solu"]
    numbers = numbers_of(counts)
    assert not numbers["stratum_score_difference/1L/solu/baseline/all"].defined
    assert numbers["mantel_haenszel_difference/all/solu/baseline/all"].n == 480
    assert not numbers["heterogeneity_of_one_size_p/64L/solu/baseline/all"].defined


def test_one_size_has_its_tables_and_nothing_over_sizes():
    plan = make_plan(groups=GROUPS[:2])
    kinds = {number.kind for number in stratified_numbers(the_paper(), plan)}
    assert kinds == {
        "stratum_score_difference", "stratum_score_ratio", "stratum_score_odds_ratio", "stratum_score_p",
        "stratum_fisher_midp",
    }  # fmt: skip


def test_sizes_stand_on_the_logarithm_of_their_layers_or_in_the_order_of_the_plan():
    rising = {
        (size, arm): one_rater(5 + 10 * place, 60) for place, size in enumerate(SIZES) for arm in ("baseline", "solu")
    }
    numbers = numbers_of(rising)
    trend = numbers["size_trend_p/all/solu/all/all"]
    assert trend.estimate < 1e-6
    assert "logarithm of the number of layers (1L, 16L, 24L, 40L, 64L)" in trend.estimand
    for labels in (["1L-256", "1L-512"], ["small", "1L"], ["0L", "2L"], ["large"]):
        assert size_scores(labels)[1] == "the place of the size in the plan"
    assert size_scores(["2L-wide", "8L-wide"])[0] == [1.0, 3.0]


def test_other_arms_are_compared_where_they_are():
    plan = make_plan(groups=(*GROUPS, ("16L", "ln_only")))
    counts = the_paper() | {("16L", "ln_only"): one_rater(28, 60)}
    numbers = {number.id: number for number in stratified_numbers(counts, replace(plan, level=0.9))}
    assert numbers["stratum_score_difference/16L/ln_only/baseline/all"].level == 0.9
    assert "mantel_haenszel_difference/all/ln_only/baseline/all" not in numbers
    assert "size_trend_p/all/ln_only/all/all" not in numbers
