"""A study."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models.written_once import FrozenRow


class RaterKind(models.TextChoices):
    HUMAN = "human", "human"
    SIMULATED = "simulated", "simulated"
    MACHINE = "machine", "machine"  # a declared program that really reads the snippets, through the API


class Study(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        FROZEN = "frozen", _("frozen")
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")
        UNBLINDED = "unblinded", _("unblinded")

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
    paused_at = models.DateTimeField(null=True, blank=True)  # while open: no answers for now

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
