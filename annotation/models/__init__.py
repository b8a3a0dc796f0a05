"""The blind study: what raters see and answer.

Nothing here leads to a neuron or an arm. That link lives in the app `annotation.sealed` alone (blinding lock 1).
"""

from annotation.models.crowd import CrowdEvent, CrowdIntake, CrowdPerson, CrowdSubmission, Provider
from annotation.models.guesses import ArmGuess
from annotation.models.items import Assignment, Item, public_token
from annotation.models.judgments import ERASED, Draft, Judgment
from annotation.models.leaks import LeakAudit
from annotation.models.log import LogActor, LogChain, StudyEvent
from annotation.models.messages import MessageRead, RaterMessage
from annotation.models.people import (
    EVALUATORS,
    STAFF_ROLES,
    ConflictDeclaration,
    ConsentRecord,
    Invitation,
    PersonalLink,
    PersonErasure,
)
from annotation.models.quality import JudgmentCheck
from annotation.models.raters import Evaluator, PracticeAnswer, Seat
from annotation.models.study import RaterKind, Study
from annotation.models.tokens import ApiToken, MachineRater, TokenRole
from annotation.models.unblinding import Unblinding, UnblindingRequest
from annotation.models.vacancies import SeatVacancy
from annotation.models.versions import ProtocolVersion
from annotation.models.written_once import FrozenRow, WrittenOnce, WrittenOnceQuerySet

__all__ = [
    "ERASED",
    "EVALUATORS",
    "STAFF_ROLES",
    "ApiToken",
    "ArmGuess",
    "Assignment",
    "ConflictDeclaration",
    "ConsentRecord",
    "CrowdEvent",
    "CrowdIntake",
    "CrowdPerson",
    "CrowdSubmission",
    "Draft",
    "Evaluator",
    "FrozenRow",
    "Invitation",
    "Item",
    "Judgment",
    "JudgmentCheck",
    "LeakAudit",
    "LogActor",
    "LogChain",
    "MachineRater",
    "MessageRead",
    "PersonErasure",
    "PersonalLink",
    "PracticeAnswer",
    "ProtocolVersion",
    "Provider",
    "RaterKind",
    "RaterMessage",
    "Seat",
    "SeatVacancy",
    "Study",
    "StudyEvent",
    "TokenRole",
    "Unblinding",
    "UnblindingRequest",
    "WrittenOnce",
    "WrittenOnceQuerySet",
    "public_token",
]
