"""Celery tasks: ids in, all work in neurons.pipeline. The pipeline is imported in the body, so that web processes,
which import this module to send tasks, never load torch."""

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

from neurons.models import HarvestRun, RunStatus
from neurons.selectors import harvests_without_worker

_leaving = threading.Event()  # this worker is asked to go


@shared_task(name="neurons.harvest_run")  # type: ignore[untyped-decorator]
def harvest_task(run_id: int) -> None:
    """Be one worker of a harvest. A message that comes twice only brings one more worker, or finds the work done."""
    from neurons.pipeline import harvest_work

    harvest_work([run_id], leave=_leaving.is_set)
    index_send(run_id)


def index_send(run_id: int) -> None:
    """Ask a worker for the index of a harvest that is finished and has none."""
    if HarvestRun.objects.filter(pk=run_id, status=RunStatus.DONE, index_url="").exists():
        index_task.delay(run_id)


def harvest_send(run: HarvestRun, workers: int) -> None:
    """Ask for so many workers once the transaction is committed."""
    for _ in range(workers):
        harvest_task.delay_on_commit(run.pk)


@worker_ready.connect  # type: ignore[untyped-decorator]
def take_up_harvests(**_: Any) -> None:
    """A worker that starts brings a worker to each harvest that lost all of its own."""
    for run in harvests_without_worker():
        harvest_send(run, 1)


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def leave(**_: Any) -> None:
    """A worker that is stopped in peace gives its shard back instead of reading it to the end."""
    _leaving.set()


@shared_task(name="neurons.index")  # type: ignore[untyped-decorator]
def index_task(run_id: int) -> None:
    """Work out what the pages of a finished harvest's neurons look up. What is up to date is left alone."""
    from neurons.pipeline import indexes_make

    indexes_make(run_id)
