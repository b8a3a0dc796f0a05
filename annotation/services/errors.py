"""What a study service may refuse. Each message says what, what was received, and what to do."""


class StudyRefused(Exception):
    """A step of a study that cannot be taken."""


class StudyWrongState(StudyRefused):
    """The study is not in the state that the step needs."""


class AmendmentRefused(StudyRefused):
    """A change of a frozen protocol that no amendment may make."""


class MessageRefused(StudyRefused):
    """A message that cannot be sent."""


class UnblindingRefused(StudyRefused):
    """The key cannot be opened by this person, or not by one person."""


class LeaksTooLarge(StudyRefused):
    """How the items are shown tells their arms more often than the protocol allows."""


class ReasonMissing(StudyRefused):
    """A step that must be explained came without an explanation."""


class HarvestMissing(StudyRefused):
    """A network of the design has no finished harvest over the design's corpus."""


class NotEnoughNeurons(StudyRefused):
    """A stratum holds too few neurons that can be shown."""


class SeatRefused(StudyRefused):
    """This evaluator cannot sit here."""


class SeatsTaken(SeatRefused):
    """No seat is free."""


class EvaluatorRefused(StudyRefused):
    """This account cannot be made an evaluator's."""


class TokenRefused(StudyRefused):
    """This API token cannot be made."""


class IntakeRefused(StudyRefused):
    """Raters cannot be taken in from a crowd provider in this way; `field` names the setting to correct."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class SubmissionRefused(StudyRefused):
    """A crowd submission cannot take this step."""


class InvitationRefused(StudyRefused):
    """A link cannot be made so, or lets nobody in."""


class AccountRefused(StudyRefused):
    """An account cannot be changed so."""
