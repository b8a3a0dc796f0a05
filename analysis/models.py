"""What analysis keeps: the numbers of a report, with what they were made from."""

from django.conf import settings
from django.db import models


class ReportSnapshot(models.Model):
    """A report as it was made once. The same input, code and seed are one row; rows are never changed."""

    # No way back from a study to its arm-wise numbers by attribute or join.
    study = models.ForeignKey("annotation.Study", on_delete=models.PROTECT, related_name="+")
    input_sha256 = models.CharField(max_length=64)  # of the opened tables
    code_version = models.CharField(max_length=40)
    seed = models.BigIntegerField()  # of the bootstrap
    numbers = models.JSONField()  # the whole report, as report.json
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "input_sha256", "code_version", "seed"],
                name="one_snapshot_per_study_input_code_and_seed",
            )
        ]

    def __str__(self) -> str:
        return f"report {self.pk} of study {self.study_id}"
