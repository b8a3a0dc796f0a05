"""Harvests: a network and a corpus in, an artifact folder out."""

from pathlib import Path

from django.conf import settings

from neurons import artifacts, services
from neurons.lab.harvest import HarvestConfig, HarvestStopped, harvest
from neurons.lab.threads import use_threads
from neurons.models import HarvestRun, RunStatus
from neurons.pipeline.networks import network_source
from neurons.pipeline.runs import Count, note_end, throttled
from neurons.selectors import corpus_store, harvest_was_cancelled


def harvest_execute(
    run_id: int, progress: Count | None = None, *, device: str = "cpu", threads: int | None = None
) -> HarvestRun:
    """Harvest, or go on with a harvest; a finished or cancelled one is left alone, so calling twice is safe.

    `threads` is for whoever shares the cores among processes; without it the settings decide.

    Raises
    ------
    ArtifactBusy
        If another process is at this harvest.
    """
    use_threads(settings.TORCH_THREADS if threads is None else threads)
    run = HarvestRun.objects.select_related("network", "corpus").get(pk=run_id)
    with artifacts.exclusive(run.url) as folder:
        run.refresh_from_db()
        if run.status in (RunStatus.DONE, RunStatus.CANCELLED):
            return run
        config = HarvestConfig(**run.config | {"site": run.site})
        services.harvest_start(run=run, config=config.as_dict())
        try:
            return _harvest_into(folder, run, config, progress, device)
        except HarvestStopped as stopped:
            services.run_stopped(run=run, message=str(stopped))
            return run
        except BaseException as error:
            note_end(run, error)
            raise


def _harvest_into(
    folder: Path, run: HarvestRun, config: HarvestConfig, progress: Count | None, device: str
) -> HarvestRun:
    noted = throttled(
        lambda at: services.run_progress(run=run, share=at[0] / at[1], message=f"{at[0]:,} of {at[1]:,} tokens")
    )

    def both(done: int, total: int) -> None:
        noted((done, total))
        if progress is not None:
            progress(done, total)

    store = harvest(
        network_source(run.network, device=device),
        corpus_store(run.corpus),
        folder,
        config,
        facts={"network": run.network.name, "network_sha256": run.network.sha256},
        progress=both,
        stop=lambda: harvest_was_cancelled(run.pk),
    )
    return services.harvest_finish(run=run, tokens=int(store.meta["tokens"]), dead=sum(store.meta["dead"]))
