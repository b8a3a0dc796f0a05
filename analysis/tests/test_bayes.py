"""Bayesian logistic model: ranks of true values among draws, diagnostics by another package, and what is refused."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.stats.bayes import bayesian_logistic, counted_by_pair, quantities
from analysis.stats.chains import effective_draws, split_r_hat
from analysis.stats.gibbs import CrossedData, Priors, Sampler
from analysis.stats.mixed import crossed_logistic
from analysis.stats.model_answers import SEPARATED, UNANIMOUS, contrast_of
from analysis.tests.crossed import crossed_ratings

CODES = {"treatment": 1, "baseline": 0}


def small_design(neurons=16, raters=3):
    neuron, rater = (codes.ravel() for codes in np.indices((neurons, raters)))
    treated, size = np.arange(neurons) % 2 == 1, np.arange(neurons) // 2 % 2
    data = contrast_of(
        np.zeros(neurons * raters), neuron, rater, treated.astype(int), size, treatment=1, baseline=0
    )  # fmt: skip
    return counted_by_pair(data)


def from_prior(data: CrossedData, priors: Priors, studies: int, rng):
    """True effects and spreads of as many studies, and their answers."""
    fixed = rng.normal(0, [priors.effect, priors.intercept, priors.effect], (studies, 3))
    sds = np.abs(rng.normal(0, [priors.neuron, priors.rater, priors.rater_arm], (studies, 3)))
    of_raters = sds[:, 1:2] * rng.standard_normal((studies, int(data.rater.max()) + 1))
    of_cells = sds[:, 2:] * rng.standard_normal((studies, len(data.rater)))
    parts = np.concatenate([fixed, of_raters, of_cells], axis=1) @ data.layout.T
    neurons = sds[:, :1] * rng.standard_normal((studies, len(data.design)))
    logits = (parts[:, :1] @ data.design.T + neurons)[:, data.neuron] + parts[:, 1:][:, data.cell]
    return fixed, sds, (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(float)


def test_true_values_drawn_from_the_prior_have_every_rank_among_draws_of_the_posterior():
    """Simulation-based calibration (Talts et al. 2018): 150 studies, each with one chain, all in step."""
    rng, priors, studies = np.random.default_rng(6), Priors(), 150
    data = small_design()
    fixed, sds, yes = from_prior(data, priors, studies, rng)
    sampler = Sampler(dataclasses.replace(data, yes=yes), priors, chains=studies, generator=rng)
    draws = []
    for sweep in range(80 + 19 * 20):
        sampler.sweep()
        if sweep >= 80 and sweep % 20 == 0:
            draws.append(quantities(sampler.effects[:, :3], sampler.sds))
    drawn = np.array(draws)
    assert len(drawn) == 19
    ranks = (drawn < quantities(fixed, sds)).sum(axis=0)  # 0 … 19
    for place in range(5):
        counts = np.bincount(ranks[:, place] // 4, minlength=5)
        assert stats.chisquare(counts).pvalue > 1e-3, counts


def test_the_posterior_is_near_the_restricted_likelihood_with_a_bit_of_pull_to_small_spreads():
    ratings = crossed_ratings()
    fit = bayesian_logistic(**ratings, **CODES, generator=np.random.default_rng(1))
    likely = crossed_logistic(**ratings, **CODES, question="generalising")
    assert fit.r_hat < 1.02
    assert fit.effective_draws > 400
    assert fit.log_odds_ratio.estimate == pytest.approx(likely.log_odds_ratio.estimate, abs=0.05)
    widths = [interval.high - interval.low for interval in (fit.log_odds_ratio, likely.log_odds_ratio)]
    assert 0.9 < widths[0] / widths[1] < 1.25
    assert fit.marginal_difference.estimate == pytest.approx(likely.marginal_difference.estimate, abs=0.015)
    assert fit.neuron_sd.estimate == pytest.approx(likely.neuron_sd.estimate, rel=0.1)
    assert fit.odds_ratio.low == pytest.approx(math.exp(fit.log_odds_ratio.low))
    assert "half-normal: neurons 2.5, raters 1, raters within an arm 0.5" in fit.log_odds_ratio.method


def test_the_diagnostics_are_those_of_another_package():
    # arviz-stats 0.8.0, array_stats.rhat(x, chain_axis=0, draw_axis=1) and array_stats.ess(…, method="bulk"):
    # 1.00555647863722, 251.41392308689169; independent draws 0.9992527621284528, 1649.4562467039527
    rng = np.random.default_rng(12)
    chains, noise = np.zeros((4, 400)), rng.normal(size=(4, 400))
    for step in range(1, 400):
        chains[:, step] = 0.8 * chains[:, step - 1] + noise[:, step]
    chains += np.array([0, 0.3, -0.2, 0])[:, None]
    assert split_r_hat(chains) == pytest.approx(1.00555647863722, abs=1e-12)
    assert effective_draws(chains) == pytest.approx(251.41392308689169, rel=0.01)
    independent = rng.normal(size=(4, 400))
    assert split_r_hat(independent) == pytest.approx(0.9992527621284528, abs=1e-12)
    assert effective_draws(independent) == pytest.approx(1649.4562467039527, rel=0.02)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 100), st.floats(-5, 5))
def test_the_unit_of_the_draws_and_the_order_of_chains_do_not_matter_to_the_diagnostics(seed, unit, shift):
    draws = np.random.default_rng(seed).normal(size=(3, 60)).cumsum(axis=1)
    assert effective_draws(draws * unit + shift) == pytest.approx(effective_draws(draws[::-1]))
    assert effective_draws(draws) <= draws.size * np.log10(draws.size) + 1e-9
    assert split_r_hat(draws[::-1]) == pytest.approx(split_r_hat(draws))


def test_chains_that_stand_still_are_seen():
    still = np.repeat([[0.0], [1.0], [2.0], [3.0]], 50, axis=1)
    assert split_r_hat(still) > 1e3
    assert split_r_hat(np.ones((4, 50))) == 1.0
    assert effective_draws(np.ones((4, 50))) == 200


def test_chains_that_have_not_settled_give_no_number():
    ratings = crossed_ratings()
    fit = bayesian_logistic(**ratings, **CODES, generator=np.random.default_rng(1), most_rounds=1)
    assert fit.draws == 2000
    assert not fit.log_odds_ratio.defined
    assert fit.log_odds_ratio.refused.startswith("the chains did not settle")
    again = bayesian_logistic(**ratings, **CODES, generator=np.random.default_rng(1), most_rounds=1)
    assert (again.r_hat, again.effective_draws) == (fit.r_hat, fit.effective_draws)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: data | {"said": np.ones_like(data["said"])}, SEPARATED),
        (lambda data: data | {"said": data["neuron"] % 2}, UNANIMOUS),
        (lambda data: data | {"rater": data["rater"] % 2}, "too few raters to stand for others: 2; it takes 3"),
    ],
)
def test_where_the_prior_alone_would_decide_nothing_is_drawn(change, why):
    fit = bayesian_logistic(**change(crossed_ratings()), **CODES, generator=np.random.default_rng(1))
    assert (fit.marginal_difference.refused, fit.draws) == (why, 0)
    assert math.isnan(fit.r_hat)


def test_a_rater_who_judged_a_neuron_twice_is_counted_and_not_lost():
    data = crossed_ratings()
    codes = [data[name] for name in ("neuron", "rater")]
    twice = [np.concatenate([values, values[:10]]) for values in (data["said"].astype(float), *codes)]
    counted = counted_by_pair(contrast_of(*twice, data["arm"], data["size"], **CODES))
    assert counted.answers.sum() == 812
    assert counted.answers.max() == 2
    assert counted.yes.sum() == twice[0].sum()
