"""How often answers with a right and a wrong were right: trials, intruders, and predictions made from rules."""

from collections.abc import Iterator

import pandas as pd

from analysis.reports import estimands
from analysis.reports.cells import Place
from analysis.reports.document import AnalysisPlan
from analysis.reports.fractions import Question, family
from analysis.reports.responses import response_table
from analysis.stats.proportions import ClusterMean, cluster_mean
from analysis.stats.results import Number
from annotation.protocols import TASKS
from annotation.protocols.rule_prediction import NAME as RULE_PREDICTION
from annotation.protocols.task import YES

SCORE = Question("score", estimands.SCORE, "score_difference", estimands.SCORE_DIFFERENCE)
PRECISION = Question("precision", estimands.PRECISION, "precision_difference", estimands.PRECISION_DIFFERENCE)
RECALL = Question("recall", estimands.RECALL, "recall_difference", estimands.RECALL_DIFFERENCE)


def of_main_task(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that ask whether the neuron is interpretable; all rows in a study that never asks."""
    asks = table["task"].map(lambda task: TASKS[task].asks_verdict).astype(bool)
    return table[asks] if asks.any() else table


def score_numbers(judgments: pd.DataFrame, plan: AnalysisPlan) -> Iterator[Number]:
    """Share of right answers by size and arm, differences, and for predictions precision and recall too.

    Parameters
    ----------
    judgments : DataFrame
        As `analysis.frames` makes it: first showings, of raters of one kind.
    """
    answers = response_table(judgments)
    answers = answers[answers["right"].notna()]
    if answers.empty:
        return
    yield from family(_means(answers, answers["right"] == 1), SCORE, plan)
    predictions = answers[answers["task"] == RULE_PREDICTION]
    if predictions.empty:
        return
    predicted, firing = predictions["value"] == YES, predictions["truth"] == YES
    yield from family(_means(predictions[predicted], firing[predicted]), PRECISION, plan)
    yield from family(_means(predictions[firing], predicted[firing]), RECALL, plan)


def _means(answers: pd.DataFrame, hits: pd.Series) -> dict[Place, ClusterMean]:
    """Mean over neurons of the share of hits, by size and arm."""
    marked = answers[["size", "arm", "neuron_id"]].assign(hit=hits.astype(int))
    counts = marked.groupby(["size", "arm", "neuron_id"], sort=True)["hit"].agg(["sum", "count"])
    return {
        (str(size), str(arm)): cluster_mean(here["sum"].to_numpy(), here["count"].to_numpy())
        for (size, arm), here in counts.groupby(level=["size", "arm"])
    }
