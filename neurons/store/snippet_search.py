"""Full-text search over the strongest snippets of every neuron: one SQLite file with an FTS5 table.

A row is a snippet, without its text: `rowid` is rank · neurons + neuron + 1, so that rows come strongest snippets
first. A search reads at most ROWS rows; of a word that more snippets hold, those where the snippet ranks highest are
seen.
"""

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

ROWS = 4000  # read for one search
BATCH = 10_000  # rows of one INSERT


@dataclass(frozen=True, slots=True)
class Found:
    """A neuron whose strongest snippets hold the words.

    Attributes
    ----------
    neuron : int
        Flat number.
    at_peak : int
        Snippets in which the words are those at the peak.
    snippets : int
        Snippets that hold the words anywhere.
    rank : int
        The strongest of them, from 0.
    """

    neuron: int
    at_peak: int
    snippets: int
    rank: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What a search found; `complete` is False if more snippets hold the words than were read."""

    found: tuple[Found, ...]
    complete: bool


class SnippetSearchWriter:
    """Makes the file; rows have to come in order of rank and neuron."""

    def __init__(self, path: Path, neurons: int) -> None:
        self.neurons = neurons
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=OFF")
        self.database.execute("PRAGMA synchronous=OFF")
        self.database.execute("CREATE TABLE facts (neurons INTEGER)")
        self.database.execute("INSERT INTO facts VALUES (?)", [neurons])
        self.database.execute(
            "CREATE VIRTUAL TABLE snippets USING fts5("
            "peak, around, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2')"
        )

    def add(self, rank: int, rows: Iterable[tuple[int, str, str]]) -> None:
        """Add (neuron, words at the peak, text around it) of the snippets of one rank, neurons ascending."""
        first = rank * self.neurons + 1
        self.database.execute("BEGIN")
        self.database.executemany(
            "INSERT INTO snippets(rowid, peak, around) VALUES (?, ?, ?)",
            ((first + neuron, peak, around) for neuron, peak, around in rows),
        )
        self.database.execute("COMMIT")

    def finish(self) -> None:
        """Bring the index into its smallest form and close the file."""
        self.database.execute("INSERT INTO snippets(snippets) VALUES ('optimize')")
        self.database.execute("VACUUM")
        self.database.close()


def search_snippets(path: Path, words: str, most: int) -> Finding:
    """Neurons whose strongest snippets hold all the words, those with the words at the peak first.

    Parameters
    ----------
    words : str
        Words; "in quotation marks" as a phrase, begin* for a beginning.
    most : int
        Neurons to name.
    """
    asked = match_expression(words)
    if not asked:
        return Finding((), complete=True)
    # immutable: a finished artifact is never written again, so SQLite need not look for a journal.
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as database:
        (neurons,) = database.execute("SELECT neurons FROM facts").fetchone()
        peaks = _rows(database, f"{{peak}} : ({asked})")
        anywhere = _rows(database, asked)
    found = _by_neuron(peaks, anywhere, neurons)
    return Finding(tuple(found[:most]), complete=max(len(peaks), len(anywhere)) < ROWS)


def match_expression(words: str) -> str:
    """The words as FTS5 wants them, each quoted, so that nothing that is typed is taken for an operator.

    Examples
    --------
    >>> match_expression('free "of charge" licen* -- (')
    '"free" "of charge" "licen"*'
    """
    terms = re.findall(r'"([^"]*)"|([^\s"]+)', words)
    return " ".join(_quoted(phrase or word) for phrase, word in terms if re.search(r"[^\W_]", phrase or word))


def _quoted(term: str) -> str:
    return f'"{term.rstrip("*")}"' + ("*" if term.endswith("*") else "")


def _rows(database: sqlite3.Connection, asked: str) -> list[int]:
    found = database.execute("SELECT rowid FROM snippets WHERE snippets MATCH ? ORDER BY rowid LIMIT ?", [asked, ROWS])
    return [row - 1 for (row,) in found]


def _by_neuron(peaks: list[int], anywhere: list[int], neurons: int) -> list[Found]:
    at_peak: dict[int, int] = {}
    counts: dict[int, int] = {}
    ranks: dict[int, int] = {}
    for row in peaks:
        at_peak[row % neurons] = at_peak.get(row % neurons, 0) + 1
    for row in sorted({*anywhere, *peaks}):
        rank, neuron = divmod(row, neurons)
        counts[neuron] = counts.get(neuron, 0) + 1
        ranks.setdefault(neuron, rank)
    found = [Found(neuron, at_peak.get(neuron, 0), counts[neuron], ranks[neuron]) for neuron in counts]
    return sorted(found, key=lambda one: (-one.at_peak, -one.snippets, one.rank, one.neuron))
