"""From rule to prediction: one rater writes a rule for a neuron, another predicts from it where the neuron fires.

A neuron makes two items. The first is a first-glance item; whoever says Yes writes a rule. The second shows held-out
snippets without marks and the rule of another rater, who never saw the neuron: does it fire here? A rule that describes
the strongest firings can still fire too widely (precision) or miss most of them (recall).

References
----------
Huang et al. (2023), "Rigorously Assessing Natural Language Explanations of Neurons": a rule must hold on all and on
only the texts that fire the neuron.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from annotation.protocols import first_glance
from annotation.protocols.held_out import FreshTexts, range_name, unmarked
from annotation.protocols.options import TOP, range_problem, whole_problem
from annotation.protocols.practice import PRACTICE as WRITING_PRACTICE
from annotation.protocols.rule_practice import PRACTICE
from annotation.protocols.task import (
    CANNOT,
    CONFIDENCES,
    NO,
    YES,
    Answer,
    AnswerProblem,
    Composition,
    Marker,
    Material,
    NearMisses,
    Reading,
    Shown,
    unknown_options,
)
from annotation.protocols.trials import KINDS, right_answers, share_right

NAME = "rule_prediction"
QUESTION = "Does the neuron fire here, if the rule is right?"
MINUTES_PER_NEURON = "1–2"
FIRING, SILENT, NEAR_MISS = "firing", "silent", "near miss"
OPTIONS: dict[str, Any] = {"firing": 5, "silent": 5, "near_misses": 0, "held_out": TOP}
_NAME = re.compile(r"snippet_[1-9][0-9]?")

DEFAULT_INSTRUCTIONS = (
    first_glance.DEFAULT_INSTRUCTIONS
    + """

Some pages are different. They show a rule that another rater wrote for a neuron you have not seen, and new snippets \
without marks. Some make that neuron fire strongly, others do not. Say for each snippet whether the neuron fires \
somewhere in it, going by the rule alone: yes if the rule applies to some part of the snippet, no if not. It does not \
matter whether you like the rule. If it cannot be used at all, say so.

These pages come as soon as others have written their rules. If you are faster than they are, the site asks you to \
come back later."""
)


@dataclass(frozen=True, slots=True)
class PredictionCounts:
    """How predictions and truth met.

    Attributes
    ----------
    hits, false_alarms, misses, rejections : int
        Snippets predicted and firing, predicted and silent, not predicted and firing, not predicted and silent.
    """

    hits: int
    false_alarms: int
    misses: int
    rejections: int

    @property
    def precision(self) -> float | None:
        """Share of the predicted snippets that fire, 0 … 1; None if none was predicted."""
        predicted = self.hits + self.false_alarms
        return self.hits / predicted if predicted else None

    @property
    def recall(self) -> float | None:
        """Share of the firing snippets that were predicted, 0 … 1; None if none fires."""
        firing = self.hits + self.misses
        return self.hits / firing if firing else None


def prediction_counts(responses: Mapping[str, str], truth: Mapping[str, Any]) -> PredictionCounts:
    """Count predictions against the truth, snippet by snippet; one without a prediction counts nowhere.

    Examples
    --------
    >>> counts = prediction_counts({"snippet_1": "yes", "snippet_2": "yes"}, {"snippet_1": "yes", "snippet_2": "no"})
    >>> counts.precision, counts.recall
    (0.5, 1.0)
    """
    pairs = [(responses.get(name), value) for name, value in right_answers(truth).items()]
    return PredictionCounts(*(pairs.count(pair) for pair in ((YES, YES), (YES, NO), (NO, YES), (NO, NO))))


class RulePrediction:
    """Predict from another rater's rule which held-out snippets fire the neuron.

    Options
    -------
    firing, silent : int, 1 … 20
        Held-out snippets at which the neuron fires, and does not.
    near_misses : int, 0 … silent
        So many of the silent ones, where the neuron's harvest knows them, have at their middle a token at which the
        neuron fires elsewhere.
    held_out : "top" or [low, high]
        Where the firing ones come from: the strongest, shuffled together with those shown to the writer, or random ones
        whose peak has its rank in this share of all harvested tokens (0 weakest).
    """

    name = NAME
    label = "Rule to prediction"
    question = QUESTION
    default_instructions = DEFAULT_INSTRUCTIONS
    minutes_per_neuron = MINUTES_PER_NEURON
    threshold: float | None = first_glance.THRESHOLD  # of the writing item
    asks_verdict = False

    def option_problems(self, options: Mapping[str, Any]) -> list[tuple[str, str]]:
        filled = self.options_filled(options)
        silent = filled["silent"]
        found = {
            "firing": whole_problem(filled["firing"], 1, 20),
            "silent": whole_problem(silent, 1, 20),
            "near_misses": whole_problem(filled["near_misses"], 0, silent if isinstance(silent, int) else 20),
            "held_out": range_problem(filled["held_out"]),
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
        texts, held_out = FreshTexts(material, rng), options["held_out"]
        if held_out == TOP:
            top = texts.firing(TOP, snippets + options["firing"])
            shown, firing = top[:snippets], top[snippets:]
        else:
            shown, firing = texts.firing(TOP, snippets), texts.firing(held_out, options["firing"])
        near = _near_misses(texts, options["near_misses"])
        silent = texts.silent(options["silent"] - len(near))
        kind = f"{FIRING}, {range_name(held_out)}"
        drawn = [(reading, YES, kind) for reading in firing]
        drawn += [(reading, NO, NEAR_MISS) for reading in near] + [(reading, NO, SILENT) for reading in silent]
        return Composition(
            snippets=tuple(marker(reading) for reading in shown),
            layout={"task": first_glance.NAME},
            prediction=_prediction([drawn[int(i)] for i in rng.permutation(len(drawn))]),
        )

    def cleaned(self, answer: Answer) -> Answer:
        """Only what a prediction asks for; a rule that cannot be used has no predictions and no confidence."""
        cannot = answer.verdict == CANNOT
        kept = (
            {} if cannot else {name: text for name, text in answer.responses.items() if _NAME.fullmatch(name) and text}
        )
        confidence = None if cannot else answer.confidence
        return replace(
            answer, verdict=CANNOT if cannot else "", confidence=confidence, rule="", marks=(), responses=kept
        )

    def answer_problem(self, answer: Answer, shown: Shown) -> AnswerProblem | None:
        """What is missing or wrong in a cleaned answer, or None if it counts.

        Examples
        --------
        >>> shown = Shown(snippets=2, layout={"held_out": [0, 1]})
        >>> RulePrediction().answer_problem(Answer(responses={"snippet_1": "yes"}), shown).message
        'Snippet 2: does the neuron fire here? Choose Yes or No.'
        >>> RulePrediction().answer_problem(Answer(verdict="cannot"), shown) is None
        True
        """
        if answer.verdict == CANNOT:
            return None
        for name in _names(len(shown.layout["held_out"])):
            if answer.responses.get(name) not in (YES, NO):
                number = name.removeprefix("snippet_")
                message = f"Snippet {number}: does the neuron fire here? Choose Yes or No."
                return AnswerProblem(f"r_{name}", message)
        if answer.confidence not in CONFIDENCES:
            return AnswerProblem("confidence", "Say how sure you are: 1 (guess), 2 or 3 (sure).")
        return None

    def score(self, answer: Answer, truth: Mapping[str, Any]) -> float | None:
        """Share of snippets predicted rightly; None if the rule could not be used. See `prediction_counts` for more."""
        return None if answer.verdict == CANNOT else share_right(answer, truth)

    def practice(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        writing = [item.as_json() | {"layout": {"task": first_glance.NAME}} for item in WRITING_PRACTICE]
        return writing + [dict(item) for item in PRACTICE]

    def simulated(
        self, rng: np.random.Generator, *, knows: bool, shown: Shown, truth: Mapping[str, Any]
    ) -> dict[str, Any]:
        names = _names(len(shown.layout["held_out"]))
        guesses = {name: YES if rng.random() < 0.5 else NO for name in names}
        responses = {name: truth[name] for name in names} if knows else guesses
        return {"responses": responses, "confidence": int(rng.integers(2, 4) if knows else rng.integers(1, 3))}


def _near_misses(texts: FreshTexts, count: int) -> list[Reading]:
    """Up to `count`, if what the arm offers knows any."""
    if not count or not isinstance(texts.material, NearMisses):
        return []
    return texts.fresh_of(texts.material.near_misses(count + len(texts.used), texts.rng), count)


def _prediction(drawn: Sequence[tuple[Reading, str, str]]) -> Composition:
    """The second item: bare texts, and sealed beside them what the neuron does there."""
    names = _names(len(drawn))
    truth: dict[str, Any] = {name: right for name, (_, right, _) in zip(names, drawn, strict=True)}
    return Composition(
        snippets=tuple(unmarked(reading) for reading, _, _ in drawn),
        layout={"held_out": list(range(len(drawn)))},
        truth=truth | {KINDS: {name: kind for name, (_, _, kind) in zip(names, drawn, strict=True)}},
    )


def _names(snippets: int) -> list[str]:
    return [f"snippet_{number}" for number in range(1, snippets + 1)]
