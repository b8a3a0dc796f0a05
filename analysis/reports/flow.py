"""What became of every draw and every judgment, by size and arm."""

from collections.abc import Iterator

import pandas as pd

from analysis.reports.document import AnalysisPlan, FlowRow, RejectedRow

Counts = dict[tuple[str, str], int]


def flow_rows(
    judgments: pd.DataFrame, neurons: pd.DataFrame, draws: pd.DataFrame, plan: AnalysisPlan
) -> Iterator[FlowRow]:
    """One row per size and arm of the plan."""
    draws = draws[~draws["reserve"].astype(bool)]  # the reserve is on nobody's list
    accepted = draws["accepted"].astype(bool)
    drawn, rejected = _count(draws), _count(draws[~accepted])
    items, assigned = _count(neurons), _sum(neurons, "assigned")
    shown = _count(judgments)
    counted = judgments[judgments["excluded"] == ""]
    answers = {verdict: _count(counted[counted["verdict"] == verdict]) for verdict in ("yes", "no", "cannot")}
    answered = judgments["responses"] != ""
    scored = _count(counted[(counted["verdict"] == "") & (counted["responses"] != "")])
    unanswered, excluded = _count(judgments[~answered]), _count(judgments[answered & (judgments["excluded"] != "")])
    for place in plan.groups:
        yield FlowRow(
            size=place[0],
            arm=place[1],
            drawn=drawn.get(place, 0),
            rejected=rejected.get(place, 0),
            neurons=items.get(place, 0),
            assigned=assigned.get(place, 0),
            shown=shown.get(place, 0),
            yes=answers["yes"].get(place, 0),
            no=answers["no"].get(place, 0),
            cannot=answers["cannot"].get(place, 0),
            scored=scored.get(place, 0),
            unanswered=unanswered.get(place, 0),
            excluded=excluded.get(place, 0),
            not_shown=assigned.get(place, 0) - shown.get(place, 0),
        )


def rejected_rows(draws: pd.DataFrame, plan: AnalysisPlan) -> Iterator[RejectedRow]:
    """Rejected draws by reason, in the order of the plan, then of the reasons."""
    rejected = draws[~draws["accepted"].astype(bool)]
    counts = rejected.groupby(["size", "arm", "reason"], sort=True).size()
    order = {place: index for index, place in enumerate(plan.groups)}
    rows = [RejectedRow(str(size), str(arm), str(reason), int(n)) for (size, arm, reason), n in counts.items()]
    yield from sorted(rows, key=lambda row: (order.get((row.size, row.arm), len(order)), row.reason))


def _count(frame: pd.DataFrame) -> Counts:
    return {(str(size), str(arm)): int(n) for (size, arm), n in frame.groupby(["size", "arm"]).size().items()}


def _sum(frame: pd.DataFrame, column: str) -> Counts:
    totals = frame.groupby(["size", "arm"])[column].sum()
    return {(str(size), str(arm)): int(n) for (size, arm), n in totals.items()}
