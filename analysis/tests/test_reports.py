"""The report as data: known counts, edge cases, repeatability."""

import json
import math

import pytest

from analysis.reports import Report, Thresholds, report_make
from analysis.stats.proportions import wilson
from analysis.tests.synthetic import make_plan, make_tables

TWO_SIZES = tuple((size, arm) for size in ("1L", "16L") for arm in ("baseline", "solu"))


def make_report(tables=None, strata=None, **options) -> Report:
    tables = tables or make_tables(**options)
    return report_make(
        tables.judgments, tables.neurons, tables.draws, tables.raters, tables.plan, strata, input_sha256="0" * 64
    )


def test_the_same_input_gives_the_same_report_whatever_the_order_of_rows():
    tables = make_tables()
    first = make_report(tables)
    tables.judgments = tables.judgments.sample(frac=1, random_state=3)
    assert json.dumps(make_report(tables).to_json()) == json.dumps(first.to_json())


def test_a_report_survives_json():
    report = make_report(cannot=0.1)
    again = Report.from_json(json.loads(json.dumps(report.to_json(), allow_nan=False)))
    assert again.to_json() == report.to_json()
    assert again.plan == report.plan


def test_a_report_of_the_schema_before_is_still_read():
    data = json.loads(json.dumps(make_report().to_json()))
    for name in ("excluded", "populations"):
        del data[name]
    for name in ("asks", "vote", "population", "treatment", "size", "looks", "spending", "permutations", "layers"):
        del data["plan"][name]
    for row in data["numbers"]:
        for name in ("part", "status", "refused"):
            del row[name]
    older = Report.from_json(data)
    assert older.plan.asks == "panel"
    assert older.excluded == ()
    assert older.primary is None


def test_every_number_has_its_own_id_a_method_and_a_question():
    report = make_report(plan=make_plan(groups=TWO_SIZES))
    ids = [number.id for number in report.numbers]
    assert len(set(ids)) == len(ids)
    assert all(number.method and number.estimand and number.level == 0.95 for number in report.numbers)


def test_one_rater_gets_plain_wilson_and_newcombe():
    report = make_report(raters=1, cannot=0.0)
    fraction = report.number("fraction/1L-256/solu/all/all")
    assert (fraction.method, fraction.n, fraction.judgments) == ("Wilson", 60, 60)
    assert fraction.low == pytest.approx(wilson(round(60 * fraction.estimate), 60).low)
    assert report.number("difference/1L-256/solu/baseline/all").method == "Newcombe"
    assert math.isnan(report.number("alpha/all/all/all/all").estimate)


def test_the_panel_fraction_is_the_mean_of_neuron_shares_and_per_rater_is_that_raters_own():
    tables = make_tables(cannot=0.1)
    report = make_report(tables)
    answered = tables.judgments.dropna(subset=["judgment"])
    solu = answered[answered["arm"] == "solu"]
    expected = solu.groupby("item")["judgment"].mean().mean()
    assert report.number("fraction/1L-256/solu/all/all").estimate == pytest.approx(expected)
    own = solu[solu["rater"] == "rater 2"]["judgment"]
    number = report.number("rater_fraction/1L-256/solu/all/rater 2")
    assert (number.estimate, number.n) == (pytest.approx(own.mean()), len(own))


def test_pooled_numbers_weigh_sizes_equally_and_name_them():
    report = make_report(plan=make_plan(groups=TWO_SIZES))
    parts = [report.number(f"fraction/{size}/solu/all/all").estimate for size in ("1L", "16L")]
    pooled = report.number("fraction/all/solu/all/all")
    assert pooled.estimate == pytest.approx(sum(parts) / 2)
    assert "equal weight for each size (1L, 16L)" in pooled.estimand
    difference = report.number("difference/all/solu/baseline/all")
    assert difference.low < difference.estimate < difference.high


def test_an_arm_that_only_one_size_has_is_compared_there_only():
    report = make_report(plan=make_plan(groups=(*TWO_SIZES, ("16L", "ln_only"))))
    assert "equal weight for each size (16L)" in report.number("difference/all/ln_only/baseline/all").estimand
    assert len(report.flow) == 5


def test_cannot_judge_bounds_hold_the_fraction_and_no_answer_is_lost():
    report = make_report(cannot=0.2)
    for arm in ("baseline", "solu", "ln_only"):
        low = report.number(f"fraction_cannot_as_no/1L-256/{arm}/all/all").estimate
        high = report.number(f"fraction_cannot_as_yes/1L-256/{arm}/all/all").estimate
        assert low <= report.number(f"fraction/1L-256/{arm}/all/all").estimate <= high
    for row in report.flow:
        assert row.yes + row.no + row.cannot + row.unanswered == row.shown
        assert row.shown + row.not_shown == row.assigned


def test_the_flow_counts_draws_rejections_and_what_was_not_shown():
    report = make_report(not_shown=0.3)
    baseline = report.flow[0]
    assert (baseline.drawn, baseline.rejected, baseline.neurons, baseline.assigned) == (65, 5, 60, 180)
    assert baseline.not_shown > 20
    assert [(row.reason, row.count) for row in report.rejected] == [("dead: never above 0 on the harvested text", 5)]


def test_a_majority_needs_more_than_half_and_ties_are_left_out():
    tables = make_tables(raters=2, cannot=0.0)
    solu = tables.judgments[tables.judgments["arm"] == "solu"].groupby("item")["judgment"].sum()
    number = make_report(tables).number("majority_fraction/1L-256/solu/all/all")
    assert number.n == int((solu != 1).sum())
    assert number.estimate == pytest.approx((solu == 2).sum() / (solu != 1).sum())


@pytest.mark.parametrize("share", [1e-12, 1 - 1e-12])
def test_all_yes_and_all_no_never_crash(share):
    shares = {"baseline": share, "solu": share, "ln_only": share}
    report = make_report(shares=shares, neuron_spread=0.0, cannot=0.0)
    difference = report.number("difference/1L-256/solu/baseline/all")
    assert difference.estimate == 0
    assert difference.low == pytest.approx(-difference.high)
    assert math.isnan(report.number("alpha/all/all/all/all").estimate)
    assert report.number("agreement/all/all/all/all").estimate == 1


def test_an_arm_without_answers_is_undefined_and_the_others_stand():
    tables = make_tables()
    tables.judgments = tables.judgments[tables.judgments["arm"] != "solu"]
    report = make_report(tables)
    assert not report.number("fraction/1L-256/solu/all/all").defined
    assert not report.number("difference/1L-256/solu/baseline/all").defined
    assert report.number("difference/1L-256/ln_only/baseline/all").defined


def test_no_judgment_at_all_is_a_report_of_zeros():
    tables = make_tables()
    tables.judgments = tables.judgments.iloc[:0]
    report = make_report(tables)
    assert report.judgments == 0
    assert not any(number.defined for number in report.numbers)


def test_a_planted_effect_is_found():
    # At 99.9 % a miss in one of three arms would be a fault and not bad luck.
    report = make_report(neurons_per_arm=200, neuron_spread=0.0, plan=make_plan(level=0.999))
    for arm, share in {"baseline": 0.35, "solu": 0.60, "ln_only": 0.47}.items():
        number = report.number(f"fraction/1L-256/{arm}/all/all")
        assert number.low < share < number.high


def test_response_times_fall_into_thirds():
    report = make_report()
    thirds = [row for row in report.times if row.measure == "active" and row.arm == "" and row.third]
    assert [row.n for row in thirds] == [180, 180, 180]
    assert all(row.first_quartile < row.median < row.third_quartile for row in thirds)


def test_raters_and_answers_are_excluded_by_the_frozen_thresholds_only_and_counted():
    thresholds = Thresholds(least_catches_right=0.8, exclude_beyond_times=True, least_seconds=20, most_seconds=9_999)
    tables = make_tables(plan=make_plan(thresholds=thresholds))
    tables.raters.loc[0, "catches_right"] = 7
    report, everything = make_report(tables), make_report(make_tables())
    fast = tables.judgments[(tables.judgments["rater"] != "rater 1") & (tables.judgments["active_seconds"] < 20)]
    judged = int((tables.judgments["verdict"] != "").sum())
    assert report.raters == ("rater 2", "rater 3")
    assert sum(row.excluded for row in report.flow) == judged - report.judgments
    assert judged - report.judgments == int((tables.judgments["rater"] == "rater 1").sum()) + len(fast)
    reasons = {
        reason: sum(row.count for row in report.excluded if row.reason == reason)
        for reason in ("catch trials", "time of the answer")
    }
    assert reasons == {
        "catch trials": int((tables.judgments["rater"] == "rater 1").sum()), "time of the answer": len(fast),
    }  # fmt: skip
    for arm in report.plan.arms:
        name = f"1L-256/{arm}/all/all"
        as_frozen, nobody = report.number(f"fraction/{name}"), report.number(f"fraction_excluding_nobody/{name}")
        assert nobody.estimate == everything.number(f"fraction/{name}").estimate
        assert as_frozen.judgments < nobody.judgments


def test_a_blind_that_held_and_one_that_did_not_are_told_apart():
    held = make_report()
    assert held.number("james/all/all/all/all").high > 0.5
    assert held.number("guess_p/all/all/all/all").estimate > 0.01
    tables = make_tables()
    tables.judgments["guess_arm"] = tables.judgments["arm"]
    seen = make_report(tables)
    assert seen.number("james/all/all/all/all").estimate == 0
    assert seen.number("bang/all/solu/all/all").estimate == 1
    assert seen.number("guess_p/all/all/all/all").estimate < 0.001
    tables.judgments["guess_arm"] = ""
    assert make_report(tables).select("james") == ()
