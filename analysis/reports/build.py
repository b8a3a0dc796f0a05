"""Puts the report together."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd

from analysis.reports import estimands
from analysis.reports.bands import band_numbers
from analysis.reports.blinding import blinding_numbers
from analysis.reports.cells import NeuronCounts, item_counts, neuron_counts, rater_means, stacked_votes
from analysis.reports.document import AnalysisPlan, Report, main_kinds
from analysis.reports.exclusions import NOBODY, STRICT, excluded_rows
from analysis.reports.flow import flow_rows, rejected_rows
from analysis.reports.fractions import exclusion_question, family, panel_numbers, rater_question
from analysis.reports.layers import layer_numbers
from analysis.reports.material import Material
from analysis.reports.permutation import permutation_numbers
from analysis.reports.population import means_of
from analysis.reports.response_times import time_rows
from analysis.reports.scores import of_main_task, score_numbers
from analysis.reports.sensitivity import sensitivity_numbers
from analysis.reports.status import statuses_given
from analysis.reports.version import code_version
from analysis.stats.agreement import alpha_interval, pairwise_agreement
from analysis.stats.results import Number

Part = Callable[[Material], Iterable[Number]]


def report_make(
    judgments: pd.DataFrame,
    neurons: pd.DataFrame,
    draws: pd.DataFrame,
    raters: pd.DataFrame,
    plan: AnalysisPlan,
    strata: pd.DataFrame | None = None,
    *,
    input_sha256: str,
) -> Report:
    """The whole report from the tables of `analysis.frames` and the plan; the same input gives the same report.

    Only first showings count, and only raters of the plan's kind: repeats are for self-agreement, and declared machine
    raters are never mixed with people. What the frozen thresholds exclude is counted in the flow and nowhere else; the
    main numbers are given without any exclusion and under stricter ones too.

    Parameters
    ----------
    strata : DataFrame, optional
        How many neurons every layer has. Without it a finite population is taken as unlimited, and layers are counted
        from the judgments.
    """
    material = Material.of(judgments, raters, plan, strata)
    numbers = [number for part in PARTS.values() for number in part(material)]
    frozen = material.frozen
    return Report(
        plan=plan,
        raters=tuple(frozen.raters[code] for code in np.unique(frozen.rater)),
        judgments=int(frozen.answered.sum()),
        input_sha256=input_sha256,
        code_version=code_version(),
        numbers=statuses_given(numbers, plan, main_kinds(numbers, plan)),
        flow=tuple(flow_rows(material.shown, material.why, of_main_task(neurons), draws, plan)),
        rejected=tuple(rejected_rows(draws, plan)),
        times=tuple(time_rows(frozen, plan)),
        excluded=tuple(excluded_rows(material.shown, material.why, plan)),
        populations=material.layers,
    )


def _fractions(material: Material) -> Iterator[Number]:
    yield from panel_numbers(material.counts, material.scope, material.populations, material.plan)


def _permutations(material: Material) -> Iterator[Number]:
    yield from permutation_numbers(material.frozen, material.plan)


def _exclusions(material: Material) -> Iterator[Number]:
    """Fractions and differences of the panel under other thresholds than the frozen ones."""
    for name in (NOBODY, STRICT):
        counts = neuron_counts(material.excluding.named()[name])
        means = means_of(counts, NeuronCounts.mean, material.scope, material.populations)
        yield from family(means, exclusion_question(name, material.scope), material.plan)


def _raters(material: Material) -> Iterator[Number]:
    for rater, own in rater_means(material.frozen).items():
        yield from family(own, rater_question(rater), material.plan)


def _sensitivity(material: Material) -> Iterator[Number]:
    yield from sensitivity_numbers(material.excluding, material.populations, material.plan)


def _layers(material: Material) -> Iterator[Number]:
    yield from layer_numbers(material.counts, material.layers, material.plan)


def _agreement(material: Material) -> Iterator[Number]:
    """Raw agreement and alpha over all arms and in each; every line has its own stream of random numbers."""
    plan, counts = material.plan, item_counts(material.frozen)
    groups = ["", *plan.arms]
    streams = np.random.SeedSequence(plan.seed).spawn(len(groups))
    for arm, stream in zip(groups, streams, strict=True):
        places = (place for place in plan.groups if arm in ("", place[1]))
        votes = stacked_votes(counts, places)
        raw = pairwise_agreement(votes, level=plan.level, estimand=estimands.AGREEMENT)
        alpha = alpha_interval(
            votes,
            generator=np.random.default_rng(stream),
            level=plan.level,
            resamples=plan.resamples,
            estimand=estimands.ALPHA,
        )
        yield Number.of(raw, kind="agreement", arm=arm)
        yield Number.of(alpha, kind="alpha", unit="alpha", arm=arm)


def _blinding(material: Material) -> Iterator[Number]:
    yield from blinding_numbers(material.table.iloc[material.frozen.row], material.plan)


def _bands(material: Material) -> Iterator[Number]:
    yield from band_numbers(material.table, material.frozen, material.scope, material.populations, material.plan)


def _scores(material: Material) -> Iterator[Number]:
    yield from score_numbers(material.table, material.every_task, material.plan)


# In the order of the report.
PARTS: dict[str, Part] = {
    "fractions and differences": _fractions,
    "permutation tests": _permutations,
    "other exclusions": _exclusions,
    "each rater alone": _raters,
    "sensitivity grid": _sensitivity,
    "thirds of layers": _layers,
    "agreement": _agreement,
    "blinding": _blinding,
    "bands": _bands,
    "scores": _scores,
}
