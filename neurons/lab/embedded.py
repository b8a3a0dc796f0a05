"""The embedded corpus: text that every installation already has, so that nothing is downloaded.

Three kinds of text, from the Python standard library and from the packages that requirements.txt installs:

    docstrings    of every module, class and function: English prose with examples
    source        the code itself, whole files cut at empty lines
    translations  what Django says, in about a hundred languages

Only packages named here are read, so tools that a developer installed beside them change nothing. Another version of
Python or of a package changes the text: the corpus fingerprint says so.
"""

import ast
import re
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import metadata
from inspect import cleandoc
from multiprocessing import get_context
from pathlib import Path

from neurons.lab.corpus import DOCUMENT_CHARS, ImportReport, cut_text

PACKAGES = (
    "django", "celery", "kombu", "billiard", "numpy", "scipy", "pandas", "pyarrow", "torch", "sympy", "networkx",
    "fsspec", "redis", "psycopg", "tqdm", "jinja2", "mpmath", "tokenizers", "safetensors", "huggingface-hub", "click",
    "prompt-toolkit", "gunicorn", "whitenoise", "setuptools", "typing-extensions", "filelock", "httpx2", "anyio",
)  # fmt: skip
# Test code repeats itself; machine-written tables are not text.
SKIPPED_PARTS = re.compile(
    r"(^|/)(tests?|testing|_vendor|__pycache__|site-packages|idlelib|lib2to3|include|lib|bin)(/|$)|unicode.*tables?|_pb2"
)
LONGEST_FILE_BYTES = 400_000
SHORTEST_DOCSTRING_CHARS = 200
SOURCE_SHARE = {"python": 2, "package": 4}  # every second, every fourth piece of source is kept
PO_NOISE = re.compile(r"^#[:,.~].*\n", re.MULTILINE)  # file references and flags in .po files


def embedded_documents(report: ImportReport, *, workers: int = 2) -> Iterator[str]:
    """Yield the embedded corpus in a fixed order.

    Parameters
    ----------
    report : ImportReport
        `report.reader` is filled with the files read, by kind, and the files skipped.
    workers : int
        Processes that read and parse; the order does not depend on it.
    """
    counts: Counter[str] = Counter()
    files = [(str(path), kind) for path, kind in _files()]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for kind, documents in pool.map(_read_file, files, chunksize=64):
            counts[kind] += 1
            yield from documents
    report.reader = dict(sorted(counts.items()))


def _files() -> Iterator[tuple[Path, str]]:
    """Files of the standard library and of the named packages, in a fixed order, with their kind."""
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted(library.rglob("*.py")):
        if not SKIPPED_PARTS.search(path.relative_to(library).as_posix()):
            yield path, "python"
    for package in PACKAGES:
        yield from _package_files(package)


def _package_files(package: str) -> Iterator[tuple[Path, str]]:
    try:
        files = metadata.files(package) or []
    except metadata.PackageNotFoundError:
        return
    for file in sorted(files, key=lambda entry: entry.as_posix()):
        relative = file.as_posix()
        if file.suffix == ".po":
            yield Path(str(file.locate())), "translations"
        elif file.suffix == ".py" and not SKIPPED_PARTS.search(relative):
            yield Path(str(file.locate())), "package"
        elif file.name == "METADATA":
            yield Path(str(file.locate())), "readme"


def _read_file(entry: tuple[str, str]) -> tuple[str, list[str]]:
    """Documents of one file and the kind under which it is counted."""
    path, kind = Path(entry[0]), entry[1]
    try:
        raw = path.read_bytes()
    except OSError:
        return "unreadable", []
    if len(raw) > LONGEST_FILE_BYTES and path.suffix == ".py":
        return "too large", []
    text = raw.decode("utf-8", errors="replace").replace("\r\n", "\n")
    if kind == "translations":
        return kind, list(cut_text(PO_NOISE.sub("", text)))
    if kind == "readme":
        return kind, list(cut_text(text.partition("\n\n")[2]))
    return kind, [*_docstrings(text), *_source_pieces(text, every=SOURCE_SHARE[kind])]


def _docstrings(source: str) -> list[str]:
    """Docstrings long enough to read, as `inspect` would clean them, each in pieces of at most a document."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd escapes in other people's sources are not ours to report
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError):
            return []
    return [
        piece
        for text in _docstring_texts(tree)
        if len(text) >= SHORTEST_DOCSTRING_CHARS
        for piece in cut_text(cleandoc(text))
    ]


def _docstring_texts(tree: ast.AST) -> Iterator[str]:
    """Raw docstrings of a module, its classes and its functions, outermost first.

    Only bodies of modules, classes and functions are walked: a walk over every expression would take ten times longer.
    """
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop(0)
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        first = body[0] if body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            yield first.value.value
        pending += [child for child in body if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)]


def _source_pieces(source: str, *, every: int) -> list[str]:
    """Every `every`-th piece of a source file, whole lines, at most a document long."""
    return [piece for number, piece in enumerate(cut_text(source, longest=DOCUMENT_CHARS)) if number % every == 0]
