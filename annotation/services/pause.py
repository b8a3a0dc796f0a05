"""Stop an open study for a while, and let it go on."""

from django.db import transaction
from django.utils import timezone

from annotation.models import Study
from annotation.services.errors import StudyWrongState
from annotation.services.log import User, event_add, locked


@transaction.atomic
def study_pause(*, study: Study, by: User = None, reason: str = "") -> Study:
    """Take no answers until `study_resume`; nothing that raters entered is lost."""
    row = locked(study, Study.State.OPEN, step="pause")
    if row.paused_at is not None:
        raise StudyWrongState(f"“{row.title}” is paused already.")
    row.paused_at = timezone.now()
    row.save()
    event_add(row, by, "paused", reason.strip())
    return row


@transaction.atomic
def study_resume(*, study: Study, by: User = None) -> Study:
    row = locked(study, Study.State.OPEN, step="resume")
    if row.paused_at is None:
        raise StudyWrongState(f"“{row.title}” is not paused.")
    since, row.paused_at = row.paused_at, None
    row.save()
    event_add(row, by, "resumed", old=since.isoformat())
    return row
