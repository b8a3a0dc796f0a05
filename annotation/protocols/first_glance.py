"""The SoLU paper's task: is this neuron interpretable at first glance, from its strongest firings alone?

References
----------
Elhage et al. (2022), "Softmax Linear Units", Transformer Circuits Thread, sections 6.1 and 6.2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.protocols.practice import PRACTICE
from annotation.protocols.task import (
    FITS,
    MISFITS,
    NO,
    YES,
    Answer,
    AnswerProblem,
    Composition,
    Marker,
    Material,
    Shown,
    marks_problem,
    unknown_options,
    verdict_cleaned,
    verdict_problem,
)

NAME = "first_glance"
QUESTION = "Does one rule or category explain at least 80 % of the strongest firings?"
THRESHOLD = 0.8  # share of the snippets, 0 … 1; Elhage et al. 2022, section 6.1
MINUTES_PER_NEURON = "1–2"  # Elhage et al. 2022, section 6.1
SIMULATED_RULES = (
    "words about numbers and units",
    "names of months",
    "code after an opening bracket",
    "words about music",
)

DEFAULT_INSTRUCTIONS = """\
You will see one neuron of a small language model at a time. For each neuron there are several short pieces of text, \
called snippets. They are the places where this neuron fired most strongly.

In every snippet a few tokens (words or parts of words) are marked. The most strongly marked one is where the neuron \
fired hardest; the others are the next strongest. Weak marks may be noise: judge by the strongest.

Decide whether one rule or one category explains at least 80 % of the strongest firings. A rule can be narrow (one \
word, such as "apple") or broad (any phrase about music), as long as you could tell somebody else in one sentence.

Answer Yes, No, or Cannot judge. After Yes or No, say how sure you are. After Yes, write the rule in your own words. \
If it helps, mark single snippets as fitting or not fitting your rule; the page counts them for you.

Take one to two minutes for a neuron. There is no trick and no expected share of Yes. You can undo your last answer, \
stop at any time, and go on later where you left off."""


@dataclass(frozen=True, slots=True)
class MarkCount:
    """How the rater marked the snippets.

    Attributes
    ----------
    fits, misfits, unmarked : int
        Counts; together the number of snippets.
    share : float or None
        fits / (fits + misfits), 0 … 1; None while nothing is marked.
    reaches : bool or None
        Whether `share` reaches the threshold; None while nothing is marked.
    """

    fits: int
    misfits: int
    unmarked: int
    share: float | None
    reaches: bool | None


def mark_count(marks: Sequence[str], snippets: int, threshold: float = THRESHOLD) -> MarkCount:
    """Count fits and misfits, as the page does live.

    Parameters
    ----------
    marks : sequence of {"fits", "misfits", ""}
        At most one per snippet; missing ones count as unmarked.
    snippets : int
        Number of snippets shown, >= 1.
    threshold : float
        Share to reach, 0 … 1.

    Examples
    --------
    >>> mark_count(["fits", "fits", "fits", "fits", "misfits"], 6)
    MarkCount(fits=4, misfits=1, unmarked=1, share=0.8, reaches=True)
    """
    fits, misfits = sum(mark == FITS for mark in marks), sum(mark == MISFITS for mark in marks)
    judged = fits + misfits
    share = fits / judged if judged else None
    # Compared as whole numbers of snippets, so that 4 of 5 reaches 0.8 whatever the rounding of 0.8.
    reaches = fits >= threshold * judged - 1e-9 if judged else None
    return MarkCount(fits, misfits, snippets - judged, share, reaches)


class FirstGlance:
    """A neuron's strongest snippets in random order, and one verdict over all of them."""

    name = NAME
    label = "First glance"
    question = QUESTION
    default_instructions = DEFAULT_INSTRUCTIONS
    minutes_per_neuron = MINUTES_PER_NEURON
    threshold: float | None = THRESHOLD
    asks_verdict = True

    def option_problems(self, options: Mapping[str, Any]) -> list[tuple[str, str]]:
        return unknown_options(options, ())

    def options_filled(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return dict(options)

    def compose(
        self,
        material: Material,
        *,
        snippets: int,
        options: Mapping[str, Any],
        marker: Marker,
        rng: np.random.Generator,
    ) -> Composition:
        top = material.top(snippets)
        return Composition(snippets=tuple(marker(top[int(i)]) for i in rng.permutation(len(top))))

    def cleaned(self, answer: Answer) -> Answer:
        return verdict_cleaned(answer)

    def answer_problem(self, answer: Answer, shown: Shown) -> AnswerProblem | None:
        """What is missing or wrong in an answer, or None if it counts.

        Examples
        --------
        >>> FirstGlance().answer_problem(Answer(verdict="yes", confidence=3), Shown(snippets=20)).field
        'rule'
        >>> FirstGlance().answer_problem(Answer(verdict="cannot"), Shown(snippets=20)) is None
        True
        """
        return verdict_problem(answer) or marks_problem(answer.marks, shown.snippets)

    def score(self, answer: Answer, truth: Mapping[str, Any]) -> float | None:
        return None

    def practice(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [item.as_json() for item in PRACTICE]

    def simulated(
        self, rng: np.random.Generator, *, knows: bool, shown: Shown, truth: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "verdict": YES if knows else NO,
            "confidence": int(rng.integers(1, 4)),
            "rule": str(rng.choice(SIMULATED_RULES)) if knows else "",
            "marks": _simulated_marks(rng, shown.snippets) if knows else [],
        }


def _simulated_marks(rng: np.random.Generator, snippets: int) -> list[str]:
    """Marks of a rater who found a rule: at least the threshold's share fits."""
    fits = int(rng.integers(int(np.ceil(THRESHOLD * snippets - 1e-9)), snippets + 1))
    order = set(rng.permutation(snippets)[:fits].tolist())
    return [FITS if index in order else MISFITS for index in range(snippets)]
