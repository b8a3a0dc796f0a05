"""An artifact store in a folder: artifacts are built where they stay, and read from there, memory-mapped."""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neurons.artifacts.addresses import check_address
from neurons.artifacts.errors import ArtifactBusy, ArtifactError

Beat = Callable[[], None]  # called every second or so during long transfers; what it raises ends the transfer


@dataclass(frozen=True)
class LocalStore:
    """A folder that every process sees; a shared file system counts."""

    root: Path

    def folder(self, address: str, beat: Beat | None = None) -> Path:
        """Folder behind an address, whether or not something is there yet."""
        folder = (self.root / check_address(address, self.root)).resolve()
        if self.root not in folder.parents:
            raise ArtifactError(
                f"{address!r} is no address in the artifact store; it has to name a folder inside {self.root}."
            )
        return folder

    def workplace(self, address: str) -> Path:
        """Folder in which the artifact is built."""
        return self.folder(address)

    def exists(self, address: str, marker: str) -> bool:
        return (self.folder(address) / marker).is_file()

    def publish(self, address: str, folder: Path, *, leave_out: tuple[str, ...] = (), beat: Beat | None = None) -> None:
        """Give a finished folder its name. What was published before stays as it is."""
        target = self.folder(address)
        if folder == target:
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.rename(target)
        except OSError:
            if not target.is_dir():
                raise

    def remove(self, address: str) -> None:
        """Delete an artifact, or everything below a prefix."""
        shutil.rmtree(self.folder(address), ignore_errors=True)

    def forget(self, address: str) -> None:
        """Nothing: readers read the store itself."""


@contextmanager
def lock(path: Path, *, busy: str = "") -> Iterator[None]:
    """Hold a lock file among the processes of this machine; a process that dies lets go of it.

    Parameters
    ----------
    busy : str
        What to say when another process holds it; without it, wait.

    Raises
    ------
    ArtifactBusy
        If another process holds it and `busy` is given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError:
            raise ArtifactBusy(busy) from None
        yield
