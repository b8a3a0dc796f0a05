"""Files on disk: a folder or a zip that is whole or not there. A zip has the same bytes every time."""

import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from analysis.export.files import FileSource

# The oldest date that a zip can hold: no clock in the bytes.
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
SUMS = "SHA256SUMS"


class FolderInUse(Exception):
    """The target holds files that no export wrote; they are never deleted."""


def export_write(target: Path, name: str, files: Mapping[str, FileSource]) -> None:
    """Write all files, or none: into a folder, or into a zip if the target ends in .zip.

    Parameters
    ----------
    name : str
        Of the folder within the zip.

    Raises
    ------
    FolderInUse
        When the target holds anything but an earlier export.
    """
    if target.suffix.lower() == ".zip":
        zip_write(target, name, files)
    else:
        folder_write(target, files)


def folder_write(folder: Path, files: Mapping[str, FileSource]) -> None:
    """Write all files, or none: they are made beside the target, which is then replaced in one step.

    Raises
    ------
    FolderInUse
        When the target is a file, or holds anything but an earlier export.
    """
    folder = folder.resolve()
    _check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, make in files.items():
            (fresh / name).write_bytes(make())
        fresh.chmod(0o755)
        _replace(folder, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def zip_write(path: Path, name: str, files: Mapping[str, FileSource]) -> None:
    """Write one zip in one step; an earlier export of that name is replaced.

    Raises
    ------
    FolderInUse
        When the target is a folder, or a file that no export wrote.
    """
    path = path.resolve()
    if path.exists() and not _is_export_zip(path):
        raise FolderInUse(f"{path} is no export; give the name of a new file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, fresh = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            _zip_into(out, name, files)
        os.chmod(fresh, 0o644)
        os.replace(fresh, path)
    finally:
        Path(fresh).unlink(missing_ok=True)


def zip_bytes(folder_name: str, files: Mapping[str, FileSource]) -> bytes:
    """All files in one zip."""
    buffer = io.BytesIO()
    _zip_into(buffer, folder_name, files)
    return buffer.getvalue()


def _zip_into(out: IO[bytes], folder_name: str, files: Mapping[str, FileSource]) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, make in files.items():
            entry = zipfile.ZipInfo(f"{folder_name}/{name}", ZIP_DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, make(), zipfile.ZIP_DEFLATED)


def _is_export_zip(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(f"/{SUMS}") for name in archive.namelist())


def _check_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FolderInUse(f"{folder} is a file; give the name of a folder.")
    strangers = sorted({path.name for path in folder.iterdir()} - _listed(folder))
    if strangers:
        raise FolderInUse(
            f"{folder} holds {', '.join(strangers[:3])}, which no export wrote; give a new or empty folder."
        )


def _listed(folder: Path) -> set[str]:
    """Files that the export in a folder says are its own."""
    sums = folder / SUMS
    lines = sums.read_text(encoding="utf-8").splitlines() if sums.is_file() else []
    return {SUMS, *(line.partition("  ")[2] for line in lines)}


def _replace(folder: Path, fresh: Path) -> None:
    if not folder.exists():
        os.replace(fresh, folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
    os.replace(folder, old / "before")
    try:
        os.replace(fresh, folder)
    except OSError:
        os.replace(old / "before", folder)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
