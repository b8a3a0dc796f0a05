"""A PostgreSQL server of our own for the length of a test."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WHERE = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt")


def binary(name: str) -> str:
    """A program of PostgreSQL; Debian keeps the server's outside of the path, one folder for each version."""
    found = shutil.which(name) or next(
        (str(path) for place in WHERE for path in sorted(Path(place).glob(f"**/bin/{name}"), reverse=True)), None
    )
    assert found, f"PostgreSQL's {name} was not found; install it (Debian: apt-get install postgresql)."
    return found


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Address of an empty database on a fresh server, which ends with the block."""
    folder, port = Path(tempfile.mkdtemp(prefix="blindscope-postgresql-")), _free_port()
    account = _account(folder)

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run([binary(program), *arguments], user=account, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, f"{program}: {done.stdout}\n{done.stderr}"

    data = str(folder / "data")
    try:
        run(
            "initdb", "--pgdata", data, "--username", "blindscope", "--auth", "trust", "--no-sync", "--encoding", "UTF8"
        )
        settings = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"
        run("pg_ctl", "--pgdata", data, "--log", str(folder / "log"), "--wait", "--options", settings, "start")
        try:
            yield f"postgresql://blindscope:any@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "--pgdata", data, "--mode", "immediate", "--wait", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _account(folder: Path) -> int | None:
    """PostgreSQL refuses to run as root; then it runs as an account that can do nothing else."""
    if os.geteuid() != 0:
        return None
    account = next(entry for name in ("postgres", "nobody") for entry in pwd.getpwall() if entry.pw_name == name)
    os.chown(folder, account.pw_uid, account.pw_gid)
    return account.pw_uid


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
