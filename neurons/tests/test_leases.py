"""Who holds which shard: one at a time, for a limited time, and nothing counts that comes after that."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from neurons import leases
from neurons.leases import MOST_LOSSES, LeaseLost, WorkersLost
from neurons.models import Corpus, HarvestRun, HarvestShard, Network, NetworkPair, RunStatus

CUTS = [(0, 3, 300), (3, 5, 200), (5, 9, 400)]
DONE = HarvestShard.Status.DONE


@pytest.fixture
def run(db) -> HarvestRun:
    return make_run()


def make_run() -> HarvestRun:
    corpus = Corpus.objects.create(
        name="words", url="x", fingerprint="f", tokenizer_fingerprint="t", documents=9, text_bytes=9, tokens=900
    )
    pair = NetworkPair.objects.create(name="pair", size="1L-4", config={})
    network = Network.objects.create(name="net", pair=pair, activation="gelu", n_layers=1, d_mlp=16, url="x", sha256="")
    run = HarvestRun.objects.create(
        network=network, corpus=corpus, site="post_act", config={}, status=RunStatus.RUNNING, url="harvests/h"
    )
    leases.shards_make(run=run, cuts=CUTS)
    return run


def lose(run: HarvestRun) -> None:
    """All leases have run out."""
    past = Now() - timedelta(seconds=1)
    run.shards.filter(status="running").update(lease_until=past)
    HarvestRun.objects.filter(pk=run.pk).exclude(merge_owner="").update(merge_lease_until=past)


def finish_all(run: HarvestRun) -> None:
    while shard := leases.shard_claim(run=run, worker="w"):
        leases.shard_finish(shard=shard, url=f"shard-{shard.number}")


def test_shards_are_made_once(run):
    leases.shards_make(run=run, cuts=[(0, 9, 900)])
    assert list(run.shards.order_by("number").values_list("first_block", "end_block", "tokens")) == CUTS


def test_each_shard_goes_to_one_worker(run):
    taken = [leases.shard_claim(run=run, worker=name) for name in "abcd"]
    assert [shard and (shard.number, shard.worker) for shard in taken] == [(0, "a"), (1, "b"), (2, "c"), None]
    assert len({shard.owner for shard in taken[:3]}) == 3
    assert not leases.shard_waits(run=run)


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_once_get_different_shards():
    run, gate = make_run(), threading.Barrier(4)

    def claim(name: int) -> list[int]:
        try:
            gate.wait(timeout=20)
            taken = []
            while shard := leases.shard_claim(run=run, worker=str(name)):
                taken.append(shard.number)
            return taken
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        taken = [number for numbers in pool.map(claim, range(4)) for number in numbers]
    assert sorted(taken) == [0, 1, 2]


@pytest.mark.django_db(transaction=True)
def test_workers_that_want_to_join_the_shards_at_once_are_told_apart():
    run, gate = make_run(), threading.Barrier(4)
    finish_all(run)

    def claim(_: int) -> bool:
        try:
            gate.wait(timeout=20)
            return leases.merge_claim(run=run) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(claim, range(4))) == [False, False, False, True]


def test_a_shard_whose_lease_ran_out_goes_to_another_worker_and_a_renewed_one_does_not(run):
    first, second, third = (leases.shard_claim(run=run, worker="early") for _ in range(3))
    lose(run)
    leases.shard_renew(shard=first, tokens_read=120, tokens_per_second=3.0)
    leases.shard_renew(shard=third, tokens_read=9_999, tokens_per_second=3.0)
    later = leases.shard_claim(run=run, worker="late")
    assert (later.number, later.worker, later.attempt, later.losses) == (second.number, "late", 2, 1)
    assert leases.shard_claim(run=run, worker="late") is None
    assert sorted(run.shards.values_list("number", "tokens_read")) == [(0, 120), (1, 0), (2, 400)]


def test_a_worker_that_comes_back_after_its_lease_changes_nothing(run):
    zombie = leases.shard_claim(run=run, worker="zombie")
    lose(run)
    heir = leases.shard_claim(run=run, worker="heir")
    assert heir.number == zombie.number
    before = HarvestShard.objects.filter(pk=heir.pk).values().get()
    for late in (
        lambda: leases.shard_renew(shard=zombie, tokens_read=300, tokens_per_second=1.0),
        lambda: leases.shard_finish(shard=zombie, url="zombie"),
        lambda: leases.shard_release(shard=zombie),
    ):
        with pytest.raises(LeaseLost, match="not heard of for too long"):
            late()
    assert HarvestShard.objects.filter(pk=heir.pk).values().get() == before
    leases.shard_finish(shard=heir, url="heir")
    with pytest.raises(LeaseLost):
        leases.shard_finish(shard=zombie, url="zombie")
    assert HarvestShard.objects.get(pk=heir.pk).url == "heir"


def test_a_shard_that_was_given_back_is_the_same_attempt(run):
    leases.shard_release(shard=leases.shard_claim(run=run, worker="a"))
    again = leases.shard_claim(run=run, worker="b")
    assert (again.number, again.attempt, again.losses) == (0, 1, 0)


def test_a_shard_that_costs_one_worker_after_the_other_is_given_up(run):
    for _ in range(MOST_LOSSES):
        assert leases.shard_claim(run=run, worker="host:7").number == 0
        lose(run)
    with pytest.raises(WorkersLost, match=r"shard 0 was lost with 5 workers .* host:7"):
        leases.shard_claim(run=run, worker="w")


def test_the_shards_are_joined_when_all_are_done_by_one_worker(run):
    assert leases.merge_claim(run=run) is None
    finish_all(run)
    claim = leases.merge_claim(run=run)
    assert leases.merge_claim(run=run) is None
    leases.merge_renew(claim=claim)
    leases.merge_finish(claim=claim, tokens_seen=900)
    run.refresh_from_db()
    assert (run.status, run.tokens_seen, run.merge_owner) == (RunStatus.DONE, 900, "")
    assert leases.merge_claim(run=run) is None


def test_joining_is_taken_over_and_finished_once(run):
    finish_all(run)
    zombie = leases.merge_claim(run=run)
    lose(run)
    heir = leases.merge_claim(run=run)
    for late in (leases.merge_renew, leases.merge_release, leases.merge_finish):
        with pytest.raises(LeaseLost):
            late(claim=zombie)
    leases.merge_finish(claim=heir)
    with pytest.raises(LeaseLost):
        leases.merge_finish(claim=heir)


def test_joining_that_costs_one_worker_after_the_other_is_given_up(run):
    finish_all(run)
    for _ in range(MOST_LOSSES):
        assert leases.merge_claim(run=run)
        lose(run)
    with pytest.raises(WorkersLost, match="while they joined"):
        leases.merge_claim(run=run)


def test_a_cancelled_harvest_is_not_finished(run):
    finish_all(run)
    claim = leases.merge_claim(run=run)
    HarvestRun.objects.filter(pk=run.pk).update(status=RunStatus.CANCELLED)
    with pytest.raises(LeaseLost, match="or cancelled"):
        leases.merge_finish(claim=claim)
    leases.merge_release(claim=claim)
    assert leases.merge_claim(run=run) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "running"},
        {"status": "running", "owner": "me"},
        {"owner": "me"},
        {"status": "done"},
        {"url": "somewhere"},
        {"first_block": 3},
        {"first_block": 5, "end_block": 9},
        {"first_block": 3, "end_block": 9},
    ],
)
def test_the_database_refuses_shards_that_contradict_themselves_or_each_other(run, changes):
    with pytest.raises(IntegrityError), transaction.atomic():
        run.shards.filter(number=0).update(**changes)
