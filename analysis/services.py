"""Reports of unblinded studies: made, kept, and handed out as files."""

import json
from datetime import datetime
from functools import cache

from django.contrib.auth.models import User as Account
from django.db import transaction

from analysis.export import Sources
from analysis.export.sources import Facts, StudySources, Tables
from analysis.frames import StudyFrames, StudyStillBlinded, study_disclosure, study_frames
from analysis.models import ReportSnapshot
from analysis.record import amendments_said, leak_areas, leaks_said, study_record
from analysis.reports import AnalysisPlan, Report, Thresholds, code_version, report_make
from analysis.reports.comparison import Comparison, comparison_make
from annotation.design import design_from_dict
from annotation.design.licence import NO_LICENCE
from annotation.design.quality import QualityDesign
from annotation.models import PersonErasure, Study, Unblinding

__all__ = [
    "StudyStillBlinded",
    "report_build",
    "report_current",
    "report_facts",
    "report_sources",
    "studies_compared",
]

User = Account | None


def report_build(*, study: Study, by: User = None) -> ReportSnapshot:
    """Compute the report and keep it. The same tables and code give back the row that is already there.

    Raises `StudyStillBlinded` until the study is unblinded.
    """
    return _snapshot(study, study_frames(study), by)


def report_current(*, study: Study, by: User = None) -> ReportSnapshot:
    """The newest report made by the code that is running, made now if there is none or a rater was erased since.

    Raises `StudyStillBlinded` until the study is unblinded.
    """
    unblinding_of(study)
    kept = ReportSnapshot.objects.filter(study=study, code_version=code_version()).first()
    erased = PersonErasure.objects.filter(study=study).order_by("at").last()
    if kept is None or (erased is not None and erased.at > kept.created_at):
        return report_build(study=study, by=by)
    return kept


def report_sources(*, study: Study, by: User = None) -> Sources:
    """Everything that an export is made from, on one and the same reading of the tables.

    Raises `StudyStillBlinded` until the study is unblinded.
    """
    frames = study_frames(study)
    return Sources(
        report=Report.from_json(_snapshot(study, frames, by).numbers),
        facts=report_facts(study),
        tables=lambda: _tables(frames),
        study=StudySources(
            protocol=study.protocol,
            disclosure=cache(lambda: study_disclosure(study)),
            record=cache(lambda: study_record(study)),
        ),
        licence=_licence(study),
    )


def _tables(frames: StudyFrames) -> Tables:
    return Tables(frames.judgments, frames.neurons, frames.raters, frames.strata, frames.draws, frames.checks)


def _licence(study: Study) -> str:
    """The licence in force; none where a protocol was frozen before designs named one."""
    return str(study.design.get("plan", {}).get("data_licence", NO_LICENCE))


def report_facts(study: Study) -> Facts:
    """Dates, name and reason of the unblinding, as words."""
    unblinding = unblinding_of(study)
    return Facts(
        frozen_at=_when(study.frozen_at),
        closed_at=_when(study.closed_at),
        unblinded_at=_when(unblinding.at),
        unblinded_by=unblinding.by.get_username() if unblinding.by else "an account that no longer exists",
        unblinded_because=unblinding.reason,
        leaks=leaks_said(study),
        amendments=amendments_said(study),
        shown=_shown_said(study),
        leak_areas=leak_areas(study),
    )


def _shown_said(study: Study) -> str:
    design = design_from_dict(study.design)
    return (
        f"task {design.protocol}, {design.snippets_per_neuron} snippets per neuron, display {design.display}, "
        f"corpus {design.corpus}"
    )


def studies_compared(*, first: Study, second: Study, by: User = None) -> Comparison:
    """The reports of two studies held against each other.

    Raises `StudyStillBlinded` until both are unblinded.
    """
    reports = [Report.from_json(report_current(study=study, by=by).numbers) for study in (first, second)]
    return comparison_make(reports[0], reports[1], (first.design, second.design))


def unblinding_of(study: Study) -> Unblinding:
    """The recorded act that opens a study's arms, or `StudyStillBlinded`."""
    unblinding: Unblinding | None = Unblinding.objects.filter(study=study).select_related("by").first()
    if unblinding is None:
        raise StudyStillBlinded(f"“{study.title}” is still blinded; an admin can unblind it after it is closed.")
    return unblinding


def plan_of(study: Study) -> AnalysisPlan:
    """The plan as frozen: order of sizes and arms from the protocol, the baseline as named, else by name or place."""
    protocol = json.loads(study.protocol)
    design = design_from_dict(protocol["design"])
    groups = tuple((pair.size, arm.name) for pair in design.pairs for arm in pair.arms)
    arms, asked = tuple(arm for _, arm in groups), design.analysis
    return AnalysisPlan(
        study=study.slug,
        title=study.title,
        rater_kind=study.rater_kind,
        question=protocol["shown_to_raters"]["question"],
        groups=groups,
        baseline=asked.baseline_among(arms),
        protocol_sha256=study.protocol_sha256,
        seed=design.seed,
        level=asked.level,
        resamples=asked.resamples,
        asks=asked.question,
        vote=asked.vote,
        population=asked.population,
        treatment=asked.treatment,
        size=asked.size,
        looks=asked.looks,
        spending=asked.spending,
        permutations=asked.permutations,
        bayesian_answers=asked.bayesian_answers,
        layers=design.sampling.layers,
        thresholds=_thresholds(design_from_dict(study.design).quality),
    )


def _thresholds(quality: QualityDesign) -> Thresholds:
    """The thresholds in force: those frozen, or amended before the first answer."""
    return Thresholds(
        least_catches_right=quality.least_catches_right,
        most_beyond_times=quality.most_beyond_times,
        exclude_beyond_times=quality.exclude_beyond_times,
        least_seconds=quality.least_seconds,
        most_seconds=quality.most_seconds,
    )


@transaction.atomic
def _snapshot(study: Study, frames: StudyFrames, by: User) -> ReportSnapshot:
    plan = plan_of(study)
    identity = {"input_sha256": frames.sha256, "code_version": code_version(), "seed": plan.seed}
    kept = ReportSnapshot.objects.filter(study=study, **identity).first()
    if kept is not None:
        return kept
    report = report_make(
        frames.judgments, frames.neurons, frames.draws, frames.raters, plan, frames.strata, input_sha256=frames.sha256
    )
    snapshot, _ = ReportSnapshot.objects.get_or_create(
        study=study, **identity, defaults={"numbers": report.to_json(), "created_by": by}
    )
    return snapshot


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "–"
