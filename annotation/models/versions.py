"""The versions of a frozen protocol: the first is what was frozen, each later one an amendment."""

from django.db import models
from django.utils import timezone

from annotation.models.log import LogActor
from annotation.models.study import Study
from annotation.models.written_once import WrittenOnce


class ProtocolVersion(WrittenOnce):
    """The protocol from one moment on, as canonical JSON, byte for byte."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()  # 1: as frozen
    text = models.TextField()
    sha256 = models.CharField(max_length=64, unique=True)
    reason = models.TextField(blank=True)
    by = models.ForeignKey(LogActor, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    judgments_before = models.PositiveIntegerField(default=0)  # answers that had been given under earlier versions

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="one_protocol_version_per_study_and_number"),
        ]
