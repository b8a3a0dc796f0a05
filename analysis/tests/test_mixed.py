"""Logistic mixed models: another package's numbers, integrals by brute force, closed forms, what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from analysis.stats.mixed import APART, crossed_logistic, marginal_share
from analysis.stats.model_answers import NO_CONTRAST, ONE_EACH, SEPARATED, UNANIMOUS
from analysis.stats.pooled_raters import raters_drawn
from analysis.stats.quadrature import NeuronModel
from analysis.tests.crossed import crossed_ratings

PANEL_CODES = {"treatment": 1, "baseline": 0}


def fitted(ratings, **options):
    return crossed_logistic(**ratings, **PANEL_CODES, **options)


def simulated(rng, *, neurons=60, raters=4, sizes=2, arm=1.0, spread=1.5, rater_sd=0.5, rater_arm_sd=0.0, missing=0.1):
    treated, size = np.arange(neurons) % 2, (np.arange(neurons) // 2) % sizes
    neuron, rater = (codes.ravel() for codes in np.indices((neurons, raters)))
    kept = rng.random(len(neuron)) >= missing
    neuron, rater = neuron[kept], rater[kept]
    tendency = arm * treated + spread * rng.standard_normal(neurons)
    of_rater = rater_sd * rng.standard_normal(raters)
    of_cell = rater_arm_sd * rng.standard_normal((raters, 2))
    logit = tendency[neuron] - 0.5 + of_rater[rater] + of_cell[rater, treated[neuron]]
    said = (rng.random(len(neuron)) < 1 / (1 + np.exp(-logit))).astype(int)
    return {"said": said, "neuron": neuron, "rater": rater, "arm": treated, "size": size}


def test_the_panel_model_gives_the_numbers_of_another_package():
    # glmm 0.6.2: fit(data, "judgment ~ arm + size + rater + (1|neuron)", family="binomial", nagq=25)
    # beta 1.216387848, se 0.33057881, sd 1.668565946; with nagq=15: 1.216384589, 0.330577298, 1.668560739
    fit = fitted(crossed_ratings())
    half = stats.norm.ppf(0.975)
    odds = fit.log_odds_ratio
    assert odds.estimate == pytest.approx(1.216387848, abs=5e-8)
    assert (odds.high - odds.low) / 2 / half == pytest.approx(0.33057881, abs=1e-6)
    assert odds.se == pytest.approx(0.33057881, abs=1e-6)
    assert fit.neuron_sd.estimate == pytest.approx(1.668565946, abs=5e-7)
    assert (odds.n, odds.judgments, fit.rater_sd) == (160, 802, None)
    assert fitted(crossed_ratings(), points=15).log_odds_ratio.estimate == pytest.approx(1.216384589, abs=1e-5)


def test_the_marginal_difference_is_the_mean_of_shares_integrated_by_brute_force():
    ratings = crossed_ratings()
    fit = fitted(ratings)
    odds, sd = fit.log_odds_ratio.estimate, fit.neuron_sd.estimate
    # The other coefficients from glmm 0.6.2, as above: intercept, size 1, raters 1 to 5
    intercept, second = -0.941753856, -0.037152613
    raters = [0, 0.618919942, -0.350724072, 0.446660063, 0.542121923, -0.053331522]

    def share(logit):
        return integrate.quad(lambda u: stats.norm.pdf(u) / (1 + math.exp(-logit - sd * u)), -10, 10)[0]

    shares = [
        share(intercept + size + rater + odds) - share(intercept + size + rater)
        for size in (0, second)
        for rater in raters
    ]
    assert fit.marginal_difference.estimate == pytest.approx(np.mean(shares), abs=1e-7)
    # and near the plain difference of neuron means over sizes, which makes no assumption
    said, neuron = ratings["said"], ratings["neuron"]
    means = np.bincount(neuron, said) / np.bincount(neuron)
    places = [means[(ratings["arm"] == arm) & (ratings["size"] == size)].mean() for size in (0, 1) for arm in (0, 1)]
    plain = (places[1] - places[0] + places[3] - places[2]) / 2
    assert fit.marginal_difference.estimate == pytest.approx(plain, abs=0.02)


def test_the_likelihood_is_the_product_of_integrals_and_its_derivatives_are_right():
    rng = np.random.default_rng(2)
    data = simulated(rng, neurons=12, raters=5)
    design = np.column_stack([data["arm"], data["size"]]).astype(float)
    model = NeuronModel(data["said"].astype(float), data["neuron"], data["rater"], design, points=61)
    theta = np.array([0.7, -0.3, 0.1, -0.4, 0.5, 0.0, 0.2, 1.4])
    value, gradient, information = model.evaluate(theta)

    def one(number):
        mine = data["neuron"] == number
        base = design[number] @ theta[:2] + theta[2:-1][data["rater"][mine]]
        sign = 2 * data["said"][mine] - 1

        def integrand(u):
            return stats.norm.pdf(u) * np.prod(1 / (1 + np.exp(-sign * (base + theta[-1] * u))))

        return math.log(integrate.quad(integrand, -12, 12, epsabs=1e-13, limit=200)[0])

    assert value == pytest.approx(sum(one(number) for number in range(12)), abs=1e-8)
    steps = 1e-5 * np.eye(len(theta))
    values = [(model.evaluate(theta + step), model.evaluate(theta - step)) for step in steps]
    assert gradient == pytest.approx([(up[0] - down[0]) / 2e-5 for up, down in values], abs=1e-6)
    assert information == pytest.approx(np.array([(down[1] - up[1]) / 2e-5 for up, down in values]), abs=1e-5)


def test_cutting_neurons_into_blocks_changes_nothing(monkeypatch):
    whole = fitted(crossed_ratings())
    monkeypatch.setattr("analysis.stats.quadrature.BLOCK", 25 * 40)
    cut = fitted(crossed_ratings())
    assert cut.log_odds_ratio.low == pytest.approx(whole.log_odds_ratio.low, abs=1e-9)
    assert cut.marginal_difference.high == pytest.approx(whole.marginal_difference.high, abs=1e-9)


def test_one_answer_for_each_neuron_is_ordinary_logistic_regression():
    # With one rater and one size it is the log odds ratio of the table, with Woolf's standard error.
    said, arm = np.repeat([1, 0, 1, 0], [36, 24, 21, 39]), np.repeat([1, 0], 60)
    ratings = {"said": said, "neuron": np.arange(120), "rater": [0] * 120, "arm": arm, "size": [0] * 120}
    fit = fitted(ratings)
    odds = fit.log_odds_ratio
    assert odds.estimate == pytest.approx(math.log(36 * 39 / (24 * 21)))
    woolf = math.sqrt(1 / 36 + 1 / 24 + 1 / 21 + 1 / 39)
    assert odds.high - odds.estimate == pytest.approx(stats.norm.ppf(0.975) * woolf)
    assert fit.marginal_difference.estimate == pytest.approx(0.25)
    assert fit.neuron_sd.refused
    assert not fit.neuron_sd.defined


def test_neurons_that_do_not_differ_leave_ordinary_logistic_regression():
    rng = np.random.default_rng(11)
    data = simulated(rng, neurons=200, raters=3, spread=0.0, missing=0.0, sizes=1)
    # One or two yes for every neuron, never none or three: raters agree less often than by chance.
    many = 1 + (rng.random(200) < np.where(data["arm"] == 1, 0.7, 0.3))
    data["said"] = rng.permuted(np.arange(3) < many[:, None], axis=1).astype(int).ravel()
    fit = fitted(data)
    assert (fit.neuron_sd.estimate, fit.neuron_sd.low) == (0.0, 0.0)
    assert 0 < fit.neuron_sd.high < 1
    columns = np.column_stack([data["arm"][data["neuron"]], *(data["rater"] == code for code in range(3))])
    sign = 2 * data["said"] - 1
    plain = optimize.minimize(lambda beta: np.logaddexp(0, -sign * (columns @ beta)).sum(), np.zeros(4), tol=1e-12)
    assert fit.log_odds_ratio.estimate == pytest.approx(plain.x[0], abs=1e-5)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_exchanging_yes_and_no_or_the_arms_only_changes_the_sign(seed):
    data = simulated(np.random.default_rng(seed))
    fit = fitted(data)
    for turned in (data | {"said": 1 - data["said"]}, data | {"arm": 1 - data["arm"]}):
        other = fitted(turned)
        assert other.log_odds_ratio.refused == fit.log_odds_ratio.refused
        if not fit.log_odds_ratio.refused:
            assert other.log_odds_ratio.estimate == pytest.approx(-fit.log_odds_ratio.estimate, abs=1e-5)
            assert other.marginal_difference.high == pytest.approx(-fit.marginal_difference.low, abs=1e-5)
            assert other.neuron_sd.estimate == pytest.approx(fit.neuron_sd.estimate, abs=1e-4)


def test_a_rater_who_always_says_yes_tells_nothing_of_the_odds_and_halves_the_difference():
    data = crossed_ratings()
    two = np.isin(data["rater"], [0, 1])
    data |= {"said": data["said"][two], "neuron": data["neuron"][two], "rater": data["rater"][two]}
    always = data | {"said": np.where(data["rater"] == 1, 1, data["said"])}
    alone = data | {name: data[name][data["rater"] == 0] for name in ("said", "neuron", "rater")}
    fit, single = fitted(always), fitted(alone)
    assert fit.log_odds_ratio.low == pytest.approx(single.log_odds_ratio.low)
    assert fit.marginal_difference.estimate == pytest.approx(single.marginal_difference.estimate / 2)


def test_raters_as_a_sample_have_the_closed_form_where_the_likelihood_is_quadratic():
    """Cells known with one error: restricted likelihood of a balanced table is its analysis of variance."""
    rng = np.random.default_rng(4)
    raters, error = 8, 0.3
    cells = (
        rng.normal(0, 0.8, (raters, 1))
        + rng.normal(0, 0.5, (raters, 2))
        + [0.0, 1.0]
        + rng.normal(0, error, (raters, 2))
    )

    class Known:
        columns, cells, parameters = 0, 2 * raters, 2 * raters + 1

        def evaluate(self, theta):
            away = theta - np.append(cells.T.ravel(), 1.0)
            precision = np.append(np.full(2 * raters, error**-2), 4.0)
            return -0.5 * float(precision @ away**2), -precision * away, np.diag(precision)

    fit = raters_drawn(
        Known(), np.zeros(2 * raters + 1), rater=np.tile(np.arange(raters), 2), treated=np.arange(2 * raters) >= raters,
        level=0.95,
    )  # fmt: skip
    gaps, middles = cells[:, 1] - cells[:, 0], cells.mean(axis=1)
    within = gaps.var(ddof=1) / 2 - error**2
    assert fit.rater_arm_sd == pytest.approx(math.sqrt(within), abs=1e-4)
    assert fit.rater_sd == pytest.approx(math.sqrt(middles.var(ddof=1) - gaps.var(ddof=1) / 4), abs=1e-4)
    assert fit.effect == pytest.approx(gaps.mean())
    assert fit.effect_error == pytest.approx(gaps.std(ddof=1) / math.sqrt(raters), abs=1e-5)
    assert fit.df == pytest.approx((gaps.var(ddof=1) / (2 * within)) ** 2 * (raters - 1), rel=1e-3)
    assert fit.rater_arm_sd_limits[0] < fit.rater_arm_sd < fit.rater_arm_sd_limits[1]


def test_the_generalising_model_is_near_another_packages_laplace_fit():
    # glmm 0.6.2: fit(data, "judgment ~ arm + size + (1|neuron) + (1|rater) + (1|rater_by_arm)", family="binomial")
    # arm 1.193879 (0.342026), SDs 1.56795, 0.23455, 0.22290: maximum likelihood, and Laplace for the neurons too, which
    # both make spreads small; here they are restricted likelihood and quadrature.
    fit = fitted(crossed_ratings(), question="generalising")
    assert fit.log_odds_ratio.estimate == pytest.approx(1.193879, abs=0.01)
    assert 1.0 < (fit.log_odds_ratio.high - fit.log_odds_ratio.low) / (2 * 1.96 * 0.342026) < 1.2
    assert 1.56795 < fit.neuron_sd.estimate < 1.75
    assert 0.23455 < fit.rater_sd.estimate < 0.23455 * math.sqrt(6 / 5) + 0.03
    assert 0.22290 < fit.rater_arm_sd.estimate < 0.35
    assert fit.log_odds_ratio.method.startswith("approximate")


def test_both_models_give_another_packages_numbers_for_twenty_raters():
    rng = np.random.default_rng(20)
    neuron, rater = (codes.ravel() for codes in np.indices((400, 20)))
    arm, size = np.arange(400) % 2, np.arange(400) // 2 % 3
    cells = rng.normal(0, 0.8, (20, 1)) + rng.normal(0, 0.5, (20, 2))
    logit = arm[neuron] - 0.5 + rng.normal(0, 1.5, 400)[neuron] + cells[rater, arm[neuron]]
    said = (rng.random(8000) < 1 / (1 + np.exp(-logit))).astype(int)
    data = {"said": said, "neuron": neuron, "rater": rater, "arm": arm, "size": size}
    # glmm 0.6.2 as above, nagq=25: arm 0.84178610 (0.15214761), SD 1.40344472
    panel = fitted(data)
    assert panel.log_odds_ratio.estimate == pytest.approx(0.84178610, abs=1e-7)
    assert panel.log_odds_ratio.se == pytest.approx(0.15214761, abs=1e-7)
    assert panel.neuron_sd.estimate == pytest.approx(1.40344472, abs=1e-7)
    # and with raters random, by Laplace: arm 0.873997 (0.270830), SDs 1.461938, 0.355589, 0.695094. With twenty answers
    # for each neuron that is near to quadrature; restricted likelihood takes back up to sqrt(20 / 19) = 1.026.
    drawn = fitted(data, question="generalising")
    assert drawn.log_odds_ratio.estimate == pytest.approx(0.873997, abs=0.02 * 0.270830)
    assert drawn.log_odds_ratio.se / 0.270830 == pytest.approx(1.013, abs=0.013)
    assert drawn.neuron_sd.estimate == pytest.approx(1.461938, rel=0.01)
    assert drawn.rater_sd.estimate / 0.355589 == pytest.approx(1.013, abs=0.013)
    assert drawn.rater_arm_sd.estimate / 0.695094 == pytest.approx(1.013, abs=0.013)


def test_the_generalising_model_finds_the_truth_among_many_raters():
    data = simulated(
        np.random.default_rng(9),
        neurons=240,
        raters=24,
        arm=1.0,
        spread=1.5,
        rater_sd=0.8,
        rater_arm_sd=0.5,
        missing=0.5,
    )
    fit = fitted(data, question="generalising", level=0.99)
    for interval, truth in (
        (fit.log_odds_ratio, 1.0), (fit.neuron_sd, 1.5), (fit.rater_sd, 0.8), (fit.rater_arm_sd, 0.5),
    ):  # fmt: skip
        assert interval.low < truth < interval.high
        assert interval.high - interval.low < 2
    spread = math.sqrt(1.5**2 + 0.8**2 + 0.5**2)
    shares = [marginal_share(np.array(logit), spread)[0] for logit in (0.5, -0.5)]
    assert fit.marginal_difference.low < shares[0] - shares[1] < fit.marginal_difference.high


def test_new_raters_make_the_interval_wider_and_two_raters_cannot_speak_for_them():
    data = crossed_ratings()
    wide, narrow = (fitted(data, question=question).marginal_difference for question in ("generalising", "panel"))
    assert wide.high - wide.low > narrow.high - narrow.low
    two = data["rater"] < 2
    pair = data | {name: data[name][two] for name in ("said", "neuron", "rater")}
    refused = fitted(pair, question="generalising")
    assert refused.log_odds_ratio.refused == "too few raters to stand for others: 2; it takes 3"
    assert refused.rater_sd.refused


def test_one_answer_for_each_neuron_says_nothing_of_new_raters():
    data = simulated(np.random.default_rng(1), missing=0.0)
    one = data["rater"] == data["neuron"] % 4
    fit = fitted(data | {name: data[name][one] for name in ("said", "neuron", "rater")}, question="generalising")
    assert fit.log_odds_ratio.refused == ONE_EACH


def test_an_effect_that_only_a_perfect_rater_shows_has_no_end():
    """Rater 0 says yes to one arm and no to the other; raters 1 and 2 differ, but saw one arm only."""
    rng = np.random.default_rng(1)
    arm = np.arange(40) % 2
    seen = np.flatnonzero(arm == 1)
    answers = [arm, rng.integers(0, 2, 20), rng.integers(0, 2, 20)]
    answers[1][0] = 1
    said, neuron = np.concatenate(answers), np.concatenate([np.arange(40), seen, seen])
    rater = np.repeat([0, 1, 2], [40, 20, 20])
    said = np.append(said, [1])  # not quite every answer about the other arm is a no
    data = {"said": said, "neuron": np.append(neuron, [0]), "rater": np.append(rater, [3]), "arm": arm, "size": arm * 0}
    fit = fitted(data)
    assert fit.log_odds_ratio.refused
    assert not fit.marginal_difference.defined


def one_arm_always(data):
    return data | {"said": np.where(data["arm"][data["neuron"]] == 1, 1, data["said"])}


@pytest.mark.parametrize("question", ["panel", "generalising"])
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: data | {"said": np.ones_like(data["said"])}, SEPARATED),
        (lambda data: data | {"said": np.zeros_like(data["said"])}, SEPARATED),
        (one_arm_always, SEPARATED),
        (lambda data: data | {"arm": np.zeros_like(data["arm"])}, NO_CONTRAST),
        (lambda data: data | {"said": (data["neuron"] % 3 == 0).astype(int)}, UNANIMOUS),
        (lambda data: data | {name: data[name][:0] for name in ("said", "neuron", "rater")}, NO_CONTRAST),
    ],
)
def test_data_without_a_finite_estimate_are_refused_with_the_reason(question, change, why):
    fit = fitted(change(crossed_ratings()), question=question)
    for interval in (fit.log_odds_ratio, fit.marginal_difference, fit.neuron_sd):
        assert interval.refused == why
        assert not interval.defined


def test_arms_judged_by_different_raters_cannot_be_compared_within_raters():
    data = crossed_ratings()
    apart = data | {"rater": data["rater"] + 6 * data["arm"][data["neuron"]]}
    assert fitted(apart).log_odds_ratio.refused == APART


def test_other_arms_and_sizes_without_both_arms_stay_out():
    data = crossed_ratings()
    plain = fitted(data)
    arm = np.concatenate([data["arm"], [2, 2, 1]])
    size = np.concatenate([data["size"], [0, 1, 5]])
    more = {
        "said": np.concatenate([data["said"], [1, 0, 1]]),
        "neuron": np.concatenate([data["neuron"], [160, 161, 162]]),
        "rater": np.concatenate([data["rater"], [0, 1, 2]]),
        "arm": arm,
        "size": size,
    }
    fit = fitted(more)
    assert fit.log_odds_ratio == plain.log_odds_ratio
    assert fit.marginal_difference == plain.marginal_difference
