"""The act that opens a study's key, and the request that comes before it where it takes two persons."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from annotation.models.study import Study
from annotation.models.written_once import WrittenOnce

SOMEBODY: dict[str, Any] = {"blank": True, "on_delete": models.SET_NULL, "related_name": "+"}


class UnblindingRequest(models.Model):
    """One person asks for the key to be opened; another one has until `expires_at` to confirm."""

    class Outcome(models.TextChoices):
        CONFIRMED = "confirmed", "confirmed"
        WITHDRAWN = "withdrawn", "withdrawn"
        EXPIRED = "expired", "expired"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="unblinding_requests")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, **SOMEBODY)
    asked_at = models.DateTimeField(auto_now_add=True)
    reason = models.TextField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)  # empty: still open
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, **SOMEBODY)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["study"], condition=Q(ended_at__isnull=True), name="one_open_unblinding_request_per_study"
            ),
        ]


class Unblinding(WrittenOnce):
    """The one recorded act that opens a study's key."""

    study = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="unblinding")
    at = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    # The second person; nobody where the protocol asks for one person only.
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, **SOMEBODY)
    reason = models.TextField()
    judgments_sha256 = models.CharField(max_length=64)  # hash of the judgments as they stood
