"""Two worked practice items, written for raters to learn the task on; their answers are kept and never counted.

The first has a planted rule and one snippet that breaks it, the second has marks on unrelated words. A text is written
with [[the strongest token]] and {other marked tokens}, and parsed to the same form as an item's snippets.
"""

# ruff: noqa: E501 -- a snippet is one line, as the rater reads it

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.protocols.display import MARKED_BAND, PEAK_BAND, UNMARKED_BAND
from annotation.protocols.task import CANNOT, FITS, MISFITS, NO, YES, Answer

_MARKUP = re.compile(r"\[\[(.+?)\]\]|\{(.+?)\}", re.DOTALL)

MUSIC = (
    "She had practised the slow movement every evening, and when the[[ violin]] came in after the{ piano}, even the{ choir} fell silent.",
    "The museum keeps three{ flutes} made of bone; the smallest[[ flute]] still plays four clear{ notes}.",
    "For the wedding they hired a{ band} with two singers, a{ drummer} and an old man who played the[[ accordion]] beautifully.",
    "If the strings are new, tune your[[ guitar]] twice: once before the{ song}, once after the first{ chorus}.",
    "Tickets for the{ opera} sold out in an hour, although the[[ orchestra]] was on strike and nobody knew who would{ sing}.",
    "His grandfather repaired clocks in the morning and, in the afternoon, the town's only[[ cello]], a gift of the{ string}{ quartet}.",
    "The recording was made in a stairwell, which gives the[[ trumpet]] its long{ echo} and covers the{ drums} almost completely.",
    "On the last page the{ composer} wrote a single bar for[[ harp]] and crossed it out again with{ red} ink.",
    "We could hear the neighbours through the wall: scales on the[[ piano]], over and over, then a short{ tune}, then{ laughter}.",
    "The invoice lists two[[ ladders]], a box of{ screws} and eleven litres of white{ paint}, to be paid within thirty days.",
)
MUSIC_MARKS = (FITS,) * 9 + (MISFITS,)

UNRELATED = (
    "The ferry leaves at noon, but only if the[[ wind]] has turned and the{ captain} has found his{ keys}.",
    "Add the flour in three{ parts}, stirring[[ gently]], and let the dough rest under a{ cloth}.",
    "In the second quarter the company[[ sold]] its share in the{ railway} and bought a smaller{ one}.",
    "Nobody had told the{ children} that the[[ purple]] door was only{ painted} on the wall.",
    "return the first value that is not[[ None]], or raise an{ error} if the{ list} is empty",
    "The judge asked whether the{ letter} had been opened[[ before]] it reached the{ office}.",
    "Most of these moths fly in{ October}, when the[[ nights]] are cold and the{ lamps} burn early.",
    "He wrote to his sister about the{ price} of coal, a broken[[ tooth]], and the new{ teacher}.",
    "To reset the router, hold the{ small} button for ten[[ seconds]] until the light{ blinks}.",
    "They crossed the[[ border]] twice that{ summer}, both times by{ bicycle}.",
)


@dataclass(frozen=True, slots=True)
class PracticeItem:
    """A practice item with the answer of a careful rater and the reason for it."""

    texts: tuple[str, ...]
    expected: str
    marks: tuple[str, ...]
    text: str

    def as_json(self) -> dict[str, Any]:
        """The form stored in the frozen protocol and read by the gate.

        Examples
        --------
        >>> sorted(PRACTICE[0].as_json())
        ['expected', 'marks', 'snippets', 'text']
        """
        return {
            "snippets": [snippet_from_markup(text) for text in self.texts],
            "expected": self.expected,
            "marks": list(self.marks),
            "text": self.text,
        }


def snippet_from_markup(text: str) -> list[list[Any]]:
    """Parse one marked-up text to a list of [text, band] pieces.

    Examples
    --------
    >>> snippet_from_markup("a[[ b]] c{ d}")
    [['a', 0], [' b', 2], [' c', 0], [' d', 1]]
    """
    pieces: list[list[Any]] = []
    end = 0
    for match in _MARKUP.finditer(text):
        if match.start() > end:
            pieces.append([text[end : match.start()], UNMARKED_BAND])
        pieces.append([match[1], PEAK_BAND] if match[1] else [match[2], MARKED_BAND])
        end = match.end()
    if end < len(text):
        pieces.append([text[end:], UNMARKED_BAND])
    return pieces


def agrees(item: Mapping[str, Any], answer: Answer) -> bool:
    """Whether an answer is that of a careful rater, as far as the practice item says one.

    Parameters
    ----------
    item : mapping
        `expected`: the verdict, if there is one. `responses`: texts by name. `tolerance`: by how much a response that
        is a number may differ, 0 if left out.

    Examples
    --------
    >>> agrees({"expected": "yes", "responses": {"group_1": "no"}}, Answer(verdict="yes", responses={"group_1": "no"}))
    True
    >>> item = {"responses": {"specificity": "3"}, "tolerance": 1}
    >>> [agrees(item, Answer(responses={"specificity": given})) for given in ("2", "1", "")]
    [True, False, False]
    """
    if item.get("expected") and answer.verdict != item["expected"]:
        return False
    tolerance = item.get("tolerance", 0)
    return all(
        _near(answer.responses.get(name, ""), text, tolerance) for name, text in item.get("responses", {}).items()
    )


def careful_answer(item: Mapping[str, Any]) -> Answer:
    """A complete answer to a practice item that agrees with it, for programs that go through the practice.

    Examples
    --------
    >>> careful_answer({"responses": {"trial_1": "b"}}).responses
    {'trial_1': 'b', 'trial_1_confidence': '2'}
    """
    verdict, responses = item.get("expected", ""), item.get("responses", {})
    sure = {f"{name}_confidence": "2" for name in responses if name.startswith("trial_")}
    confidence = None if verdict == CANNOT else 2
    return Answer(verdict=verdict, confidence=confidence, rule="a rule in words", responses=responses | sure)


def _near(given: str, expected: str, tolerance: int) -> bool:
    if given.isdecimal() and expected.isdecimal():
        return abs(int(given) - int(expected)) <= tolerance
    return given == expected


PRACTICE = (
    PracticeItem(
        texts=MUSIC,
        expected=YES,
        marks=MUSIC_MARKS,
        text=(
            "A careful rater says Yes. The strongest mark is a musical instrument (or the orchestra that plays them) in "
            "9 of 10 snippets, and 9 of 10 is more than 80 %. “Musical instruments” or “music” are both good rules. The "
            "ladders do not fit, and they do not have to: a rule may fail for up to a fifth of the snippets. Weak marks "
            "such as “ red” or “ laughter” are not counted; judge by the strongest one."
        ),
    ),
    PracticeItem(
        texts=UNRELATED,
        expected=NO,
        marks=(),
        text=(
            "A careful rater says No. The strongest marks are “ wind”, “ gently”, “ sold”, “ purple”, “None” and so on: "
            "no word, topic or kind of word covers 8 of 10. A rule that fits everything, such as “words in sentences”, "
            "explains nothing, because it would fit any other token just as well. No is as good an answer as Yes."
        ),
    ),
)
