"""One worker's part in one harvest: reading shards and joining them, each under a lease."""

import logging
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from neurons import artifacts, leases, services
from neurons.artifacts import merge_address, shard_address, work_address
from neurons.lab.bases import in_basis
from neurons.lab.harvest import HarvestConfig, HarvestStopped, harvest, harvest_shard, make_plan, merge_shards
from neurons.lab.harvest_files import SHARD, adopt_saved_state
from neurons.lab.harvest_plan import HarvestPlan
from neurons.lab.source import NeuronSource
from neurons.leases import LeaseLost, MergeClaim
from neurons.models import HarvestRun, HarvestShard
from neurons.pipeline.heartbeat import Heartbeat, Speed, beat_seconds
from neurons.pipeline.networks import network_source
from neurons.pipeline.runs import Count
from neurons.selectors import corpus_store, harvest_goes_on
from neurons.store.basis import Basis
from neurons.store.harvest import META, HarvestStore

SHARDS_PER_WORKER = 4  # so that a slow worker, or a lost one, delays the end little
SHARD_TOKENS = 100_000_000  # tokens in a shard, at most, where several workers share a harvest
log = logging.getLogger(__name__)


class HarvestJob:
    """What a worker needs for one harvest, and its two kinds of work.

    Parameters
    ----------
    leave : callable
        Whether this worker is asked to go; the harvest is then left to others.
    """

    def __init__(
        self, run: HarvestRun, *, device: str, progress: Count | None, leave: Callable[[], bool] = lambda: False
    ) -> None:
        self.device, self.progress, self.leave = device, progress, leave
        self.config = config_of(run)
        self.corpus = corpus_store(run.corpus)
        self.plan = make_plan(self.corpus, self.config)
        self.facts = {"network": run.network.name, "network_sha256": run.network.sha256}
        self.run = services.harvest_start(run=run, config=self.config.as_dict())
        cuts = [(cut.start, cut.stop, self.plan.tokens_of(cut)) for cut in self.plan.cut(shards_for(run, self.plan))]
        leases.shards_make(run=run, cuts=cuts)

    @cached_property
    def source(self) -> NeuronSource:
        """The network, read along its neurons or along the harvest's directions."""
        network, basis = network_source(self.run.network, device=self.device), Basis.parse(self.run.basis)
        return network if basis.is_neurons else in_basis(network, basis, self.corpus, self.config)

    def unload(self) -> None:
        """Free the network's memory; it is loaded again when needed."""
        self.__dict__.pop("source", None)

    def step(self) -> bool:
        """Read a shard or join the shards; False if there is nothing to do just now."""
        return self._read_one() or self._merge_all()

    def _read_one(self) -> bool:
        if not leases.shard_waits(run=self.run):
            return False
        _ = self.source  # loaded before the lease begins to run
        shard = leases.shard_claim(run=self.run, worker=worker_name())
        if shard is not None:
            _leased(lambda: self._read(shard), lambda: leases.shard_release(shard=shard))
        return shard is not None

    def _merge_all(self) -> bool:
        claim = leases.merge_claim(run=self.run)
        if claim is not None:
            _leased(lambda: self._merge(claim), lambda: leases.merge_release(claim=claim))
        return claim is not None

    def _goes_on(self) -> bool:
        return harvest_goes_on(self.run.pk) and not self.leave()

    # -- a shard -------------------------------------------------------------------------------------------------------
    def _read(self, shard: HarvestShard) -> None:
        others = self.run.shards.exclude(pk=shard.pk).aggregate(read=Sum("tokens_read"))["read"] or 0
        speed = Speed()

        def renew() -> None:
            leases.shard_renew(shard=shard, tokens_read=shard.tokens_read, tokens_per_second=speed(shard.tokens_read))
            services.harvest_progress(run=self.run)

        def read(done: int, _: int) -> None:
            shard.tokens_read = done
            if self.progress is not None:
                self.progress(others + done, self.plan.tokens)
            beat()

        beat = Heartbeat(renew, self._goes_on)
        address = self._finished_before(shard)
        if address is None:
            work = shard_address(self.run.url, shard.number, shard.attempt)
            self._harvest(shard, artifacts.workplace(work), read, lambda: beat.stopped)
            # A shard that is the whole harvest needs no joining.
            address = self.run.url if self._is_whole(shard) else work
            artifacts.publish(address, artifacts.workplace(work), beat=beat)
        self._hand_in(shard, address)

    def _is_whole(self, shard: HarvestShard) -> bool:
        return shard.end_block - shard.first_block == self.plan.blocks

    def _harvest(self, shard: HarvestShard, folder: Path, read: Count, stop: Callable[[], bool]) -> None:
        self._take_up(shard, unfinished(folder))
        how: dict[str, Any] = {
            "facts": self.facts,
            "progress": read,
            "stop": stop,
            "checkpoint_seconds": float(settings.HARVEST_CHECKPOINT_SECONDS),
        }
        if self._is_whole(shard):
            harvest(self.source, self.corpus, folder, self.config, **how)
        else:
            blocks = range(shard.first_block, shard.end_block)
            harvest_shard(self.source, self.corpus, folder, self.plan, self.config, blocks, **how)

    def _finished_before(self, shard: HarvestShard) -> str | None:
        """Address of this shard if a worker was lost after publishing it and before saying so."""
        if self._is_whole(shard):
            return self.run.url if artifacts.artifact_exists(self.run.url, META) else None
        tried = [shard_address(self.run.url, shard.number, attempt) for attempt in range(shard.attempt, 0, -1)]
        return next((address for address in tried if artifacts.artifact_exists(address, SHARD)), None)

    def _take_up(self, shard: HarvestShard, state: Path) -> None:
        """Copy what the workers that were lost with this shard had saved, where this machine can reach it."""
        for attempt in range(shard.attempt - 1, 0, -1):
            before = unfinished(artifacts.workplace(shard_address(self.run.url, shard.number, attempt)))
            if state.exists() or adopt_saved_state(before, state):
                return

    def _hand_in(self, shard: HarvestShard, address: str) -> None:
        try:
            leases.shard_finish(shard=shard, url=address)
        except LeaseLost:
            if not (harvest_goes_on(self.run.pk) or address == self.run.url):
                artifacts.remove(address)  # whoever tidied up did so before this was published
            raise
        services.harvest_progress(run=self.run)

    # -- all shards ----------------------------------------------------------------------------------------------------
    def _merge(self, claim: MergeClaim) -> None:
        addresses = list(self.run.shards.order_by("number").values_list("url", flat=True))

        def renew() -> None:
            leases.merge_renew(claim=claim)
            services.harvest_progress(run=self.run, message=f"joining {len(addresses)} shards")

        beat = Heartbeat(renew, self._goes_on)
        if not artifacts.artifact_exists(self.run.url, META):
            folder = artifacts.workplace(merge_address(self.run.url, claim.owner))
            shards = [artifacts.artifact_folder(address, beat) for address in addresses]
            self._join(shards, folder, beat)
            artifacts.publish(self.run.url, folder, beat=beat)
        store = HarvestStore.open(artifacts.artifact_folder(self.run.url, beat), self.corpus)
        leases.merge_finish(claim=claim, **facts_of(store))
        artifacts.remove(work_address(self.run.url))

    def _join(self, shards: list[Path], folder: Path, beat: Heartbeat) -> None:
        """Merge in a thread, so that the lease is renewed however long a layer takes."""
        ended: list[bool] = []

        def look(*_: int) -> None:
            if ended:
                raise HarvestStopped

        def merge() -> None:
            merge_shards(shards, folder, self.corpus, self.plan, self.config, facts=self.facts, progress=look)

        with ThreadPoolExecutor(1) as pool:
            merging = pool.submit(merge)
            try:
                while wait([merging], timeout=beat_seconds()).not_done:
                    beat()
                    if beat.stopped:
                        raise HarvestStopped
            except BaseException:
                ended.append(True)
                raise
            merging.result()


def _leased(work: Callable[[], None], release: Callable[[], None]) -> None:
    """Do a leased piece of work; however it ends, the lease is given back.

    What a worker meets after its lease was lost (its folder was tidied away, say) is no fault of the harvest.
    """
    try:
        work()
    except LeaseLost as lost:
        log.warning("%s", lost)
    except HarvestStopped:
        with suppress(LeaseLost):
            release()
    except BaseException as error:
        try:
            release()
        except LeaseLost as lost:
            log.warning("%s (%s: %s)", lost, type(error).__name__, error)
            return
        raise


def config_of(run: HarvestRun) -> HarvestConfig:
    """A harvest's configuration in full; what an earlier version stored and this one does not know is left out."""
    known = {field.name for field in fields(HarvestConfig)}
    return HarvestConfig(**{key: value for key, value in run.config.items() if key in known} | {"site": run.site})


def shards_for(run: HarvestRun, plan: HarvestPlan) -> int:
    """Shards that suit a harvest: one for one worker that can go on with its own work, several for each of many."""
    if run.shards_wanted:
        return run.shards_wanted
    if run.workers <= 1 and not artifacts.store_is_remote():
        return 1
    return max(SHARDS_PER_WORKER * run.workers, -(-plan.tokens // SHARD_TOKENS))


def facts_of(store: HarvestStore) -> dict[str, Any]:
    """What the row of a finished harvest says of it."""
    tokens = int(store.meta["tokens"])
    return {
        "tokens_seen": tokens,
        "dead_neurons": sum(store.meta["dead"]),
        "not_finite": int(store.meta["not_finite"]),
        "progress": 1.0,
        "message": f"{tokens:,} tokens",
        "finished_at": timezone.now(),
    }


def unfinished(folder: Path) -> Path:
    """Where harvest_shard keeps the state of a shard that is not finished."""
    return folder.with_name(folder.name + ".unfinished")


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
