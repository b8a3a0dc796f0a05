"""Trials: several small questions about one neuron, each with one right choice and a confidence of its own.

A trial's answer is the response "trial_1", "trial_2", …; how sure the rater is of it is "trial_1_confidence", 1 to 3.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from annotation.protocols.task import CONFIDENCES, Answer, AnswerProblem

KINDS = "kinds"  # in a truth: what was drawn for each answer, by name; sealed, never a right answer itself
MOST_TRIALS = 20
_NAME = re.compile(r"trial_[1-9][0-9]?(_confidence)?")

Choices = Sequence[Sequence[str]]  # what may be chosen in each trial


def trial_name(number: int) -> str:
    """Name of the response to trial 1, 2, …"""
    return f"trial_{number}"


def confidence_name(number: int) -> str:
    """Name of the response that says how sure the rater is of trial 1, 2, …"""
    return f"trial_{number}_confidence"


def trials_cleaned(answer: Answer) -> Answer:
    """Only what trials ask for: no verdict, rule or marks, and no empty or foreign response.

    Examples
    --------
    >>> trials_cleaned(Answer(verdict="yes", responses={"trial_1": " a ", "trial_2": "", "hint": "x"})).responses
    {'trial_1': 'a'}
    """
    responses = {name: text.strip() for name, text in answer.responses.items() if _NAME.fullmatch(name)}
    kept = {name: text for name, text in responses.items() if text}
    return replace(answer, verdict="", confidence=None, rule="", marks=(), responses=kept)


def trials_problem(answer: Answer, choices: Choices, message: str) -> AnswerProblem | None:
    """What is missing in a cleaned answer, or None if every trial has a choice and a confidence.

    Parameters
    ----------
    choices : sequence of sequence of str
        What may be chosen in trial 1, 2, …
    message : str
        What to do in a trial without a choice; "{number}" stands for the trial.

    Examples
    --------
    >>> trials_problem(Answer(responses={"trial_1": "a"}), [["a", "b"]], "Choose A or B in {number}.").field
    'r_trial_1_confidence'
    """
    for number, allowed in enumerate(choices, start=1):
        if answer.responses.get(trial_name(number)) not in allowed:
            return AnswerProblem(f"r_{trial_name(number)}", message.format(number=number))
        if answer.responses.get(confidence_name(number)) not in {str(value) for value in CONFIDENCES}:
            text = f"Question {number}: say how sure you are: 1 (guess), 2 or 3 (sure)."
            return AnswerProblem(f"r_{confidence_name(number)}", text)
    if len(answer.responses) > 2 * len(choices):
        return AnswerProblem("", f"Received answers to more than {len(choices)} questions; reload the page.")
    return None


def right_answers(truth: Mapping[str, Any]) -> dict[str, str]:
    """The right answers of an item by name, without what else its truth holds.

    Examples
    --------
    >>> right_answers({"trial_1": "a", "kinds": {"trial_1": "top"}})
    {'trial_1': 'a'}
    """
    return {name: value for name, value in truth.items() if name != KINDS}


def share_right(answer: Answer, truth: Mapping[str, Any]) -> float | None:
    """Share of an item's questions that were answered rightly, 0 … 1; None if it has none.

    Examples
    --------
    >>> share_right(Answer(responses={"trial_1": "a", "trial_2": "b"}), {"trial_1": "a", "trial_2": "a"})
    0.5
    """
    right = right_answers(truth)
    hits = sum(answer.responses.get(name) == value for name, value in right.items())
    return hits / len(right) if right else None


def simulated_trials(
    rng: np.random.Generator, *, knows: bool, choices: Choices, truth: Mapping[str, Any]
) -> dict[str, str]:
    """Responses of a simulated rater: right and sure if it knows the rule, by chance and less sure if not."""
    responses: dict[str, str] = {}
    for number, allowed in enumerate(choices, start=1):
        guess = allowed[int(rng.integers(len(allowed)))]
        responses[trial_name(number)] = str(truth[trial_name(number)]) if knows else guess
        responses[confidence_name(number)] = str(rng.integers(2, 4) if knows else rng.integers(1, 3))
    return responses
