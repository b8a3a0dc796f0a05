"""How artifacts are named. A row stores an address relative to the store, so that moving the store changes no row."""

from pathlib import PurePosixPath

from neurons.artifacts.errors import ArtifactError

SHIPPED = "shipped:"  # networks that come with the repository


def corpus_address(name: str) -> str:
    return f"corpora/{name}"


def pair_address(name: str) -> str:
    return f"networks/{name}"


def harvest_address(network: str, corpus: str, site: str, run: int) -> str:
    return f"harvests/{network}--{corpus}--{site}--{run}"


def work_address(harvest: str) -> str:
    """Prefix of everything that a harvest needs only until it is finished."""
    return f"{harvest}.work"


def shard_address(harvest: str, number: int, attempt: int) -> str:
    """Each attempt has its own name: a worker that was given up and comes back writes where nobody reads."""
    return f"{work_address(harvest)}/shard-{number:05d}.{attempt}"


def merge_address(harvest: str, owner: str) -> str:
    return f"{work_address(harvest)}/merge.{owner}"


def index_address(harvest: str) -> str:
    """Prefix of the indexes of a harvest's neurons; what an index was made from is added to it."""
    return f"indexes/{PurePosixPath(harvest).name}"


def check_address(address: str, store: object) -> str:
    """The address itself, if it names a folder inside a store.

    Raises
    ------
    ArtifactError
        If it is empty, absolute or leads out of the store.
    """
    path = PurePosixPath(address)
    if not path.parts or path.is_absolute() or ".." in path.parts:
        raise ArtifactError(f"{address!r} is no address in the artifact store; it has to name a folder inside {store}.")
    return address
