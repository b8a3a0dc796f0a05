"""The rubric of Bricken et al. (2023): an explanation in the rater's words, scored in points by its writer.

============  ======  =================================================================================
Response      Points  What is scored
============  ======  =================================================================================
confidence    0 … 3   how sure the rater is of the explanation
activations   0 … 5   how consistent the marked tokens are with it
logits        0 … 3   how consistent the tokens that the neuron promotes are with it
gap           0, 1    whether promoted tokens that fit have clearly larger effects than those that do not
specificity   0 … 3   how specific it is
============  ======  =================================================================================

The sum is at most 14: `gap` does not apply where `logits` has full marks. In the paper the median neuron had 0 points
and the median feature 12; more than 8 was called quite interpretable.

Which tokens a neuron promotes is not always known (a random direction, imported features), and how strongly it
promotes them may tell arms apart as the strength of its firings does. Hence the option `logits`: "none" leaves both
questions out (at most 11 points), "tokens" shows the tokens without strengths and leaves `gap` out (at most 14),
"strengths" shows the strengths in five shades and asks everything (at most 14).

The verdict follows from the sum: Yes from `yes_from` points on, else No. Left out, `yes_from` is the smallest sum above
8/14 of what can be had: 9 of 14, 7 of 11.

References
----------
Bricken et al. (2023), "Towards Monosemanticity", Transformer Circuits Thread, section on the manual evaluation.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from annotation.protocols.display import mark_peak
from annotation.protocols.options import TOP, choice_problem, whole_problem
from annotation.protocols.rubric_practice import PRACTICE
from annotation.protocols.spectrum import band_snippets, bands_problem, bands_read, group_sizes
from annotation.protocols.task import (
    CANNOT,
    NO,
    RULE_MAX_CHARS,
    YES,
    Answer,
    AnswerProblem,
    CannotCompose,
    Composition,
    Marker,
    Material,
    Shown,
    unknown_options,
    verdict_cleaned,
)

NAME = "rubric"
QUESTION = "What makes this neuron fire? Explain it, then score your explanation."
MINUTES_PER_NEURON = "2–4"
MOST: dict[str, int] = {"confidence": 3, "activations": 5, "logits": 3, "gap": 1, "specificity": 3}
POINTS = "points"  # name of the stored response that holds the sum
NONE, TOKENS, STRENGTHS = LOGITS = ("none", "tokens", "strengths")
ASKED = {
    NONE: ("confidence", "activations", "specificity"),
    TOKENS: ("confidence", "activations", "logits", "specificity"),
    STRENGTHS: tuple(MOST),
}
MOST_POINTS = {NONE: 11, TOKENS: 14, STRENGTHS: 14}
ABOVE = 8 / 14  # of the points that can be had: "quite interpretable", Bricken et al. 2023
SHADES = 5
OPTIONS = ("logits", "promoted", "yes_from", "bands")

DEFAULT_INSTRUCTIONS = """\
You will see one neuron of a small language model at a time. For each neuron there are several short pieces of text, \
called snippets, from places where it fired. The tokens (words or parts of words) that it fired on are marked. In some \
studies you also see a list of tokens that the neuron makes the model expect next.

First write an explanation: what makes this neuron fire? It can be narrow (one word, such as "apple") or broad (any \
phrase about music), as long as you could tell somebody else in one sentence. Then score your explanation honestly; \
the points say how good it is, not how good you are.

How sure are you of it? 0 not at all, 3 sure.

How well do the marked tokens fit it? 0 none of them, 1 few, 2 fewer than half, 3 more than half, 4 nearly all, 5 all.

How well do the tokens that the neuron promotes fit it, where you see them? 0 none, 1 some, 2 most, 3 all.

How specific is it? 0 it would fit nearly any text, 1 very broad, 2 a clear topic or kind of word, 3 a narrow meaning \
that few other texts share.

If you find no explanation, leave the text empty and give 0 everywhere; that is a good answer too. Choose “Cannot \
judge” only if you cannot read the snippets, for example because of their language.

Take two to four minutes for a neuron. You can undo your last answer, stop at any time, and go on later where you left \
off."""


@runtime_checkable
class PromotesTokens(Protocol):
    """Material that knows which tokens the neuron makes the model expect."""

    def promoted(self, count: int) -> Sequence[tuple[str, float]]:
        """The `count` tokens whose logits the neuron raises most, strongest first, with the effect (any unit, > 0).

        Raises CannotCompose if there are fewer.
        """


class Rubric:
    """A neuron's snippets, an explanation in the rater's words, and points for it; the verdict follows from the sum."""

    name = NAME
    label = "Rubric, 0 to 14 points"
    question = QUESTION
    default_instructions = DEFAULT_INSTRUCTIONS
    minutes_per_neuron = MINUTES_PER_NEURON
    threshold: float | None = None
    asks_verdict = True

    def option_problems(self, options: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Faults in `logits`, `promoted` (tokens shown), `yes_from` (points) and `bands` (as in the spectrum task).

        Examples
        --------
        >>> Rubric().option_problems({"logits": "tokens", "yes_from": 15})
        [('yes_from', 'Received 15; give a whole number from 1 to 14.')]
        """
        logits = options.get("logits", NONE)
        found = {
            "logits": choice_problem(logits, LOGITS),
            "promoted": whole_problem(options.get("promoted", 10), 1, 10),
            "yes_from": whole_problem(options.get("yes_from", 1), 1, MOST_POINTS.get(logits, 14)),
            "bands": bands_problem(options.get("bands", [TOP]), least=1),
        }
        return unknown_options(options, OPTIONS) + [(name, message) for name, message in found.items() if message]

    def options_filled(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with defaults.

        Examples
        --------
        >>> [Rubric().options_filled({"logits": logits})["yes_from"] for logits in ("none", "strengths")]
        [7, 9]
        """
        logits = options.get("logits", NONE)
        yes_from = math.floor(ABOVE * MOST_POINTS[logits]) + 1
        filled = {"logits": logits, "promoted": 10, "yes_from": yes_from, **options}
        return filled | {"bands": bands_read(options.get("bands", [TOP]))}

    def compose(
        self,
        material: Material,
        *,
        snippets: int,
        options: Mapping[str, Any],
        marker: Marker,
        rng: np.random.Generator,
    ) -> Composition:
        """The snippets of all bands in one random order. If any band is not the top, every snippet carries one mark."""
        bands, layout = options["bands"], {"items": list(ASKED[options["logits"]]), "yes_from": options["yes_from"]}
        if options["logits"] != NONE:
            layout["promoted"] = _promoted(material, options["promoted"], shaded=options["logits"] == STRENGTHS)
        groups = band_snippets(material, bands, group_sizes(snippets, len(bands)), rng)
        read = [reading for group in groups for reading in group]
        mark = marker if bands == [TOP] else lambda reading: mark_peak(reading.pieces, reading.peak, 1)
        return Composition(
            snippets=tuple(mark(read[int(place)]) for place in rng.permutation(len(read))), layout=layout
        )

    def cleaned(self, answer: Answer) -> Answer:
        """Without what the rater cannot say: verdict (but for "cannot judge"), confidence and the sum follow later."""
        responses = {name: text.strip() for name, text in answer.responses.items() if name in MOST and text.strip()}
        if responses.get("logits") == str(MOST["logits"]):
            responses.pop("gap", None)
        verdict = CANNOT if answer.verdict == CANNOT else ""
        return replace(verdict_cleaned(answer), verdict=verdict, confidence=None, marks=(), responses=responses)

    def answer_problem(self, answer: Answer, shown: Shown) -> AnswerProblem | None:
        """What is missing or wrong in a cleaned answer, or None if it counts.

        Examples
        --------
        >>> shown = Shown(snippets=20, layout={"items": ["confidence", "specificity"], "yes_from": 3})
        >>> said = {"confidence": "2", "specificity": "0"}
        >>> Rubric().answer_problem(Answer(responses=said), shown).field
        'rule'
        >>> Rubric().answer_problem(Answer(rule="fish", responses=said), shown) is None
        True
        """
        if len(answer.rule) > RULE_MAX_CHARS:
            message = f"The explanation has {len(answer.rule)} characters; shorten it to {RULE_MAX_CHARS}."
            return AnswerProblem("rule", message)
        if answer.verdict == CANNOT:
            return None
        problem = _points_problem(answer.responses, _asked(answer.responses, shown))
        if problem is None and total(answer.responses) and not answer.rule:
            return AnswerProblem("rule", "Write your explanation, or give 0 points everywhere if you found none.")
        return problem

    def derived(self, answer: Answer, shown: Shown) -> Answer:
        """An answer that counts, with the sum, the verdict that follows, and the confidence on the scale of verdicts.

        The rubric's confidence starts from 0, which the common scale 1 (guess) … 3 (sure) does not know: 0 becomes 1.

        Examples
        --------
        >>> shown = Shown(snippets=20, layout={"items": ["confidence", "specificity"], "yes_from": 3})
        >>> got = Rubric().derived(Answer(rule="fish", responses={"confidence": "0", "specificity": "3"}), shown)
        >>> got.verdict, got.confidence, got.responses["points"]
        ('yes', 1, '3')
        """
        if answer.verdict == CANNOT:
            return answer
        points = total(answer.responses)
        return replace(
            answer,
            verdict=YES if points >= shown.layout["yes_from"] else NO,
            confidence=max(1, int(answer.responses["confidence"])),
            responses=answer.responses | {POINTS: str(points)},
        )

    def score(self, answer: Answer, truth: Mapping[str, Any]) -> float | None:
        return None

    def practice(self, options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The practice items ask what the study asks."""
        return [_practice_item(item, options) for item in PRACTICE]

    def simulated(
        self, rng: np.random.Generator, *, knows: bool, shown: Shown, truth: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Nearly full marks from a rater who found the rule, no points from one who did not."""
        items = [name for name in shown.layout["items"] if name != "gap"]
        points = {name: (MOST[name] - int(rng.integers(2)) if knows else 0) for name in items}
        if knows and sum(points.values()) < shown.layout["yes_from"]:
            points = {name: MOST[name] for name in items}
        gap = {"gap": 0} if "gap" in shown.layout["items"] and points["logits"] < MOST["logits"] else {}
        responses = {name: str(value) for name, value in (points | gap).items()}
        return {"rule": "names of rivers" if knows else "", "responses": responses}


def total(responses: Mapping[str, str]) -> int:
    """Sum of the points.

    Examples
    --------
    >>> total({"confidence": "2", "activations": "4", "specificity": "3", "points": "99"})
    9
    """
    return sum(int(responses[name]) for name in MOST if name in responses)


def _asked(responses: Mapping[str, str], shown: Shown) -> list[str]:
    full = responses.get("logits") == str(MOST["logits"])
    return [name for name in shown.layout["items"] if not (name == "gap" and full)]


def _points_problem(responses: Mapping[str, str], asked: Sequence[str]) -> AnswerProblem | None:
    for name in asked:
        if responses.get(name) not in {str(points) for points in range(MOST[name] + 1)}:
            return AnswerProblem(f"r_{name}", f"Give 0 to {MOST[name]} points for {name}.")
    if foreign := set(responses) - set(asked):
        return AnswerProblem(f"r_{asked[0]}", f"Received points for {', '.join(sorted(foreign))}; reload the page.")
    return None


def _promoted(material: Material, count: int, *, shaded: bool) -> list[list[Any]]:
    """[token, shade] of the promoted tokens, strongest first; one shade for all unless strengths are shown."""
    if not isinstance(material, PromotesTokens):
        raise CannotCompose("it is not known which tokens it promotes")
    found = material.promoted(count)
    most = found[0][1]
    return [[text, math.ceil(SHADES * effect / most) if shaded else 1] for text, effect in found]


def _practice_item(item: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    asked, logits = ASKED[options["logits"]], options["logits"]
    layout: dict[str, Any] = {"items": list(asked), "yes_from": options["yes_from"]}
    text = item["text"]
    if logits != NONE:
        layout["promoted"] = [[token, shade if logits == STRENGTHS else 1] for token, shade in item["promoted"]]
        text = f"{text} {item['text_promoted']}"
    responses = {name: points for name, points in item["responses"].items() if name in asked}
    return {
        "snippets": item["snippets"],
        "layout": layout,
        "expected": YES if total(responses) >= options["yes_from"] else NO,
        "responses": responses,
        "tolerance": 1,
        "text": text,
    }
