"""Answers question by question: one long table from the judgments, and what it says of predictions made from rules."""

import json
from collections.abc import Iterator

import numpy as np
import pandas as pd

from annotation.protocols.rule_prediction import PredictionCounts, prediction_counts

KEPT = [
    "study", "size", "arm", "layer", "neuron_id", "corpus", "rater", "rater_kind", "seat", "order", "repeat", "item",
    "task", "verdict", "rule_writer",
]  # fmt: skip
TOLD = ("responses", "right_answers", "drawn")
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
    texts = [judgments[name].astype(str) for name in TOLD]
    kinds: dict[tuple[str, ...], int] = {}
    # Many judgments have the same answers to the same questions: each combination is taken apart once.
    codes = np.array([kinds.setdefault(row, len(kinds)) for row in zip(*texts, strict=True)], dtype=np.int64)
    told = [list(_told(*row)) for row in kinds]
    lengths = np.array([len(rows) for rows in told], dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    counts = lengths[codes]
    first = np.repeat(np.cumsum(counts) - counts, counts)
    parts = np.repeat(starts[codes], counts) + np.arange(counts.sum()) - first
    flat = pd.DataFrame([row for rows in told for row in rows], columns=RESPONSE_COLUMNS[len(KEPT) :], dtype=object)
    kept = judgments[KEPT].iloc[np.repeat(np.arange(len(judgments)), counts)].reset_index(drop=True)
    table = pd.concat([kept, flat.iloc[parts].reset_index(drop=True)], axis=1)
    return table.astype({"response": "str", "value": "str", "truth": "str", "drawn": "str", "right": "Int8"})


def _told(responses: str, right_answers: str, drawn_as: str) -> Iterator[tuple[str, str, str, int | None, str]]:
    given, right, drawn = (json.loads(text or "{}") for text in (responses, right_answers, drawn_as))
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
