"""Reading texts from files: .txt, .md, .jsonl, .csv (each also as .gz) and .parquet; streamed, with a report.

A bad file never stops an import: it is named in the report with the reason. Bytes that are no UTF-8 become U+FFFD and
are counted.
"""

import codecs
import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

BLOCK_BYTES = 1 << 20  # of a .txt file, read at a time
LONGEST_RECORD = 64 << 20  # characters of a line of .jsonl or a field of .csv
LISTED = 20  # problems listed one by one; further ones are counted
UNDECODED = re.compile("[\udc80-\udcff]")  # how "surrogateescape" marks a byte that is no UTF-8


class ReadError(ValueError):
    """There is nothing to read at a path."""


@dataclass
class ReadReport:
    """What was read, repaired and skipped.

    Attributes
    ----------
    files : Counter
        Files read, by ending.
    texts, empty : int
        Texts given on, and records without any text.
    repaired_bytes : int
        Bytes that were no UTF-8 and became U+FFFD.
    skipped : Counter
        Records and files left out, by reason.
    examples : list of str
        The first of them, with their place.
    """

    files: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    empty: int = 0
    repaired_bytes: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def skip(self, place: str, reason: str) -> None:
        self.skipped[reason] += 1
        if len(self.examples) < LISTED:
            self.examples.append(f"{place}: {reason}")

    def as_dict(self) -> dict[str, Any]:
        return {
            "files": dict(sorted(self.files.items())),
            "texts": self.texts,
            "empty": self.empty,
            "repaired_bytes": self.repaired_bytes,
            "skipped": dict(sorted(self.skipped.items())),
            "examples": self.examples,
        }


def read_texts(paths: list[Path], report: ReadReport, *, text_field: str = "text") -> Iterator[tuple[str, str]]:
    """Stream texts out of files and folders.

    Parameters
    ----------
    paths : list of Path
        Files, or folders that are walked in alphabetical order.
    report : ReadReport
        Filled while reading.
    text_field : str
        Key in .jsonl, column in .csv and .parquet that holds the text.

    Yields
    ------
    source : str
        Path, and the line or row where a file holds many texts.
    text : str
        Not empty; line ends are "\\n".

    Raises
    ------
    ReadError
        If a path does not exist or no file with a known ending is found.
    """
    for path in list(_files(paths, report)):
        kind = _kind(path)
        report.files[kind] += 1
        try:
            for source, text in READERS[kind](path, report, text_field):
                if text.strip():
                    report.texts += 1
                    yield source, text.replace("\r\n", "\n").replace("\r", "\n")
                else:
                    report.empty += 1
        except (OSError, EOFError, pa.ArrowException, csv.Error, UnicodeError) as error:
            report.skip(str(path), f"the file could not be read on: {type(error).__name__}: {error}")


def _kind(path: Path) -> str:
    return "".join(path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]).removesuffix(".gz").lower()


def _files(paths: list[Path], report: ReadReport) -> Iterator[Path]:
    found = 0
    for path in paths:
        if not path.exists():
            raise ReadError(f"{path} does not exist; give files or folders that do.")
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if not file.is_file():
                continue
            if _kind(file) not in READERS:
                report.skip(str(file), f"files ending in {file.suffix or 'nothing'} are not read")
            elif file.stat().st_size == 0:
                report.skip(str(file), "the file is empty")
            else:
                found += 1
                yield file
    if not found:
        listed = ", ".join(READERS)
        raise ReadError(f"no file to read in {', '.join(map(str, paths))}; known endings are {listed}, not empty.")


def _open(path: Path) -> gzip.GzipFile | io.BufferedReader:
    return gzip.GzipFile(path) if path.suffix == ".gz" else path.open("rb")


def repair(text: str, report: ReadReport) -> str:
    """Replace what "surrogateescape" could not decode, and count it.

    Examples
    --------
    >>> repair(b"caf\\xe9".decode("utf-8", "surrogateescape"), ReadReport())
    'caf\ufffd'
    """
    repaired, count = UNDECODED.subn("\ufffd", text)
    report.repaired_bytes += count
    return repaired


def _read_txt(path: Path, report: ReadReport, _: str) -> Iterator[tuple[str, str]]:
    """A whole file, a megabyte at a time, cut at line ends."""
    with _open(path) as handle:
        start = handle.read(4)
        encoding = "utf-16" if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
        if encoding == "utf-8-sig" and b"\0" in start + handle.read(8192):
            report.skip(str(path), "the file is binary")
            return
        handle.seek(0)
        errors = "replace" if encoding == "utf-16" else "surrogateescape"
        decoder = codecs.getincrementaldecoder(encoding)(errors=errors)
        rest = ""
        while block := handle.read(BLOCK_BYTES):
            rest += decoder.decode(block)
            if len(block) == BLOCK_BYTES:  # more may follow
                cut = rest.rfind("\n") + 1 or len(rest)
                yield str(path), repair(rest[:cut], report)
                rest = rest[cut:]
        if rest := rest + decoder.decode(b"", final=True):
            yield str(path), repair(rest, report)


def _lines(path: Path, report: ReadReport) -> Iterator[tuple[int, str]]:
    with io.TextIOWrapper(_open(path), encoding="utf-8-sig", errors="surrogateescape", newline="\n") as handle:
        number = 0
        while line := handle.readline(LONGEST_RECORD):
            number += 1
            if len(line) == LONGEST_RECORD:
                report.skip(f"{path}:{number}", f"the line is longer than {LONGEST_RECORD} characters")
                while (more := handle.readline(LONGEST_RECORD)) and not more.endswith("\n"):
                    pass
                continue
            yield number, repair(line, report)


def _read_jsonl(path: Path, report: ReadReport, text_field: str) -> Iterator[tuple[str, str]]:
    for number, line in _lines(path, report):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            record = json.loads(line)
        except ValueError:
            report.skip(place, "the line is no JSON")
            continue
        text = record.get(text_field) if isinstance(record, dict) else None
        if not isinstance(text, str):
            report.skip(place, f"no text under {text_field!r}")
            continue
        # JSON can spell half of a character pair ("\ud83d"), which no UTF-8 file can hold.
        yield place, text.encode("utf-8", "replace").decode("utf-8")


def _read_csv(path: Path, report: ReadReport, text_field: str) -> Iterator[tuple[str, str]]:
    csv.field_size_limit(LONGEST_RECORD)
    with io.TextIOWrapper(_open(path), encoding="utf-8-sig", errors="surrogateescape", newline="") as handle:
        reader = csv.DictReader(handle)
        if text_field not in (columns := reader.fieldnames or []):
            report.skip(str(path), f"no column {text_field!r} among {', '.join(columns)}")
            return
        for number, record in enumerate(reader, start=1):
            yield f"{path}:{number}", repair(record[text_field] or "", report)


def _read_parquet(path: Path, report: ReadReport, text_field: str) -> Iterator[tuple[str, str]]:
    with pq.ParquetFile(path) as file:
        if text_field not in file.schema_arrow.names:
            report.skip(str(path), f"no column {text_field!r} among {', '.join(file.schema_arrow.names)}")
            return
        number = 0
        for batch in file.iter_batches(batch_size=256, columns=[text_field]):
            for value in batch.column(0).to_pylist():
                number += 1
                if isinstance(value, str):
                    yield f"{path}:{number}", value
                else:
                    report.skip(f"{path}:{number}", f"no text under {text_field!r}")


Reader = Callable[[Path, ReadReport, str], Iterator[tuple[str, str]]]
READERS: dict[str, Reader] = {
    ".txt": _read_txt,
    ".md": _read_txt,
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
