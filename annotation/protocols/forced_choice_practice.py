"""Worked items for forced choice: a narrow rule and a broad one, each with two pairs of held-out snippets."""

# ruff: noqa: E501 -- a snippet is one line, as the rater reads it

from typing import Any

from annotation.protocols.practice import MUSIC, snippet_from_markup

MONTHS = (
    "The permit runs from the first of[[ March]] to the end of the following{ May}, and nobody{ reads} it before then.",
    "Our oldest{ letter} is dated 14[[ August]] 1871 and smells of{ smoke}.",
    "Swallows leave in late[[ September]], a few{ days} after the last{ warm} evening.",
    "The committee meets again in[[ January]], when the{ budget} is{ known}.",
    "release notes for[[ November]]: two{ fixes}, one new{ option}, no known problems",
    "She was born in[[ April]], her brother two{ winters}{ earlier}.",
)

PRACTICE: tuple[dict[str, Any], ...] = (
    {
        "snippets": [
            snippet_from_markup(text)
            for text in (
                *MONTHS,
                "The bakery closes for two weeks in July, and the whole street buys its bread by the river.",
                "The bakery closes for two hours at noon, and the whole street buys its bread by the river.",
                "Put the small screws back into the tin before you lift the engine, or you will look for them all day.",
                "The harvest was late that year: in October half of the apples were still on the trees.",
            )
        ],
        "layout": {"references": [0, 1, 2, 3, 4, 5], "silent_references": [], "trials": [[6, 7], [8, 9]]},
        "expected": "",
        "responses": {"trial_1": "a", "trial_2": "b"},
        "marks": [],
        "text": (
            "A careful rater answers A, then B. The strongest mark of every reference is the name of a month, so the "
            "snippet with a month fires the neuron: “ July” in the first question, “ October” in the second. The first "
            "pair is nearly the same text; what differs is the month. Weak marks such as “ smoke” do not matter."
        ),
    },
    {
        "snippets": [
            snippet_from_markup(text)
            for text in (
                *MUSIC[:6],
                "After the speech somebody put coins into the machine in the corner, and the whole bar hummed along with the saxophone.",
                "After the speech somebody put sugar into the bowl on the counter, and the whole bar went back to its newspapers.",
                "The notes on the kitchen table were about milk, candles and the key of the neighbours.",
                "He never learned to read scores, but he could repeat on the clarinet whatever he had heard once.",
            )
        ],
        "layout": {"references": [0, 1, 2, 3, 4, 5], "silent_references": [], "trials": [[6, 7], [8, 9]]},
        "expected": "",
        "responses": {"trial_1": "a", "trial_2": "b"},
        "marks": [],
        "text": (
            "A careful rater answers A, then B. The strongest marks are musical instruments. “ saxophone” and "
            "“ clarinet” did not occur among the references, but they belong to the same category. “ notes” and “ key” "
            "in the last question sound like music; in their text they have nothing to do with it."
        ),
    },
)
