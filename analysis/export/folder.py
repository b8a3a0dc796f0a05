"""Files on disk: a folder that is whole or not there, and a zip with the same bytes every time."""

import io
import os
import shutil
import tempfile
import zipfile
from pathlib import Path

from analysis.export.files import FILE_NOTES, FileSource

# The oldest date that a zip can hold: no clock in the bytes.
ZIP_DATE = (1980, 1, 1, 0, 0, 0)


class FolderInUse(Exception):
    """The target holds files that no export wrote; they are never deleted."""


def folder_write(folder: Path, files: dict[str, FileSource]) -> None:
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


def zip_bytes(folder_name: str, files: dict[str, FileSource]) -> bytes:
    """All files in one zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, make in files.items():
            entry = zipfile.ZipInfo(f"{folder_name}/{name}", ZIP_DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, make(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _check_replaceable(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FolderInUse(f"{folder} is a file; give the name of a folder.")
    strangers = sorted({path.name for path in folder.iterdir()} - FILE_NOTES.keys())
    if strangers:
        raise FolderInUse(
            f"{folder} holds {', '.join(strangers[:3])}, which no report wrote; give a new or empty folder."
        )


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
