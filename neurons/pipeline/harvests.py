"""Harvests: a network and a corpus in, an artifact folder out; by one worker or by many that share the shards."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings

from neurons import artifacts, services
from neurons.artifacts import work_address
from neurons.lab.harvest_config import HarvestConfig
from neurons.lab.threads import use_threads
from neurons.models import HarvestRun, RunStatus
from neurons.pipeline.heartbeat import beat_seconds
from neurons.pipeline.runs import Count
from neurons.pipeline.shards import HarvestJob
from neurons.selectors import harvest_goes_on
from neurons.store.harvest import HarvestError

log = logging.getLogger(__name__)


def config_check(asked: dict[str, Any]) -> None:
    """Refuse what a harvest cannot be told, before it is written on its row.

    Raises
    ------
    HarvestError
        If a name is not known, or a value is of the wrong kind or out of range.
    """
    defaults = HarvestConfig().as_dict()
    for name, value in asked.items():
        if name not in defaults or name == "site":
            known = ", ".join(sorted(defaults.keys() - {"site"}))
            raise HarvestError(f"a harvest knows no {name!r}; it can be told {known}.")
        kind = int if name == "max_tokens" else type(defaults[name])
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise HarvestError(f"`{name}` is {value!r}; give a value like {defaults[name] or 1_000_000}.")
    HarvestConfig(**asked)


def harvest_execute(
    run_id: int, progress: Count | None = None, *, device: str | None = None, threads: int | None = None
) -> HarvestRun:
    """Harvest, or go on with a harvest, until it is done; others may work at it at the same time.

    A harvest that has ended is left alone, so calling twice is safe. An interruption by hand stops it for all.
    """
    run = HarvestRun.objects.get(pk=run_id)
    try:
        harvest_work([run_id], progress, device=device, threads=threads)
    except (KeyboardInterrupt, SystemExit):
        services.harvest_interrupt(run=run)
        raise
    run.refresh_from_db()
    return run


def harvest_work(
    run_ids: Sequence[int],
    progress: Count | None = None,
    *,
    device: str | None = None,
    threads: int | None = None,
    leave: Callable[[], bool] = lambda: False,
) -> None:
    """Be one worker of some harvests, until all of them have ended: read shards, join them, or wait for other workers.

    Parameters
    ----------
    progress : callable, optional
        Called with tokens read and tokens in all of the harvest that is worked at.
    device : str, optional
        Without it, as the settings say.
    threads : int, optional
        For whoever shares the cores among processes; without it, as the settings say.
    leave : callable
        Asked all the time; when it is true the worker saves what it has, gives it back and returns.

    Raises
    ------
    Exception
        Whatever ends a harvest; it is noted on its row, and its other workers stop when they see it.
    """
    use_threads(settings.TORCH_THREADS if threads is None else threads)
    worker = _Worker(device or settings.DEVICE, progress, leave)
    going = list(run_ids)
    while (going := [run_id for run_id in going if harvest_goes_on(run_id)]) and not leave():
        if not any(worker.step(run_id) for run_id in going):
            time.sleep(beat_seconds())
    if going:
        log.info("asked to go; harvest %s is left to other workers", ", ".join(map(str, going)))
    _tidy(run_ids)


class _Worker:
    def __init__(self, device: str, progress: Count | None, leave: Callable[[], bool]) -> None:
        self.device, self.progress, self.leave = device, progress, leave
        self.jobs: dict[int, HarvestJob] = {}

    def step(self, run_id: int) -> bool:
        try:
            return self._job(run_id).step()
        except Exception as error:
            services.harvest_fail(run=HarvestRun.objects.get(pk=run_id), error=f"{type(error).__name__}: {error}")
            raise

    def _job(self, run_id: int) -> HarvestJob:
        """The harvest's job; only one keeps its network in memory."""
        if run_id not in self.jobs:
            run = HarvestRun.objects.select_related("network", "corpus").get(pk=run_id)
            self.jobs[run_id] = HarvestJob(run, device=self.device, progress=self.progress, leave=self.leave)
        for other in self.jobs.keys() - {run_id}:
            self.jobs[other].unload()
        return self.jobs[run_id]


def _tidy(run_ids: Sequence[int]) -> None:
    """Copies of shards on this machine are of no use once the harvest is finished."""
    for url in HarvestRun.objects.filter(pk__in=run_ids, status=RunStatus.DONE).values_list("url", flat=True):
        artifacts.forget(work_address(url))
