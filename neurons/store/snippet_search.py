"""Full-text search over the strongest snippets of every neuron: one SQLite file with two FTS5 tables.

`peaks` holds the words at the peak, `texts` the text around it. Two tables, because to look for a common word in one
column of one table takes a pass over all rows that have it in the other. A row is a snippet, without its text; `rowid`
is rank · neurons + neuron + 1, so that rows come strongest snippets first. A search reads at most ROWS rows of each; of
a word that more snippets hold, those where the snippet ranks highest are seen.
"""

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

ROWS = 2000  # read of each table for one search
TABLES = ("peaks", "texts")
INSERT = {table: f"INSERT INTO {table}(rowid, words) VALUES (?, ?)" for table in TABLES}
SELECT = {table: f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rowid LIMIT {ROWS}" for table in TABLES}


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
        for table in TABLES:
            self.database.execute(
                f"CREATE VIRTUAL TABLE {table} USING fts5("
                "words, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2')"
            )

    def add(self, rank: int, rows: Iterable[tuple[int, str, str]]) -> None:
        """Add (neuron, words at the peak, text around it) of the snippets of one rank, neurons ascending."""
        first = rank * self.neurons + 1
        self.database.execute("BEGIN")
        for neuron, *texts in rows:
            for table, words in zip(TABLES, texts, strict=True):
                self.database.execute(INSERT[table], [first + neuron, words])
        self.database.execute("COMMIT")

    def finish(self) -> None:
        """Bring the index into its smallest form and close the file."""
        for table in TABLES:
            self.database.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")
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
        peaks, texts = (
            np.array([row - 1 for (row,) in database.execute(SELECT[table], [asked])], dtype=np.int64)
            for table in TABLES
        )
    found = _strongest(peaks, texts, neurons, most)
    return Finding(tuple(found), complete=max(len(peaks), len(texts)) < ROWS)


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


def _strongest(peaks: np.ndarray, texts: np.ndarray, neurons: int, most: int) -> list[Found]:
    """Neurons of these rows, those with most snippets at the peak first, then anywhere, then the strongest."""
    everywhere = np.union1d(peaks, texts)
    found, first, counts = np.unique(everywhere % neurons, return_index=True, return_counts=True)
    ranks = everywhere[first] // neurons  # rows ascend, so the first of a neuron has its lowest rank
    at_peak = np.bincount(np.searchsorted(found, peaks % neurons), minlength=len(found))
    order = np.lexsort((found, ranks, -counts, -at_peak))[:most]
    return [Found(*row) for row in np.stack([found, at_peak, counts, ranks], axis=1)[order].tolist()]
