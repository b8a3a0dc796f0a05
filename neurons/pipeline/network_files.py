"""Bringing a network's files into the artifact store: copied whole or not at all, with their sha256."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from neurons import services
from neurons.lab.checkpoint import sha256_of
from neurons.pipeline.runs import Count

BLOCK_BYTES = 1 << 22


def bring_files(files: tuple[Path, ...], place: Path, progress: Count | None = None) -> dict[Path, str]:
    """Copy files into a folder that takes its name when all are on disk; a folder that has them already is left alone.

    Returns
    -------
    dict of Path to str
        sha256 of each of `files`.

    Raises
    ------
    NeuronsRefused
        If the folder holds something else.
    """
    done, total = 0, sum(path.stat().st_size for path in files)
    present = place.is_dir()
    target = place if present else place.with_name(place.name + ".unfinished")
    if not present:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
    hashes = {}
    for path in files:
        copied = hashlib.sha256()
        for block in _blocks(path) if present else _copied(path, target / path.name):
            copied.update(block)
            done += len(block)
            if progress is not None:
                progress(done, total)
        hashes[path] = copied.hexdigest()
    if present:
        _check_same(place, hashes)
    else:
        target.rename(place)
    return hashes


def joint_sha256(hashes: list[tuple[str, str]]) -> str:
    """sha256 of one file; of several, that of the lines which sha256sum prints for them, in the order of their names.

    Parameters
    ----------
    hashes : list of (str, str)
        Name and sha256 of each file.
    """
    if len(hashes) == 1:
        return hashes[0][1]
    lines = "".join(f"{sha256}  {name}\n" for name, sha256 in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as source:
        while block := source.read(BLOCK_BYTES):
            yield block


def _copied(path: Path, target: Path) -> Iterator[bytes]:
    with target.open("wb") as copy:
        for block in _blocks(path):
            copy.write(block)
            yield block
        copy.flush()
        os.fsync(copy.fileno())


def _check_same(place: Path, hashes: dict[Path, str]) -> None:
    for path, sha256 in hashes.items():
        there = place / path.name
        if not there.is_file() or sha256_of(there) != sha256:
            raise services.NeuronsRefused(
                f"the store has another network at {place.parent.name}/{place.name} ({path.name} differs); choose "
                "another pair or arm."
            )
