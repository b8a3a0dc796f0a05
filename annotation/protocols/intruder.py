"""Intruder detection: among snippets that fire the neuron, find the one that does not. Scored objectively.

References
----------
Paulo and Belrose (2025), "Evaluating SAE interpretability without explanations", and its implementation in Delphi:
the firing snippets of a trial come from one quantile at a time, and the intruder carries fake highlighting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotation.protocols.display import Marked
from annotation.protocols.held_out import FreshTexts, RankRange, disguised, peak_alone, range_name
from annotation.protocols.intruder_practice import PRACTICE
from annotation.protocols.options import TOP, range_problem, whole_problem
from annotation.protocols.task import (
    Answer,
    AnswerProblem,
    CannotCompose,
    Composition,
    Marker,
    Material,
    Reading,
    Shown,
    unknown_options,
)
from annotation.protocols.trials import (
    KINDS,
    MOST_TRIALS,
    share_right,
    simulated_trials,
    trial_name,
    trials_cleaned,
    trials_problem,
)

NAME = "intruder"
QUESTION = "Which snippet does not belong to the others?"
MINUTES_PER_NEURON = "1–2"
LETTERS = tuple("abcdefg")  # one key for each snippet of a trial; H is the help
SILENT_TRIED = 10  # snippets tried as an intruder, for displays that mark many tokens
LEAST_SNIPPETS = 3  # with two, nobody could say which of them is the intruder
OPTIONS: dict[str, Any] = {"ranges": [TOP], "snippets_per_trial": 5}

DEFAULT_INSTRUCTIONS = """\
You will see one neuron of a small language model at a time, in several questions. Each question shows a few short \
pieces of text, called snippets. In each snippet tokens (words or parts of words) are marked.

All but one are places where this neuron fires. One does not belong: the neuron does not fire there, and its marks are \
only meant to make it look like the others. Find it. Look for what most of the marked words, or the texts around them, \
have in common; the intruder breaks it.

Number, strength and place of the marks do not tell the intruder: only the text does. Choose one snippet, and say how \
sure you are. If you have no idea, guess and say that it is a guess.

Take one to two minutes for a neuron. You can undo your last answer, stop at any time, and go on later where you left \
off."""


class Intruder:
    """Trials of snippets that fire the neuron and one, at a random place, that does not but is marked as if.

    Options
    -------
    ranges : list of "top" or [low, high]
        Where the firing snippets of a trial come from, one range at a time: the strongest, or random ones whose peak
        has its rank in this share of all harvested tokens (0 weakest), as [0.99, 1.0]. There only the activation of the
        peak is known, so the peak alone is marked, the intruder's like the others'.
    snippets_per_trial : int, 3 … 7
        The intruder included. The design's `snippets_per_neuron` sets how many trials fit: the same number for every
        range, at most 20 in all.
    """

    name = NAME
    label = "Intruder"
    question = QUESTION
    default_instructions = DEFAULT_INSTRUCTIONS
    minutes_per_neuron = MINUTES_PER_NEURON
    threshold: float | None = None
    asks_verdict = False

    def option_problems(self, options: Mapping[str, Any]) -> list[tuple[str, str]]:
        problems = unknown_options(options, tuple(OPTIONS))
        filled = self.options_filled(options)
        ranges = filled["ranges"]
        if not isinstance(ranges, list | tuple) or not 1 <= len(ranges) <= MOST_TRIALS:
            message = f"Received {ranges!r}; give a list of 1 to {MOST_TRIALS}, as in ['top'] or [[0.99, 1.0]]."
            return [*problems, ("ranges", message)]
        problems += [("ranges", text) for text in map(range_problem, ranges) if text]
        text = whole_problem(filled["snippets_per_trial"], LEAST_SNIPPETS, len(LETTERS))
        return [*problems, ("snippets_per_trial", text)] if text else problems

    def options_filled(self, options: Mapping[str, Any]) -> dict[str, Any]:
        return OPTIONS | dict(options)

    def compose(
        self,
        material: Material,
        *,
        snippets: int,
        options: Mapping[str, Any],
        marker: Marker,
        rng: np.random.Generator,
    ) -> Composition:
        """Trials of `snippets_per_trial`, as many as fit into `snippets`.

        Raises
        ------
        CannotCompose
            If a range holds too few texts, or the design plans too few snippets for one trial of each range.
        """
        size, ranges = options["snippets_per_trial"], options["ranges"]
        each, per_range = size - 1, min(snippets // size, MOST_TRIALS) // len(ranges)
        if per_range < 1:
            raise CannotCompose(f"{len(ranges)} ranges need at least {size * len(ranges)} snippets per neuron")
        texts = FreshTexts(material, rng)
        firing: list[tuple[RankRange, list[Reading]]] = []
        # The strongest first: what is drawn at random can come from other texts, the strongest cannot.
        for rank_range in sorted(ranges, key=lambda value: value != TOP):
            found = texts.firing(rank_range, per_range * each)
            firing += [(rank_range, found[n * each : (n + 1) * each]) for n in range(per_range)]
        trials = _Trials(texts, marker, rng, texts.silent(len(firing)))
        shown: list[Marked] = []
        truth: dict[str, Any] = {KINDS: {}}
        # In random order, so that the place of a trial does not tell its rank range.
        for number, place in enumerate(rng.permutation(len(firing)).tolist(), start=1):
            marked, right = trials.composed(*firing[place])
            shown += marked
            truth[trial_name(number)] = right
            truth[KINDS][trial_name(number)] = range_name(firing[place][0])
        layout = {"trials": [list(range(n, n + size)) for n in range(0, len(shown), size)]}
        return Composition(tuple(shown), layout, truth)

    def cleaned(self, answer: Answer) -> Answer:
        return trials_cleaned(answer)

    def answer_problem(self, answer: Answer, shown: Shown) -> AnswerProblem | None:
        """What is missing or wrong in an answer, or None if it counts.

        Examples
        --------
        >>> shown = Shown(snippets=3, layout={"trials": [[0, 1, 2]]})
        >>> Intruder().answer_problem(Answer(responses={"trial_1": "d"}), shown).message
        'Question 1: choose the snippet that does not belong; guess if you do not know.'
        """
        message = "Question {number}: choose the snippet that does not belong; guess if you do not know."
        return trials_problem(answer, _choices(shown), message)

    def score(self, answer: Answer, truth: Mapping[str, Any]) -> float | None:
        return share_right(answer, truth)

    def practice(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [dict(item) for item in PRACTICE]

    def simulated(
        self, rng: np.random.Generator, *, knows: bool, shown: Shown, truth: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {"responses": simulated_trials(rng, knows=knows, choices=_choices(shown), truth=truth)}


@dataclass(frozen=True, slots=True)
class _Trials:
    """Marks the snippets of a trial and hides an intruder among them."""

    texts: FreshTexts
    marker: Marker
    rng: np.random.Generator
    silent: list[Reading]  # not yet used

    def composed(self, rank_range: RankRange, firing: Sequence[Reading]) -> tuple[list[Marked], str]:
        """What a trial shows, and the letter of the intruder."""
        if rank_range == TOP:
            marked, intruder = [self.marker(reading) for reading in firing], self._disguised(firing)
        else:
            marked, intruder = [peak_alone(reading) for reading in firing], peak_alone(self._next())
        place = int(self.rng.integers(len(firing) + 1))
        return [*marked[:place], intruder, *marked[place:]], LETTERS[place]

    def _disguised(self, firing: Sequence[Reading]) -> Marked:
        """The next silent snippet that is long enough for the marks of a firing one, marked like that one."""
        for _ in range(SILENT_TRIED):
            shown = disguised(self._next(), firing, self.marker, self.rng)
            if shown is not None:
                return shown
        raise CannotCompose(f"{SILENT_TRIED} silent snippets are too short for the marks of the firing ones")

    def _next(self) -> Reading:
        return self.silent.pop() if self.silent else self.texts.silent(1)[0]


def _choices(shown: Shown) -> list[Sequence[str]]:
    return [LETTERS[: len(trial)] for trial in shown.layout["trials"]]
