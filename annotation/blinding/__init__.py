"""The gate: everything that a rater may see or do, and nothing else.

Every function takes the signed-in user's id and answers with frozen dataclasses that hold no neuron, arm, layer or
network. "Not yours" and "not there" are the same `Http404`. The tables behind the gate hold no way to the sealed key.

What a page must be ready for: `StudyNotOpen` (not opened yet, or closed: nothing can be rated; as `StudyPaused` it goes
on later, and drafts are still kept), `NotReady` (the
consent, the instructions or the practice come first; `where` says what, as `blind_where` does) and `AnswerRefused` (the
answer is incomplete; `field` names the part to correct).
"""

from annotation.blinding.answers import MAX_MS
from annotation.blinding.belonging import blind_belongs
from annotation.blinding.consent import blind_consent, blind_consent_answer
from annotation.blinding.guess import DONT_KNOW, blind_guess, blind_guess_answer, blind_guess_start
from annotation.blinding.home import blind_home, blind_instructions, blind_instructions_read, blind_where
from annotation.blinding.notices import blind_notice_read
from annotation.blinding.pages import (
    BlindAnswer,
    BlindNotice,
    BlindPiece,
    BlindProgress,
    BlindSnippet,
    BlindStudyCard,
    ConsentAnswer,
    ConsentPage,
    DonePage,
    GuessChoice,
    GuessPage,
    HomePage,
    InstructionsPage,
    PracticeFeedback,
    PracticePage,
    RatePage,
    SaveReceipt,
    ScreenedPage,
    TrainingPart,
    WaitingPage,
)
from annotation.blinding.practice import blind_practice, blind_practice_answer, blind_screened
from annotation.blinding.rating import blind_draft_save, blind_item, blind_judgment_submit, blind_next, blind_undo
from annotation.blinding.refusals import AnswerRefused, GateRefused, NotReady, StudyNotOpen, StudyPaused

__all__ = [
    "DONT_KNOW",
    "MAX_MS",
    "AnswerRefused",
    "BlindAnswer",
    "BlindNotice",
    "BlindPiece",
    "BlindProgress",
    "BlindSnippet",
    "BlindStudyCard",
    "ConsentAnswer",
    "ConsentPage",
    "DonePage",
    "GateRefused",
    "GuessChoice",
    "GuessPage",
    "HomePage",
    "InstructionsPage",
    "NotReady",
    "PracticeFeedback",
    "PracticePage",
    "RatePage",
    "SaveReceipt",
    "ScreenedPage",
    "StudyNotOpen",
    "StudyPaused",
    "TrainingPart",
    "WaitingPage",
    "blind_belongs",
    "blind_consent",
    "blind_consent_answer",
    "blind_draft_save",
    "blind_guess",
    "blind_guess_answer",
    "blind_guess_start",
    "blind_home",
    "blind_instructions",
    "blind_instructions_read",
    "blind_item",
    "blind_judgment_submit",
    "blind_next",
    "blind_notice_read",
    "blind_practice",
    "blind_practice_answer",
    "blind_screened",
    "blind_undo",
    "blind_where",
]
