"""Looking more than once: the bounds of the planned looks, and intervals that hold however often one looks.

The bounds follow from the plan alone. Intervals that hold at every look are wider than those for one look, and are
there for whoever looked, or wants to go on, without having planned it.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from analysis.reports import estimands
from analysis.reports.cells import Counts
from analysis.reports.document import AnalysisPlan
from analysis.reports.estimands import Scope
from analysis.reports.exact import drawn_from
from analysis.reports.fractions import MAJORITY, MEAN, difference_at
from analysis.reports.population import Populations, means_of
from analysis.reports.stratified import Electorate, Votes
from analysis.stats.anytime import confidence_sequence, confidence_sequence_difference
from analysis.stats.results import EXPLORATORY, PLANNED, UNDEFINED, Interval, Number
from analysis.stats.sequential import OBRIEN_FLEMING, SpendingBounds, spending_bounds
from annotation.design.analysis import FINITE, PANEL
from annotation.design.analysis import MAJORITY as MAJORITY_VOTE

BOUND, NOMINAL, SPENT, REPEATED = "look_bound", "look_level", "look_spent", "repeated_difference"
LOOKS = (BOUND, NOMINAL, SPENT, REPEATED)
ALWAYS, ALWAYS_DIFFERENCE = "always_valid_fraction", "always_valid_difference"
SPENDING = {OBRIEN_FLEMING: "of O'Brien and Fleming's type", "pocock": "of Pocock's type"}
RANDOM_ORDER = "at all sample sizes at once, neurons judged in random order"
TOO_EARLY = "no bound: this look may spend next to nothing of the error"
NEW_RATERS = "not given for new raters: no interval for them was made at the level of the last look"

Contrast = Callable[[AnalysisPlan], Number]


def look_numbers(
    counts: Counts, scope: Scope, populations: Populations, plan: AnalysisPlan, generalising: Contrast | None = None
) -> Iterator[Number]:
    """Bounds, spent error and repeated interval where several looks were planned; intervals for any number of looks.

    Parameters
    ----------
    scope, populations
        As `analysis.reports.fractions.panel_numbers` takes them.
    generalising : callable, optional
        Gives the primary contrast for new raters under a plan with another level; asked where the plan is about them.
    """
    if not plan.compared:
        return
    if plan.looks > 1:
        yield from _planned(plan)
        panel = partial(_panel, counts, scope, populations)
        yield _repeated(plan, panel if generalising is None or plan.asks == PANEL else generalising)
    for size in (plan.place,) if plan.place else plan.sizes:
        if {(size, plan.compared), (size, plan.baseline)} <= set(plan.groups):
            yield from _always_valid(counts, populations, plan, size)


def _bounds(plan: AnalysisPlan) -> SpendingBounds:
    fractions = [(look + 1) / plan.looks for look in range(plan.looks)]
    return spending_bounds(fractions, alpha=1 - plan.level, spending=plan.spending)


def _planned(plan: AnalysisPlan) -> Iterator[Number]:
    bounds = _bounds(plan)
    for look, values in enumerate(zip(bounds.z, bounds.nominal, bounds.spent, strict=True)):
        yield from _one_look(look + 1, *values, plan)


def _one_look(look: int, z: float, nominal: float, spent: float, plan: AnalysisPlan) -> Iterator[Number]:
    method = f"Lan-DeMets, spending {SPENDING[plan.spending]}, {plan.looks} equally spaced looks, two-sided"
    rows = (
        (BOUND, "z", z, "stop if the standardised difference is at least this far from 0"),
        (NOMINAL, "level", nominal, "stop if the p value at this look is at most this"),
        (SPENT, "level", spent, "error spent up to and with this look, if the arms do not differ"),
    )
    for kind, unit, value, words in rows:
        refused = "" if math.isfinite(value) else TOO_EARLY
        estimate = UNDEFINED if refused else value
        row = Interval(estimate, UNDEFINED, UNDEFINED, plan.level, method, words, 0, 0, refused)
        place = {"size": plan.place, "arm": plan.compared, "versus": plan.baseline}
        yield Number.of(row, kind=kind, unit=unit, part=f"look {look} of {plan.looks}", status=PLANNED, **place)


def _repeated(plan: AnalysisPlan, contrast: Contrast) -> Number:
    """The primary difference at the level of the last look, so that the intervals of all looks hold together."""
    left = 1 - _bounds(plan).nominal[-1]
    number = contrast(replace(plan, level=left))
    return replace(
        number,
        id=number.id.replace(number.kind, REPEATED, 1),
        kind=REPEATED,
        level=plan.level,
        method=f"{number.method} of level {left:.4f}, which the last of {plan.looks} looks leaves",
        estimand=f"{number.estimand}; at all {plan.looks} looks together",
        status=PLANNED,
    )


def _panel(counts: Counts, scope: Scope, populations: Populations, plan: AnalysisPlan) -> Number:
    """The primary contrast for these raters; without limits if the plan asks about new ones."""
    reading = MAJORITY if plan.vote == MAJORITY_VOTE else MEAN
    means = means_of(counts, reading.read, scope, populations)
    number = difference_at(means, reading.question(scope), plan, plan.place, plan.compared)
    return number if plan.asks == PANEL else replace(number, low=UNDEFINED, high=UNDEFINED, refused=NEW_RATERS)


def _always_valid(counts: Counts, populations: Populations, plan: AnalysisPlan, size: str) -> Iterator[Number]:
    """Confidence sequences of the two arms of the primary contrast, and of their difference."""
    arms = (plan.compared, plan.baseline)
    electorate = Electorate.of([Votes.of(counts[size, arm]) if (size, arm) in counts else Votes() for arm in arms])
    first, second = electorate.votes
    counted = [drawn_from(populations, plan, size, arm) for arm in arms]
    for arm, votes, population in zip(arms, electorate.votes, counted, strict=True):
        fraction = _fraction(votes, population, electorate.what, plan.level)
        told = replace(fraction, judgments=votes.judgments, refused=electorate.refused)
        yield Number.of(told, kind=ALWAYS, size=size, arm=arm, status=EXPLORATORY)
    if None in counted:
        words = estimands.HERE.of(f"{estimands.difference(electorate.what)}; {RANDOM_ORDER}")
        apart = confidence_sequence_difference(
            first.yes, first.n, second.yes, second.n, level=plan.level, estimand=words
        )
    else:
        # Each of the two at half the error: together they hold as often as one at the whole.
        half = 1 - (1 - plan.level) / 2
        pair = [
            _fraction(votes, population, electorate.what, half)
            for votes, population in zip(electorate.votes, counted, strict=True)
        ]
        apart = _apart(pair[0], pair[1], plan.level)
    told = replace(apart, judgments=electorate.judgments, refused=electorate.refused)
    place = {"size": size, "arm": arms[0], "versus": arms[1]}
    yield Number.of(told, kind=ALWAYS_DIFFERENCE, unit="difference", status=EXPLORATORY, **place)


def _fraction(votes: Votes, population: int | None, what: str, level: float) -> Interval:
    scope = Scope(population=FINITE) if population else estimands.HERE
    words = scope.of(f"{what}; {RANDOM_ORDER}")
    return confidence_sequence(votes.yes, votes.n, level=level, population=population, estimand=words)


def _apart(first: Interval, second: Interval, level: float) -> Interval:
    """How far two shares can lie apart, each within its own limits."""
    return Interval(
        first.estimate - second.estimate,
        first.low - second.high,
        first.high - second.low,
        level,
        f"{first.method}, from the limits of both arms at level {first.level:g}",
        estimands.difference(first.estimand),
        first.n + second.n,
        first.judgments + second.judgments,
    )
