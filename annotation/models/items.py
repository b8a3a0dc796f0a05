"""What is shown, and to whom in which order."""

import secrets

from django.db import models
from django.db.models import Q

from annotation.models.raters import Seat
from annotation.models.study import Study
from annotation.models.written_once import WrittenOnce


def public_token() -> str:
    """A random public id: says nothing about order, arm or neuron."""
    return secrets.token_urlsafe(12)


class Item(WrittenOnce):
    """One neuron's page, drawn and frozen. It holds what is shown and no way back to the neuron."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="items")
    public_id = models.CharField(max_length=24, unique=True, default=public_token)
    # List of snippets; a snippet is a list of [text, band]: band 0 unmarked, 1..n marked, n strongest.
    snippets = models.JSONField()
    # How the task lays them out (annotation.protocols): numbers of snippets by group. Shown to raters.
    layout = models.JSONField(default=dict)


class Assignment(models.Model):
    """One item on one rater's list, at a fixed place."""

    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="assignments")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="assignments")
    public_id = models.CharField(max_length=24, unique=True, default=public_token)
    position = models.PositiveIntegerField()  # 1, 2, … in this rater's own order
    # The same item earlier on this rater's list, for self-agreement. The rater is not told.
    repeat_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="repeats")
    # The assignment of another rater whose written rule this one is to be predicted from.
    rule_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="predictions")
    # Done without an answer: whoever should have written the rule found none. Never shown.
    retired_at = models.DateTimeField(null=True, blank=True)
    shown_at = models.DateTimeField(null=True, blank=True)  # first time it was on a screen
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["seat_id", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["seat", "item"], condition=Q(repeat_of__isnull=True), name="one_assignment_per_seat_and_item"
            ),
            models.UniqueConstraint(fields=["repeat_of"], name="one_repeat_per_assignment"),
            models.UniqueConstraint(fields=["seat", "position"], name="one_assignment_per_seat_and_position"),
        ]
        indexes = [
            # The next item of a rater is one look-up in this index.
            models.Index(fields=["seat", "position"], condition=Q(done_at__isnull=True), name="next_assignment"),
        ]
