"""Seats that somebody left before the end."""

from django.conf import settings
from django.db import models

from annotation.models.raters import Evaluator, Seat
from annotation.models.written_once import WrittenOnce


class SeatVacancy(WrittenOnce):
    """A rater left a seat, and what became of the answers given on it.

    Answers given on the seat before `left_at`, and after an earlier vacancy, are this rater's, whoever sits there now.
    """

    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="vacancies")
    evaluator = models.ForeignKey(Evaluator, on_delete=models.PROTECT, related_name="vacancies")
    seated_at = models.DateTimeField()
    left_at = models.DateTimeField()
    kept = models.BooleanField()  # the answers stand; otherwise the next rater starts the list anew
    answers = models.PositiveIntegerField()  # current answers at that moment
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["left_at", "id"]
