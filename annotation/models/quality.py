"""What was checked of each judgment."""

from django.db import models

from annotation.models.judgments import Judgment
from annotation.models.written_once import WrittenOnce


class JudgmentCheck(WrittenOnce):
    """One check of one judgment, with the value that was held against the frozen threshold."""

    judgment = models.ForeignKey(Judgment, on_delete=models.PROTECT, related_name="checks")
    name = models.CharField(max_length=24)  # see annotation.quality
    value = models.FloatField(null=True)  # empty: could not be measured
    passed = models.BooleanField(null=True)  # empty: could not be checked

    class Meta:
        constraints = [models.UniqueConstraint(fields=["judgment", "name"], name="one_check_of_a_kind_per_judgment")]
