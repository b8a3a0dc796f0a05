"""What every task of a study is made of. A new task type is one module that fills this in, and a line in `TASKS`.

A task says what of a neuron is shown, what is asked, what counts as an answer, and how an answer is scored. The engine
(draw, freeze, gate, pages, API, exports) knows tasks by this interface alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from annotation.protocols.display import Marked

YES, NO, CANNOT = "yes", "no", "cannot"
VERDICTS = (YES, NO, CANNOT)
CONFIDENCES = (1, 2, 3)  # 1 guess … 3 sure
RULE_MAX_CHARS = 2_000
FITS, MISFITS, UNMARKED = "fits", "misfits", ""
MARKS = (FITS, MISFITS, UNMARKED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a rater sends for one item, finished or not.

    Attributes
    ----------
    verdict : {"yes", "no", "cannot", ""}
        Whether the neuron has one clear meaning; empty in tasks that do not ask, and in drafts.
    confidence : {1, 2, 3} or None
        1 guess … 3 sure.
    rule : str
        The rater's own words.
    marks : tuple of {"fits", "misfits", ""}
        One per snippet, or none at all.
    responses : dict of str to str
        What else the task asks for, texts by name.
    active_ms, wall_ms : int
        Milliseconds that the item was visible and in focus, and since it was shown.
    """

    verdict: str = ""
    confidence: int | None = None
    rule: str = ""
    marks: tuple[str, ...] = ()
    responses: dict[str, str] = field(default_factory=dict)
    active_ms: int = 0
    wall_ms: int = 0


@dataclass(frozen=True, slots=True)
class AnswerProblem:
    """Why an answer cannot be accepted, and which field to look at."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What the gate knows of an item when it checks an answer.

    Attributes
    ----------
    snippets : int
        How many.
    layout : mapping
        As the task composed it.
    """

    snippets: int
    layout: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Composition:
    """One item, composed from a neuron.

    Attributes
    ----------
    snippets : tuple of list of (text, band)
        All that is shown, in the order of showing.
    layout : dict
        How they are shown: numbers of snippets (from 0) by group. Raters receive it, so it holds no answer.
    truth : dict
        The right answers, sealed until unblinding; empty in tasks that have none.
    prediction : Composition or None
        A second item of the same neuron: other raters answer it from a rule that was written for this one.
    """

    snippets: tuple[Marked, ...]
    layout: dict[str, Any] = field(default_factory=dict)
    truth: dict[str, Any] = field(default_factory=dict)
    prediction: "Composition | None" = None


class Reading(Protocol):
    """A stretch of text with the activation of one neuron, as `neurons.store.pieces.Snippet` is."""

    @property
    def doc(self) -> int: ...

    @property
    def peak(self) -> int: ...

    @property
    def pieces(self) -> tuple[tuple[str, float], ...]: ...


class CannotCompose(ValueError):
    """The neuron offers too little for the task; the message is the reason that the draw records."""


class Material(Protocol):
    """What an arm offers of one neuron: a harvest's, or made up for a control arm."""

    def top(self, count: int) -> Sequence[Reading]:
        """The `count` strongest snippets that can be shown, strongest first, each of another document.

        Raises CannotCompose if there are fewer.
        """

    def between(self, low: float, high: float, count: int, rng: np.random.Generator) -> Sequence[Reading]:
        """`count` random snippets whose peak lies in the rank share [low, high) of all harvested tokens, 0 weakest.

        Only the peak's activation is known; the other pieces carry NaN. Raises CannotCompose if there are fewer.
        """

    def silent(self, count: int, rng: np.random.Generator) -> Sequence[Reading]:
        """`count` random snippets at whose peak token, and nowhere near it as far as known, the neuron fires.

        Raises CannotCompose if there are fewer.
        """


@runtime_checkable
class NearMisses(Protocol):
    """Material that knows texts in which the neuron could be expected to fire and does not."""

    def near_misses(self, count: int, rng: np.random.Generator) -> Sequence[Reading]:
        """Random snippets whose peak token fires the neuron elsewhere and not here, each of another document.

        At most `count`; fewer or none if no more are known.
        """


@runtime_checkable
class Derives(Protocol):
    """A task in which part of the stored answer follows from the rest, such as a sum of points."""

    def derived(self, answer: Answer, shown: Shown) -> Answer:
        """An answer that counts, with what follows from it."""


Marker = Callable[[Reading], Marked]  # marks the firing tokens in the study's display mode


class Task(Protocol):
    """One task type. Instances are stateless; `options` are the design's, with the task's defaults filled in."""

    name: str
    label: str  # in forms: "First glance"
    question: str
    default_instructions: str
    minutes_per_neuron: str
    threshold: float | None  # share of snippets that a rule must explain, if the task has one
    asks_verdict: bool  # whether an answer says yes or no about the neuron

    def option_problems(self, options: Mapping[str, Any]) -> list[tuple[str, str]]:
        """(option, what was received and what is allowed) for every fault."""

    def options_filled(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with defaults for those left out."""

    def compose(
        self,
        material: Material,
        *,
        snippets: int,
        options: Mapping[str, Any],
        marker: Marker,
        rng: np.random.Generator,
    ) -> Composition:
        """What is shown of one neuron, in random order. Raises CannotCompose.

        Parameters
        ----------
        snippets : int
            The design's `snippets_per_neuron`.
        """

    def cleaned(self, answer: Answer) -> Answer:
        """The answer in the form that is stored; says nothing about whether it is complete."""

    def answer_problem(self, answer: Answer, shown: Shown) -> AnswerProblem | None:
        """What is missing or wrong in a cleaned answer, or None if it counts."""

    def score(self, answer: Answer, truth: Mapping[str, Any]) -> float | None:
        """How right the answer is, 0 … 1; None in tasks without right answers."""

    def practice(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Worked items: snippets, layout, expected verdict or responses, marks, text; see `protocols.practice`."""

    def simulated(
        self, rng: np.random.Generator, *, knows: bool, shown: Shown, truth: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What a simulated rater sends who found a rule (`knows`) or did not: a complete answer but for times."""


def unknown_options(options: Mapping[str, Any], known: Sequence[str]) -> list[tuple[str, str]]:
    """A problem for every option that the task does not know."""
    allowed = ", ".join(known) if known else "none for this task"
    return [(name, f"Unknown option; known are: {allowed}.") for name in options if name not in known]


def verdict_cleaned(answer: Answer) -> Answer:
    """Rule without NUL and surrounding spaces, and no confidence in "cannot judge"."""
    return replace(
        answer,
        confidence=None if answer.verdict == CANNOT else answer.confidence,
        rule=answer.rule.replace("\x00", "").strip()[: RULE_MAX_CHARS + 1],
    )


def verdict_problem(answer: Answer) -> AnswerProblem | None:
    """What is missing in verdict, confidence and rule: a Yes needs a rule, all but "cannot judge" a confidence."""
    if answer.verdict not in VERDICTS:
        return AnswerProblem("verdict", "Choose Yes, No or Cannot judge.")
    if answer.verdict != CANNOT and answer.confidence not in CONFIDENCES:
        return AnswerProblem("confidence", "Say how sure you are: 1 (guess), 2 or 3 (sure).")
    if answer.verdict == YES and not answer.rule.strip():
        return AnswerProblem("rule", "Write the rule or category in a few words: a Yes needs one.")
    if len(answer.rule) > RULE_MAX_CHARS:
        return AnswerProblem("rule", f"The rule has {len(answer.rule)} characters; shorten it to {RULE_MAX_CHARS}.")
    return None


def marks_problem(marks: Sequence[str], snippets: int) -> AnswerProblem | None:
    """What is wrong with the per-snippet marks, or None.

    Examples
    --------
    >>> marks_problem(["fits"], 2).message
    'Received 1 marks for 2 snippets; send one per snippet or none.'
    """
    if any(mark not in MARKS for mark in marks):
        return AnswerProblem("marks", "A mark is 'fits', 'misfits' or empty; reload the page.")
    if marks and len(marks) != snippets:
        message = f"Received {len(marks)} marks for {snippets} snippets; send one per snippet or none."
        return AnswerProblem("marks", message)
    return None
