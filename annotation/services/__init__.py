"""Everything that changes a study: `<entity>_<action>`, keyword-only, atomic, returns the object."""

from annotation.sealed.keys import StudyStillBlinded
from annotation.services.errors import (
    AmendmentRefused,
    EvaluatorRefused,
    HarvestMissing,
    IntakeRefused,
    LeaksTooLarge,
    MessageRefused,
    NotEnoughNeurons,
    ReasonMissing,
    SeatRefused,
    SeatsTaken,
    StudyRefused,
    StudyWrongState,
    SubmissionRefused,
    TokenRefused,
    UnblindingRefused,
)
from annotation.services.freeze import study_freeze
from annotation.services.handover import seat_hand_over
from annotation.services.intake import intake_save
from annotation.services.leaks import study_leaks
from annotation.services.pause import study_pause, study_resume
from annotation.services.people import evaluator_create, evaluator_create_keyless, seat_assign, seat_take
from annotation.services.rater_messages import message_send, message_take_back
from annotation.services.studies import study_close, study_create, study_open, study_update_design
from annotation.services.tokens import machine_declare, token_create, token_revoke
from annotation.services.unblinding import (
    study_unblind,
    unblinding_confirm,
    unblinding_request,
    unblinding_withdraw,
)
from annotation.services.vacancies import seat_vacate
from annotation.services.verify import study_problems
from annotation.services.versions import study_amend

__all__ = [
    "AmendmentRefused",
    "EvaluatorRefused",
    "HarvestMissing",
    "IntakeRefused",
    "LeaksTooLarge",
    "MessageRefused",
    "NotEnoughNeurons",
    "ReasonMissing",
    "SeatRefused",
    "SeatsTaken",
    "StudyRefused",
    "StudyStillBlinded",
    "StudyWrongState",
    "SubmissionRefused",
    "TokenRefused",
    "UnblindingRefused",
    "evaluator_create",
    "evaluator_create_keyless",
    "intake_save",
    "machine_declare",
    "message_send",
    "message_take_back",
    "seat_assign",
    "seat_hand_over",
    "seat_take",
    "seat_vacate",
    "study_amend",
    "study_close",
    "study_create",
    "study_freeze",
    "study_leaks",
    "study_open",
    "study_pause",
    "study_problems",
    "study_resume",
    "study_unblind",
    "study_update_design",
    "token_create",
    "token_revoke",
    "unblinding_confirm",
    "unblinding_request",
    "unblinding_withdraw",
]
