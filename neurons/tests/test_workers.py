"""Real worker processes on a real Redis: one is killed in the middle of its shard, one is stopped in peace there, and
nothing is lost or doubled."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection

from neurons.artifacts import artifact_folder
from neurons.models import HarvestRun, HarvestShard, RunStatus
from neurons.tests.factories import make_network
from neurons.tests.redis_server import redis_server
from neurons.tests.shared_harvest import digests, harvest_alone, register

WORKERS, SHARDS = 3, 9
LEASE_SECONDS = 4
# Many small blocks, each saved: a shard is then seen half-read for long enough to be caught there.
SMALL = {"split": "train", "top": 4, "reserve": 12, "before": 6, "after": 4, "tile_tokens": 200, "block_tokens": 200}
PATIENCE_SECONDS = 240  # on a busy machine; a failure, not a pause

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def surroundings(settings, tmp_path) -> Iterator[dict[str, str]]:
    """Environment of the processes of this site, which share the test's database and artifacts."""
    settings.ARTIFACTS_URL = str(tmp_path / "artifacts")
    with redis_server(tmp_path) as redis_url:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("BLINDSCOPE", "DJANGO"))}
        yield inherited | {
            "BLINDSCOPE_SECRET_KEY": "only-for-tests",
            "BLINDSCOPE_DATA_DIR": str(tmp_path / "data"),
            "BLINDSCOPE_ARTIFACTS_URL": settings.ARTIFACTS_URL,
            "BLINDSCOPE_HARVEST_LEASE_SECONDS": str(LEASE_SECONDS),
            "BLINDSCOPE_HARVEST_CHECKPOINT_SECONDS": "0",
            "BLINDSCOPE_TORCH_THREADS": "1",
            "DATABASE_URL": database_url(),
            "REDIS_URL": redis_url,
        }


def database_url() -> str:
    """Where the test's own database is, on SQLite and on PostgreSQL."""
    facts = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{facts['NAME']}"
    return f"postgresql://{facts['USER']}:{facts['PASSWORD']}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"


def start(surroundings: dict[str, str], log: Path, *arguments: str) -> subprocess.Popen:
    with log.open("w") as output:
        return subprocess.Popen(
            [sys.executable, *arguments], cwd=django_settings.BASE_DIR, env=surroundings, stdout=output, stderr=output
        )


@contextmanager
def worker(surroundings: dict[str, str], folder: Path, number: int) -> Iterator[subprocess.Popen]:
    arguments = (
        "-m",
        "celery",
        "-A",
        "evalsite",
        "worker",
        "--pool",
        "solo",
        "--hostname",
        f"w{number}@%h",
        "-l",
        "INFO",
    )
    process = start(surroundings, folder / f"worker{number}.log", *arguments)
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=20)


def catch_in_the_middle_of_a_shard(pid: int, deadline: float) -> HarvestShard:
    """Freeze a worker at a moment when it has read some of a shard and not all of it, and holds no lock."""
    while time.monotonic() < deadline:
        half_read = HarvestShard.objects.filter(status="running", worker__endswith=f":{pid}", tokens_read__gt=0)
        if half_read.exists():
            os.kill(pid, signal.SIGSTOP)
            shard = half_read.first()
            if shard is not None and shard.tokens_read < shard.tokens and database_is_free():
                return shard
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.005)
    pytest.fail("no worker was seen in the middle of a shard")


def database_is_free() -> bool:
    """Whether the frozen process holds no write lock: the others would starve."""
    try:
        HarvestRun.objects.update(workers=WORKERS)
    except OperationalError:
        return False
    return True


def test_a_worker_that_is_killed_mid_shard_changes_no_byte_of_the_harvest(surroundings, tmp_path):
    network = make_network(n_layers=3, context=128)
    alone = harvest_alone(tmp_path / "alone", network, SMALL)
    registered, corpus = register(network)
    run = HarvestRun.objects.create(
        network=registered,
        corpus=corpus,
        site="post_act",
        config=SMALL,
        url="harvests/by-many",
        workers=WORKERS,
        shards_wanted=SHARDS,
    )
    with connection.cursor() as cursor:  # for database_is_free
        cursor.execute("PRAGMA busy_timeout = 300" if connection.vendor == "sqlite" else "SET lock_timeout = 300")
    deadline = time.monotonic() + PATIENCE_SECONDS
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(surroundings, tmp_path, number)) for number in range(WORKERS)]
        command = ("manage.py", "harvest_run", "tiny-gelu", "--corpus", "small", "--queue", "--processes", str(WORKERS))
        watching = start(surroundings, tmp_path / "watch.log", *command)
        stack.callback(watching.kill)
        # Whoever was caught is held until all have been: so all three take part.
        caught = [catch_in_the_middle_of_a_shard(process.pid, deadline) for process in workers]
        workers[0].kill()
        for process in workers[1:]:
            process.send_signal(signal.SIGCONT)
        workers[1].terminate()
        assert workers[1].wait(timeout=deadline - time.monotonic()) == 0
        assert f"asked to go; harvest {run.pk} is left to other workers" in (tmp_path / "worker1.log").read_text()
        assert watching.wait(timeout=deadline - time.monotonic()) == 0, (tmp_path / "watch.log").read_text()
    assert workers[0].returncode == -signal.SIGKILL
    run.refresh_from_db()
    assert (run.status, run.tokens_seen) == (RunStatus.DONE, corpus_tokens(run))
    assert len({shard.pk for shard in caught}) == WORKERS
    taken_over = run.shards.get(pk=caught[0].pk)
    assert taken_over.attempt > 1
    assert taken_over.worker != caught[0].worker
    assert set(run.shards.values_list("status", flat=True)) == {"done"}
    assert digests(artifact_folder(run.url)) == alone
    assert f"tiny-gelu: {run.tokens_seen:,} tokens read" in (tmp_path / "watch.log").read_text()


def corpus_tokens(run: HarvestRun) -> int:
    return sum(run.shards.values_list("tokens", flat=True))
