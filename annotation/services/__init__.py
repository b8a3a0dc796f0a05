"""Everything that changes a study: `<entity>_<action>`, keyword-only, atomic, returns the object."""

from annotation.sealed.keys import StudyStillBlinded
from annotation.services.errors import (
    EvaluatorRefused,
    HarvestMissing,
    NotEnoughNeurons,
    ReasonMissing,
    SeatRefused,
    SeatsTaken,
    StudyRefused,
    StudyWrongState,
)
from annotation.services.freeze import study_freeze
from annotation.services.people import evaluator_create, evaluator_create_keyless, seat_assign, seat_take
from annotation.services.studies import study_close, study_create, study_open, study_unblind, study_update_design
from annotation.services.vacancies import seat_vacate
from annotation.services.verify import study_problems

__all__ = [
    "EvaluatorRefused",
    "HarvestMissing",
    "NotEnoughNeurons",
    "ReasonMissing",
    "SeatRefused",
    "SeatsTaken",
    "StudyRefused",
    "StudyStillBlinded",
    "StudyWrongState",
    "evaluator_create",
    "evaluator_create_keyless",
    "seat_assign",
    "seat_take",
    "seat_vacate",
    "study_close",
    "study_create",
    "study_freeze",
    "study_open",
    "study_problems",
    "study_unblind",
    "study_update_design",
]
