"""Puts the report together."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.reports import estimands
from analysis.reports.bands import band_numbers
from analysis.reports.blinding import blinding_numbers
from analysis.reports.cells import Counts, NeuronCounts, item_counts, neuron_counts, rater_means, stacked_votes
from analysis.reports.document import AnalysisPlan, Report, main_kinds
from analysis.reports.estimands import Scope
from analysis.reports.exclusions import (
    COUNTS,
    NOBODY,
    STRICT,
    Exclusions,
    excluded_rows,
    exclusion_codes,
    exclusions_made,
)
from analysis.reports.flow import flow_rows, rejected_rows
from analysis.reports.fractions import exclusion_question, family, panel_numbers, rater_question
from analysis.reports.population import Populations, means_of, population_rows, populations_of, scope_of
from analysis.reports.ratings import ratings_read
from analysis.reports.response_times import time_rows
from analysis.reports.scores import asks_verdict, of_main_task, score_numbers
from analysis.reports.status import statuses_given
from analysis.reports.version import code_version
from analysis.stats.agreement import alpha_interval, pairwise_agreement
from analysis.stats.results import Number


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
    own = (judgments["rater_kind"] == plan.rater_kind).to_numpy(dtype=bool)
    table = judgments if own.all() else judgments[own]
    everything = ratings_read(table, plan)
    first = everything.first_showings()
    shown = first.where(asks_verdict(table)[first.row])
    codes = exclusion_codes(shown, raters, plan.thresholds)
    excluding = exclusions_made(shown, raters, plan)
    scored = first.where(exclusion_codes(first, raters, plan.thresholds) == COUNTS)
    rows = tuple(population_rows(strata, plan))
    populations = populations_of(rows, plan)
    scope = scope_of(plan, populations)
    numbers = [
        *_verdict_numbers(excluding, scope, populations, plan),
        *blinding_numbers(table.iloc[excluding.frozen.row], plan),
        *band_numbers(table, excluding.frozen, scope, populations, plan),
        *score_numbers(table, scored, plan),
    ]
    frozen = excluding.frozen
    return Report(
        plan=plan,
        raters=tuple(frozen.raters[code] for code in np.unique(frozen.rater)),
        judgments=int(frozen.answered.sum()),
        input_sha256=input_sha256,
        code_version=code_version(),
        numbers=statuses_given(numbers, plan, main_kinds(numbers, plan)),
        flow=tuple(flow_rows(shown, codes, of_main_task(neurons), draws, plan)),
        rejected=tuple(rejected_rows(draws, plan)),
        times=tuple(time_rows(frozen, plan)),
        excluded=tuple(excluded_rows(shown, codes, plan)),
        populations=rows,
    )


def _verdict_numbers(
    excluding: Exclusions, scope: Scope, populations: Populations, plan: AnalysisPlan
) -> Iterator[Number]:
    """What the verdicts say: of the panel, under other exclusions, of each rater; how far raters agree."""
    frozen = excluding.frozen
    yield from panel_numbers(neuron_counts(frozen), scope, populations, plan)
    for name in (NOBODY, STRICT):
        counts = neuron_counts(excluding.named()[name])
        means = means_of(counts, NeuronCounts.mean, scope, populations)
        yield from family(means, exclusion_question(name, scope), plan)
    for rater, own in rater_means(frozen).items():
        yield from family(own, rater_question(rater), plan)
    yield from _agreement_numbers(item_counts(frozen), plan)


def _agreement_numbers(counts: Counts, plan: AnalysisPlan) -> Iterator[Number]:
    """Raw agreement and alpha over all arms and in each; every line has its own stream of random numbers."""
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
