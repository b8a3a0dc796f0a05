"""Who works on which part of a harvest: shards and their joining are claimed, held for a time, and given back.

Each change is one UPDATE with its condition in it, so of two who ask at once one gets it, on every database. A claim
draws a new owner; whoever lost its lease finds no row with its owner any more, and nothing that it does afterwards
counts. Times are the database's, so that clocks of machines may differ.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, When
from django.db.models.functions import Now

from neurons.models import HarvestRun, HarvestShard, RunStatus

MOST_LOSSES = 5  # workers; a shard that costs more of them is a danger to all and fails the harvest
OPEN, RUNNING, DONE = HarvestShard.Status.OPEN, HarvestShard.Status.RUNNING, HarvestShard.Status.DONE


class LeaseLost(RuntimeError):
    """Somebody else has the shard or the merge now; what was done for it no longer counts."""


class WorkersLost(RuntimeError):
    """A part of a harvest cost too many workers."""


@dataclass(frozen=True)
class MergeClaim:
    """The right to join a harvest's shards."""

    run_id: int
    owner: str


@transaction.atomic
def shards_make(*, run: HarvestRun, cuts: Sequence[tuple[int, int, int]]) -> None:
    """Cut a harvest into shards, once; shards that are there already stand.

    Parameters
    ----------
    cuts : sequence of (first block, end block, tokens)
    """
    HarvestRun.objects.select_for_update().get(pk=run.pk)
    if run.shards.exists():
        return
    HarvestShard.objects.bulk_create(
        HarvestShard(run=run, number=number, first_block=first, end_block=end, tokens=tokens)
        for number, (first, end, tokens) in enumerate(cuts)
    )


def shard_waits(*, run: HarvestRun) -> bool:
    """Whether there is a shard to claim just now."""
    return run.shards.filter(_claimable()).exists()


def shard_claim(*, run: HarvestRun, worker: str) -> HarvestShard | None:
    """Take an open shard, or one whose worker was lost; None: there is none just now.

    Raises
    ------
    WorkersLost
        If a shard has cost MOST_LOSSES workers.
    """
    for shard in run.shards.filter(_claimable()).order_by("number"):
        if shard.status == RUNNING and shard.losses + 1 >= MOST_LOSSES:
            raise WorkersLost(
                f"shard {shard.number} was lost with {MOST_LOSSES} workers one after the other, last with "
                f"{shard.worker}; look at the logs there (out of memory?), then start the harvest again."
            )
        if _take(shard.pk, owner := _new_owner(), worker):
            return HarvestShard.objects.get(pk=shard.pk, owner=owner)
    return None


def _take(pk: int, owner: str, worker: str) -> int:
    lost = When(status=RUNNING, then=1)
    return HarvestShard.objects.filter(_claimable(), pk=pk).update(
        status=RUNNING,
        owner=owner,
        worker=worker,
        lease_until=_lease_end(),
        attempt=F("attempt") + Case(lost, default=0),
        losses=F("losses") + Case(lost, default=0),
        tokens_per_second=0.0,
    )


def shard_renew(*, shard: HarvestShard, tokens_read: int, tokens_per_second: float) -> None:
    """Say that the shard's worker lives, and how far it is. Raises LeaseLost if it is the shard's worker no more."""
    _held(
        shard,
        lease_until=_lease_end(),
        tokens_read=min(tokens_read, shard.tokens),
        tokens_per_second=tokens_per_second,
    )


def shard_finish(*, shard: HarvestShard, url: str) -> None:
    """Note where the finished shard lies. Raises LeaseLost if somebody else has the shard now."""
    _held(shard, status=DONE, owner="", lease_until=None, url=url, tokens_read=shard.tokens, tokens_per_second=0.0)


def shard_release(*, shard: HarvestShard) -> None:
    """Give an unfinished shard back, for the next worker to go on with. Raises LeaseLost if it was not ours."""
    _held(shard, status=OPEN, owner="", lease_until=None, tokens_per_second=0.0)


def _held(shard: HarvestShard, **changes: Any) -> None:
    if not HarvestShard.objects.filter(pk=shard.pk, owner=shard.owner, status=RUNNING).update(**changes):
        raise LeaseLost(f"{shard} was given to another worker, because this one was not heard of for too long.")


def merge_claim(*, run: HarvestRun) -> MergeClaim | None:
    """Take the joining of shards that are all done; None: somebody has it, or the harvest does not run.

    Raises
    ------
    WorkersLost
        If joining them has cost MOST_LOSSES workers.
    """
    if run.shards.exclude(status=DONE).exists():
        return None
    free = HarvestRun.objects.filter(
        Q(merge_owner="") | Q(merge_lease_until__lt=Now()), pk=run.pk, status=RunStatus.RUNNING
    )
    if free.filter(merge_losses__gte=MOST_LOSSES - 1).exclude(merge_owner="").exists():
        raise WorkersLost(
            f"{MOST_LOSSES} workers were lost one after the other while they joined the shards; look at their logs "
            "(disk full, out of memory?), then start the harvest again."
        )
    owner = _new_owner()
    lost = F("merge_losses") + Case(When(merge_owner="", then=0), default=1)
    taken = free.update(merge_owner=owner, merge_lease_until=_lease_end(), merge_losses=lost)
    return MergeClaim(run.pk, owner) if taken else None


def merge_renew(*, claim: MergeClaim) -> None:
    """Say that whoever joins the shards lives. Raises LeaseLost if somebody else does it now."""
    _merging(claim, merge_lease_until=_lease_end())


def merge_release(*, claim: MergeClaim) -> None:
    """Give the joining back. Raises LeaseLost if it was not ours."""
    _merging(claim, merge_owner="", merge_lease_until=None)


def merge_finish(*, claim: MergeClaim, **facts: Any) -> None:
    """Note that the harvest is complete. Raises LeaseLost if somebody else joins the shards, or it was cancelled."""
    held = HarvestRun.objects.filter(pk=claim.run_id, merge_owner=claim.owner, status=RunStatus.RUNNING)
    if not held.update(merge_owner="", merge_lease_until=None, status=RunStatus.DONE, **facts):
        raise LeaseLost(f"harvest {claim.run_id} was finished by another worker, or cancelled.")


def _merging(claim: MergeClaim, **changes: Any) -> None:
    if not HarvestRun.objects.filter(pk=claim.run_id, merge_owner=claim.owner).update(**changes):
        raise LeaseLost(f"the shards of harvest {claim.run_id} are joined by another worker now.")


def _claimable() -> Q:
    return Q(status=OPEN) | Q(status=RUNNING, lease_until__lt=Now())


def _lease_end() -> Any:
    return Now() + timedelta(seconds=settings.HARVEST_LEASE_SECONDS)


def _new_owner() -> str:
    return secrets.token_hex(16)
