"""Celery tasks: ids in, all work in neurons.pipeline. The pipeline is imported in the body, so that web processes,
which import this module to send tasks, never load torch."""

from celery import shared_task

from neurons.artifacts import ArtifactBusy


@shared_task(name="neurons.harvest_run")  # type: ignore[untyped-decorator]
def harvest_task(run_id: int) -> None:
    """Run or resume a harvest. A second message for the same run finds it done, or held by another worker, and ends."""
    from neurons.pipeline import harvest_execute

    try:
        harvest_execute(run_id)
    except ArtifactBusy:
        return
