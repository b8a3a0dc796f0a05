"""Arms compared as two-by-two tables, one per size and one vote per neuron: ratios, odds ratios, tests over sizes.

Mantel-Haenszel methods and score intervals take independent answers. So each neuron counts once: as its rater said, or
as more than half of its raters said. Where raters leave many neurons undecided, nothing of this is given.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.reports import estimands
from analysis.reports.cells import Counts, NeuronCounts, Place
from analysis.reports.document import AnalysisPlan
from analysis.stats import heterogeneity, multiplicity, score, stratified
from analysis.stats.results import SENSITIVITY, Interval, Number, Test
from analysis.stats.trend import trend_test

# Above this share of neurons without a majority the rest is not the sample that was drawn.
MOST_TIED = 0.1
LAYERS = re.compile(r"(\d+)L\b")
ONE_RATER = "share of neurons that their rater calls interpretable (vote of this one rater)"
NO_TEST = "no p value: all answers are alike, or too few sizes have both arms"
DIFFERENCE, RATIO, ODDS_RATIO = "difference between two arms", "ratio of two arms", "odds ratio of two arms"

Found = tuple[str, str, str, Callable[..., Interval]]  # kind, unit, what is compared, method
OVER_SIZES: tuple[Found, ...] = (
    ("stratified_score_difference", "difference", DIFFERENCE, stratified.stratified_miettinen_nurminen),
    ("mantel_haenszel_difference", "difference", DIFFERENCE, stratified.mantel_haenszel_risk_difference),
    ("mantel_haenszel_ratio", "ratio", RATIO, stratified.mantel_haenszel_risk_ratio),
    ("mantel_haenszel_odds_ratio", "ratio", ODDS_RATIO, stratified.mantel_haenszel_odds_ratio),
)
IN_A_SIZE: tuple[Found, ...] = (
    ("stratum_score_difference", "difference", DIFFERENCE, score.miettinen_nurminen),
    ("stratum_score_ratio", "ratio", RATIO, score.score_ratio),
    ("stratum_score_odds_ratio", "ratio", ODDS_RATIO, score.score_odds_ratio),
)


@dataclass(frozen=True, slots=True)
class Votes:
    """One vote per neuron of one size and arm."""

    yes: int = 0
    n: int = 0  # neurons with a vote
    tied: int = 0  # neurons without one
    judgments: int = 0  # behind the votes
    several: bool = False  # whether a neuron was judged by more than one rater

    @classmethod
    def of(cls, neurons: NeuronCounts) -> "Votes":
        judged = neurons.judged > 0
        decided = judged & (2 * neurons.yes != neurons.judged)
        return cls(
            yes=int((2 * neurons.yes > neurons.judged).sum()),
            n=int(decided.sum()),
            tied=int((judged & ~decided).sum()),
            judgments=int(neurons.judged[decided].sum()),
            several=bool((neurons.judged > 1).any()),
        )


@dataclass(frozen=True, slots=True)
class Electorate:
    """The votes that one family of numbers is made from, in the order given; all empty if they are refused."""

    votes: tuple[Votes, ...]
    what: str  # what a vote says
    refused: str  # why there are none; empty where there are

    @classmethod
    def of(cls, votes: Sequence[Votes]) -> "Electorate":
        tied, judged = sum(vote.tied for vote in votes), sum(vote.tied + vote.n for vote in votes)
        what = estimands.MAJORITY if any(vote.several for vote in votes) else ONE_RATER
        if tied <= MOST_TIED * judged:
            return cls(tuple(votes), what, "")
        reason = (
            f"not given: {tied} of {judged} neurons have as many yes as no, and so no majority; an odd number of "
            "raters per neuron has one"
        )
        return cls((Votes(),) * len(votes), what, reason)

    @property
    def judgments(self) -> int:
        return sum(vote.judgments for vote in self.votes)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm against the baseline in every size that has both."""

    arm: str
    sizes: tuple[str, ...]
    electorate: Electorate
    plan: AnalysisPlan

    @property
    def pairs(self) -> list[tuple[Votes, Votes]]:
        votes = self.electorate.votes
        return list(zip(votes[::2], votes[1::2], strict=True))

    @property
    def tables(self) -> list[list[int]]:
        """Rows x1, n1, x0, n0, one per size."""
        return [[first.yes, first.n, second.yes, second.n] for first, second in self.pairs]

    def interval(self, found: Found, counts: Sequence[object], judgments: int, size: str) -> Number:
        """What a method says of the counts of one size; size empty: of the tables of all."""
        kind, unit, compared, method = found
        words = estimands.HERE.of(f"{compared}: {self.electorate.what}")
        if not size:
            words = f"{words}; taken to be the same in each size ({', '.join(self.sizes)})"
        interval = method(*counts, level=self.plan.level, estimand=words)
        told = replace(interval, judgments=judgments, refused=self.electorate.refused or interval.refused)
        place = {"size": size, "arm": self.arm, "versus": self.plan.baseline}
        return Number.of(told, kind=kind, unit=unit, status=SENSITIVITY, **place)

    def p(self, test: Test, kind: str, judgments: int, **place: str) -> Number:
        """A test's p value, with the reason where there is none."""
        words = estimands.HERE.of(f"{test.hypothesis.replace('stratum', 'size')}: {self.electorate.what}")
        told = replace(test, hypothesis=words, judgments=judgments)
        where = {"arm": self.arm, "versus": self.plan.baseline, **place}
        return _explained(Number.of_test(told, kind=kind, level=self.plan.level, **where), self.electorate)


def stratified_numbers(counts: Counts, plan: AnalysisPlan) -> Iterator[Number]:
    """Each arm against the baseline, over all sizes and in each; and each arm's trend over sizes.

    Parameters
    ----------
    counts : mapping of (size, arm) to NeuronCounts
    plan : AnalysisPlan
        Its level, and the order of sizes and arms.
    """
    votes = {place: Votes.of(neurons) for place, neurons in counts.items()}
    for arm in plan.treatments:
        comparison = _comparison(votes, arm, plan)
        if len(comparison.sizes) > 1:
            yield from _over_sizes(comparison)
        yield from _each_size(comparison)
    for arm in plan.arms:
        yield from _trend(votes, arm, plan)


def _comparison(votes: Mapping[Place, Votes], arm: str, plan: AnalysisPlan) -> Comparison:
    sizes = tuple(size for size in plan.sizes if {(size, arm), (size, plan.baseline)} <= set(plan.groups))
    places = [(size, side) for size in sizes for side in (arm, plan.baseline)]
    return Comparison(arm, sizes, Electorate.of([votes.get(place, Votes()) for place in places]), plan)


def _over_sizes(comparison: Comparison) -> Iterator[Number]:
    tables, judgments = comparison.tables, comparison.electorate.judgments
    for found in OVER_SIZES:
        yield comparison.interval(found, [tables], judgments, "")
    cmh = stratified.cochran_mantel_haenszel(tables)
    yield comparison.p(cmh, "cmh_p", judgments, status=SENSITIVITY)
    yield comparison.p(stratified.breslow_day_tarone(tables), "breslow_day_p", judgments)
    yield comparison.p(heterogeneity.difference_heterogeneity(tables), "heterogeneity_p", judgments)
    if len(tables) > 2:
        for row, size in enumerate(comparison.sizes):
            test = heterogeneity.one_against_the_others(tables, row)
            yield comparison.p(test, "heterogeneity_of_one_size_p", judgments, size=size)


def _each_size(comparison: Comparison) -> Iterator[Number]:
    tests = []
    for size, (first, second), counts in zip(comparison.sizes, comparison.pairs, comparison.tables, strict=True):
        judgments = first.judgments + second.judgments
        for found in IN_A_SIZE:
            yield comparison.interval(found, counts, judgments, size)
        tests.append((size, score.score_test(*counts), judgments))
        yield comparison.p(tests[-1][1], "stratum_score_p", judgments, size=size, status=SENSITIVITY)
        exact = score.fisher_midp(*counts)
        yield comparison.p(exact, "stratum_fisher_midp", judgments, size=size, status=SENSITIVITY)
    if len(tests) > 1:
        adjusted = multiplicity.holm([test.p for _, test, _ in tests]).tolist()
        for (size, test, judgments), p in zip(tests, adjusted, strict=True):
            holm = replace(test, p=p, method=f"{test.method}, adjusted for {len(tests)} sizes (Holm)")
            yield comparison.p(holm, "stratum_holm_p", judgments, size=size)


def _trend(votes: Mapping[Place, Votes], arm: str, plan: AnalysisPlan) -> Iterator[Number]:
    sizes = [size for size in plan.sizes if (size, arm) in plan.groups]
    if len(sizes) < 2:
        return
    scores, scale = size_scores(sizes)
    electorate = Electorate.of([votes.get((size, arm), Votes()) for size in sizes])
    test = trend_test([vote.yes for vote in electorate.votes], [vote.n for vote in electorate.votes], scores)
    words = estimands.HERE.of(f"no rise or fall with {scale} ({', '.join(sizes)}): {electorate.what}")
    told = replace(test, hypothesis=words, judgments=electorate.judgments)
    yield _explained(Number.of_test(told, kind="size_trend_p", level=plan.level, arm=arm), electorate)


def size_scores(sizes: Sequence[str]) -> tuple[list[float], str]:
    """Where sizes stand on a scale, and what the scale is.

    The logarithm of the layers if every label begins with them and no two are the same, else the place in the plan.

    Examples
    --------
    >>> size_scores(["1L", "16L", "64L-wide"])
    ([0.0, 4.0, 6.0], 'the logarithm of the number of layers')
    >>> size_scores(["small", "large"])
    ([0.0, 1.0], 'the place of the size in the plan')
    """
    layers = [int(found[1]) for size in sizes if (found := LAYERS.match(size))]
    if len(set(layers) - {0}) == len(sizes):
        return np.log2(layers).tolist(), "the logarithm of the number of layers"
    return [float(place) for place in range(len(sizes))], "the place of the size in the plan"


def _explained(number: Number, electorate: Electorate) -> Number:
    return number if number.defined else replace(number, refused=electorate.refused or NO_TEST)
