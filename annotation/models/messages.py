"""Words from the staff to raters: to all of a study or to one of them, never to a part chosen by what they rate."""

from django.db import models
from django.utils import timezone

from annotation.models.items import public_token
from annotation.models.log import LogActor
from annotation.models.raters import Evaluator
from annotation.models.study import Study


class RaterMessage(models.Model):
    """A notice on raters' pages until they have read it, or until it is taken back."""

    public_id = models.CharField(max_length=24, unique=True, default=public_token)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="messages")
    # Empty: everybody who has a seat, those who get one later included.
    evaluator = models.ForeignKey(Evaluator, null=True, blank=True, on_delete=models.PROTECT, related_name="messages")
    text = models.TextField()
    sent_by = models.ForeignKey(LogActor, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(default=timezone.now)
    taken_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]


class MessageRead(models.Model):
    """One rater has read one message."""

    message = models.ForeignKey(RaterMessage, on_delete=models.PROTECT, related_name="read_by")
    evaluator = models.ForeignKey(Evaluator, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "evaluator"], name="one_reading_per_message_and_evaluator"),
        ]
