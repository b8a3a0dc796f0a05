"""Whether a rater has learnt the task: rounds of practice items, and how many of them must be answered rightly.

A round goes once through all practice items. In it the first answer to an item counts; later ones are for learning.
"""

from collections.abc import Iterable
from dataclasses import dataclass

GOING, PASSED, AGAIN, OUT = "going", "passed", "again", "out"


@dataclass(frozen=True, slots=True)
class TrainingRule:
    """When practice is passed.

    Attributes
    ----------
    items : int
        Practice items of a round, >= 1.
    least_right : int
        So many of them must be answered as a careful rater would; 0: none, it is enough to have answered them.
    rounds : int
        After so many rounds without passing a rater is screened out; 0: never, rounds repeat until one is passed.
    """

    items: int
    least_right: int = 0
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rater stands in the training.

    Attributes
    ----------
    round : int
        The round of the last answer: 1, 2, …
    right : int
        Items of that round answered rightly so far.
    missing : tuple of int
        Numbers (from 1) of the items that wait for an answer now: of this round, or after it of the next one.
    outcome : {"going", "passed", "again", "out"}
        "again": the round is over and was not passed, and another one comes.
    """

    round: int
    right: int
    missing: tuple[int, ...]
    outcome: str


def standing(answers: Iterable[tuple[int, bool]], rule: TrainingRule) -> Standing:
    """Play a rater's practice answers in their order.

    Parameters
    ----------
    answers : iterable of (item, right)
        Item: its number from 1. Answers after the training is over change nothing.
    rule : TrainingRule

    Examples
    --------
    >>> rule = TrainingRule(items=2, least_right=2, rounds=2)
    >>> standing([(1, True)], rule)
    Standing(round=1, right=1, missing=(2,), outcome='going')
    >>> standing([(1, True), (2, False), (2, True)], rule)
    Standing(round=2, right=1, missing=(1,), outcome='going')
    >>> standing([(1, True), (2, False), (1, True), (2, True)], rule).outcome
    'passed'
    """
    number, given, outcome = 1, dict[int, bool](), GOING
    for item, right in answers:
        if outcome == AGAIN:
            number, given = number + 1, {}
        given.setdefault(item, right)
        outcome = _outcome(number, given, rule)
        if outcome in (PASSED, OUT):
            break
    missing = () if outcome in (PASSED, OUT) else tuple(_missing(given, outcome, rule))
    return Standing(number, sum(given.values()), missing, outcome)


def _outcome(number: int, given: dict[int, bool], rule: TrainingRule) -> str:
    if len(given) < rule.items:
        return GOING
    if sum(given.values()) >= rule.least_right:
        return PASSED
    return OUT if number == rule.rounds else AGAIN


def _missing(given: dict[int, bool], outcome: str, rule: TrainingRule) -> Iterable[int]:
    return (item for item in range(1, rule.items + 1) if outcome == AGAIN or item not in given)
