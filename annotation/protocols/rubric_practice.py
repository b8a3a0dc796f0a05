"""Worked items of the rubric: an explanation that deserves points, and a neuron without one.

The snippets are those of the first-glance practice; a study that shows promoted tokens shows these with them, each with
its shade, 1 … 5.
"""

from typing import Any

from annotation.protocols.practice import MUSIC, UNRELATED, snippet_from_markup

PRACTICE: tuple[dict[str, Any], ...] = (
    {
        "snippets": [snippet_from_markup(text) for text in MUSIC],
        "promoted": [
            [" player", 5],
            [" concert", 5],
            [" solo", 4],
            ["ist", 4],
            [" strings", 3],
            [" tune", 3],
            [" lessons", 3],
            [" loudly", 1],
            [" hall", 1],
            [" the", 1],
        ],
        "responses": {"confidence": "3", "activations": "4", "logits": "2", "gap": "1", "specificity": "2"},
        "text": (
            "A careful rater writes “musical instruments” and is sure of it. Nine of the ten strongest marks fit, the "
            "ladders do not: 4 of 5 points. Musical instruments are a clear kind of word, but not a narrow meaning: 2 "
            "of 3 points. One point more or less is within the range of careful raters."
        ),
        "text_promoted": (
            "Most of the promoted tokens go with music, “ the” and “ hall” need not: 2 of 3 points. Where strengths "
            "are shown, those that fit are clearly stronger than the rest: 1 point."
        ),
    },
    {
        "snippets": [snippet_from_markup(text) for text in UNRELATED],
        "promoted": [
            [" above", 5],
            ["ward", 5],
            [" fish", 5],
            [" 17", 4],
            [" because", 4],
            ["ential", 4],
            [" paper", 4],
            [" went", 4],
            [" grey", 4],
            ["();", 4],
        ],
        "responses": {"confidence": "0", "activations": "0", "logits": "0", "gap": "0", "specificity": "0"},
        "text": (
            "A careful rater finds no explanation, leaves the text empty and gives 0 points everywhere. Something like "
            "“words in sentences” would fit all of them, but it would fit any other token too: it would get 0 points "
            "for being specific, and few for confidence."
        ),
        "text_promoted": "The promoted tokens do not help either: no topic and no kind of word joins them.",
    },
)
