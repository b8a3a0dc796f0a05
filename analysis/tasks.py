"""Work in the background; thin, safe to run twice."""

from celery import shared_task

from analysis.services import report_build
from annotation.models import Study


@shared_task(name="analysis.report_build")  # type: ignore[untyped-decorator]
def report_build_task(study_id: int) -> int:
    """Make the report of an unblinded study; a second run finds the first one's row."""
    snapshot = report_build(study=Study.objects.get(pk=study_id))
    return int(snapshot.pk)
