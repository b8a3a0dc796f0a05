"""How long raters took, by arm and third of their lists."""

from collections.abc import Iterator

import numpy as np

from analysis.reports.document import AnalysisPlan, TimeRow
from analysis.reports.ratings import Ratings
from analysis.stats.times import thirds, time_summary


def time_rows(ratings: Ratings, plan: AnalysisPlan) -> Iterator[TimeRow]:
    """Medians and quartiles of answers, over all arms and in each, whole and by thirds."""
    answered = ratings.where(ratings.answered)
    third = thirds(answered.order, np.maximum(answered.length, 1))
    arm_of = answered.arm[answered.neuron]
    for measure, seconds in (("active", answered.active), ("wall", answered.seconds)):
        for arm in ("", *plan.arms):
            in_arm = np.ones(len(answered), dtype=bool) if arm == "" else arm_of == plan.arms.index(arm)
            for part in (0, 1, 2, 3):
                summary = time_summary(seconds[in_arm if part == 0 else in_arm & (third == part)])
                yield TimeRow(
                    id=f"time/{measure}/{arm or 'all'}/{part or 'all'}",
                    measure=measure,
                    arm=arm,
                    third=part,
                    n=summary.n,
                    median=summary.median,
                    first_quartile=summary.first_quartile,
                    third_quartile=summary.third_quartile,
                )
