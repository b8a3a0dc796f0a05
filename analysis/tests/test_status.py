"""What the frozen plan makes of every number: one is primary, and nothing off plan goes without a label."""

import pandas as pd
import pytest

from analysis.reports import AnalysisPlan
from analysis.reports.document import PlanImpossible
from analysis.stats.results import EXPLORATORY, PLANNED, PRIMARY, SENSITIVITY
from analysis.tests.synthetic import make_plan, make_tables
from analysis.tests.test_reports import make_report

GROUPS = tuple((size, arm) for size in ("1L", "16L") for arm in ("baseline", "solu", "ln_only"))
VOTES = (
    "mean of raters", "majority vote", "unanimous vote", "any vote", "this one rater", "one rater of each",
    "latent class",
)  # fmt: skip
PLANS = {
    "as it stands": ({}, "difference/all/solu/baseline/all"),
    "one size": ({"size": "16L"}, "difference/16L/solu/baseline/all"),
    "another arm": ({"treatment": "ln_only"}, "difference/all/ln_only/baseline/all"),
    "another baseline": ({"baseline": "solu"}, "difference/all/baseline/solu/all"),
    "majority": ({"vote": "majority"}, "majority_difference/all/solu/baseline/all"),
    "finite": ({"population": "finite"}, "difference/all/solu/baseline/all"),
    "several looks": ({"looks": 3}, "repeated_difference/all/solu/baseline/all"),
    "generalising": ({"asks": "generalising"}, "generalising_difference/all/solu/baseline/all"),
}


@pytest.fixture(scope="module")
def reports():
    return {name: make_report(plan=make_plan(groups=GROUPS, **changes)) for name, (changes, _) in PLANS.items()}


@pytest.mark.parametrize("name", PLANS)
def test_exactly_one_number_is_primary_and_it_is_the_one_that_the_plan_chose(reports, name):
    report = reports[name]
    assert [number.id for number in report.of_status(PRIMARY)] == [PLANS[name][1]]
    assert report.primary.id == PLANS[name][1]
    assert report.plan.looks > 1 or report.primary.kind == report.main[1]


@pytest.mark.parametrize("name", PLANS)
def test_the_fractions_of_the_two_arms_and_the_p_value_were_planned(reports, name):
    report, primary = reports[name], reports[name].primary
    planned = report.of_status(PLANNED)
    fractions = [number for number in planned if number.unit == "share"]
    assert {number.arm for number in fractions} == {primary.arm, primary.versus}
    assert {(number.kind, number.size) for number in fractions} == {(report.main[0], primary.size)}
    tests = [number for number in planned if number.kind == "permutation_p"]
    assert [(number.arm, number.versus, number.size) for number in tests] == [
        (primary.arm, primary.versus, primary.size)
    ]


@pytest.mark.parametrize("name", PLANS)
def test_sensitivity_is_about_the_primary_contrast_or_its_arms_and_the_rest_is_exploratory(reports, name):
    report, primary = reports[name], reports[name].primary
    assert {number.status for number in report.numbers} == {PRIMARY, PLANNED, SENSITIVITY, EXPLORATORY}
    for number in report.of_status(SENSITIVITY):
        assert number.size == primary.size
        assert number.arm in {primary.arm, primary.versus}
        assert number.versus in {"", primary.versus}
    other = [number for number in report.numbers if number.versus and number.arm != primary.arm]
    assert other
    assert {number.status for number in other} == {EXPLORATORY}


@pytest.mark.parametrize("name", PLANS)
def test_every_number_has_a_method_a_level_and_an_estimand_of_its_own(reports, name):
    report = reports[name]
    ids = [number.id for number in report.numbers]
    assert len(set(ids)) == len(ids)
    assert all(number.method and number.estimand and number.level == 0.95 for number in report.numbers)


@pytest.mark.parametrize("name", PLANS)
def test_every_estimate_says_whose_raters_and_which_neurons_and_every_contrast_which_vote(reports, name):
    for number in reports[name].numbers:
        if number.unit == "p" or number.kind.startswith("look_"):
            continue  # tests say what they test, and bounds are no estimates
        assert ("panel question" in number.estimand) != ("generalising question" in number.estimand), number.id
        assert ("superpopulation" in number.estimand) != ("finite population" in number.estimand), number.id
        if "fraction" in number.kind or (number.versus and "difference" in number.kind):
            assert sum(vote in number.estimand for vote in VOTES) == 1, number.id


def test_an_interval_that_several_looks_leave_is_wider_and_the_plain_one_is_a_sensitivity_analysis(reports):
    report = reports["several looks"]
    plain = report.number("difference/all/solu/baseline/all")
    assert plain.status == SENSITIVITY
    assert report.primary.estimate == plain.estimate
    assert report.primary.low < plain.low < plain.high < report.primary.high
    bounds = [number for number in report.of_status(PLANNED) if number.kind == "look_bound"]
    assert [number.part for number in bounds] == ["look 1 of 3", "look 2 of 3", "look 3 of 3"]


def test_a_finite_population_narrows_what_was_drawn_from_counted_layers(reports):
    tables = make_tables(plan=make_plan(groups=GROUPS, population="finite"))
    columns = ["size", "arm", "layer", "corpus", "neurons", "unrecorded", "dead", "enough", "sampled", "reserved"]
    strata = pd.DataFrame([(*group, 0, "tiny", 100, 0, 10, 80, 60, 0) for group in GROUPS], columns=columns)
    finite, endless = make_report(tables, strata=strata).primary, reports["as it stands"].primary
    assert finite.estimate == endless.estimate
    assert finite.high - finite.low < 0.6 * (endless.high - endless.low)  # a quarter of the neurons is not known
    assert "as if unlimited" not in finite.estimand


def test_a_finite_population_that_nobody_counted_is_taken_as_unlimited_and_the_question_says_so(reports):
    finite, endless = reports["finite"].primary, reports["as it stands"].primary
    assert (finite.low, finite.high) == (endless.low, endless.high)
    assert "as if unlimited where they are not counted" in finite.estimand


def test_the_grid_holds_the_primary_contrast_under_every_reading_and_exclusion(reports):
    cells = {number.part: number for number in reports["as it stands"].select("sensitivity")}
    assert cells["mean of raters, panel, superpopulation, frozen"].estimate == reports["as it stands"].primary.estimate
    assert "mean of raters, generalising, superpopulation, frozen" in cells
    panel = {part.split(", ")[0] for part in cells if ", panel, " in part}
    assert {"majority vote", "unanimous vote", "any vote", "cannot judge as no", "cannot judge as yes"} <= panel
    assert {part.rsplit(", ", 1)[1] for part in cells} == {"frozen", "nobody", "strict"}
    least = cells["missing against the difference, panel, superpopulation, frozen"].estimate
    most = cells["missing for the difference, panel, superpopulation, frozen"].estimate
    assert least < reports["as it stands"].primary.estimate < most


def test_a_study_of_one_arm_has_no_contrast_and_nothing_primary():
    report = make_report(plan=make_plan(groups=(("1L", "baseline"),)))
    assert report.primary is None
    assert report.of_status(SENSITIVITY) == ()
    assert report.number("fraction/1L/baseline/all/all").defined


@pytest.mark.parametrize(
    "changes",
    [
        {"treatment": "nobody"},
        {"treatment": "baseline"},
        {"size": "9L"},
        {"asks": "generalising", "vote": "majority"},
        {"groups": (("1L", "baseline"), ("1L", "solu"), ("16L", "ln_only")), "size": "1L", "treatment": "ln_only"},
    ],
)
def test_a_plan_that_the_study_cannot_answer_is_refused(changes):
    with pytest.raises(PlanImpossible):
        make_plan(**{"groups": GROUPS, **changes})


def test_the_first_arm_that_the_planned_size_has_is_compared():
    groups = (("1L", "baseline"), ("1L", "solu"), ("16L", "baseline"), ("16L", "ln_only"))
    assert make_plan(groups=groups, size="16L").compared == "ln_only"
    assert AnalysisPlan.__dataclass_fields__["treatment"].default == ""


def test_models_stand_in_the_grid_under_every_exclusion_and_are_refitted_where_it_changes_the_answers():
    tables = make_tables(plan=make_plan(groups=GROUPS), neurons_per_arm=20)
    tables.raters.loc[0, "catches_right"] = 9
    report = make_report(tables)
    cells = {number.part: number for number in report.select("sensitivity")}
    fitted = report.number("mixed_difference/all/solu/baseline/all")
    name = "mixed logistic model, panel, superpopulation"
    for exclusions in ("frozen", "nobody"):
        same = cells[f"{name}, {exclusions}"]
        assert (same.estimate, same.low, same.high) == (fitted.estimate, fitted.low, fitted.high)
    assert cells[f"{name}, strict"].judgments < fitted.judgments
    assert "every catch trial right" in cells[f"{name}, strict"].estimand
    assert {number.status for number in cells.values()} == {SENSITIVITY}
