"""What the files of an export are made from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.reports import Report


@dataclass(frozen=True, slots=True)
class Facts:
    """The study's dates, in words, as they stand in its log."""

    frozen_at: str
    closed_at: str
    unblinded_at: str
    unblinded_by: str
    unblinded_because: str
    leaks: str  # whether the arms could be told from how items were shown, and why the study opened all the same


@dataclass(frozen=True, slots=True)
class Tables:
    """The opened tables of an unblinded study."""

    judgments: pd.DataFrame
    neurons: pd.DataFrame
    draws: pd.DataFrame
    strata: pd.DataFrame
    raters: pd.DataFrame
    checks: pd.DataFrame


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
class Sources:
    """Report, frozen protocol and facts; the tables and the opened key are read only by the files that hold them."""

    report: Report
    facts: Facts
    protocol: str
    tables: Callable[[], Tables]
    disclosure: Callable[[], dict[str, Any]]
    record: Callable[[], StudyRecord]
