"""The contrasts by models of single answers: sensitivity lines beside the estimates that need no model."""

from collections.abc import Iterator

import numpy as np

from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import HERE, Scope, over_sizes
from analysis.reports.ratings import Answers, Ratings
from analysis.stats.mixed import CrossedLogistic, crossed_logistic
from analysis.stats.results import SENSITIVITY, Interval, Number
from annotation.design.analysis import GENERALISING, PANEL

SCOPES = {PANEL: HERE, GENERALISING: Scope(asks=GENERALISING)}
# The kinds begin with these.
BEGIN = {PANEL: "mixed", GENERALISING: "mixed_generalising"}
MODELLED = "treatment against baseline by a model of single answers"


def model_numbers(ratings: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    """Each contrast by the panel and by the generalising model: over all sizes, and where the primary contrast is.

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
                yield from _model(answers, plan, size, arm, question)


def _model(answers: Answers, plan: AnalysisPlan, size: str, arm: str, question: str) -> Iterator[Number]:
    codes = plan.arms.index(arm), plan.arms.index(plan.baseline)
    fit = crossed_logistic(
        **answers.plain,
        treatment=codes[0],
        baseline=codes[1],
        question=question,
        level=plan.level,
        estimand=question_of(answers, plan, size, codes, SCOPES[question]),
    )
    begin, where = BEGIN[question], {"size": size, "arm": arm, "versus": plan.baseline, "status": SENSITIVITY}
    yield Number.of(fit.odds_ratio, kind=f"{begin}_odds_ratio", unit="ratio", **where)
    yield Number.of(fit.marginal_difference, kind=f"{begin}_difference", unit="difference", **where)
    for name, interval in _spreads(fit):
        yield Number.of(interval, kind=f"{begin}_{name}", unit="sd", **where)


def _spreads(fit: CrossedLogistic) -> Iterator[tuple[str, Interval]]:
    yield "neuron_sd", fit.neuron_sd
    if fit.rater_sd is not None and fit.rater_arm_sd is not None:
        yield "rater_sd", fit.rater_sd
        yield "rater_arm_sd", fit.rater_arm_sd


def question_of(answers: Answers, plan: AnalysisPlan, size: str, codes: tuple[int, int], scope: Scope) -> str:
    """What is compared and for whom; over all sizes, with the sizes in which both arms were judged."""
    words = scope.of(MODELLED)
    if size:
        return words
    both = set.intersection(*(set(np.unique(answers.size[answers.arm == code]).tolist()) for code in codes))
    return over_sizes(words, [name for code, name in enumerate(plan.sizes) if code in both])
