"""The contrasts by models of single answers: sensitivity lines beside the estimates that need no model."""

from collections.abc import Iterator

import numpy as np

from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import HERE, Scope, over_sizes
from analysis.reports.ratings import Answers, Ratings
from analysis.stats.bayes import BayesianLogistic, bayesian_logistic
from analysis.stats.mixed import CrossedLogistic, crossed_logistic
from analysis.stats.results import SENSITIVITY, UNDEFINED, Interval, Number
from annotation.design.analysis import GENERALISING, PANEL

STREAM = 3  # of the plan's seed
SCOPES = {PANEL: HERE, GENERALISING: Scope(asks=GENERALISING)}
# The kinds begin with these.
BEGIN = {PANEL: "mixed", GENERALISING: "mixed_generalising"}
MODELLED = "two arms compared by a model of single answers (mean of raters)"


def model_numbers(ratings: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    """Each contrast by the panel, the generalising and the Bayesian model: over all sizes, and at the primary one.

    Odds ratio for one neuron and one rater, difference of shares with the random effects integrated out, and standard
    deviations of neurons and raters on the logit scale. Refused, with the reason, where the model has no finite answer.
    """
    if not ratings.judged.any():  # a study that never asks for a verdict
        return
    for arm in plan.treatments:
        for size in dict.fromkeys((plan.place, "" if plan.pooled else plan.place)):
            if size and (size, arm) not in plan.groups:
                continue
            answers = ratings.answers(arms=[arm, plan.baseline], size=size)
            for question in (PANEL, GENERALISING):
                yield from _mixed(answers, plan, size, arm, question)
            yield from _bayesian(answers, plan, size, arm)


def _mixed(answers: Answers, plan: AnalysisPlan, size: str, arm: str, question: str) -> Iterator[Number]:
    codes = plan.arms.index(arm), plan.arms.index(plan.baseline)
    fit = crossed_logistic(
        **answers.plain,
        treatment=codes[0],
        baseline=codes[1],
        question=question,
        level=plan.level,
        estimand=question_of(answers, plan, size, codes, SCOPES[question]),
    )
    yield from _lines(fit, BEGIN[question], {"size": size, "arm": arm, "versus": plan.baseline})


def _bayesian(answers: Answers, plan: AnalysisPlan, size: str, arm: str) -> Iterator[Number]:
    """The Bayesian line; of a contrast with more answers than the plan allows for, a row that says so."""
    codes = plan.arms.index(arm), plan.arms.index(plan.baseline)
    where = {"size": size, "arm": arm, "versus": plan.baseline}
    words = question_of(answers, plan, size, codes, SCOPES[GENERALISING])
    many = len(answers.said)
    if many > plan.bayesian_answers:
        why = f"not drawn: {many} answers are more than the plan's {plan.bayesian_answers} (bayesian_answers)"
        nothing = (UNDEFINED, UNDEFINED, UNDEFINED, plan.level)
        row = Interval(*nothing, "Bayesian logistic mixed model", words, len(answers.arm), many, refused=why)
        yield Number.of(row, kind="bayesian_difference", unit="difference", status=SENSITIVITY, **where)
        return
    fit = bayesian_logistic(
        **answers.plain,
        treatment=codes[0],
        baseline=codes[1],
        generator=np.random.default_rng([plan.seed, STREAM, codes[0], 1 + plan.sizes.index(size) if size else 0]),
        level=plan.level,
        estimand=words,
    )
    yield from _lines(fit, "bayesian", where)


def _lines(fit: CrossedLogistic | BayesianLogistic, begin: str, where: dict[str, str]) -> Iterator[Number]:
    place = {**where, "status": SENSITIVITY}
    yield Number.of(fit.odds_ratio, kind=f"{begin}_odds_ratio", unit="ratio", **place)
    yield Number.of(fit.marginal_difference, kind=f"{begin}_difference", unit="difference", **place)
    yield Number.of(fit.neuron_sd, kind=f"{begin}_neuron_sd", unit="sd", **place)
    if fit.rater_sd is not None and fit.rater_arm_sd is not None:
        yield Number.of(fit.rater_sd, kind=f"{begin}_rater_sd", unit="sd", **place)
        yield Number.of(fit.rater_arm_sd, kind=f"{begin}_rater_arm_sd", unit="sd", **place)


def question_of(answers: Answers, plan: AnalysisPlan, size: str, codes: tuple[int, int], scope: Scope) -> str:
    """What is compared and for whom; over all sizes, with the sizes in which both arms were judged."""
    words = scope.of(MODELLED)
    if size:
        return words
    both = set.intersection(*(set(np.unique(answers.size[answers.arm == code]).tolist()) for code in codes))
    return over_sizes(words, [name for code, name in enumerate(plan.sizes) if code in both])
