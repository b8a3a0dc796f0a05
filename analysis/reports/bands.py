"""The spectrum task: how often neurons are interpretable in each band of their activation, away from the top too."""

import json
from collections.abc import Iterator

import pandas as pd

from analysis.reports import estimands
from analysis.reports.cells import neuron_counts
from analysis.reports.document import AnalysisPlan
from analysis.reports.fractions import Question, family
from analysis.stats.results import Number
from annotation.protocols.options import TOP
from annotation.protocols.spectrum import NAME, SILENT, band_verdicts
from annotation.protocols.task import Answer
from annotation.protocols.trials import KINDS

FRACTION, DIFFERENCE = "band: ", "band difference: "  # begin the kinds; the band's name follows


def band_numbers(judgments: pd.DataFrame, plan: AnalysisPlan) -> Iterator[Number]:
    """Interpretable fractions and differences within each band, strongest first; nothing in other tasks.

    Parameters
    ----------
    judgments : DataFrame
        As `analysis.frames` makes it: first showings, of raters of one kind.
    """
    answered = judgments[(judgments["task"] == NAME) & (judgments["responses"] != "")]
    if answered.empty:
        return
    said = _said(answered)
    for band in sorted(said["band"].unique(), key=_strength, reverse=True):
        fraction, difference = (f"{text}; in the band {band}" for text in (estimands.BAND, estimands.BAND_DIFFERENCE))
        question = Question(f"{FRACTION}{band}", fraction, f"{DIFFERENCE}{band}", difference)
        counts = neuron_counts(said[said["band"] == band])
        yield from family({place: neurons.mean() for place, neurons in counts.items()}, question, plan)


def _said(answered: pd.DataFrame) -> pd.DataFrame:
    """One row per judgment and band: the verdict there."""
    rows = [
        (row.size, row.arm, row.neuron_id, band, verdict)
        for row in answered[["size", "arm", "neuron_id", "verdict", "responses", "drawn"]].itertuples(name="Row")
        for band, verdict in band_verdicts(
            Answer(verdict=row.verdict, responses=json.loads(row.responses)), {KINDS: json.loads(row.drawn)}
        ).items()
    ]
    return pd.DataFrame(rows, columns=["size", "arm", "neuron_id", "band", "verdict"])


def _strength(band: str) -> float:
    """Bands by their lower end, as `band_name` calls them."""
    return {TOP: 101.0, SILENT: -1.0}.get(band) or float(band.split("–")[0])
