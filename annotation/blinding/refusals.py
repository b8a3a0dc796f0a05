"""What the gate refuses, and why."""


class GateRefused(Exception):
    """Something that a rater asked for and may not have now."""


class StudyNotOpen(GateRefused):
    """The study takes no answers: it is not open yet, or it is closed."""


class StudyPaused(StudyNotOpen):
    """The study takes no answers for now; it goes on later."""


class NotReady(GateRefused):
    """The consent, the instructions or the practice come first."""

    def __init__(self, where: str) -> None:
        super().__init__(f"Rating starts after the consent, the instructions and the practice; go to {where}.")
        self.where = where


class AnswerRefused(GateRefused):
    """An answer that cannot be accepted as it is."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
