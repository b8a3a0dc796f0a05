"""A quick check of what the intervals promise: the cluster ones cover, the naive pooled one does not.

60 neurons, 3 raters, neurons that differ with SD 2 on the logit scale; raters alike.
"""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from analysis.stats.contrasts import cluster_newcombe, newcombe
from analysis.stats.proportions import cluster_mean, cluster_wilson, wilson

RUNS, NEURONS, RATERS, SPREAD = 2000, 60, 3, 2.0
# Three standard errors of a share near 0.95 in 2,000 runs.
TOLERANCE = 3 * (0.95 * 0.05 / RUNS) ** 0.5


@pytest.fixture(scope="module")
def arms():
    """Yes counts of two arms in every run, and the true fractions of the panel."""
    generator = np.random.default_rng(20261121)
    counts, truths = [], []
    for centre in (-1.0, 0.65):
        tendency = centre + SPREAD * generator.standard_normal((RUNS, NEURONS))
        counts.append(generator.binomial(RATERS, expit(tendency)))
        grid = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
        truths.append(expit(centre + SPREAD * grid).mean())
    return counts, truths


def share_covered(intervals, truth: float) -> float:
    return float(np.mean([interval.low <= truth <= interval.high for interval in intervals]))


def test_cluster_wilson_covers_and_naive_pooling_does_not(arms):
    (baseline, _), (truth, _) = arms
    judged = np.full(NEURONS, RATERS)
    honest = share_covered([cluster_wilson(cluster_mean(run, judged)) for run in baseline], truth)
    naive = share_covered([wilson(int(run.sum()), NEURONS * RATERS) for run in baseline], truth)
    assert honest > 0.95 - TOLERANCE
    assert honest < 0.97
    assert naive < 0.91


def test_cluster_newcombe_covers_and_naive_pooling_does_not(arms):
    (baseline, solu), (low, high) = arms
    judged, total = np.full(NEURONS, RATERS), NEURONS * RATERS
    pairs = list(zip(solu, baseline, strict=True))
    honest = share_covered(
        [cluster_newcombe(cluster_mean(one, judged), cluster_mean(other, judged)) for one, other in pairs], high - low
    )
    naive = share_covered(
        [newcombe(wilson(int(one.sum()), total), wilson(int(other.sum()), total)) for one, other in pairs], high - low
    )
    assert honest > 0.95 - TOLERANCE
    assert honest < 0.975
    assert naive < 0.91
