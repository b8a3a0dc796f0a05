"""An artifact store behind an fsspec URL, such as s3://bucket/prefix.

    <address>/…              the artifact's files
    <address>/artifact.json  size and sha256 of each file; uploaded last: without it there is no artifact

Readers get a folder of a cache on this machine: the whole artifact, downloaded at first use, compared with its list of
files, and given its name when complete. Writers build in a folder of this machine and publish it. What was published
once is never replaced by something else, so a cached artifact does not grow old.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import fsspec

from neurons.artifacts.addresses import check_address
from neurons.artifacts.errors import ArtifactError, ArtifactUnreachable
from neurons.artifacts.local import Beat, lock

MANIFEST = "artifact.json"
TRANSFERS = 8  # files on the way at once
BEAT_SECONDS = 1.0
CONNECT_SECONDS, READ_SECONDS, TRIES = 10, 60, 4  # patience with an S3 server before it counts as unreachable

Files = dict[str, dict[str, Any]]  # path in the artifact -> {"bytes": …, "sha256": …}


class RemoteStore:
    """Artifacts in an object store, and their copies on this machine.

    Parameters
    ----------
    url : str
        Any URL that fsspec knows and has a driver for.
    cache : Path
        Folder of this machine for copies of what is read (`cache/…`) and for what is being built (`work/…`).
    endpoint : str
        Address of an S3-compatible server; empty: Amazon's.
    """

    def __init__(self, url: str, cache: Path, endpoint: str = "") -> None:
        self.url = url.rstrip("/")
        # A folder for each store, so that a change of the URL never mixes two of them.
        self.local = cache / hashlib.sha256(f"{endpoint} {self.url}".encode()).hexdigest()[:12]
        self.files, self.root = _connect(self.url, endpoint)

    # -- reading -------------------------------------------------------------------------------------------------------
    def folder(self, address: str, beat: Beat | None = None) -> Path:
        """The artifact's copy on this machine; downloaded if it is not there yet.

        Raises
        ------
        ArtifactError
            If the store holds no such artifact, or what arrived is not what was published.
        ArtifactUnreachable
            If the store does not answer.
        """
        copy = self.local / "cache" / check_address(address, self.url)
        if copy.is_dir():
            return copy
        with lock(copy.with_name(copy.name + ".lock")):
            if not copy.is_dir():
                self._download(address, copy, beat)
        return copy

    def exists(self, address: str, marker: str) -> bool:
        return marker in (self._manifest(address) or ())

    def _manifest(self, address: str) -> Files | None:
        with self._explained():
            try:
                raw = self.files.cat_file(self._path(address, MANIFEST))
            except FileNotFoundError:
                self._check_bucket()
                return None
        files: Files = json.loads(raw)["files"]
        for name in files:
            check_address(name, address)
        return files

    def _check_bucket(self) -> None:
        """A missing bucket looks like a missing file; it is a mistake in the settings and has to be told apart."""
        bucket = self.root.split("/")[0]
        if "s3" in self.files.protocol and not self.files.exists(bucket):
            raise ArtifactUnreachable(
                f"The bucket {bucket!r} of BLINDSCOPE_ARTIFACTS_URL ({self.url}) does not exist; make it, or correct "
                "the URL or BLINDSCOPE_S3_ENDPOINT."
            )

    def _download(self, address: str, copy: Path, beat: Beat | None) -> None:
        files = self._manifest(address)
        if files is None:
            raise ArtifactError(
                f"There is no artifact {address!r} in {self.url}, or its upload did not end; make it again."
            )
        partial = copy.with_name(copy.name + ".filling")
        self._transfer(files, lambda name: self._download_file(address, name, partial / name, files[name]), beat)
        partial.rename(copy)

    def _download_file(self, address: str, name: str, target: Path, facts: dict[str, Any]) -> dict[str, Any]:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not (target.is_file() and facts_of(target) == facts):  # left by a download that was interrupted
            with self._explained():
                self.files.get_file(self._path(address, name), str(target))
            if (arrived := facts_of(target)) != facts:
                raise ArtifactError(
                    f"{name} of the artifact {address!r} in {self.url} arrived with {arrived['bytes']:,} bytes and "
                    f"sha256 {arrived['sha256'][:12]}…, published were {facts['bytes']:,} and {facts['sha256'][:12]}…; "
                    "the object was changed or damaged: restore it, or remove the artifact and make it again."
                )
        return facts

    # -- writing -------------------------------------------------------------------------------------------------------
    def workplace(self, address: str) -> Path:
        """Folder of this machine in which the artifact is built."""
        return self.local / "work" / check_address(address, self.url)

    def publish(self, address: str, folder: Path, *, leave_out: tuple[str, ...] = (), beat: Beat | None = None) -> None:
        """Upload a finished folder, the list of its files last, and keep it as this machine's copy.

        Publishing the same again changes nothing.

        Raises
        ------
        ArtifactError
            If another artifact was published under this address.
        """
        names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
        names = [name for name in names if name not in leave_out]
        present = self._manifest(address)
        if present is None:
            files = self._transfer(names, lambda name: self._upload_file(address, name, folder / name), beat)
            with self._explained():
                self.files.pipe_file(self._path(address, MANIFEST), json.dumps({"files": files}, indent=1).encode())
        elif present != {name: facts_of(folder / name) for name in names}:
            raise ArtifactError(
                f"{self.url} holds another artifact at {address!r}; what is published is never replaced. Remove it "
                "first, or use another name."
            )
        self._keep_copy(address, folder, names)
        if not leave_out:
            shutil.rmtree(folder, ignore_errors=True)

    def _upload_file(self, address: str, name: str, path: Path) -> dict[str, Any]:
        facts = facts_of(path)
        with self._explained():
            self.files.put_file(str(path), self._path(address, name))
        return facts

    def _keep_copy(self, address: str, folder: Path, names: list[str]) -> None:
        copy = self.local / "cache" / address
        with lock(copy.with_name(copy.name + ".lock")):
            if copy.is_dir():
                return
            partial = copy.with_name(copy.name + ".filling")
            shutil.rmtree(partial, ignore_errors=True)
            for name in names:
                (partial / name).parent.mkdir(parents=True, exist_ok=True)
                _link_or_copy(folder / name, partial / name)
            partial.rename(copy)

    def remove(self, address: str) -> None:
        """Delete an artifact, or everything below a prefix, from the store and from this machine."""
        path = self._path(check_address(address, self.url))
        with self._explained(), suppress(FileNotFoundError):
            self.files.rm(path, recursive=True)
        self.forget(address)

    def forget(self, address: str) -> None:
        """Delete what this machine has of an artifact, or of everything below a prefix; the store keeps its own."""
        for place in ("cache", "work"):
            shutil.rmtree(self.local / place / check_address(address, self.url), ignore_errors=True)

    # -- both ----------------------------------------------------------------------------------------------------------
    def _path(self, *parts: str) -> str:
        return "/".join((self.root, *parts))

    def _transfer(self, names: Any, move: Callable[[str], dict[str, Any]], beat: Beat | None) -> Files:
        """Move files side by side; the first error ends all."""
        pool = ThreadPoolExecutor(TRANSFERS)
        try:
            moving: dict[str, Future[dict[str, Any]]] = {name: pool.submit(move, name) for name in names}
            waiting = set(moving.values())
            while waiting:
                done, waiting = wait(waiting, timeout=BEAT_SECONDS)
                for future in done:
                    future.result()
                if beat is not None:
                    beat()
            return {name: future.result() for name, future in moving.items()}
        finally:
            pool.shutdown(cancel_futures=True)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say in a sentence what a driver's error means."""
        try:
            yield
        except ArtifactError:
            raise
        except PermissionError as error:
            raise ArtifactUnreachable(
                f"{self.url} refuses access ({error}); check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the rights "
                "on the bucket."
            ) from error
        except Exception as error:
            raise ArtifactUnreachable(
                f"The artifact store {self.url} cannot be used ({type(error).__name__}: {error}); check the network, "
                "BLINDSCOPE_S3_ENDPOINT, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then do the same again."
            ) from error


def _connect(url: str, endpoint: str) -> tuple[Any, str]:
    """The driver's file system and the path of the store in it."""
    options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if url.startswith("s3://"):
        patience = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
        retries = {"mode": "standard", "max_attempts": TRIES}
        options |= {"endpoint_url": endpoint or None, "config_kwargs": patience | {"retries": retries}}
    try:
        files, root = fsspec.url_to_fs(url, **options)
    except (ValueError, ImportError) as error:
        raise ArtifactError(
            f"BLINDSCOPE_ARTIFACTS_URL is {url!r} and cannot be used ({error}); give a folder or a URL such as "
            "s3://bucket/prefix."
        ) from None
    return files, str(root).rstrip("/")


def facts_of(path: Path) -> dict[str, Any]:
    """Size and sha256 of a file, as the list of an artifact's files has them."""
    with path.open("rb") as handle:
        return {"bytes": os.fstat(handle.fileno()).st_size, "sha256": hashlib.file_digest(handle, "sha256").hexdigest()}


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
