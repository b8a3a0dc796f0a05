"""Did the blind hold: indices from the guesses that raters made when their verdicts were locked."""

from collections.abc import Iterator

import numpy as np

from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import HERE
from analysis.reports.ratings import DONT_KNOW, NO, YES, Codes, Ratings
from analysis.stats.blinding_index import (
    bang_index,
    clustered_bang_index,
    clustered_james_index,
    guess_scores,
    guess_table,
    james_index,
)
from analysis.stats.guess_permutation import guess_permutation
from analysis.stats.results import Number

JAMES = HERE.of(
    "1 complete blinding, 0.5 random guessing, 0 every guess right; an upper limit below 0.5 says unblinded"
)
BANG = HERE.of("0 random guessing, 1 every guess right, -1 every guess wrong; guesses about neurons of this arm")
P = (
    "guesses of the arm are right as often as if the raters knew nothing of it; arms dealt out anew over the neurons "
    "of each size"
)
P_GIVEN = (
    "guesses of the arm are right as often as if the raters knew nothing of it beyond their verdict; arms dealt out "
    "anew over the neurons of each size that had the same share of yes, in tenths"
)
VERDICTS = {"": "", "yes": "interpretable", "no": "not interpretable"}
CODES = {"yes": YES, "no": NO}
STREAM, STREAM_GIVEN = 1, 3  # of the plan's seed
TENTHS = 10


def blinding_numbers(ratings: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    """James over all arms, Bang for each arm, over all verdicts and within Yes and No; each rater's; two tests.

    A rater who believes that one arm is clearer guesses it for clear neurons: within one verdict that is taken out.

    Parameters
    ----------
    ratings : Ratings
        First showings that count.
    """
    guessed = ratings.where(ratings.guess >= DONT_KNOW)
    if not len(guessed) or len(plan.arms) < 2:
        return
    for verdict in VERDICTS:
        here = guessed.where(guessed.verdict == CODES[verdict]) if verdict else guessed
        yield from _indices(here, plan, verdict)
    yield from _by_rater(guessed, plan)
    yield from _tests(guessed, plan)


def _indices(guessed: Ratings, plan: AnalysisPlan, verdict: str) -> Iterator[Number]:
    truth, arms = guessed.arm[guessed.neuron], len(plan.arms)
    given = f"; neurons that the rater called {VERDICTS[verdict]}" if verdict else ""
    suffix = f"_{verdict}" if verdict else ""
    james = clustered_james_index(guessed.guess, truth, guessed.neuron, arms, level=plan.level, estimand=JAMES + given)
    yield Number.of(james, kind=f"james{suffix}", unit="index")
    scores = guess_scores(guessed.guess, truth, arms)
    for code, arm in enumerate(plan.arms):
        mine = truth == code
        bang = clustered_bang_index(scores[mine], guessed.neuron[mine], level=plan.level, estimand=BANG + given)
        yield Number.of(bang, kind=f"bang{suffix}", unit="index", arm=arm)


def _by_rater(guessed: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    """The same for each rater alone, who guesses once about a neuron, so that the published variances hold."""
    truth = guessed.arm[guessed.neuron]
    by_rater = np.argsort(guessed.rater, kind="stable")
    codes, starts = np.unique(guessed.rater[by_rater], return_index=True)
    for code, own in zip(codes.tolist(), np.split(by_rater, starts[1:]), strict=True):
        table = guess_table(guessed.guess[own], truth[own], len(plan.arms))
        rater = guessed.raters[code]
        james = james_index(table, level=plan.level, estimand=JAMES)
        yield Number.of(james, kind="rater_james", unit="index", rater=rater)
        for place, arm in enumerate(plan.arms):
            bang = bang_index(table, place, level=plan.level, estimand=BANG)
            yield Number.of(bang, kind="rater_bang", unit="index", arm=arm, rater=rater)


def _tests(guessed: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    verdicts = guessed.where(guessed.judged)
    for kind, rows, stratum, stream, hypothesis in (
        ("guess_p", guessed, guessed.size, STREAM, P),
        ("guess_p_given_verdict", verdicts, _same_verdicts(verdicts), STREAM_GIVEN, P_GIVEN),
    ):
        test = guess_permutation(
            guess=rows.guess,
            neuron=rows.neuron,
            arm=rows.arm,
            stratum=stratum,
            generator=np.random.default_rng([plan.seed, stream]),
            permutations=plan.permutations,
            hypothesis=hypothesis,
        )
        yield Number.of_test(test, kind=kind, level=plan.level)


def _same_verdicts(ratings: Ratings) -> Codes:
    """Of every neuron its size and the share of yes among those who guessed, in tenths."""
    neurons = len(ratings.names)
    judged = np.bincount(ratings.neuron, minlength=neurons)
    yes = np.bincount(ratings.neuron[ratings.verdict == YES], minlength=neurons)
    tenth = TENTHS * yes // np.maximum(judged, 1)
    codes: Codes = ratings.size * (TENTHS + 1) + tenth
    return codes
