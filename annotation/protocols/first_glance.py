"""The SoLU paper's task: is this neuron interpretable at first glance, from its strongest firings alone?

References
----------
Elhage et al. (2022), "Softmax Linear Units", Transformer Circuits Thread, sections 6.1 and 6.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

NAME = "first_glance"
QUESTION = "Does one rule or category explain at least 80 % of the strongest firings?"
THRESHOLD = 0.8  # share of the snippets, 0 … 1; Elhage et al. 2022, section 6.1
MINUTES_PER_NEURON = "1–2"  # Elhage et al. 2022, section 6.1

YES, NO, CANNOT = "yes", "no", "cannot"
VERDICTS = (YES, NO, CANNOT)
CONFIDENCES = (1, 2, 3)  # 1 guess … 3 sure
FITS, MISFITS, UNMARKED = "fits", "misfits", ""
MARKS = (FITS, MISFITS, UNMARKED)
RULE_MAX_CHARS = 2_000

DEFAULT_INSTRUCTIONS = """\
You will see one neuron of a small language model at a time. For each neuron there are several short pieces of text, \
called snippets. They are the places where this neuron fired most strongly.

In every snippet a few tokens (words or parts of words) are marked. The most strongly marked one is where the neuron \
fired hardest; the others are the next strongest in that snippet. Weak marks may be noise: judge by the strongest.

Decide whether one rule or one category explains at least 80 % of the strongest firings. A rule can be narrow (one \
word, such as "apple") or broad (any phrase about music), as long as you could tell somebody else in one sentence.

Answer Yes, No, or Cannot judge. After Yes or No, say how sure you are. After Yes, write the rule in your own words. \
If it helps, mark single snippets as fitting or not fitting your rule; the page counts them for you.

Take one to two minutes for a neuron. There is no trick and no expected share of Yes. You can undo your last answer, \
stop at any time, and go on later where you left off."""


@dataclass(frozen=True, slots=True)
class AnswerProblem:
    """Why an answer cannot be accepted, and which field to look at."""

    field: str
    message: str


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


def answer_problem(
    *, verdict: str, confidence: int | None, rule: str, marks: Sequence[str], snippets: int
) -> AnswerProblem | None:
    """What is missing or wrong in an answer, or None if it counts.

    Parameters
    ----------
    verdict : {"yes", "no", "cannot"}
    confidence : {1, 2, 3} or None
        Must be None or is ignored for "cannot".
    rule : str
        Required (not blank) for "yes"; at most 2,000 characters.
    marks : sequence of {"fits", "misfits", ""}
        Empty, or one per snippet.
    snippets : int
        Number of snippets shown.

    Examples
    --------
    >>> answer_problem(verdict="yes", confidence=3, rule="", marks=[], snippets=20).field
    'rule'
    >>> answer_problem(verdict="cannot", confidence=None, rule="", marks=[], snippets=20) is None
    True
    """
    if verdict not in VERDICTS:
        return AnswerProblem("verdict", "Choose Yes, No or Cannot judge.")
    if verdict != CANNOT and confidence not in CONFIDENCES:
        return AnswerProblem("confidence", "Say how sure you are: 1 (guess), 2 or 3 (sure).")
    if verdict == YES and not rule.strip():
        return AnswerProblem("rule", "Write the rule or category in a few words: a Yes needs one.")
    if len(rule) > RULE_MAX_CHARS:
        return AnswerProblem("rule", f"The rule has {len(rule)} characters; shorten it to {RULE_MAX_CHARS}.")
    return marks_problem(marks, snippets)


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
