"""The spectrum task: how often neurons are interpretable in each band of their activation, away from the top too."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd

from analysis.reports import estimands
from analysis.reports.cells import NeuronCounts, neuron_counts
from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import Scope
from analysis.reports.fractions import Question, family
from analysis.reports.generalising import Named, generalising_numbers
from analysis.reports.population import Populations, means_of
from analysis.reports.ratings import VERDICTS, Ratings
from analysis.stats.results import Number
from annotation.design.analysis import GENERALISING
from annotation.protocols.options import TOP
from annotation.protocols.spectrum import NAME, SILENT, band_verdicts
from annotation.protocols.task import Answer
from annotation.protocols.trials import KINDS

FRACTION, DIFFERENCE = "band: ", "band difference: "  # begin the kinds; the band's name follows

FRACTION_NEW_RATERS, DIFFERENCE_NEW_RATERS = "band for new raters: ", "band difference for new raters: "


def band_numbers(
    table: pd.DataFrame, counted: Ratings, scope: Scope, populations: Populations, plan: AnalysisPlan
) -> Iterator[Number]:
    """Interpretable fractions and differences within each band, strongest first; nothing in other tasks.

    For new raters too, if the plan asks about them.

    Parameters
    ----------
    table : DataFrame
        As `analysis.frames` makes it, for its answers question by question.
    counted : Ratings
        The rows of that table which count.
    """
    for band, ratings in ratings_by_band(table, counted).items():
        what = f"{estimands.BAND}, in the band {band}"
        question = Question(f"{FRACTION}{band}", f"{DIFFERENCE}{band}", what, scope)
        means = means_of(neuron_counts(ratings), NeuronCounts.mean, scope, populations)
        yield from family(means, question, plan)
        if plan.asks == GENERALISING:
            named = Named(what, f"{FRACTION_NEW_RATERS}{band}", f"{DIFFERENCE_NEW_RATERS}{band}")
            yield from generalising_numbers(ratings, replace(scope, asks=GENERALISING), populations, plan, named)


def ratings_by_band(table: pd.DataFrame, counted: Ratings) -> dict[str, Ratings]:
    """For each band, strongest first, the same rows with the verdict there; empty in other tasks."""
    rows = counted.where((table["task"] == NAME).to_numpy(dtype=bool)[counted.row])
    rows = rows.where(rows.answered)
    texts = table[["verdict", "responses", "drawn"]].iloc[rows.row]
    said = [_verdicts(*row) for row in texts.itertuples(index=False, name=None)]
    bands = sorted({band for verdicts in said for band in verdicts}, key=_strength, reverse=True)
    return {band: _within(rows, [verdicts.get(band, -1) for verdicts in said]) for band in bands}


def _within(rows: Ratings, codes: list[int]) -> Ratings:
    """Rows that showed a band, with the verdict there."""
    verdict = np.array(codes, dtype=np.int64)
    shown = verdict >= 0
    return rows.where(shown).with_verdicts(verdict[shown])


@lru_cache(maxsize=100_000)
def _verdicts(verdict: str, responses: str, drawn: str) -> dict[str, int]:
    """Codes of the verdicts by band."""
    answer = Answer(verdict=verdict, responses=json.loads(responses))
    said = band_verdicts(answer, {KINDS: json.loads(drawn)})
    return {band: VERDICTS.index(here) for band, here in said.items()}


def _strength(band: str) -> float:
    """Bands by their lower end, as `band_name` calls them."""
    return {TOP: 101.0, SILENT: -1.0}.get(band) or float(band.split("–")[0])
