"""Where arrays live: one store for all, a folder or an object store.

Readers ask for `artifact_folder(address)` and get a local folder to map into memory. Writers take
`with exclusive(address) as folder`, build there, and `publish(address)`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from neurons.artifacts import local
from neurons.artifacts.addresses import (
    SHIPPED,
    corpus_address,
    harvest_address,
    index_address,
    merge_address,
    pair_address,
    shard_address,
    work_address,
)
from neurons.artifacts.errors import ArtifactBusy, ArtifactError, ArtifactUnreachable
from neurons.artifacts.local import Beat, LocalStore
from neurons.artifacts.remote import RemoteStore

__all__ = [
    "SHIPPED",
    "ArtifactBusy",
    "ArtifactError",
    "ArtifactUnreachable",
    "Beat",
    "artifact_exists",
    "artifact_folder",
    "corpus_address",
    "exclusive",
    "forget",
    "harvest_address",
    "index_address",
    "merge_address",
    "pair_address",
    "publish",
    "remove",
    "shard_address",
    "store_is_remote",
    "work_address",
    "workplace",
]


def artifact_folder(address: str, beat: Beat | None = None) -> Path:
    """Folder behind an address stored on a row; a remote artifact is brought to this machine first.

    Raises
    ------
    ArtifactError
        If the address is empty or leads out of its store, or a remote store has no such artifact.
    """
    if address.startswith(SHIPPED):
        shipped = LocalStore(Path(settings.SHIPPED_NETWORKS_DIR).resolve())
        return shipped.folder(address.removeprefix(SHIPPED))
    return _store().folder(address, beat)


def artifact_exists(address: str, marker: str) -> bool:
    """Whether a finished artifact is there; `marker` is the file that its kind has when it is complete."""
    return _store().exists(address, marker)


def workplace(address: str) -> Path:
    """Local folder in which an artifact is built; in a local store it is the artifact's own."""
    return _store().workplace(address)


def publish(
    address: str, folder: Path | None = None, *, leave_out: tuple[str, ...] = (), beat: Beat | None = None
) -> None:
    """Let everybody see a finished artifact.

    Parameters
    ----------
    folder : Path, optional
        Where it was built; without it, its workplace.
    leave_out : tuple of str
        Files that only its maker needs, such as the state of a training.

    Raises
    ------
    ArtifactError
        If a remote store holds another artifact at this address: what is published is never replaced.
    """
    _store().publish(address, folder or workplace(address), leave_out=leave_out, beat=beat)


def remove(address: str) -> None:
    """Delete an artifact, or everything below a prefix such as a harvest's work address."""
    _store().remove(address)


def forget(address: str) -> None:
    """Delete this machine's copies of a remote artifact, or of everything below a prefix; the store keeps its own."""
    _store().forget(address)


@contextmanager
def exclusive(address: str) -> Iterator[Path]:
    """Hold an artifact for writing among the processes of this machine; a process that dies lets go of it.

    Yields
    ------
    Path
        The artifact's workplace; its parent is made if needed.

    Raises
    ------
    ArtifactBusy
        If another process holds it.
    """
    folder = workplace(address)
    busy = f"{address} is being written by another process; wait for it or stop it."
    with local.lock(folder.with_name(folder.name + ".lock"), busy=busy):
        yield folder


def store_is_remote() -> bool:
    """Whether other machines reach the artifacts only through the store, and not their unfinished work."""
    return _is_remote(str(settings.ARTIFACTS_URL))


def _store() -> LocalStore | RemoteStore:
    url = str(settings.ARTIFACTS_URL)
    if not _is_remote(url):
        return LocalStore(Path(url.removeprefix("file://")).resolve())
    return _remote_store(url, str(settings.ARTIFACTS_CACHE), str(settings.S3_ENDPOINT), os.getpid())


def _is_remote(url: str) -> bool:
    return "://" in url and not url.startswith("file://")


# Kept, because connecting costs more than reading; by process, because connections do not survive a fork.
@lru_cache(maxsize=4)
def _remote_store(url: str, cache: str, endpoint: str, process: int) -> RemoteStore:
    return RemoteStore(url, Path(cache), endpoint)
