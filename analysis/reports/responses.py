"""Answers question by question: one long table from the judgments, and what it says of predictions made from rules."""

import json
from collections.abc import Iterator
from typing import Any

import pandas as pd

from annotation.protocols.rule_prediction import PredictionCounts, prediction_counts

KEPT = [
    "study", "size", "arm", "layer", "neuron_id", "corpus", "rater", "rater_kind", "order", "repeat", "item", "task",
    "verdict", "rule_writer",
]  # fmt: skip
RESPONSE_COLUMNS = [*KEPT, "response", "value", "truth", "right", "drawn"]
PLACE = ["size", "arm", "rule_writer", "rater"]
PREDICTION_COLUMNS = [
    *PLACE, "rules", "hits", "false_alarms", "misses", "rejections", "precision", "recall",
]  # fmt: skip


def response_table(judgments: pd.DataFrame) -> pd.DataFrame:
    """One row per judgment and question: what was answered, what is right, and what was drawn for it.

    Parameters
    ----------
    judgments : DataFrame
        As `analysis.frames` makes it, with `responses`, `right_answers` and `drawn` as JSON objects by question.

    Returns
    -------
    DataFrame
        `RESPONSE_COLUMNS`. `right` is 1 or 0, and missing where nothing is right or wrong or no answer was given.
    """
    rows = [[*[row[name] for name in KEPT], *told] for row in judgments.to_dict("records") for told in _told(row)]
    table = pd.DataFrame(rows, columns=RESPONSE_COLUMNS)
    table["right"] = table["right"].astype("Int8")
    return table


def _told(row: dict[str, Any]) -> Iterator[tuple[str, str, str, int | None, str]]:
    given, right, drawn = (json.loads(row[name] or "{}") for name in ("responses", "right_answers", "drawn"))
    for name in sorted({*given, *right, *drawn}, key=_in_order):
        value, truth = given.get(name, ""), right.get(name, "")
        yield name, value, truth, int(value == truth) if value and truth else None, drawn.get(name, "")


def _in_order(name: str) -> tuple[str, int, str]:
    """trial_2 before trial_10, and trial_2_confidence behind trial_2."""
    stem, _, number = name.removesuffix("_confidence").rpartition("_")
    return (stem, int(number), name) if number.isdecimal() else (name, 0, name)


def prediction_table(judgments: pd.DataFrame) -> pd.DataFrame:
    """Precision and recall of every pair of writer and predictor, by size and arm; first showings only.

    Returns
    -------
    DataFrame
        `PREDICTION_COLUMNS`: counts of snippets over all rules of the pair; precision and recall 0 … 1, missing where
        nothing was predicted or nothing fires. A rule that could not be used counts as no rule.
    """
    made = judgments[(judgments["rule_writer"] != "") & (judgments["responses"] != "") & ~judgments["repeat"]]
    rows = []
    for place, group in made.groupby(PLACE, sort=True):
        counts = [
            prediction_counts(json.loads(given), json.loads(right))
            for given, right in zip(group["responses"], group["right_answers"], strict=True)
            if given != "{}"
        ]
        whole = _together(counts)
        rows.append([*place, len(counts), whole.hits, whole.false_alarms, whole.misses, whole.rejections,
                     whole.precision, whole.recall])  # fmt: skip
    return pd.DataFrame(rows, columns=PREDICTION_COLUMNS).astype({"precision": "float64", "recall": "float64"})


def _together(counts: list[PredictionCounts]) -> PredictionCounts:
    names = ("hits", "false_alarms", "misses", "rejections")
    return PredictionCounts(*(sum(getattr(one, name) for one in counts) for name in names))
