"""What a report says of raters: agreement, repeats, leniency, the latent class, and guesses of the arm."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from analysis.reports.agreement import LISTED_PAIRS, agreement_numbers, self_agreement_numbers
from analysis.reports.blinding import blinding_numbers
from analysis.reports.dawid import dawid_numbers
from analysis.reports.leniency import leniency_numbers
from analysis.reports.ratings import ratings_read
from analysis.stats.agreement import krippendorff_alpha
from analysis.tests.synthetic import make_plan, make_tables

TWO_SIZES = tuple((size, arm) for size in ("1L", "16L") for arm in ("baseline", "solu"))


def read(tables):
    return ratings_read(tables.judgments, tables.plan)


def numbers_of(part, tables):
    made = list(part(read(tables), tables.plan))
    assert len({number.id for number in made}) == len(made)
    assert all(number.method and number.estimand for number in made)
    return {number.id: number for number in made}


def with_repeats(tables, same=0.8, seed=1):
    """Some items shown to their rater again."""
    judgments = tables.judgments
    again = judgments.sample(frac=0.2, random_state=seed).assign(repeat=True, order=judgments["order"].max() + 1)
    flip = np.random.default_rng(seed).random(len(again)) > same
    verdict = again["verdict"].where(~flip, again["verdict"].map({"yes": "no", "no": "yes", "cannot": "cannot"}))
    tables.judgments = pd.concat([judgments, again.assign(verdict=verdict)], ignore_index=True)
    return tables


def test_every_coefficient_is_given_over_all_arms_and_in_each():
    tables = make_tables(neurons_per_arm=40)
    numbers = numbers_of(agreement_numbers, tables)
    kinds = ("agreement", "fleiss_kappa", "gwet_ac1", "alpha", "alpha_linearised", "light_kappa", "confidence_alpha")
    for arm in ("all", *tables.plan.arms):
        for kind in kinds:
            number = numbers[f"{kind}/all/{arm}/all/all"]
            assert number.low < number.estimate < number.high
    assert numbers["alpha/all/all/all/all"].estimate == numbers["alpha_linearised/all/all/all/all"].estimate


def test_alpha_is_that_of_the_answers_counted_by_item():
    tables = make_tables(neurons_per_arm=20, not_shown=0.2)
    judged = tables.judgments[tables.judgments["verdict"].isin(["yes", "no"])]
    solu = judged[judged["arm"] == "solu"]
    counts = pd.crosstab(solu["item"], solu["verdict"]).to_numpy()
    number = numbers_of(agreement_numbers, tables)["alpha/all/solu/all/all"]
    assert number.estimate == pytest.approx(krippendorff_alpha(counts))


def test_few_raters_are_told_pair_by_pair_and_many_by_their_ends():
    few = numbers_of(agreement_numbers, make_tables(neurons_per_arm=20))
    assert [number.part for number in few.values() if number.kind == "cohen_kappa"] == [
        "with rater 2", "with rater 3", "with rater 3",
    ]  # fmt: skip
    many = numbers_of(agreement_numbers, make_tables(neurons_per_arm=20, raters=11))
    assert LISTED_PAIRS < 11 * 10 / 2
    kinds = [number.kind for number in many.values() if number.part]
    assert kinds == ["cohen_kappa_least", "cohen_kappa_greatest"]
    least, best = (number.estimate for number in many.values() if number.part)
    assert least < many["light_kappa/all/all/all/all"].estimate < best


def test_repeats_give_agreement_with_oneself_and_nothing_else():
    tables = with_repeats(make_tables(neurons_per_arm=40, cannot=0.1))
    assert numbers_of(self_agreement_numbers, make_tables()) == {}
    numbers = numbers_of(self_agreement_numbers, tables)
    whole = numbers["self_agreement/all/all/all/all"]
    judged = tables.judgments[tables.judgments["repeat"] & (tables.judgments["verdict"] != "cannot")]
    assert whole.judgments == len(judged)
    assert whole.low < 0.8 < whole.high
    per_rater = [numbers[f"self_agreement/all/all/all/rater {code}"].judgments for code in (1, 2, 3)]
    assert sum(per_rater) == whole.judgments
    assert numbers["self_agreement_drift_p/all/all/all/all"].estimate > 0.001


def test_answers_given_twice_without_being_called_repeats_count_once():
    tables = make_tables(neurons_per_arm=20)
    once = numbers_of(agreement_numbers, tables), numbers_of(leniency_numbers, tables)
    tables.judgments = pd.concat([tables.judgments, tables.judgments.assign(order=1_000)], ignore_index=True)
    twice = numbers_of(agreement_numbers, tables), numbers_of(leniency_numbers, tables)
    for before, after in zip(once, twice, strict=True):
        assert before.keys() == after.keys()
        for key, number in before.items():
            assert after[key].estimate == pytest.approx(number.estimate, nan_ok=True)


def test_a_lenient_rater_is_told_with_effect_and_pairs():
    tables = make_tables(neurons_per_arm=40, cannot=0.0)
    tables.judgments.loc[tables.judgments["rater"] == "rater 2", "verdict"] = "yes"
    numbers = numbers_of(leniency_numbers, tables)
    tested = numbers["cochran_q_p/all/all/all/all"]
    assert (tested.n, tested.df) == (120, 2)
    assert tested.estimate < 0.001
    assert chi2.sf(tested.statistic, tested.df) == pytest.approx(tested.estimate)
    assert numbers["leniency_p/all/all/all/all"].estimate == pytest.approx(tested.estimate)
    effects = [numbers[f"leniency/all/all/all/rater {code}"] for code in (1, 2, 3)]
    assert sum(effect.estimate for effect in effects) == pytest.approx(0, abs=1e-12)
    assert effects[1].low > 0
    pair = numbers["mcnemar_p/all/all/all/rater 1/with rater 2"]
    assert pair.estimate < 0.001
    assert "Holm for 3 pairs" in pair.method
    assert 0 < numbers["rater_by_arm_p/all/solu/baseline/all"].estimate < 1
    assert numbers["rater_by_arm_spread/all/solu/baseline/all"].refused


def test_many_raters_are_compared_without_a_row_for_every_pair():
    numbers = numbers_of(leniency_numbers, make_tables(neurons_per_arm=10, raters=11))
    assert sum(number.kind == "leniency" for number in numbers.values()) == 11
    assert [number.kind for number in numbers.values() if number.part] == ["mcnemar_least_p"]


def test_a_crowd_of_more_raters_than_can_be_compared_gets_words():
    tables = make_tables(neurons_per_arm=120, cannot=0.0)
    tables.judgments["rater"] = [f"r{number}" for number in range(len(tables.judgments))]
    agreement, leniency = numbers_of(agreement_numbers, tables), numbers_of(leniency_numbers, tables)
    assert agreement["fleiss_kappa/all/all/all/all"].bounded
    assert "500 raters" in agreement["light_kappa/all/all/all/all"].refused
    assert "500 raters" in leniency["leniency_p/all/all/all/all"].refused
    assert all("500 raters" in number.refused for number in numbers_of(dawid_numbers, tables).values())
    guesses = numbers_of(blinding_numbers, tables)
    assert guesses["rater_bang/all/solu/all/r7"].refused or not guesses["rater_bang/all/solu/all/r7"].defined


def test_the_latent_class_gives_fractions_and_differences_by_size_and_over_sizes():
    plan = make_plan(groups=(*TWO_SIZES, ("16L", "ln_only")))
    tables = make_tables(plan=plan, neurons_per_arm=60, neuron_spread=0.0)
    tables.judgments = _truthful(tables.judgments)
    numbers = numbers_of(dawid_numbers, tables)
    pooled = numbers["dawid_skene_fraction/all/solu/all/all"]
    parts = [numbers[f"dawid_skene_fraction/{size}/solu/all/all"].estimate for size in ("1L", "16L")]
    assert pooled.estimate == pytest.approx(np.mean(parts))
    assert pooled.low < pooled.estimate < pooled.high
    difference = numbers["dawid_skene_difference/all/solu/baseline/all"]
    assert difference.low < 0.25 < difference.high
    assert difference.status == "sensitivity"
    assert "(16L)" in numbers["dawid_skene_difference/all/ln_only/baseline/all"].estimand
    assert "dawid_skene_fraction/1L/ln_only/all/all" not in numbers


def _truthful(judgments):
    """Answers that follow what is true of the neuron but for an error in ten."""
    generator = np.random.default_rng(8)
    items = judgments.drop_duplicates("item")
    share = items["arm"].map({"baseline": 0.35, "solu": 0.6, "ln_only": 0.5}).to_numpy()
    true = dict(zip(items["item"], generator.random(len(items)) < share, strict=True))
    said = judgments["item"].map(true).to_numpy(dtype=bool) ^ (generator.random(len(judgments)) < 0.1)
    return judgments.assign(verdict=np.where(said, "yes", "no"))


def test_two_raters_leave_the_latent_class_without_numbers_and_with_the_reason():
    numbers = numbers_of(dawid_numbers, make_tables(raters=2))
    assert numbers
    for number in numbers.values():
        assert math.isnan(number.estimate)
        assert "three raters" in number.refused


def test_an_arm_without_answers_leaves_the_latent_class_of_the_others():
    tables = make_tables()
    tables.judgments = tables.judgments[tables.judgments["arm"] != "baseline"]
    numbers = numbers_of(dawid_numbers, tables)
    assert numbers["dawid_skene_fraction/1L-256/solu/all/all"].defined
    assert "no answer" in numbers["dawid_skene_difference/1L-256/solu/baseline/all"].refused


def test_blinding_is_told_for_the_panel_for_each_rater_and_within_verdicts():
    tables = make_tables(neurons_per_arm=30)
    numbers = numbers_of(blinding_numbers, tables)
    for verdict in ("", "_yes", "_no"):
        james = numbers[f"james{verdict}/all/all/all/all"]
        assert james.low < james.estimate < james.high
    assert numbers["rater_james/all/all/all/rater 3"].judgments < numbers["james/all/all/all/all"].judgments
    assert -1 <= numbers["rater_bang/all/solu/all/rater 1"].estimate <= 1
    assert f"{tables.plan.permutations} permutations" in numbers["guess_p/all/all/all/all"].method


def test_guesses_that_only_follow_the_verdict_are_told_from_guesses_that_know_the_arm():
    tables = make_tables(neurons_per_arm=100, plan=make_plan(groups=(("1L", "baseline"), ("1L", "solu"))))
    tables.judgments["guess_arm"] = np.where(tables.judgments["verdict"] == "yes", "solu", "baseline")
    follows = numbers_of(blinding_numbers, tables)
    assert follows["guess_p/all/all/all/all"].estimate < 0.01  # solu is yes more often
    assert follows["guess_p_given_verdict/all/all/all/all"].estimate > 0.01
    tables.judgments["guess_arm"] = tables.judgments["arm"]
    assert numbers_of(blinding_numbers, tables)["guess_p_given_verdict/all/all/all/all"].estimate < 0.001


@pytest.mark.parametrize("part", [agreement_numbers, self_agreement_numbers, leniency_numbers, dawid_numbers])
@pytest.mark.parametrize("change", ["nobody", "one rater", "always yes", "cannot"])
def test_extremes_give_words_and_never_crash(part, change):
    tables = make_tables(neurons_per_arm=10, raters=1 if change == "one rater" else 3)
    if change == "nobody":
        tables.judgments = tables.judgments.iloc[:0]
    if change in ("always yes", "cannot"):
        tables.judgments["verdict"] = change.removeprefix("always ")
    for number in numbers_of(part, tables).values():
        assert math.isnan(number.low) or number.low <= number.estimate <= number.high
