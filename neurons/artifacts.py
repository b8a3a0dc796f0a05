"""Where arrays live, how they are named, and who may write there.

A row stores an address relative to the artifact store ("corpora/embedded") or to the networks that ship with the
repository ("shipped:1l-256/gelu"), so that a moved data folder needs no change in the database.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

SHIPPED = "shipped:"


class ArtifactError(ValueError):
    """An artifact address cannot be used."""


class ArtifactBusy(RuntimeError):
    """Another process is writing this artifact."""


def artifact_root() -> Path:
    """Folder of the artifact store."""
    url = str(settings.ARTIFACTS_URL)
    if "://" in url and not url.startswith("file://"):
        raise ArtifactError(
            f"BLINDSCOPE_ARTIFACTS_URL is {url!r}; arrays are memory-mapped and need a folder: give a path that every "
            "worker sees."
        )
    return Path(url.removeprefix("file://")).resolve()


def artifact_folder(address: str) -> Path:
    """Folder behind an address stored on a row.

    Raises
    ------
    ArtifactError
        If the address is empty or leads out of its store.
    """
    root, relative = artifact_root(), address
    if address.startswith(SHIPPED):
        root, relative = Path(settings.SHIPPED_NETWORKS_DIR).resolve(), address.removeprefix(SHIPPED)
    folder = (root / relative).resolve()
    if not relative or root not in folder.parents:
        raise ArtifactError(f"{address!r} is no address in the artifact store; it has to name a folder inside {root}.")
    return folder


def corpus_address(name: str) -> str:
    return f"corpora/{name}"


def pair_address(name: str) -> str:
    return f"networks/{name}"


def harvest_address(network: str, corpus: str, site: str, run: int) -> str:
    return f"harvests/{network}--{corpus}--{site}--{run}"


@contextmanager
def exclusive(address: str) -> Iterator[Path]:
    """Hold an artifact for writing; a process that dies lets go of it.

    Yields
    ------
    Path
        The artifact's folder; its parent is made if needed.

    Raises
    ------
    ArtifactBusy
        If another process holds it.
    """
    folder = artifact_folder(address)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(folder.name + ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ArtifactBusy(f"{address} is being written by another process; wait for it or stop it.") from None
        yield folder
