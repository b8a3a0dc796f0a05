"""Where the inference service is reached, and where it keeps its lock and log: one answer for pages and service."""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.crypto import salted_hmac

from neurons.inference.errors import InferenceDown

LONGEST_PATH = 107  # bytes in the path of a Unix socket (Linux)
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Place:
    """Address of the service.

    Attributes
    ----------
    address : str
        Path of a Unix socket, or host:port.
    folder : Path
        Folder of lock files and log, readable by its owner only.
    """

    address: str
    folder: Path

    @property
    def host_and_port(self) -> tuple[str, int] | None:
        """None for a Unix socket."""
        host, _, port = self.address.rpartition(":")
        return (host.strip("[]"), int(port)) if host and port.isdecimal() and "/" not in self.address else None

    @property
    def path(self) -> Path:
        return Path(self.address)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def is_here(self) -> bool:
        """Whether the service would run on this machine."""
        return self.host_and_port is None or self.host_and_port[0] in ("localhost", "127.0.0.1", "::1")

    def make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)

    def connect(self, seconds: float) -> socket.socket:
        """A connection to the service.

        Raises
        ------
        InferenceDown
            If nobody answers there.
        TimeoutError
            If it did not in time.
        """
        try:
            if tcp := self.host_and_port:
                return socket.create_connection(tcp, timeout=seconds)
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.settimeout(seconds)
            try:
                connection.connect(self.address)
            except BaseException:
                connection.close()
                raise
        except TimeoutError:
            raise
        except OSError as error:
            raise InferenceDown(
                f"The inference service does not answer at {self.address} ({error.strerror or error})."
            ) from None
        return connection

    @contextmanager
    def listen(self) -> Iterator[socket.socket]:
        """A listening socket; a Unix socket is open to its owner only and taken away at the end.

        Call it with the serving lock held: a socket that is found is then left by a service that died.
        """
        if tcp := self.host_and_port:
            with socket.create_server(tcp, backlog=64) as listener:
                yield listener
            return
        if len(os.fsencode(self.address)) > LONGEST_PATH:
            raise InferenceDown(
                f"The path of the inference service's socket, {self.address}, has more than {LONGEST_PATH} bytes; give "
                "BLINDSCOPE_INFERENCE_ADDRESS a shorter path."
            )
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.path.is_socket():
            self.path.unlink()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            before = os.umask(0o177)
            try:
                listener.bind(self.address)
            finally:
                os.umask(before)
            listener.listen(64)
            try:
                yield listener
            finally:
                self.path.unlink(missing_ok=True)


def place() -> Place:
    """The place that the settings name."""
    folder = Path(settings.DATA_DIR) / "inference"
    return Place(str(settings.INFERENCE_ADDRESS) or str(folder / "socket"), folder)


def own_key() -> str:
    """What only processes with this installation's secret can say."""
    return salted_hmac("neurons.inference", "request").hexdigest()


@contextmanager
def held(path: Path, deadline: float | None = None) -> Iterator[bool]:
    """Hold a lock file; yields False if another process has it until the deadline (without one, if it has it now).

    A process that dies lets go of it.
    """
    with path.open("a") as handle:
        got = _try_lock(handle.fileno())
        while not got and deadline is not None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            got = _try_lock(handle.fileno())
        yield got


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
