"""What was answered."""

from django.db import models
from django.db.models import Q

from annotation.models.items import Assignment

ERASED = "[erased]"  # stands for words of a person who was erased; the database lets a rule change to this alone

class Judgment(models.Model):
    """One answer. A changed answer is a new row; the old one stays with is_current=False."""

    class Verdict(models.TextChoices):
        YES = "yes", "yes"
        NO = "no", "no"
        CANNOT = "cannot", "cannot judge"

    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, related_name="judgments")
    version = models.PositiveSmallIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    # Made by the browser, sent again with every retry of the same answer.
    idempotency_key = models.CharField(max_length=64)
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True)  # empty in tasks that ask for none
    confidence = models.PositiveSmallIntegerField(null=True, blank=True)  # 1 guess … 3 sure; empty for cannot judge
    rule = models.TextField(blank=True)
    responses = models.JSONField(default=dict)  # what else the task asks for, as annotation.protocols defines it
    marks = models.JSONField(default=list)  # one of "fits", "misfits", "" per snippet
    active_ms = models.PositiveIntegerField(default=0)  # page visible and focused, measured by the browser
    wall_ms = models.PositiveIntegerField(default=0)  # from shown to submitted, measured by the browser
    shown_at = models.DateTimeField()  # server time
    submitted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"], condition=Q(is_current=True), name="one_current_judgment_per_assignment"
            ),
            models.UniqueConstraint(fields=["assignment", "version"], name="one_judgment_per_assignment_and_version"),
            models.UniqueConstraint(fields=["assignment", "idempotency_key"], name="one_judgment_per_sent_answer"),
            models.CheckConstraint(
                name="a_verdict_has_a_confidence_unless_cannot_judge",
                condition=Q(verdict__in=["cannot", ""]) | Q(confidence__gte=1, confidence__lte=3),
            ),
            models.CheckConstraint(name="a_yes_has_a_rule", condition=~Q(verdict="yes") | ~Q(rule="")),
        ]


class Draft(models.Model):
    """What a rater has entered for an assignment and not yet submitted."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="draft")
    answer = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)
