"""A study's life before and after its freeze."""

from dataclasses import asdict, replace

from django.db import transaction
from django.utils import timezone

from annotation.design import DesignRefused, StudyDesign, design_from_dict, design_to_dict
from annotation.models import Study
from annotation.services.leaks import leaks_refuse
from annotation.services.log import User, event_add, locked, reason_checked
from annotation.services.quality import checks_write
from annotation.services.versions import study_amend

State = Study.State


@transaction.atomic
def study_create(*, design: StudyDesign, by: User = None) -> Study:
    _slug_free(design)
    study = Study.objects.create(**_design_columns(design), created_by=by)
    event_add(study, by, "created")
    return study


@transaction.atomic
def study_update_design(*, study: Study, design: StudyDesign, by: User = None) -> Study:
    """Change the design of a draft."""
    row = locked(study, State.DRAFT, step="change")
    _slug_free(design, but=row)
    for name, value in _design_columns(design).items():
        setattr(row, name, value)
    row.save()
    event_add(row, by, "design changed")
    return row


@transaction.atomic
def study_open(*, study: Study, by: User = None, overrule: str = "") -> Study:
    """Let raters start.

    Where the leak audit found the arms too easy to tell, `overrule` says why the study opens all the same; the reason
    becomes part of the protocol, as an amendment.
    """
    row = locked(study, State.FROZEN, step="open")
    if overrule.strip():
        row = _leaks_overruled(row, reason_checked(overrule, "open the study above its leak limit"), by)
    leaks_refuse(row)
    row.state, row.opened_at = State.OPEN, timezone.now()
    row.save()
    event_add(row, by, "opened")
    return row


def _leaks_overruled(study: Study, reason: str, by: User) -> Study:
    blinding = asdict(replace(design_from_dict(study.design).blinding, leak_overruled=reason))
    study_amend(study=study, changes={"blinding": blinding}, reason=reason, by=by)
    event_add(study, by, "leak limit overruled", reason)
    return Study.objects.get(pk=study.pk)


@transaction.atomic
def study_close(*, study: Study, reason: str, by: User = None) -> Study:
    """Take no more answers, for good."""
    row = locked(study, State.OPEN, step="close")
    reason = reason.strip()
    row.state, row.closed_at, row.paused_at = State.CLOSED, timezone.now(), None
    row.save()
    checks_write(study=row)
    event_add(row, by, "closed", reason)
    return row


def _design_columns(design: StudyDesign) -> dict[str, object]:
    return {
        "slug": design.slug,
        "title": design.title,
        "rater_kind": design.rater_kind,
        "design": design_to_dict(design),
    }


def _slug_free(design: StudyDesign, but: Study | None = None) -> None:
    others = Study.objects.exclude(pk=but.pk) if but else Study.objects.all()
    if others.filter(slug=design.slug).exists():
        raise DesignRefused([("slug", f"Received {design.slug!r}; a study of that name exists, choose another.")])
