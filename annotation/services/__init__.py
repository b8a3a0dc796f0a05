"""Everything that changes a study: `<entity>_<action>`, keyword-only, atomic, returns the object."""

from annotation.sealed.keys import StudyStillBlinded
from annotation.services.errors import (
    EvaluatorRefused,
    HarvestMissing,
    NotEnoughNeurons,
    ReasonMissing,
    SeatRefused,
    StudyRefused,
    StudyWrongState,
)
from annotation.services.freeze import study_freeze
from annotation.services.people import evaluator_create, seat_assign, seat_take
from annotation.services.studies import study_close, study_create, study_open, study_unblind, study_update_design
from annotation.services.verify import study_problems

__all__ = [
    "EvaluatorRefused",
    "HarvestMissing",
    "NotEnoughNeurons",
    "ReasonMissing",
    "SeatRefused",
    "StudyRefused",
    "StudyStillBlinded",
    "StudyWrongState",
    "evaluator_create",
    "seat_assign",
    "seat_take",
    "study_close",
    "study_create",
    "study_freeze",
    "study_open",
    "study_problems",
    "study_unblind",
    "study_update_design",
]
