"""What the author of a study asks for, checked and in one canonical form. Pure: no database.

A design comes from a TOML file or a form, and is stored as JSON. Everything that a study needs and that is not a fact
about a harvest stands here, so that a study can be drawn again from its design.
"""

from annotation.design.arms import (
    ARM_KINDS,
    ARM_NAME,
    ARM_SITES,
    POST_ACT,
    POST_LN,
    RANDOM_DIRECTIONS,
    RANDOM_SNIPPETS,
    ArmDesign,
    PairDesign,
)
from annotation.design.assignment import AssignmentDesign
from annotation.design.blinding import BlindingDesign
from annotation.design.consent import KEEP, SET_ASIDE, ConsentDesign, consent_promises, consent_shown
from annotation.design.fields import DesignRefused, Section, canonical_json
from annotation.design.sampling import SamplingDesign
from annotation.design.study import (
    CHOICES,
    DEFAULTS,
    DISPLAYS,
    FIELD_NAMES,
    HUMAN,
    PROTOCOLS,
    RANGES,
    RATER_KINDS,
    SIMULATED,
    TEXTS,
    StudyDesign,
    design_from_dict,
    design_from_toml,
    design_to_dict,
)

__all__ = [
    "ARM_KINDS",
    "ARM_NAME",
    "ARM_SITES",
    "CHOICES",
    "DEFAULTS",
    "DISPLAYS",
    "FIELD_NAMES",
    "HUMAN",
    "KEEP",
    "POST_ACT",
    "POST_LN",
    "PROTOCOLS",
    "RANDOM_DIRECTIONS",
    "RANDOM_SNIPPETS",
    "RANGES",
    "RATER_KINDS",
    "SET_ASIDE",
    "SIMULATED",
    "TEXTS",
    "ArmDesign",
    "AssignmentDesign",
    "BlindingDesign",
    "ConsentDesign",
    "DesignRefused",
    "PairDesign",
    "SamplingDesign",
    "Section",
    "StudyDesign",
    "canonical_json",
    "consent_promises",
    "consent_shown",
    "design_from_dict",
    "design_from_toml",
    "design_to_dict",
]
