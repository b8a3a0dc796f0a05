"""The guess of the arm after the last item: what tests the blind."""

from django.db import models
from django.db.models import Q

from annotation.models.items import Assignment


class ArmGuess(models.Model):
    """One item shown again when its verdict is locked. Which items, and in which order, is fixed at freeze."""

    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="arm_guess")
    position = models.PositiveIntegerField()  # 1, 2, … within the seat
    guess = models.CharField(max_length=40, blank=True)  # an arm's name, "dk" for don't know; empty: not asked yet
    certainty = models.PositiveSmallIntegerField(null=True, blank=True)  # 1 guess … 3 sure; empty for don't know
    reason = models.TextField(blank=True)
    shown_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["assignment__seat_id", "position"]
        verbose_name_plural = "arm guesses"
        constraints = [
            models.CheckConstraint(
                name="a_guess_has_a_certainty_unless_dont_know",
                condition=Q(guess__in=["", "dk"]) | Q(certainty__gte=1, certainty__lte=3),
            ),
            models.CheckConstraint(
                name="an_answered_guess_says_something", condition=Q(answered_at__isnull=True) | ~Q(guess="")
            ),
        ]
