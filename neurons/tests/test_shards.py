"""Many workers at one harvest: the same bytes as one alone, whatever happens to them."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.db.models.functions import Now

from neurons import artifacts, leases, pipeline, services
from neurons.artifacts import artifact_folder, work_address
from neurons.leases import MOST_LOSSES
from neurons.models import HarvestRun, RunStatus
from neurons.pipeline import heartbeat, shards
from neurons.selectors import harvests_without_worker
from neurons.services import NeuronsRefused
from neurons.tasks import harvest_task, take_up_harvests
from neurons.tests.factories import make_network
from neurons.tests.object_store import CREDENTIALS, s3_server
from neurons.tests.shared_harvest import digests, harvest_alone, register

pytestmark = pytest.mark.django_db

SMALL = {"split": "train", "top": 4, "reserve": 12, "before": 6, "after": 4, "tile_tokens": 400, "block_tokens": 1000}


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> dict[str, str]:
    return harvest_alone(tmp_path_factory.mktemp("alone"), make_network(), SMALL)


@pytest.fixture
def folder_store(settings, tmp_path) -> None:
    settings.ARTIFACTS_URL = str(tmp_path / "artifacts")


@pytest.fixture(scope="module")
def server():
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with s3_server("harvests") as endpoint:
            yield endpoint


@pytest.fixture
def s3(server, settings, tmp_path, request) -> None:
    settings.ARTIFACTS_URL, settings.S3_ENDPOINT = f"s3://harvests/{request.node.name}", server
    settings.ARTIFACTS_CACHE = str(tmp_path / "cache")


def create(shards: int = 5) -> HarvestRun:
    network, corpus = register(make_network())
    return services.harvest_create(network=network, corpus=corpus, config=SMALL, shards=shards)


@pytest.fixture
def run(folder_store) -> HarvestRun:
    return create()


def lose_all(run: HarvestRun) -> None:
    """As if the workers had been silent for longer than their leases."""
    past = Now() - timedelta(seconds=1)
    run.shards.filter(status="running").update(lease_until=past)
    HarvestRun.objects.filter(pk=run.pk).exclude(merge_owner="").update(merge_lease_until=past)


def states(run: HarvestRun) -> list[tuple[str, int]]:
    return list(run.shards.order_by("number").values_list("status", "attempt"))


class Killed(BaseException):
    """Stands for SIGKILL: nothing that the worker would still do may happen."""


def test_a_harvest_in_shards_has_the_bytes_of_one_in_one_piece(run, alone):
    harvest_task.delay(run.pk)
    run.refresh_from_db()
    assert (run.status, run.shards.count(), run.progress) == (RunStatus.DONE, 5, 1.0)
    assert digests(artifact_folder(run.url)) == alone
    assert not artifact_folder(work_address(run.url)).exists()
    assert sum(run.shards.values_list("tokens_read", flat=True)) == run.tokens_seen > 0


def test_a_harvest_by_one_worker_is_one_shard_and_needs_no_joining(folder_store, alone, monkeypatch):
    monkeypatch.setattr(shards.HarvestJob, "_join", None)
    run = create(shards=0)
    harvest_task.delay(run.pk)
    assert states(run) == [("done", 1)]
    assert digests(artifact_folder(run.url)) == alone
    assert not artifact_folder(work_address(run.url)).exists()


def test_one_worker_reads_one_shard_and_several_read_several_each(run):
    plan = shards.HarvestJob(run, device="cpu", progress=None).plan
    for workers, expected in ((1, 1), (3, 12)):
        assert shards.shards_for(HarvestRun(workers=workers), plan) == expected
    assert shards.shards_for(HarvestRun(workers=3, shards_wanted=7), plan) == 7


def test_a_lost_workers_shard_goes_on_where_it_was_saved(run, alone, settings, monkeypatch):
    settings.HARVEST_CHECKPOINT_SECONDS = 0
    shard, stopped = interrupt_mid_shard(run, monkeypatch)
    lose_all(run)
    read = []
    pipeline.harvest_execute(run.pk, lambda done, total: read.append(done))
    assert states(run)[shard.number] == ("done", 2)
    assert min(read) > stopped
    assert digests(artifact_folder(run.url)) == alone


def interrupt_mid_shard(run: HarvestRun, monkeypatch) -> tuple[object, int]:
    """A worker that dies after the second block of the first shard; its lease stays as it was."""
    seen = []

    def die(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == 2:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(leases, "shard_release", lambda **_: None)
        with pytest.raises(Killed):
            pipeline.harvest_work([run.pk], die)
    return run.shards.get(status="running"), seen[0]


def test_a_worker_that_comes_back_after_it_was_given_up_does_no_harm(run, alone, monkeypatch):
    """It is held up in the middle of its shard until all the others have finished the whole harvest."""
    entered = []

    def held_up(done: int, total: int) -> None:
        if entered:
            return
        entered.append(done)
        lose_all(run)
        pipeline.harvest_work([run.pk])

    pipeline.harvest_work([run.pk], held_up)
    run.refresh_from_db()
    assert (run.status, states(run)[0]) == (RunStatus.DONE, ("done", 2))
    assert digests(artifact_folder(run.url)) == alone


def test_a_worker_that_published_and_died_before_saying_so_has_not_worked_in_vain(run, alone, monkeypatch):
    def die(**_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(leases, "shard_finish", die)
        patch.setattr(leases, "shard_release", lambda **_: None)
        with pytest.raises(Killed):
            pipeline.harvest_work([run.pk])
    lose_all(run)
    pipeline.harvest_execute(run.pk)
    first = run.shards.get(number=0)
    assert (first.attempt, first.url) == (2, artifacts.shard_address(run.url, 0, 1))
    assert digests(artifact_folder(run.url)) == alone


@pytest.mark.parametrize("moment", ["before the harvest is published", "before it is noted"])
def test_joining_is_taken_over_from_a_lost_worker(run, alone, monkeypatch, moment):
    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(leases, "merge_release", lambda **_: None)
        if moment == "before it is noted":
            patch.setattr(leases, "merge_finish", die)
        else:
            patch.setattr(shards.HarvestJob, "_join", die)
        with pytest.raises(Killed):
            pipeline.harvest_work([run.pk])
    lose_all(run)
    run = pipeline.harvest_execute(run.pk)
    assert (run.status, run.merge_losses) == (RunStatus.DONE, 1)
    assert digests(artifact_folder(run.url)) == alone


def test_two_workers_that_join_one_after_the_other_leave_one_harvest(run, alone, monkeypatch):
    """The first is held up after joining; the second finishes; the first then finds that it lost its lease."""
    finish, held = leases.merge_finish, []

    def held_up(**arguments: object) -> None:
        if not held:
            held.append(True)
            lose_all(run)
            pipeline.harvest_work([run.pk])
        finish(**arguments)

    monkeypatch.setattr(leases, "merge_finish", held_up)
    pipeline.harvest_work([run.pk])
    run.refresh_from_db()
    assert run.status == RunStatus.DONE
    assert digests(artifact_folder(run.url)) == alone


def test_a_message_that_comes_twice_changes_nothing(run, alone):
    harvest_task.delay(run.pk)
    before = (artifact_folder(run.url) / "meta.json").stat().st_mtime_ns
    harvest_task.delay(run.pk)
    assert (artifact_folder(run.url) / "meta.json").stat().st_mtime_ns == before


def test_the_error_of_one_shard_fails_the_harvest_stops_the_others_and_keeps_what_is_done(run, alone, monkeypatch):
    read = shards.HarvestJob._harvest

    def broken(self, shard, *arguments):
        if shard.number == 2:
            raise OSError("no space left on device")
        read(self, shard, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(shards.HarvestJob, "_harvest", broken)
        with pytest.raises(OSError, match="no space"):
            pipeline.harvest_work([run.pk])
    run.refresh_from_db()
    assert (run.status, run.message) == (RunStatus.FAILED, "OSError: no space left on device")
    assert [status for status, _ in states(run)] == ["done", "done", "open", "open", "open"]
    pipeline.harvest_work([run.pk])
    assert [status for status, _ in states(run)] == ["done", "done", "open", "open", "open"]
    services.harvest_create(network=run.network, corpus=run.corpus, config=SMALL)
    pipeline.harvest_execute(run.pk)
    assert digests(artifact_folder(run.url)) == alone


def test_a_worker_that_is_asked_to_go_gives_its_shard_back(run, alone):
    pipeline.harvest_work([run.pk], leave=lambda: run.shards.filter(tokens_read__gt=0).exists())
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING
    assert {status for status, _ in states(run)} == {"open"}
    assert harvests_without_worker() == [run]


def test_a_worker_that_starts_takes_up_a_harvest_that_lost_all_its_workers(
    run, alone, django_capture_on_commit_callbacks
):
    services.harvest_start(run=run, config=SMALL)
    with django_capture_on_commit_callbacks(execute=True):
        take_up_harvests()
    run.refresh_from_db()
    assert run.status == RunStatus.DONE
    assert harvests_without_worker() == []


def test_a_harvest_at_which_somebody_works_is_not_taken_up(run):
    job = shards.HarvestJob(run, device="cpu", progress=None)
    leases.shard_claim(run=job.run, worker="w")
    assert harvests_without_worker() == []
    lose_all(run)
    assert harvests_without_worker() == [run]


def test_a_shard_that_kills_its_workers_fails_the_harvest_with_a_sentence(run):
    job = shards.HarvestJob(run, device="cpu", progress=None)
    for _ in range(MOST_LOSSES):
        leases.shard_claim(run=job.run, worker="gpu-3:17")
        lose_all(run)
    with pytest.raises(pipeline.REFUSALS, match="lost with 5 workers"):
        pipeline.harvest_execute(run.pk)
    run.refresh_from_db()
    assert (run.status, "gpu-3:17" in run.message) == (RunStatus.FAILED, True)
    services.harvest_create(network=run.network, corpus=run.corpus, config=SMALL)
    assert pipeline.harvest_execute(run.pk).status == RunStatus.DONE


def test_shards_that_were_cut_stand(run):
    shards.HarvestJob(run, device="cpu", progress=None)
    services.harvest_cancel(run=run)
    with pytest.raises(NeuronsRefused, match="cut into 5 shards already"):
        services.harvest_create(network=run.network, corpus=run.corpus, config=SMALL, shards=3)
    assert services.harvest_create(network=run.network, corpus=run.corpus, config=SMALL, shards=5) == run


def test_a_database_that_is_away_for_a_moment_does_not_cost_the_shard(settings, monkeypatch):
    settings.HARVEST_LEASE_SECONDS = 2
    clock, answers = (
        [100.0],
        iter([None, OperationalError("gone"), None, OperationalError("gone"), OperationalError("gone")]),
    )
    monkeypatch.setattr(heartbeat.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(heartbeat.connection, "close", lambda: None)

    def renew() -> None:
        if (answer := next(answers)) is not None:
            raise answer

    beat = heartbeat.Heartbeat(renew, lambda: True)
    for seconds in (0.0, 0.6, 0.6, 0.6):
        clock[0] += seconds
        beat()
    clock[0] += 2.5
    with pytest.raises(leases.LeaseLost, match="longer than the lease"):
        beat()


def test_only_what_was_harvested_into_an_object_store_can_be_fetched(s3, settings, tmp_path):
    with pytest.raises(CommandError, match="no finished harvest"):
        call_command("artifacts_fetch")
    settings.ARTIFACTS_URL = str(tmp_path)
    with pytest.raises(CommandError, match="lie in a folder"):
        call_command("artifacts_fetch")


def test_on_an_object_store_workers_without_a_common_disk_make_the_same_bytes(
    s3, alone, settings, tmp_path, monkeypatch
):
    """The first machine is lost in the middle of a shard; the second has nothing but the store and the database."""
    settings.HARVEST_CHECKPOINT_SECONDS = 0
    run = create()
    shard, _ = interrupt_mid_shard(run, monkeypatch)
    settings.ARTIFACTS_CACHE = str(tmp_path / "second-machine")
    lose_all(run)
    pipeline.harvest_execute(run.pk)
    assert states(run)[shard.number] == ("done", 2)
    settings.ARTIFACTS_CACHE = str(tmp_path / "reader")
    call_command("artifacts_fetch", "tiny-gelu")
    assert len(list((tmp_path / "reader").rglob("meta.json"))) == 1
    assert digests(artifact_folder(run.url)) == alone
    for machine in ("cache", "second-machine"):
        assert not list((tmp_path / machine).rglob("shard-00004.1/shard.json"))
    assert not artifacts.artifact_exists(artifacts.shard_address(run.url, 1, 1), "shard.json")
