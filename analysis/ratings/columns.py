"""The columns that ratings may have: what is allowed in each, and what stands there when a file has none."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from annotation.design.study import HUMAN, SIMULATED
from annotation.protocols import TASKS
from annotation.protocols.task import VERDICTS

MACHINE = "machine"
KINDS = (HUMAN, SIMULATED, MACHINE)
DONT_KNOW = "dk"
MOST_CHARACTERS = 200  # of a name
WHOLE = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
TRUE, FALSE = {"1", "1.0", "true"}, {"0", "0.0", "false", ""}


class NotAllowed(ValueError):
    """A value that a column may not have; the message says what it may have."""


@dataclass(frozen=True, slots=True)
class Column:
    """Attributes
    ----------
    name : str
    read : callable
        From a text to the value, or `NotAllowed`.
    meaning : str
    needed : bool
    """

    name: str
    read: Callable[[str], Any]
    meaning: str
    needed: bool = False


def name_read(text: str) -> str:
    if not text:
        raise NotAllowed("a name")
    return text_read(text)


def text_read(text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise NotAllowed(f"at most {MOST_CHARACTERS} characters")
    return text


def words_read(text: str) -> str:
    return text


def judgment_read(text: str) -> int | None:
    """0, 1 or None; Excel's 1.0 is 1.

    Examples
    --------
    >>> [judgment_read(text) for text in ("1", "0.0", "")]
    [1, 0, None]
    """
    if text == "":
        return None
    if WHOLE.fullmatch(text) and float(text) in (0, 1):
        return int(float(text))
    raise NotAllowed("0, 1, or nothing for a neuron that was skipped; a mapping file can translate words")


def whole_read(least: int, most: int) -> Callable[[str], int | None]:
    """A reader of whole numbers, None where nothing stands."""

    def read(text: str) -> int | None:
        if text == "":
            return None
        if not WHOLE.fullmatch(text) or not least <= float(text) <= most:
            raise NotAllowed(f"a whole number from {least} to {most:,}, or nothing")
        return int(float(text))

    return read


def number_read(least: float, most: float) -> Callable[[str], float | None]:
    def read(text: str) -> float | None:
        if text == "":
            return None
        if not NUMBER.fullmatch(text) or not least <= float(text) <= most:
            raise NotAllowed(f"a number from {least:g} to {most:g} with a decimal point, or nothing")
        return float(text)

    return read


def flag_read(text: str) -> bool:
    if text.lower() not in TRUE | FALSE:
        raise NotAllowed("1, 0, true, false, or nothing for no")
    return text.lower() in TRUE


def choice_read(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise NotAllowed(", ".join(choice or "nothing" for choice in choices))
        return text

    return read


def object_read(text: str) -> str:
    """A JSON object of texts by name, or nothing."""
    try:
        found = json.loads(text) if text else {}
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise NotAllowed("a JSON object of texts, or nothing")
    return text


def columns_of(arms: tuple[str, ...]) -> tuple[Column, ...]:
    """Every column that is read, the first eleven of the published format; others in a file are left alone."""
    arm, guess = choice_read(*arms), choice_read(*arms, DONT_KNOW, "")
    return (
        Column("study", text_read, "name of the study; one in a file"),
        Column("size", name_read, "size label of the networks that are compared"),
        Column("arm", arm, "arm of the comparison, one of the plan's", needed=True),
        Column("layer", whole_read(0, 100_000), "layer of the neuron, from 0"),
        Column("neuron_id", name_read, "name of the neuron within its size, arm and layer", needed=True),
        Column("rater", name_read, "name or number of the rater", needed=True),
        Column("order", whole_read(1, 10_000_000), "place on this rater's own list, from 1"),
        Column("judgment", judgment_read, "1 yes, 0 no, nothing: skipped", needed=True),
        Column("confidence", whole_read(0, 100), "how sure the rater was; larger is surer"),
        Column("seconds", number_read(0, 1e7), "from shown to answered; 0 or nothing: not measured"),
        Column("guess_arm", guess, "which arm the rater guessed, dk for don't know, nothing: not asked"),
        Column("repeat", flag_read, "whether this is a second showing to the same rater"),
        Column("active_seconds", number_read(0, 1e7), "the same without breaks"),
        Column("list_length", whole_read(1, 10_000_000), "length of the rater's list"),
        Column("corpus", text_read, "corpus of the texts that were shown"),
        Column("item", text_read, "id of what was shown, where a neuron was shown in several ways"),
        Column("rater_kind", choice_read(*KINDS), "who rated; rows of another kind than the plan's are not analysed"),
        Column("task", choice_read(*TASKS), "task of the row, as Blindscope calls it"),
        Column("verdict", choice_read(*VERDICTS, ""), "yes, no, cannot; nothing: never answered"),
        Column("rule", words_read, "the rule in the rater's words"),
        Column("responses", object_read, "JSON: what else was answered, by question"),
        Column("right_answers", object_read, "JSON: the right answers, by question"),
        Column("drawn", object_read, "JSON: what was drawn for each question"),
        Column("score", number_read(0, 1), "share of right answers"),
        Column("rule_writer", text_read, "in predictions: whose rule was given"),
        Column("rule_given", words_read, "in predictions: the rule"),
        Column("guess_certainty", whole_read(0, 100), "how sure the guess of the arm was"),
        Column("guess_reason", words_read, "why, in the rater's words"),
    )
