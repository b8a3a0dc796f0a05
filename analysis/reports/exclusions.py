"""Who and what is left out of the main analysis by the frozen thresholds, and the same report under others.

Nothing is removed from the tables. Raters are excluded by their catch trials and times, single answers by their time.
"""

from dataclasses import dataclass

import pandas as pd

FROZEN, NOBODY, STRICT = "frozen", "nobody", "strict"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What excludes; the defaults exclude nothing.

    Attributes
    ----------
    least_catches_right : float
        A rater with a smaller share of right catch trials is excluded, 0 … 1.
    most_beyond_times : float
        A rater with a larger share of answers outside the credible times is excluded, 0 … 1.
    exclude_beyond_times : bool
        Whether single answers outside the credible times are excluded.
    least_seconds, most_seconds : float
        The credible active seconds.
    """

    least_catches_right: float = 0.0
    most_beyond_times: float = 1.0
    exclude_beyond_times: bool = False
    least_seconds: float = 0.0
    most_seconds: float = float("inf")

    def strict(self) -> "Thresholds":
        """Every catch trial right, no answer outside the credible times, at most a tenth of a rater's."""
        return Thresholds(1.0, min(self.most_beyond_times, 0.1), True, self.least_seconds, self.most_seconds)

    def as_json(self) -> dict[str, float | bool | None]:
        most = None if self.most_seconds == float("inf") else self.most_seconds
        return {
            "least_catches_right": self.least_catches_right,
            "most_beyond_times": self.most_beyond_times,
            "exclude_beyond_times": self.exclude_beyond_times,
            "least_seconds": self.least_seconds,
            "most_seconds": most,
        }


def exclusion_reasons(judgments: pd.DataFrame, raters: pd.DataFrame, thresholds: Thresholds) -> pd.Series:
    """Why each judgment is left out; empty if it counts.

    Parameters
    ----------
    judgments : DataFrame
        With `rater` and `active_seconds` (missing: not measured, and then no reason to exclude).
    raters : DataFrame
        One row per rater: `rater`, `catches`, `catches_right`, `timed`, `beyond_times`.

    Examples
    --------
    >>> judgments = pd.DataFrame({"rater": ["a", "b"], "active_seconds": [9.0, 9.0]})
    >>> raters = pd.DataFrame({"rater": ["a", "b"], "catches": 4, "catches_right": [4, 1], "timed": 1})
    >>> raters["beyond_times"] = 0
    >>> exclusion_reasons(judgments, raters, Thresholds(least_catches_right=0.8)).tolist()
    ['', 'catch trials']
    """
    known = _rater_reasons(raters, thresholds)
    reasons = pd.Series([known.get(str(rater), "") for rater in judgments["rater"]], judgments.index, dtype=object)
    if thresholds.exclude_beyond_times:
        seconds = judgments["active_seconds"].astype(float)
        beyond = (seconds < thresholds.least_seconds) | (seconds > thresholds.most_seconds)
        reasons = reasons.where(~beyond | (reasons != ""), "time of the answer")
    return reasons


def _rater_reasons(raters: pd.DataFrame, thresholds: Thresholds) -> dict[str, str]:
    reasons = {}
    for row in raters.itertuples():
        if row.catches and row.catches_right / row.catches < thresholds.least_catches_right - 1e-9:
            reasons[str(row.rater)] = "catch trials"
        elif row.timed and row.beyond_times / row.timed > thresholds.most_beyond_times + 1e-9:
            reasons[str(row.rater)] = "times of the rater"
    return reasons
