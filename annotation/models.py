"""The blind study: what raters see and answer.

Nothing here leads to a neuron or an arm. That link lives in the app `annotation.sealed` alone (blinding lock 1).
"""

import secrets
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q


def public_token() -> str:
    """A random public id: says nothing about order, arm or neuron."""
    return secrets.token_urlsafe(12)


class FrozenRow(Exception):
    """Somebody tried to change or delete what is written once."""


class WrittenOnceQuerySet(models.QuerySet):
    """Refuses bulk changes, so that no code path rewrites what was frozen or logged."""

    def update(self, **changes: Any) -> NoReturn:
        raise FrozenRow(f"{self.model.__name__} rows are written once; changing {', '.join(changes)} is refused.")

    def delete(self) -> NoReturn:
        raise FrozenRow(f"{self.model.__name__} rows are written once; they cannot be deleted.")


class WrittenOnce(models.Model):
    """A row that is added and then never changed or deleted."""

    objects = WrittenOnceQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise FrozenRow(f"This {type(self).__name__} is written once; add a new row instead of changing it.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise FrozenRow(f"This {type(self).__name__} is written once; it cannot be deleted.")


class RaterKind(models.TextChoices):
    HUMAN = "human", "human"
    SIMULATED = "simulated", "simulated"


class Study(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        FROZEN = "frozen", "frozen"
        OPEN = "open", "open"
        CLOSED = "closed", "closed"
        UNBLINDED = "unblinded", "unblinded"

    slug = models.SlugField(unique=True, max_length=60)
    title = models.CharField(max_length=160)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    rater_kind = models.CharField(max_length=12, choices=RaterKind, default=RaterKind.HUMAN)
    # The design as asked for (annotation.design.StudyDesign as JSON). May change until freeze.
    design = models.JSONField()
    # What the gate may show of the protocol: instructions, question, practice items. Written at freeze; no arm in it.
    rater_text = models.JSONField(default=dict)
    # The frozen protocol: canonical JSON text and its sha256. Empty until freeze, never changed after.
    protocol = models.TextField(blank=True)
    protocol_sha256 = models.CharField(max_length=64, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    # What freeze fixes for good.
    FROZEN_FIELDS = ("slug", "title", "rater_kind", "design", "rater_text", "protocol", "protocol_sha256", "frozen_at")

    class Meta:
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(
                name="a_study_past_draft_has_a_protocol",
                condition=Q(state="draft") | ~Q(protocol_sha256=""),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A frozen study keeps its protocol, whoever saves it."""
        stored = Study.objects.filter(pk=self.pk).exclude(protocol_sha256="").values(*self.FROZEN_FIELDS).first()
        changed = [name for name in self.FROZEN_FIELDS if stored is not None and getattr(self, name) != stored[name]]
        if changed:
            raise FrozenRow(f"“{self.title}” is frozen; changing {', '.join(changed)} is refused. Make a new study.")
        super().save(*args, **kwargs)

    @property
    def simulated(self) -> bool:
        return self.rater_kind == RaterKind.SIMULATED


class StudyEvent(WrittenOnce):
    """One line of the study's log: who did what, when and why. Rows are added, never changed."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    action = models.CharField(max_length=40)
    reason = models.TextField(blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]


class Unblinding(WrittenOnce):
    """The one recorded act that opens a study's key."""

    study = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="unblinding")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reason = models.TextField()
    judgments_sha256 = models.CharField(max_length=64)  # hash of the judgments as they stood


class Item(WrittenOnce):
    """One neuron's page, drawn and frozen. It holds what is shown and no way back to the neuron."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="items")
    public_id = models.CharField(max_length=24, unique=True, default=public_token)
    # List of snippets; a snippet is a list of [text, band]: band 0 unmarked, 1..n marked, n strongest.
    snippets = models.JSONField()


class Evaluator(models.Model):
    """A person (or a declared machine) who rates."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="evaluator")
    pseudonym = models.CharField(max_length=24, unique=True)
    kind = models.CharField(max_length=12, choices=RaterKind, default=RaterKind.HUMAN)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.pseudonym


class Seat(models.Model):
    """One rater's place in a study. Its assignments and their order are fixed at freeze, before anybody sits on it."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="seats")
    number = models.PositiveIntegerField()  # 1, 2, …
    evaluator = models.ForeignKey(Evaluator, null=True, blank=True, on_delete=models.PROTECT, related_name="seats")
    seated_at = models.DateTimeField(null=True, blank=True)
    instructions_read_at = models.DateTimeField(null=True, blank=True)
    practice_done_at = models.DateTimeField(null=True, blank=True)

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
    answer = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)


class Assignment(models.Model):
    """One item on one rater's list, at a fixed place."""

    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="assignments")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="assignments")
    public_id = models.CharField(max_length=24, unique=True, default=public_token)
    position = models.PositiveIntegerField()  # 1, 2, … in this rater's own order
    shown_at = models.DateTimeField(null=True, blank=True)  # first time it was on a screen
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["seat_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["seat", "item"], name="one_assignment_per_seat_and_item"),
            models.UniqueConstraint(fields=["seat", "position"], name="one_assignment_per_seat_and_position"),
        ]
        indexes = [
            # The next item of a rater is one look-up in this index.
            models.Index(fields=["seat", "position"], condition=Q(done_at__isnull=True), name="next_assignment"),
        ]


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
    verdict = models.CharField(max_length=8, choices=Verdict)
    confidence = models.PositiveSmallIntegerField(null=True, blank=True)  # 1 guess … 3 sure; empty for cannot judge
    rule = models.TextField(blank=True)
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
                condition=Q(verdict="cannot") | Q(confidence__gte=1, confidence__lte=3),
            ),
            models.CheckConstraint(name="a_yes_has_a_rule", condition=~Q(verdict="yes") | ~Q(rule="")),
        ]


class Draft(models.Model):
    """What a rater has entered for an assignment and not yet submitted."""

    assignment = models.OneToOneField(Assignment, on_delete=models.CASCADE, related_name="draft")
    answer = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)
