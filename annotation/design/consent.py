"""What raters are told and asked before they start: consent, and whether they have to do with the models."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from annotation.design.fields import Problems, Section, canonical_json

KEEP, SET_ASIDE = "keep", "set aside"

_STOP = "You may stop at any time, without giving a reason, with the button “Stop taking part” on every page."
_LEAVING = {
    KEEP: "If you stop, the answers that you have given stay in the study under a pseudonym.",
    SET_ASIDE: "If you stop, the answers that you have given are set aside: they are kept on record and count no more.",
}
_ERASURE = (
    "At any time, also later, you can have your account, your e-mail address and your declarations erased. "
    "Your pseudonym then leads to nobody."
)
_WORDS = {
    True: "The rules and reasons that you wrote in your own words are erased with them.",
    False: "The rules and reasons that you wrote in your own words stay, under the pseudonym.",
}


@dataclass(frozen=True, slots=True)
class ConsentDesign(Section):
    """Attributes
    ----------
    text : str
        Plain paragraphs, parted by empty lines, shown before the instructions; empty: nobody is asked.
    required : bool
        Only who agrees may rate. Otherwise a refusal is noted and the rater goes on.
    ask_conflicts : bool
        Ask whether the rater has built or written about the models that are judged.
    withdrawal : {"keep", "set aside"}
        What becomes of the answers of a rater who stops, or whose person is erased.
    erase_words : bool
        Erasing a person also erases the words in that rater's answers.
    """

    TEXTS: ClassVar = {"text": (True, 20_000)}
    SWITCHES: ClassVar = ("required", "ask_conflicts", "erase_words")
    CHOICES: ClassVar = {"withdrawal": (KEEP, SET_ASIDE)}

    text: str = ""
    required: bool = True
    ask_conflicts: bool = False
    withdrawal: str = KEEP
    erase_words: bool = False

    def joint_problems(self) -> Problems:
        if self.ask_conflicts and not self.text.strip():
            return [("text", "Received an empty text; the question about conflicts of interest is asked below it.")]
        return []


def consent_shown(consent: ConsentDesign) -> dict[str, Any] | None:
    """What raters are shown, with the sha256 that names this version; None if nobody is asked.

    Parameters
    ----------
    consent : ConsentDesign

    Returns
    -------
    dict or None
        `paragraphs` of the author, `promises` that follow from the study's rules, `required`, `ask_conflicts`, and
        `version`: sha256 of the canonical JSON of the other four.

    Examples
    --------
    >>> consent_shown(ConsentDesign()) is None
    True
    >>> one = consent_shown(ConsentDesign(text="We ask you to rate."))
    >>> other = consent_shown(ConsentDesign(text="We ask you to rate.", withdrawal="set aside"))
    >>> one["paragraphs"], one["version"] == other["version"]
    (['We ask you to rate.'], False)
    """
    if not consent.text.strip():
        return None
    shown: dict[str, Any] = {
        "paragraphs": [" ".join(part.split()) for part in re.split(r"\n\s*\n", consent.text.strip())],
        "promises": consent_promises(consent),
        "required": consent.required,
        "ask_conflicts": consent.ask_conflicts,
    }
    return shown | {"version": hashlib.sha256(canonical_json(shown).encode()).hexdigest()}


def consent_promises(consent: ConsentDesign) -> list[str]:
    """What a study's rules on leaving mean for a rater, in sentences."""
    return [_STOP, _LEAVING[consent.withdrawal], _ERASURE, _WORDS[consent.erase_words]]
