"""What leak audits found."""

from django.db import models

from annotation.models.study import Study
from annotation.models.written_once import WrittenOnce


class LeakAudit(WrittenOnce):
    """How well the arms of a study could be told from how its items are shown. Holds no item, so it unblinds nobody."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="leak_audits")
    at = models.DateTimeField(auto_now_add=True)
    limit = models.FloatField()  # of the design, at that time
    rule = models.CharField(max_length=12)
    passed = models.BooleanField()
    numbers = models.JSONField()  # annotation.leaks.LeakNumbers
    seconds = models.FloatField()  # what it took

    class Meta:
        ordering = ["id"]
