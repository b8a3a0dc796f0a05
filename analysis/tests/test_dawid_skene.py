"""Dawid and Skene's model: published fits, identities of the maximum, its standard error, and what it refuses."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats.dawid_skene import NotIdentified, dawid_skene
from analysis.stats.proportions import BadCounts

# Agresti, Categorical Data Analysis (2002), table 13.1: seven pathologists, 118 slides, carcinoma or not.
PATHOLOGISTS = (
    "0000000 0000100 0100000 0100001 0100100 0100101 1000000 1010101 1100000 1100001 1100100 1100101 1100111 1101001 "
    "1101101 1101111 1110101 1110111 1111101 1111111"
)
SLIDES = [34, 2, 6, 1, 4, 5, 2, 1, 2, 1, 2, 7, 1, 1, 2, 3, 13, 5, 10, 16]
# Dawid & Skene (1979), table 1: 45 patients; the first of five anaesthetists judged three times, the others once.
ANAESTHETISTS = (
    "1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111 2223212 "
    "1211111 1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 "
    "1111111 1121121 1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 "
    "2322222 1211111 2222222"
)


def digits(text):
    return np.array([[int(answer) for answer in word] for word in text.split()])


def single(answers, **more):
    neuron, rater = np.indices(answers.shape)
    return {"said": answers.ravel(), "neuron": neuron.ravel(), "rater": rater.ravel(), **more}


def make_answers(neurons=300, raters=3, share=0.6, seed=1):
    generator = np.random.default_rng(seed)
    true = generator.random(neurons) < share
    rates = np.where(true[:, None], np.linspace(0.95, 0.75, raters), np.linspace(0.1, 0.25, raters))
    return (generator.random((neurons, raters)) < rates).astype(int)


def test_seven_pathologists_have_the_fit_that_polca_prints():
    # R: library(poLCA); data(carcinoma); poLCA(cbind(A,B,C,D,E,F,G)~1, carcinoma, nclass=2), as its manual prints it
    fit = dawid_skene(**single(np.repeat(digits(PATHOLOGISTS), SLIDES, axis=0)))
    assert fit.log_likelihood == pytest.approx(-317.2568, abs=5e-5)
    assert fit.prevalence[0].round(4).tolist() == [0.4988, 0.5012]
    assert fit.error_rates[:, 1, 1].round(4).tolist() == [1.0, 0.9831, 0.7609, 0.5411, 0.9786, 0.4227, 1.0]
    assert fit.error_rates[:, 0, 1].round(4).tolist() == [0.1165, 0.3544, 0.0, 0.0, 0.2229, 0.0, 0.1165]
    assert fit.converged
    assert fit.agreeing == fit.starts == 4
    share = fit.share([0])
    assert (share.n, share.judgments) == (118, 826)
    assert 0.41 < share.low < share.estimate < share.high < 0.6


def test_the_anaesthetists_have_the_published_fit_from_dawid_and_skenes_own_start():
    # Dawid & Skene (1979), tables 2 and 4
    answers = digits(ANAESTHETISTS) - 1
    data = single(answers, categories=4)
    data["rater"] = np.tile([0, 0, 0, 1, 2, 3, 4], 45)
    fit = dawid_skene(**data, starts=1)
    assert fit.prevalence[0].round(2).tolist() == [0.40, 0.42, 0.11, 0.07]
    assert fit.error_rates[0].round(2).tolist() == [
        [0.89, 0.11, 0, 0],
        [0.07, 0.88, 0.05, 0],
        [0, 0.34, 0.66, 0],
        [0, 0, 0.56, 0.44],
    ]
    # and other starts climb higher: the published maximum is a local one
    best = dawid_skene(**data)
    assert best.log_likelihood > fit.log_likelihood + 1
    assert best.starts == 6


def test_at_the_maximum_every_rater_has_the_share_of_yes_that_was_observed():
    answers = make_answers()
    fit = dawid_skene(**single(answers))
    expected = fit.prevalence[0] @ fit.error_rates[:, :, 1].T
    assert expected == pytest.approx(answers.mean(axis=0), abs=1e-6)
    assert fit.posterior.mean(axis=0) == pytest.approx(fit.prevalence[0], abs=1e-6)
    assert fit.posterior.shape == (300, 2)


def test_the_standard_error_is_the_curvature_of_the_likelihood():
    answers = make_answers(neurons=200)

    def likelihood(at):
        share, hit, false = at[0], at[1:4], at[4:7]
        given = [np.prod(np.where(answers == 1, rate, 1 - rate), axis=1) for rate in (hit, false)]
        return np.log(share * given[0] + (1 - share) * given[1]).sum()

    fit = dawid_skene(**single(answers))
    at = np.array([fit.prevalence[0, 1], *fit.error_rates[:, 1, 1], *fit.error_rates[:, 0, 1]])
    step, axes = 1e-4, 1e-4 * np.eye(7)
    hessian = np.array(
        [
            [
                sum(s * t * likelihood(at + s * one + t * other) for s in (1, -1) for t in (1, -1)) / (4 * step**2)
                for other in axes
            ]
            for one in axes
        ]
    )
    assert likelihood(at) == pytest.approx(fit.log_likelihood)
    assert fit.covariance[0, 0] == pytest.approx(np.linalg.inv(-hessian)[0, 0], rel=1e-3)


def test_groups_have_their_own_share_and_raters_one_way_of_erring():
    low, high = make_answers(share=0.3, seed=2), make_answers(share=0.7, seed=3)
    fit = dawid_skene(**single(np.vstack([low, high])), group=np.repeat([0, 1], 300))
    assert fit.error_rates.shape == (3, 2, 2)
    difference = fit.difference([1], [0])
    assert difference.estimate == pytest.approx(fit.share([1]).estimate - fit.share([0]).estimate)
    assert difference.low < 0.4 < difference.high
    both = fit.share([0, 1])
    assert both.estimate == pytest.approx(fit.prevalence[:, 1].mean())
    assert (both.n, both.judgments) == (600, 1800)
    # covariance through the shared error rates counts: the difference is not that of two independent shares
    assert fit.covariance[0, 1] != 0


def test_a_group_without_answers_takes_nothing_from_the_others():
    answers = make_answers()
    alone = dawid_skene(**single(answers))
    with_gap = dawid_skene(**single(answers), group=np.full(300, 2))
    assert with_gap.neurons.tolist() == [0, 0, 300]
    assert with_gap.share([2]).low == pytest.approx(alone.share([0]).low, abs=1e-6)
    assert with_gap.share([0]).refused


def test_neurons_named_with_gaps_and_missing_answers_are_no_obstacle():
    answers = make_answers(raters=4)
    there = np.random.default_rng(1).random(answers.shape) < 0.9
    neuron, rater = np.nonzero(there)
    fit = dawid_skene(said=answers[there], neuron=neuron * 3, rater=rater, group=np.zeros(900, dtype=int))
    assert fit.neurons.tolist() == [len(np.unique(neuron))]
    assert fit.judgments.tolist() == [there.sum()]
    assert fit.share([0]).low < 0.6 < fit.share([0]).high


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_exchanging_yes_and_no_mirrors_the_fit(seed):
    answers = make_answers(neurons=150, raters=5, seed=seed)
    fit, mirrored = dawid_skene(**single(answers)), dawid_skene(**single(1 - answers))
    assert fit.log_likelihood == pytest.approx(mirrored.log_likelihood, abs=1e-6)
    assert fit.share([0]).estimate == pytest.approx(1 - mirrored.share([0]).estimate, abs=1e-4)
    assert fit.share([0]).low == pytest.approx(1 - mirrored.share([0]).high, abs=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 6), st.integers(3, 12))
def test_tiny_studies_give_shares_or_words_and_never_crash(seed, raters, neurons):
    answers = np.random.default_rng(seed).integers(0, 2, (neurons, raters))
    if answers.min() == answers.max():
        return
    fit = dawid_skene(**single(answers))
    share = fit.share([0])
    assert -1e-9 <= share.estimate <= 1 + 1e-9
    assert share.refused or 0 <= share.low <= share.estimate <= share.high <= 1


def test_raters_who_always_agree_are_believed_and_the_limits_are_those_of_a_plain_share():
    fit = dawid_skene(**single(np.repeat(np.array([[1, 1, 1], [0, 0, 0]]), [36, 24], axis=0)))
    share = fit.share([0])
    assert share.estimate == pytest.approx(0.6)
    half = 1.959964 * math.sqrt(1 / (60 * 0.6 * 0.4))
    logit = math.log(0.6 / 0.4)
    assert share.low == pytest.approx(1 / (1 + math.exp(-logit + half)), abs=1e-5)


def test_two_raters_and_one_answer_to_everything_are_refused_with_the_reason():
    with pytest.raises(NotIdentified, match="fewer than three raters"):
        dawid_skene(**single(make_answers(raters=2)))
    with pytest.raises(NotIdentified, match="every answer is the same"):
        dawid_skene(**single(np.ones((60, 3), dtype=int)))
    with pytest.raises(NotIdentified, match="0 answers"):
        dawid_skene(said=[], neuron=[], rater=[])
    with pytest.raises(BadCounts, match="in 2 categories"):
        dawid_skene(**single(np.full((5, 3), 2)))
