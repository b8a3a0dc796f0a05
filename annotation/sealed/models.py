"""The sealed key: which neuron of which arm an item shows (blinding lock 1).

Every relation has `related_name="+"`: from an Item, a Study or a Network no attribute and no join leads here. Read and
written by `annotation.sealed.keys` only.
"""

from django.db import models


class SealedKey(models.Model):
    item = models.OneToOneField("annotation.Item", on_delete=models.PROTECT, related_name="+")
    study = models.ForeignKey("annotation.Study", on_delete=models.PROTECT, related_name="+")
    size = models.CharField(max_length=40)  # size label of the pair, "1L-256"
    arm = models.CharField(max_length=40)  # "baseline", "solu", "ln_only"
    harvest = models.ForeignKey("neurons.HarvestRun", on_delete=models.PROTECT, related_name="+")
    layer = models.PositiveIntegerField()
    neuron = models.PositiveIntegerField()


class SealedDraw(models.Model):
    """One draw of the sampling, accepted or rejected, in the order it was made."""

    study = models.ForeignKey("annotation.Study", on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    size = models.CharField(max_length=40)
    arm = models.CharField(max_length=40)
    layer = models.PositiveIntegerField()
    neuron = models.PositiveIntegerField()
    accepted = models.BooleanField()
    reason = models.CharField(max_length=200, blank=True)  # why a draw was rejected

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_sealed_draw_per_number")]
