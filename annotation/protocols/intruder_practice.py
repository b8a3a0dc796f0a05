"""Worked items for the intruder task: a narrow rule and a broad one, with marks that look alike on all snippets."""

# ruff: noqa: E501 -- a snippet is one line, as the rater reads it

from typing import Any

from annotation.protocols.practice import snippet_from_markup

COLOURS = (
    "They painted the gate{ a} deep[[ green]] and left the{ fence} as it was.",
    "In the{ picture} a woman in a[[ yellow]] coat waits for the{ tram}.",
    "You can have{ it} in[[ grey]], in white, or, for a little{ more}, in silver.",
    "The{ doctor} asked for a[[ second]] chair and{ sat} down slowly.",
    "Turn the dial{ until} the lamp shows[[ red]], then{ wait}.",
)
OPENINGS = (
    "for name in sorted{(}[[names]]): print(name){ #} one line each",
    "the mayor{ said} that the[[ bridge]] would stay closed{ until} the autumn",
    "if not value: return{ []}[[ else]]: return [value]{ *} count",
    "result = max(scores, key{=}[[lambda]] row: row[1]){ or} None",
)
WATER = (
    "The{ little} boats lay in the[[ harbour]] until the{ storm} had passed.",
    "We followed the[[ river]]{ down} to the old{ mill}.",
    "Behind the dunes the[[ sea]] was{ louder} than the{ road}.",
    "The tax form asks for{ the}[[ income]] of the{ last} two years.",
    "A[[ lake]] that{ freezes} every winter does not{ need} a bridge.",
)


def _item(trials: tuple[tuple[str, ...], ...], right: tuple[str, ...], text: str) -> dict[str, Any]:
    starts = [sum(len(trial) for trial in trials[:n]) for n in range(len(trials))]
    return {
        "snippets": [snippet_from_markup(snippet) for trial in trials for snippet in trial],
        "layout": {
            "trials": [list(range(first, first + len(trial))) for first, trial in zip(starts, trials, strict=True)]
        },
        "expected": "",
        "responses": {f"trial_{number}": letter for number, letter in enumerate(right, start=1)},
        "marks": [],
        "text": text,
    }


PRACTICE: tuple[dict[str, Any], ...] = (
    _item(
        (COLOURS,),
        ("d",),
        "A careful rater answers D. The strongest mark of the others is a colour; “ second” is none. That its text is "
        "about a doctor would not matter if a colour were marked. Every snippet has three marks, one strong and two "
        "weak ones, at much the same place: the look of the marks tells nothing.",
    ),
    _item(
        (OPENINGS, WATER),
        ("b", "d"),
        "A careful rater answers B, then D. In the first question the others are lines of code and B is a sentence from "
        "a newspaper; no single word says so, the texts do. In the second question the strongest marks are waters (a "
        "harbour, a river, the sea, a lake), and “ income” is none.",
    ),
)
