"""What became of every draw and every judgment, by size and arm."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.reports.document import AnalysisPlan, FlowRow, RejectedRow
from analysis.reports.exclusions import COUNTS
from analysis.reports.ratings import SCORED, VERDICTS, Codes, Mask, Ratings

Totals = dict[tuple[str, str], int]


def flow_rows(
    shown: Ratings, codes: Codes, neurons: pd.DataFrame, draws: pd.DataFrame, plan: AnalysisPlan
) -> Iterator[FlowRow]:
    """One row per size and arm of the plan.

    Parameters
    ----------
    shown : Ratings
        First showings.
    codes : ndarray of int
        Why each is left out; see `exclusion_codes`.
    """
    draws = draws[~draws["reserve"].astype(bool)]  # the reserve is on nobody's list
    accepted = draws["accepted"].astype(bool)
    drawn, rejected = _count(draws), _count(draws[~accepted])
    items, assigned = _count(neurons), _sum(neurons, "assigned")
    counted = codes == COUNTS
    rows = {verdict: counted & (shown.verdict == code) for code, verdict in enumerate(VERDICTS)}
    rows["scored"] = counted & (shown.verdict == SCORED)
    rows["unanswered"], rows["excluded"] = ~shown.answered, shown.answered & ~counted
    rows["shown"] = np.ones(len(shown), dtype=bool)
    totals = {name: _per_place(shown, mask) for name, mask in rows.items()}
    for place in plan.groups:
        yield FlowRow(
            size=place[0],
            arm=place[1],
            drawn=drawn.get(place, 0),
            rejected=rejected.get(place, 0),
            neurons=items.get(place, 0),
            assigned=assigned.get(place, 0),
            not_shown=assigned.get(place, 0) - totals["shown"][place],
            **{name: counts[place] for name, counts in totals.items()},
        )


def rejected_rows(draws: pd.DataFrame, plan: AnalysisPlan) -> Iterator[RejectedRow]:
    """Rejected draws by reason, in the order of the plan, then of the reasons."""
    rejected = draws[~draws["accepted"].astype(bool)]
    counts = rejected.groupby(["size", "arm", "reason"], sort=True).size()
    order = {place: index for index, place in enumerate(plan.groups)}
    rows = [RejectedRow(str(size), str(arm), str(reason), int(n)) for (size, arm, reason), n in counts.items()]
    yield from sorted(rows, key=lambda row: (order.get((row.size, row.arm), len(order)), row.reason))


def _per_place(shown: Ratings, rows: Mask) -> Totals:
    """How many of some rows there are for every size and arm."""
    totals = np.bincount(shown.place[shown.neuron[rows]], minlength=len(shown.sizes) * len(shown.arms))
    table = totals.reshape(len(shown.sizes), len(shown.arms))
    return {
        (size, arm): int(table[row, column])
        for row, size in enumerate(shown.sizes)
        for column, arm in enumerate(shown.arms)
    }


def _count(frame: pd.DataFrame) -> Totals:
    return {(str(size), str(arm)): int(n) for (size, arm), n in frame.groupby(["size", "arm"]).size().items()}


def _sum(frame: pd.DataFrame, column: str) -> Totals:
    totals = frame.groupby(["size", "arm"])[column].sum()
    return {(str(size), str(arm)): int(n) for (size, arm), n in totals.items()}
