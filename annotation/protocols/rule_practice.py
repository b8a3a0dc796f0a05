"""Worked items for predicting from a rule: one that fits all snippets it should, and one that is too wide."""

from typing import Any

from annotation.protocols.practice import snippet_from_markup
from annotation.protocols.task import NO, YES

MONTHS = (
    ("The permit ends in June, and nobody has asked for a new one.", YES),
    ("He may come later; keep a chair free for him at the end of the table.", NO),
    ("Between Christmas and the first weeks of February the lift is closed for repair.", YES),
    ("The soldiers had to march for two days before they saw the river.", NO),
    ("Every Tuesday the market fills the square, and every Tuesday it rains.", NO),
    ("last changed in December by somebody whose name is no longer on the list", YES),
)
BRACKETS = (
    ("value = float(text) if text else None", YES),
    ("The inn (it had been a mill) stood empty for years.", YES),
    ("She closed the book and put it back where she had found it.", NO),
    ("print(len(words), file=report)", YES),
    ("return the larger of the two numbers", NO),
    ("Two of the boats were lost in the storm, the third came home.", NO),
)


def _item(rule: str, snippets: tuple[tuple[str, str], ...], text: str) -> dict[str, Any]:
    return {
        "snippets": [snippet_from_markup(snippet) for snippet, _ in snippets],
        "layout": {"held_out": list(range(len(snippets)))},
        "rule": rule,
        "expected": "",
        "responses": {f"snippet_{number}": right for number, (_, right) in enumerate(snippets, start=1)},
        "marks": [],
        "text": text,
    }


PRACTICE: tuple[dict[str, Any], ...] = (
    _item(
        "names of months",
        MONTHS,
        "A careful rater says Yes to the snippets with June, February and December, and No to the others. “may” and "
        "“march” look like months and are none here, and Tuesday is a day. Go by what the rule says, not by how a word "
        "looks.",
    ),
    _item(
        "an opening round bracket",
        BRACKETS,
        "A careful rater says Yes to the first, second and fourth snippet. The second is no code, but the rule says "
        "nothing about code. Perhaps the neuron fires in code only; then this rule is too wide, and that is what the "
        "comparison finds out. It is not for you to mend the rule.",
    ),
)
