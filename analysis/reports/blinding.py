"""Did the blind hold: indices from the guesses that raters made when their verdicts were locked."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.reports.document import AnalysisPlan
from analysis.stats.blinding_index import (
    clustered_bang_index,
    guess_scores,
    guess_table,
    james_index,
    permutation_p,
)
from analysis.stats.results import UNDEFINED, Interval, Number

JAMES = "1 complete blinding, 0.5 random guessing, 0 every guess right; an upper limit below 0.5 says unblinded"
BANG = "0 random guessing, 1 every guess right, -1 every guess wrong; raters' guesses about neurons of this arm"
P = (
    "chance that guesses are right as often if they knew nothing of the arm: arms dealt out anew over the neurons of "
    "each size"
)
VERDICTS = {"": "", "yes": "interpretable", "no": "not interpretable"}
PERMUTATIONS = 2_000


def blinding_numbers(judgments: pd.DataFrame, plan: AnalysisPlan) -> Iterator[Number]:
    """James over all arms, Bang for each arm, over all verdicts and within Yes and No; and a permutation test.

    A rater who believes that one arm is clearer guesses it for clear neurons: within one verdict that is taken out.
    """
    guessed = judgments[judgments["guess_arm"].fillna("") != ""]
    if guessed.empty or len(plan.arms) < 2:
        return
    for verdict in VERDICTS:
        here = guessed if not verdict else guessed[guessed["verdict"] == verdict]
        yield from _indices(here, plan, verdict)
    yield _test(guessed, plan)


def _indices(guessed: pd.DataFrame, plan: AnalysisPlan, verdict: str) -> Iterator[Number]:
    guesses, truths = guessed["guess_arm"].tolist(), guessed["arm"].tolist()
    given = f"; neurons that the rater called {VERDICTS[verdict]}" if verdict else ""
    suffix = f"_{verdict}" if verdict else ""
    james = james_index(guess_table(guesses, truths, plan.arms), level=plan.level, estimand=JAMES + given)
    yield Number.of(james, kind=f"james{suffix}", unit="index")
    scores = guess_scores(guesses, truths, plan.arms)
    for arm in plan.arms:
        mine = (guessed["arm"] == arm).to_numpy()
        bang = clustered_bang_index(
            scores[mine], guessed.loc[mine, "neuron_id"].tolist(), level=plan.level, estimand=BANG + given
        )
        yield Number.of(bang, kind=f"bang{suffix}", unit="index", arm=arm)


def _test(guessed: pd.DataFrame, plan: AnalysisPlan) -> Number:
    value = permutation_p(
        guessed["guess_arm"].tolist(),
        guessed["arm"].tolist(),
        guessed["neuron_id"].tolist(),
        guessed["size"].tolist(),
        generator=np.random.default_rng([plan.seed, 1]),
        permutations=PERMUTATIONS,
    )
    said = f"permutation of arms over neurons within size, one-sided, {PERMUTATIONS} permutations"
    neurons = guessed["neuron_id"].nunique()
    interval = Interval(value, UNDEFINED, UNDEFINED, plan.level, said, P, int(neurons), len(guessed))
    return Number.of(interval, kind="guess_p", unit="p")
