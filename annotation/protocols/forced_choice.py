"""Forced choice, as in visual psychophysics: which of two held-out snippets fires this neuron? Scored objectively.

References
----------
Borowski et al. (2021), "Exemplary Natural Images Explain CNN Activations Better than State-of-the-Art Feature
Visualization": two alternatives, confidence 1 to 3, and a control condition without references.
Zimmermann et al. (2023), "Scale Alone Does not Improve Mechanistic Interpretability in Vision Models": 9 references
that fire strongest and 9 that fire least, two queries.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from annotation.protocols.display import Marked
from annotation.protocols.forced_choice_practice import PRACTICE
from annotation.protocols.held_out import FreshTexts, peak_alone, range_name, unmarked
from annotation.protocols.options import TOP, range_problem, share_problem, whole_problem
from annotation.protocols.task import (
    Answer,
    AnswerProblem,
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

NAME = "forced_choice"
QUESTION = "Which of the two snippets makes this neuron fire more strongly?"
MINUTES_PER_NEURON = "1–2"
A, B = SIDES = ("a", "b")
NONE, PEAK = "none", "peak"
HELD_OUT_MARKS: dict[str, Callable[[Reading], Marked]] = {NONE: unmarked, PEAK: peak_alone}
OPTIONS: dict[str, Any] = {
    "trials": 3,
    "held_out": TOP,
    "held_out_marks": NONE,
    "silent_references": 0,
    "no_reference_share": 0.0,
}

DEFAULT_INSTRUCTIONS = """\
You will see one neuron of a small language model at a time. First come several short pieces of text, called snippets, \
at which this neuron fires strongly. In each of them the tokens (words or parts of words) where it fires are marked, \
the strongest one most. They are the reference: look for what they have in common.

Then come questions. Each shows two new snippets, A and B. One of them makes this neuron fire strongly, the other does \
not. Nothing in the look of the two tells which: only the text does. Choose A or B, and say how sure you are. If you \
have no idea, guess and say that it is a guess: a guess is an answer, and a choice without knowledge is right half of \
the time.

For some neurons there may be no reference snippets. Choose all the same; this shows how much can be guessed from the \
texts alone.

Take one to two minutes for a neuron. You can undo your last answer, stop at any time, and go on later where you left \
off."""


class ForcedChoice:
    """Reference snippets that fire the neuron, then pairs of held-out snippets, one of which fires it.

    Options
    -------
    trials : int, 1 … 20
        Pairs for each neuron.
    held_out : "top" or [low, high]
        Where the firing held-out snippets come from: the strongest, shuffled together with the references, or random
        ones whose peak has its rank in this share of all harvested tokens (0 weakest), as [0.99, 1.0].
    held_out_marks : {"none", "peak"}
        Whether the token in question is marked, in both snippets of a pair alike.
    silent_references : int, 0 … 50
        Snippets shown beside the references at which the neuron does not fire, unmarked.
    no_reference_share : float, 0 … 1
        Chance of a neuron to be shown without references: the control condition.
    """

    name = NAME
    label = "Forced choice"
    question = QUESTION
    default_instructions = DEFAULT_INSTRUCTIONS
    minutes_per_neuron = MINUTES_PER_NEURON
    threshold: float | None = None
    asks_verdict = False

    def option_problems(self, options: Mapping[str, Any]) -> list[tuple[str, str]]:
        filled = self.options_filled(options)
        marks = filled["held_out_marks"]
        found = {
            "trials": whole_problem(filled["trials"], 1, MOST_TRIALS),
            "held_out": range_problem(filled["held_out"]),
            "held_out_marks": None if marks in HELD_OUT_MARKS else f"Received {marks!r}; choose 'none' or 'peak'.",
            "silent_references": whole_problem(filled["silent_references"], 0, 50),
            "no_reference_share": share_problem(filled["no_reference_share"]),
        }
        return unknown_options(options, tuple(OPTIONS)) + [(name, text) for name, text in found.items() if text]

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
        references, firing, silent = self._drawn(FreshTexts(material, rng), snippets, options)
        negative, silent = silent[options["trials"] :], silent[: options["trials"]]
        # Drawn alike for all neurons, so that the control condition excludes the same ones.
        if rng.random() < options["no_reference_share"]:
            references, negative = [], []
        held_out = HELD_OUT_MARKS[options["held_out_marks"]]
        shown = [marker(reading) for reading in references] + [unmarked(reading) for reading in negative]
        layout: dict[str, Any] = {
            "references": list(range(len(references))),
            "silent_references": list(range(len(references), len(shown))),
            "trials": [],
        }
        truth: dict[str, Any] = {KINDS: {}}
        for number, (fires, does_not) in enumerate(zip(firing, silent, strict=True), start=1):
            right = SIDES[int(rng.integers(2))]
            layout["trials"].append([len(shown), len(shown) + 1])
            shown += [held_out(reading) for reading in ((fires, does_not) if right == A else (does_not, fires))]
            truth[trial_name(number)] = right
            truth[KINDS][trial_name(number)] = range_name(options["held_out"])
        return Composition(tuple(shown), layout, truth)

    def _drawn(
        self, texts: FreshTexts, references: int, options: Mapping[str, Any]
    ) -> tuple[list[Reading], list[Reading], list[Reading]]:
        """References, firing held-out snippets, and silent ones; no two of one document."""
        trials, held_out = options["trials"], options["held_out"]
        if held_out == TOP:
            top = texts.firing(TOP, references + trials)
            shown, firing = top[:references], top[references:]
        else:
            shown, firing = texts.firing(TOP, references), texts.firing(held_out, trials)
        return shown, firing, texts.silent(trials + options["silent_references"])

    def cleaned(self, answer: Answer) -> Answer:
        return trials_cleaned(answer)

    def answer_problem(self, answer: Answer, shown: Shown) -> AnswerProblem | None:
        """What is missing or wrong in an answer, or None if it counts.

        Examples
        --------
        >>> shown = Shown(snippets=4, layout={"references": [0, 1], "trials": [[2, 3]]})
        >>> ForcedChoice().answer_problem(Answer(), shown).message
        'Question 1: choose A or B; guess if you do not know.'
        >>> answer = Answer(responses={"trial_1": "a", "trial_1_confidence": "3"})
        >>> ForcedChoice().answer_problem(answer, shown) is None
        True
        """
        message = "Question {number}: choose A or B; guess if you do not know."
        return trials_problem(answer, [SIDES] * len(shown.layout["trials"]), message)

    def score(self, answer: Answer, truth: Mapping[str, Any]) -> float | None:
        return share_right(answer, truth)

    def practice(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [dict(item) for item in PRACTICE]

    def simulated(
        self, rng: np.random.Generator, *, knows: bool, shown: Shown, truth: Mapping[str, Any]
    ) -> dict[str, Any]:
        choices = [SIDES] * len(shown.layout["trials"])
        return {"responses": simulated_trials(rng, knows=knows, choices=choices, truth=truth)}
