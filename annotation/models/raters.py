"""Who rates, and where they sit."""

from django.conf import settings
from django.db import models

from annotation.models.study import RaterKind, Study


class Evaluator(models.Model):
    """A person (or a declared machine) who rates."""

    # None after the person was erased; the pseudonym and what it answered stay.
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="evaluator"
    )
    pseudonym = models.CharField(max_length=24, unique=True)
    kind = models.CharField(max_length=12, choices=RaterKind, default=RaterKind.HUMAN)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.pseudonym


class Seat(models.Model):
    """One rater's place in a study. Its assignments and their order are fixed at freeze, before anybody sits on it."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="seats")
    number = models.PositiveIntegerField()  # 1, 2, …
    kind = models.CharField(max_length=12, choices=RaterKind, default=RaterKind.HUMAN)  # who may sit here; frozen
    evaluator = models.ForeignKey(Evaluator, null=True, blank=True, on_delete=models.PROTECT, related_name="seats")
    seated_at = models.DateTimeField(null=True, blank=True)
    instructions_read_at = models.DateTimeField(null=True, blank=True)
    practice_done_at = models.DateTimeField(null=True, blank=True)
    screened_out_at = models.DateTimeField(null=True, blank=True)  # did not pass the training
    guessing_at = models.DateTimeField(null=True, blank=True)  # from now on the verdicts are locked

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="one_seat_per_number"),
            models.UniqueConstraint(fields=["study", "evaluator"], name="one_seat_per_evaluator_and_study"),
        ]


class PracticeAnswer(models.Model):
    """An answer to a worked practice item; kept, never counted."""

    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="practice_answers")
    number = models.PositiveSmallIntegerField()
    round = models.PositiveSmallIntegerField(default=1)  # 1, 2, …; in each only the first answer to an item counts
    agrees = models.BooleanField(null=True)  # with a careful rater; empty in answers older than this column
    answer = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)
