"""Files of records, read a line (or a small JSON file) at a time: plain or .gz, with places for every complaint."""

import gzip
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from neurons.store.records.record import BadRecord, RecordsError

LONGEST = 256 << 20  # bytes of one line or of one .json file
LISTED = 20  # bad records told one by one; further ones are counted
ENDINGS = (".jsonl", ".json")

Progress = Callable[[int, int], None]  # bytes read, bytes in all
Result = TypeVar("Result")


@dataclass
class ReadReport:
    """What was read and what was left out.

    Attributes
    ----------
    skip_bad : bool
        Whether a bad record is left out and counted; otherwise it stops the reading.
    files, records : int
    skipped : Counter
        Records left out, by reason.
    examples : list of str
        The first of them, with their place.
    """

    skip_bad: bool = False
    files: int = 0
    records: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def bad(self, place: str, reason: str) -> None:
        """Leave a record out, or stop.

        Raises
        ------
        RecordsError
            If bad records are not to be skipped.
        """
        if not self.skip_bad:
            raise RecordsError(
                f"{place}: {reason}. Mend the file, or leave such records out and have them counted with --skip-bad."
            )
        # Numbers in a reason differ from record to record; without them equal faults count as one.
        self.skipped[re.sub(r"\d+", "…", reason)] += 1
        if len(self.examples) < LISTED:
            self.examples.append(f"{place}: {reason}")

    def as_dict(self) -> dict[str, Any]:
        return {
            "files": self.files,
            "records": self.records,
            "skipped": dict(sorted(self.skipped.items())),
            "examples": self.examples,
        }


def is_record_file(path: Path) -> bool:
    return path.name.removesuffix(".gz").endswith(ENDINGS)


def natural(path: Path) -> list[Any]:
    """Sort key in which batch-2 comes before batch-10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", path.as_posix())]


def record_files(paths: list[Path]) -> list[Path]:
    """Files of records at these paths; folders are walked.

    In a folder that holds `activations/` and `features/`, as Neuronpedia writes it, only those two are read.

    Raises
    ------
    RecordsError
        If a path does not exist or holds no such file.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise RecordsError(f"{path} does not exist; give files or folders that do.")
        inside = sorted(filter(is_record_file, path.rglob("*")), key=natural) if path.is_dir() else [path]
        batches = [file for file in inside if file.parent.name in ("activations", "features")]
        if path.is_dir() and any(file.parent.name == "activations" for file in batches):
            inside = batches
        if not inside:
            raise RecordsError(f"{path} holds no file ending in .jsonl, .json, .jsonl.gz or .json.gz.")
        found += [file for file in inside if file.is_file()]
    return list(dict.fromkeys(found))


def read_objects(
    files: list[Path], report: ReadReport, progress: Progress | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """JSON objects of the files, each with its place ("file:line").

    Raises
    ------
    RecordsError
        If something is no JSON object and bad records are not to be skipped.
    """
    total, before = sum(file.stat().st_size for file in files), 0
    for file in files:
        report.files += 1
        with file.open("rb") as raw:
            for place, text in _texts(file, raw, report):
                yield from _objects(place, text, report)
                if progress is not None:
                    progress(before + raw.tell(), total)
        before += file.stat().st_size
        if progress is not None:
            progress(before, total)


def _texts(file: Path, raw: io.BufferedReader, report: ReadReport) -> Iterator[tuple[str, bytes]]:
    """Lines of a .jsonl file, or the whole of a .json file."""
    stream = gzip.GzipFile(fileobj=raw) if file.suffix == ".gz" else raw
    whole = file.name.removesuffix(".gz").endswith(".json")
    number = 0
    try:
        while text := (stream.read if whole else stream.readline)(LONGEST + 1):
            number += 1
            if len(text) > LONGEST:
                report.bad(f"{file}:{number}", f"more than {LONGEST} bytes in one record; the rest of the file is left")
                return
            if text.strip():
                yield str(file) if whole else f"{file}:{number}", text
    except (OSError, EOFError, zlib.error) as error:
        reason = f"the file is damaged after line {number} ({type(error).__name__}: {error}); copy it again"
        report.bad(str(file), reason)


def _objects(place: str, text: bytes, report: ReadReport) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        value = json.loads(text.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        report.bad(place, f"no JSON ({error}); expected one object")
        return
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            report.records += 1
            yield place, item
        else:
            report.bad(place, f"a JSON {type(item).__name__}; expected an object")


def guarded(place: str, report: ReadReport, read: Callable[..., Result], *arguments: Any) -> Result | None:
    """What `read` gives for the arguments, or None if the record is bad and is skipped."""
    try:
        return read(*arguments)
    except BadRecord as bad:
        report.bad(place, str(bad))
        return None
