"""Who and what is left out of the main analysis by the frozen thresholds, and the same report under others.

Nothing is removed from the tables. Raters are excluded by their catch trials and times, single answers by their time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.reports.document import AnalysisPlan, ExcludedRow
from analysis.reports.ratings import Codes, Ratings
from analysis.reports.thresholds import Thresholds

FROZEN, NOBODY, STRICT = "frozen", "nobody", "strict"
REASONS = ("", "catch trials", "times of the rater", "time of the answer")
COUNTS, CATCHES, RATER_TIMES, ANSWER_TIME = range(4)  # codes of the reasons


@dataclass(frozen=True, slots=True)
class Exclusions:
    """The same answers under the frozen thresholds, under none, and under stricter ones."""

    frozen: Ratings
    nobody: Ratings
    strict: Ratings

    def named(self) -> dict[str, Ratings]:
        """By the name that a report gives each."""
        return {FROZEN: self.frozen, NOBODY: self.nobody, STRICT: self.strict}


def exclusions_made(shown: Ratings, raters: pd.DataFrame, plan: AnalysisPlan) -> Exclusions:
    """What counts under each set of thresholds."""
    kept = [
        shown.where(exclusion_codes(shown, raters, thresholds) == COUNTS)
        for thresholds in (plan.thresholds, Thresholds(), plan.thresholds.strict())
    ]
    return Exclusions(*kept)


def exclusion_codes(ratings: Ratings, raters: pd.DataFrame, thresholds: Thresholds) -> Codes:
    """Why each answer is left out, as places in `REASONS`; 0 if it counts.

    Parameters
    ----------
    ratings : Ratings
        Their active seconds count; NaN (not measured) is no reason to exclude.
    raters : DataFrame
        One row per rater: `rater`, `catches`, `catches_right`, `timed`, `beyond_times`.
    """
    known = _rater_codes(raters, thresholds)
    codes = np.array([*(known.get(name, COUNTS) for name in ratings.raters), COUNTS])[ratings.rater]
    if thresholds.exclude_beyond_times:
        beyond = (ratings.active < thresholds.least_seconds) | (ratings.active > thresholds.most_seconds)
        codes = np.where(beyond & (codes == COUNTS), ANSWER_TIME, codes)
    return codes.astype(np.int64)


def excluded_rows(shown: Ratings, codes: Codes, plan: AnalysisPlan) -> Iterator[ExcludedRow]:
    """Answers that the frozen thresholds leave out, by size, arm and reason."""
    left_out = shown.answered & (codes != COUNTS)
    place = shown.place[shown.neuron]
    for size, arm in plan.groups:
        here = left_out & (place == plan.sizes.index(size) * len(plan.arms) + plan.arms.index(arm))
        for code in range(1, len(REASONS)):
            rows = here & (codes == code)
            if rows.any():
                raters = len(np.unique(shown.rater[rows]))
                yield ExcludedRow(size, arm, REASONS[code], raters, int(rows.sum()))


def _rater_codes(raters: pd.DataFrame, thresholds: Thresholds) -> dict[str, int]:
    codes = {}
    for row in raters.itertuples():
        if row.catches and row.catches_right / row.catches < thresholds.least_catches_right - 1e-9:
            codes[str(row.rater)] = CATCHES
        elif row.timed and row.beyond_times / row.timed > thresholds.most_beyond_times + 1e-9:
            codes[str(row.rater)] = RATER_TIMES
    return codes
