"""How often answers with a right and a wrong were right: trials, intruders, and predictions made from rules."""

import json
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pandas as pd

from analysis.reports import estimands
from analysis.reports.cells import Place
from analysis.reports.document import SCORED, AnalysisPlan
from analysis.reports.estimands import HERE, Scope
from analysis.reports.fractions import Question, family
from analysis.reports.generalising import Named, generalising_numbers
from analysis.reports.permutation import RIGHT as SCORE_IN_WORDS
from analysis.reports.permutation import score_permutations
from analysis.reports.population import NOWHERE
from analysis.reports.ratings import UNANSWERED, Codes, Floats, Mask, Ratings
from analysis.stats.proportions import ClusterMean, cluster_mean
from analysis.stats.results import Number
from annotation.design.analysis import GENERALISING
from annotation.protocols import TASKS
from annotation.protocols.rule_prediction import NAME as RULE_PREDICTION
from annotation.protocols.task import YES

NOTHING_RIGHT = ("", "{}")
NEW_RATERS = Named(estimands.SCORE, *SCORED[GENERALISING])
RIGHT, ANSWERED, HITS, PREDICTED, FIRING = range(5)  # columns of a tally


def of_main_task(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that ask whether the neuron is interpretable; all rows in a study that never asks."""
    return table[asks_verdict(table)]


def asks_verdict(table: pd.DataFrame) -> Mask:
    """Which rows ask whether the neuron is interpretable; all of them in a study that never asks."""
    codes, tasks = pd.factorize(table["task"])
    asks = np.array([TASKS[task].asks_verdict for task in tasks], dtype=bool)
    return asks[codes] if asks.any() else np.ones(len(table), dtype=bool)


def score_numbers(table: pd.DataFrame, counted: Ratings, plan: AnalysisPlan) -> Iterator[Number]:
    """Share of right answers by size and arm, differences, and for predictions precision and recall too.

    Parameters
    ----------
    table : DataFrame
        As `analysis.frames` makes it, for its answers question by question.
    counted : Ratings
        The rows of that table which count.
    """
    marked = counted.where((~table["right_answers"].isin(NOTHING_RIGHT)).to_numpy(dtype=bool)[counted.row])
    marked = marked.where(marked.answered)
    tallies = _tallies(table, marked)
    asks = bool(counted.judged.any())
    if not tallies[:, ANSWERED].any():
        return
    right, answered = (_per_neuron(marked, tallies[:, column]) for column in (RIGHT, ANSWERED))
    means = _means(marked, right, answered)
    yield from family(means, Question("score", "score_difference", estimands.SCORE, HERE), plan)
    shares = marked.with_scores(_shares(tallies[:, RIGHT], tallies[:, ANSWERED], UNANSWERED))
    yield from generalising_numbers(shares, Scope(GENERALISING), NOWHERE, plan, NEW_RATERS)
    if not asks:  # else the verdicts are what the study is about
        share = _shares(right, answered, np.nan)
        yield from score_permutations(marked, share, answered, SCORE_IN_WORDS, plan)
    if not (tallies[:, PREDICTED] + tallies[:, FIRING]).any():
        return
    for name, what, whole in (("precision", estimands.PRECISION, PREDICTED), ("recall", estimands.RECALL, FIRING)):
        hits, chances = (_per_neuron(marked, tallies[:, column]) for column in (HITS, whole))
        means = _means(marked, hits, chances)
        yield from family(means, Question(name, f"{name}_difference", what, HERE), plan)


def _tallies(table: pd.DataFrame, marked: Ratings) -> Codes:
    """Counts of every row, shape (rows, 5)."""
    rows = table[["responses", "right_answers", "task"]].iloc[marked.row]
    told = [_tally(*row) for row in rows.itertuples(index=False, name=None)]
    return np.array(told, dtype=np.int64).reshape(len(told), 5)


@lru_cache(maxsize=100_000)
def _tally(responses: str, right_answers: str, task: str) -> tuple[int, int, int, int, int]:
    """Right answers, answers with a right and a wrong; and of predictions: hits, predicted to fire, firing."""
    given, right = json.loads(responses), json.loads(right_answers)
    pairs = [(given[name], truth) for name, truth in right.items() if truth and given.get(name)]
    correct = sum(value == truth for value, truth in pairs)
    if task != RULE_PREDICTION:
        return correct, len(pairs), 0, 0, 0
    predicted, firing = [value == YES for value, _ in pairs], [truth == YES for _, truth in pairs]
    hits = sum(said and fires for said, fires in zip(predicted, firing, strict=True))
    return correct, len(pairs), hits, sum(predicted), sum(firing)


def _shares(right: Codes, answered: Codes, nothing: float) -> Floats:
    return np.where(answered > 0, right / np.maximum(answered, 1), nothing)


def _per_neuron(marked: Ratings, values: Codes) -> Codes:
    return np.bincount(marked.neuron, weights=values, minlength=len(marked.names)).astype(np.int64)


def _means(marked: Ratings, hits: Codes, whole: Codes) -> dict[Place, ClusterMean]:
    """Mean over neurons of the share of hits, by size and arm."""
    found = {}
    for code in np.unique(marked.place[marked.neuron]).tolist():
        here = marked.place == code
        place = marked.sizes[code // len(marked.arms)], marked.arms[code % len(marked.arms)]
        found[place] = cluster_mean(hits[here], whole[here])
    return found
