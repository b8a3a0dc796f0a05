"""Puts the report together."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd

from analysis.reports.agreement import agreement_numbers, self_agreement_numbers
from analysis.reports.bands import band_numbers
from analysis.reports.blinding import blinding_numbers
from analysis.reports.cells import NeuronCounts, neuron_counts, rater_means
from analysis.reports.dawid import dawid_numbers
from analysis.reports.document import AnalysisPlan, Report, main_kinds
from analysis.reports.exact import exact_numbers
from analysis.reports.exclusions import NOBODY, STRICT, excluded_rows
from analysis.reports.flow import flow_rows, rejected_rows
from analysis.reports.fractions import exclusion_question, family, panel_numbers, rater_question
from analysis.reports.generalising import generalising_difference, generalising_numbers
from analysis.reports.layers import layer_numbers
from analysis.reports.leniency import leniency_numbers
from analysis.reports.looks import look_numbers
from analysis.reports.material import Material
from analysis.reports.models import model_numbers
from analysis.reports.order import order_numbers
from analysis.reports.permutation import permutation_numbers
from analysis.reports.population import means_of, scope_of
from analysis.reports.response_times import time_rows
from analysis.reports.scores import of_main_task, score_numbers
from analysis.reports.sensitivity import model_cells, sensitivity_numbers
from analysis.reports.status import statuses_given
from analysis.reports.stratified import stratified_numbers
from analysis.reports.version import code_version
from analysis.stats.results import Number
from annotation.design.analysis import GENERALISING

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
    numbers += model_cells(numbers, material.excluding, plan)
    frozen = material.frozen
    return Report(
        plan=plan,
        raters=tuple(frozen.raters[code] for code in np.unique(frozen.rater[frozen.answered])),
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


def _generalising(material: Material) -> Iterator[Number]:
    scope = scope_of(material.plan, material.populations, GENERALISING)
    yield from generalising_numbers(material.frozen, scope, material.populations, material.plan)


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


def _exact(material: Material) -> Iterator[Number]:
    yield from exact_numbers(material.counts, material.populations, material.plan)


def _stratified(material: Material) -> Iterator[Number]:
    yield from stratified_numbers(material.counts, material.plan)


def _looks(material: Material) -> Iterator[Number]:
    scope = scope_of(material.plan, material.populations, GENERALISING)

    def new_raters(asked: AnalysisPlan) -> Number:
        return generalising_difference(material.frozen, scope, material.populations, asked, asked.place, asked.compared)

    yield from look_numbers(material.counts, material.scope, material.populations, material.plan, new_raters)


def _models(material: Material) -> Iterator[Number]:
    yield from model_numbers(material.frozen, material.plan)


def _order(material: Material) -> Iterator[Number]:
    yield from order_numbers(material.frozen, material.plan)


def _layers(material: Material) -> Iterator[Number]:
    yield from layer_numbers(material.counts, material.layers, material.plan)


def _agreement(material: Material) -> Iterator[Number]:
    yield from agreement_numbers(material.frozen, material.plan)


def _self_agreement(material: Material) -> Iterator[Number]:
    yield from self_agreement_numbers(material.repeated, material.plan)


def _leniency(material: Material) -> Iterator[Number]:
    yield from leniency_numbers(material.frozen, material.plan)


def _dawid(material: Material) -> Iterator[Number]:
    yield from dawid_numbers(material.frozen, material.plan)


def _blinding(material: Material) -> Iterator[Number]:
    yield from blinding_numbers(material.frozen, material.plan)


def _bands(material: Material) -> Iterator[Number]:
    yield from band_numbers(material.table, material.frozen, material.scope, material.populations, material.plan)


def _scores(material: Material) -> Iterator[Number]:
    yield from score_numbers(material.table, material.every_task, material.plan)


# In the order of the report.
PARTS: dict[str, Part] = {
    "fractions and differences": _fractions,
    "new raters too": _generalising,
    "permutation tests": _permutations,
    "other exclusions": _exclusions,
    "each rater alone": _raters,
    "sensitivity grid": _sensitivity,
    "exact fractions": _exact,
    "looks": _looks,
    "tables over sizes": _stratified,
    "models": _models,
    "thirds of layers": _layers,
    "agreement": _agreement,
    "repeats": _self_agreement,
    "leniency": _leniency,
    "latent class": _dawid,
    "blinding": _blinding,
    "order and time": _order,
    "bands": _bands,
    "scores": _scores,
}
