"""Puts the report together."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.reports import estimands
from analysis.reports.bands import band_numbers
from analysis.reports.blinding import blinding_numbers
from analysis.reports.cells import NeuronCounts, Place, neuron_counts, rater_means, stacked_votes
from analysis.reports.document import AnalysisPlan, Report, TimeRow
from analysis.reports.exclusions import NOBODY, STRICT, Thresholds, exclusion_reasons
from analysis.reports.flow import flow_rows, rejected_rows
from analysis.reports.fractions import exclusion_question, family, panel_numbers, rater_question
from analysis.reports.scores import of_main_task, score_numbers
from analysis.reports.version import code_version
from analysis.stats.agreement import alpha_interval, pairwise_agreement
from analysis.stats.results import Number
from analysis.stats.times import thirds, time_summary

MEASURES = {"active": "active_seconds", "wall": "seconds"}


def report_make(
    judgments: pd.DataFrame,
    neurons: pd.DataFrame,
    draws: pd.DataFrame,
    raters: pd.DataFrame,
    plan: AnalysisPlan,
    *,
    input_sha256: str,
) -> Report:
    """The whole report from the tables of `analysis.frames` and the plan; the same input gives the same report.

    Only first showings count, and only raters of the plan's kind: repeats are for self-agreement, and declared machine
    raters are never mixed with people. What the frozen thresholds exclude is counted in the flow and nowhere else; the
    main numbers are given without any exclusion and under stricter ones too.
    """
    neurons = of_main_task(neurons)
    shown = judgments[~judgments["repeat"].astype(bool) & (judgments["rater_kind"] == plan.rater_kind)]
    shown = shown.assign(excluded=exclusion_reasons(shown, raters, plan.thresholds))
    scores = [*score_numbers(shown[shown["excluded"] == ""], plan)]
    shown = of_main_task(shown)
    judgments = shown[shown["excluded"] == ""]
    bands = [*band_numbers(judgments, plan)]
    counts, per_rater = neuron_counts(judgments), rater_means(judgments)
    numbers = [*panel_numbers(counts, plan), *_other_exclusions(shown, raters, plan)]
    for rater, means in sorted(per_rater.items()):
        numbers.extend(family(means, rater_question(rater), plan))
    numbers.extend(_agreement_numbers(neuron_counts(judgments, "item"), plan))
    numbers.extend(blinding_numbers(judgments, plan))
    numbers.extend(bands)
    numbers.extend(scores)
    return Report(
        plan=plan,
        raters=tuple(sorted(str(rater) for rater in judgments["rater"].unique())),
        judgments=int((judgments["responses"] != "").sum()),
        input_sha256=input_sha256,
        code_version=code_version(),
        numbers=tuple(numbers),
        flow=tuple(flow_rows(shown, neurons, draws, plan)),
        rejected=tuple(rejected_rows(draws, plan)),
        times=tuple(_time_rows(judgments, plan)),
    )


def _other_exclusions(shown: pd.DataFrame, raters: pd.DataFrame, plan: AnalysisPlan) -> Iterator[Number]:
    """Fractions and differences of the panel under other thresholds than the frozen ones."""
    for name, thresholds in ((NOBODY, Thresholds()), (STRICT, plan.thresholds.strict())):
        kept = shown[exclusion_reasons(shown, raters, thresholds) == ""]
        means = {place: counts.mean() for place, counts in neuron_counts(kept).items()}
        yield from family(means, exclusion_question(name), plan)


def _agreement_numbers(counts: dict[Place, NeuronCounts], plan: AnalysisPlan) -> Iterator[Number]:
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


def _time_rows(judgments: pd.DataFrame, plan: AnalysisPlan) -> Iterator[TimeRow]:
    answered = judgments[judgments["responses"] != ""]
    third = thirds(answered["order"], answered["list_length"])
    arms = answered["arm"].to_numpy(dtype=object)
    for measure, column in MEASURES.items():
        seconds = answered[column].to_numpy(dtype=float)
        for arm in ("", *plan.arms):
            in_arm = np.ones(len(arms), dtype=bool) if arm == "" else arms == arm
            for part in (0, 1, 2, 3):
                summary = time_summary(seconds[in_arm if part == 0 else in_arm & (third == part)])
                yield TimeRow(
                    id=f"time/{measure}/{arm or 'all'}/{part or 'all'}",
                    measure=measure,
                    arm=arm,
                    third=part,
                    n=summary.n,
                    median=summary.median,
                    first_quartile=summary.first_quartile,
                    third_quartile=summary.third_quartile,
                )
