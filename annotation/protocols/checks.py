"""What is checked of a judgment and of a rater. Pure: thresholds come from the frozen design.

A check removes no answer. It is stored with its value, so that the report can be run again under other thresholds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.protocols.task import Answer, Task

TOO_FAST, TOO_SLOW, CATCH = "too_fast", "too_slow", "catch"
CATCH_SCORE = 1.0  # a catch trial in a task with right answers: all of them right


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one judgment.

    Attributes
    ----------
    name : {"too_fast", "too_slow", "catch"}
    value : float or None
        Active seconds, or the share of right answers; None: could not be measured.
    passed : bool or None
        None: could not be checked.
    """

    name: str
    value: float | None
    passed: bool | None


def time_checks(active_ms: int, *, least_seconds: float, most_seconds: float) -> tuple[Check, Check]:
    """Whether an answer took a credible time.

    Parameters
    ----------
    active_ms : int
        Milliseconds that the page was visible and in focus; 0 means that the browser measured nothing.
    least_seconds, most_seconds : float
        Limits, inclusive.

    Examples
    --------
    >>> [check.passed for check in time_checks(1_500, least_seconds=3, most_seconds=60)]
    [False, True]
    >>> [check.passed for check in time_checks(0, least_seconds=3, most_seconds=60)]
    [None, None]
    """
    seconds = active_ms / 1000 if active_ms > 0 else None
    fast = None if seconds is None else seconds >= least_seconds
    slow = None if seconds is None else seconds <= most_seconds
    return Check(TOO_FAST, seconds, fast), Check(TOO_SLOW, seconds, slow)


def catch_check(task: Task, answer: Answer, *, expected: str, truth: Mapping[str, Any]) -> Check:
    """Whether a catch trial was answered as a careful rater would.

    Parameters
    ----------
    expected : {"yes", "no", ""}
        The verdict; empty in tasks that ask for none, where the score decides.
    """
    if expected:
        return Check(CATCH, float(answer.verdict == expected), answer.verdict == expected)
    score = task.score(answer, truth)
    return Check(CATCH, score, None if score is None else score >= CATCH_SCORE)


@dataclass(frozen=True, slots=True)
class RaterQuality:
    """One rater's checks, counted.

    Attributes
    ----------
    catches, catches_right : int
        Catch trials answered, and answered as expected.
    timed, beyond_times : int
        Answers with a measured time, and those below the least or above the most seconds.
    """

    catches: int
    catches_right: int
    timed: int
    beyond_times: int

    @property
    def catch_share(self) -> float | None:
        """Share of catch trials answered right, 0 … 1; None before the first."""
        return self.catches_right / self.catches if self.catches else None

    @property
    def beyond_share(self) -> float | None:
        """Share of measured answers outside the credible times, 0 … 1; None before the first."""
        return self.beyond_times / self.timed if self.timed else None

    def reasons_to_exclude(self, *, least_catches_right: float, most_beyond_times: float) -> tuple[str, ...]:
        """Which thresholds the rater fails; empty if none.

        Examples
        --------
        >>> RaterQuality(10, 7, 50, 1).reasons_to_exclude(least_catches_right=0.8, most_beyond_times=1.0)
        ('7 of 10 catch trials right, fewer than 80 %',)
        """
        reasons = []
        if self.catch_share is not None and self.catch_share < least_catches_right - 1e-9:
            least = f"{100 * least_catches_right:g} %"
            reasons.append(f"{self.catches_right} of {self.catches} catch trials right, fewer than {least}")
        if self.beyond_share is not None and self.beyond_share > most_beyond_times + 1e-9:
            reasons.append(f"{self.beyond_times} of {self.timed} answers outside the credible times")
        return tuple(reasons)


def rater_quality(checks: Sequence[Check]) -> RaterQuality:
    """Count the checks of one rater's current judgments."""
    catches = [check for check in checks if check.name == CATCH and check.passed is not None]
    timed = [check for check in checks if check.name in (TOO_FAST, TOO_SLOW) and check.passed is not None]
    return RaterQuality(
        catches=len(catches),
        catches_right=sum(bool(check.passed) for check in catches),
        timed=sum(check.name == TOO_FAST for check in timed),
        beyond_times=sum(not check.passed for check in timed),
    )
