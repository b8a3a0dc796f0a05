"""What the files of an export are made from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analysis.reports import Report
from annotation.design.licence import NO_LICENCE


@dataclass(frozen=True, slots=True)
class Amendment:
    """A later version of the protocol."""

    version: int
    at: str
    reason: str
    judgments_before: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LeakArea:
    """How well two arms could be told by one kind of thing: area under the ROC curve, 0.5 chance … 1 always."""

    arms: str
    by: str
    counts: bool  # whether it is held against the limit
    area: float
    low: float
    high: float
    neurons: int


@dataclass(frozen=True, slots=True)
class Facts:
    """The study's dates, in words, as they stand in its log; empty where there is no study behind the ratings."""

    frozen_at: str
    closed_at: str
    unblinded_at: str
    unblinded_by: str
    unblinded_because: str
    leaks: str  # whether the arms could be told from how items were shown, and why the study opened all the same
    amendments: tuple[Amendment, ...] = ()
    shown: str = ""  # task, display and number of snippets
    leak_areas: tuple[LeakArea, ...] = ()  # of the last audit before the opening


@dataclass(frozen=True, slots=True)
class Tables:
    """The opened tables of an unblinded study; None where ratings made elsewhere have nothing to say."""

    judgments: pd.DataFrame
    neurons: pd.DataFrame
    raters: pd.DataFrame
    strata: pd.DataFrame | None = None
    draws: pd.DataFrame | None = None
    checks: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """What happened, beside the numbers."""

    log: str  # one JSON object per line
    anchor: str  # fixes the log up to its last line
    verifier: str  # the script that checks it
    amendments: list[dict[str, Any]]
    answers: pd.DataFrame  # every version of every answer
    leaks: list[dict[str, Any]]  # every leak audit


@dataclass(frozen=True, slots=True)
class StudySources:
    """What only a study of this site has: the frozen protocol, the opened key, and what happened."""

    protocol: str
    disclosure: Callable[[], dict[str, Any]]
    record: Callable[[], StudyRecord]


@dataclass(frozen=True, slots=True)
class Sources:
    """Report and facts; the tables and the opened key are read only by the files that hold them.

    Attributes
    ----------
    study : StudySources or None
        None for ratings that were made elsewhere.
    licence : str
        Of the data: a key of `annotation.design.licence.LICENCE_TEXTS`.
    notes : tuple of str
        How the ratings were read.
    given : dict of str to bytes
        Files that came with the ratings and are handed out again as they were, by name.
    """

    report: Report
    facts: Facts
    tables: Callable[[], Tables]
    study: StudySources | None = None
    licence: str = NO_LICENCE
    notes: tuple[str, ...] = ()
    given: dict[str, bytes] = field(default_factory=dict)
