"""A real Redis for tests."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

START_SECONDS = 20


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The URL of a Redis that keeps nothing; it ends with the block."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.fail("this test needs Redis and found no redis-server (Debian: apt-get install redis-server).")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {"--port": str(port), "--bind": "127.0.0.1", "--save": "", "--appendonly": "no", "--dir": str(folder)}
    command = [program, *(word for option in options.items() for word in option)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_until_it_answers(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    client = redis.Redis(port=port)
    while time.monotonic() < deadline and process.poll() is None:
        try:
            client.ping()
            return
        except redis.ConnectionError:
            time.sleep(0.05)
    pytest.fail("the Redis server did not start")
