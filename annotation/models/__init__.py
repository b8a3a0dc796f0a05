"""The blind study: what raters see and answer.

Nothing here leads to a neuron or an arm. That link lives in the app `annotation.sealed` alone (blinding lock 1).
"""

from annotation.models.guesses import ArmGuess
from annotation.models.items import Assignment, Item, public_token
from annotation.models.judgments import Draft, Judgment
from annotation.models.quality import JudgmentCheck
from annotation.models.raters import Evaluator, PracticeAnswer, Seat
from annotation.models.study import RaterKind, Study, StudyEvent, Unblinding
from annotation.models.written_once import FrozenRow, WrittenOnce, WrittenOnceQuerySet

__all__ = [
    "ArmGuess",
    "Assignment",
    "Draft",
    "Evaluator",
    "FrozenRow",
    "Item",
    "Judgment",
    "JudgmentCheck",
    "PracticeAnswer",
    "RaterKind",
    "Seat",
    "Study",
    "StudyEvent",
    "Unblinding",
    "WrittenOnce",
    "WrittenOnceQuerySet",
    "public_token",
]
