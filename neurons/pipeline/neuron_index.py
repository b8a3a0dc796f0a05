"""Neuron indexes: a finished harvest in, what its neurons' pages look up out.

An index tells each neuron's nearest neighbours in the paired networks too. So when one network of a pair is harvested,
the indexes of the others are made again; only the part about the new one is worked out, the rest is taken over.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import cast

from django.conf import settings

from neurons import artifacts, services
from neurons.artifacts import ArtifactBusy, ArtifactError, artifact_folder, index_address
from neurons.lab.neuron_index import NeuronIndexWriter, Progress, write_index
from neurons.lab.source import WeightSource
from neurons.lab.threads import use_threads
from neurons.models import HarvestRun, Network
from neurons.pipeline.networks import network_source
from neurons.selectors import harvest_store, harvests_finished, harvests_of_twins

WAIT_SECONDS = 0.5  # between two looks whether another process has let go of an index


def indexes_make(
    run_id: int, progress: Progress | None = None, *, device: str | None = None, threads: int | None = None
) -> list[HarvestRun]:
    """Make the index of a finished harvest, and those of the paired networks' harvests anew where they lack it.

    What is up to date is left alone, so calling twice is safe. Without a device, as the settings say.

    Returns
    -------
    list of HarvestRun
        The harvest and those of its twins.
    """
    use_threads(settings.TORCH_THREADS if threads is None else threads)
    run = harvests_finished().get(pk=run_id)
    runs = [run, *harvests_of_twins(run)]
    for one in runs:
        _make(one, progress, device or settings.DEVICE)
    return runs


def _make(run: HarvestRun, progress: Progress | None, device: str) -> None:
    base = index_address(run.url)
    with _held(base):
        run.refresh_from_db(fields=["index_url"])
        writer = _writer(run, device)
        address = f"{base}--{writer.digest}"
        if run.index_url == address:
            return
        folder = artifacts.workplace(address)
        folder.parent.mkdir(parents=True, exist_ok=True)
        older = _older(run)
        write_index(writer, folder, facts=_facts(run), older=older, progress=progress)
        artifacts.publish(address, folder)
        services.harvest_index_note(run=run, url=address)


@contextmanager
def _held(address: str) -> Iterator[None]:
    """Hold an index; wait for another process that has it, because what it writes may lack what we know."""
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(artifacts.exclusive(address))
                break
            except ArtifactBusy:
                time.sleep(WAIT_SECONDS)
        yield


def _writer(run: HarvestRun, device: str) -> NeuronIndexWriter:
    twins = {
        str(twin.pk): (harvest_store(twin), {"network": twin.network.name, "harvest_run": twin.pk})
        for twin in harvests_of_twins(run)
    }
    weights = _weights(run.network) if run.follows_neurons else None
    return NeuronIndexWriter(harvest_store(run), weights, run.network.sha256, twins, device=device)


def _weights(network: Network) -> Callable[[], WeightSource | None] | None:
    """How the network's weights are opened, once and only if needed; None for records without a model."""
    if network.format == Network.Format.RECORDS:
        return None

    @cache
    def opened() -> WeightSource | None:
        source = network_source(network)
        return source if isinstance(source, WeightSource) else None

    return cast("Callable[[], WeightSource | None]", opened)


def _older(run: HarvestRun) -> Path | None:
    """The index that the harvest has, if it can be read."""
    try:
        return artifact_folder(run.index_url) if run.index_url else None
    except (ArtifactError, OSError):
        return None


def _facts(run: HarvestRun) -> dict[str, object]:
    return {"network": run.network.name, "corpus": run.corpus.name, "site": run.site, "harvest_run": run.pk}
