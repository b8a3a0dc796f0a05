"""The sealed key: which neuron of which arm an item shows (blinding lock 1).

From an Item, a Study or a Network no attribute and no join leads here. `related_name="+"` takes away the attribute but
leaves a join: `Item.objects.filter(**{"+__arm": "solu"})` would work. So every relation also has a reverse query name
with a double underscore, which no lookup can spell, because lookups are split there. Read and written by
`annotation.sealed.keys` only.
"""

from typing import Any

from django.db import models

PROTECTED: dict[str, Any] = {"on_delete": models.PROTECT, "related_name": "+"}


class SealedKey(models.Model):
    item = models.OneToOneField("annotation.Item", related_query_name="no__way__to_key", **PROTECTED)
    study = models.ForeignKey("annotation.Study", related_query_name="no__way__to_key", **PROTECTED)
    size = models.CharField(max_length=40)  # size label of the pair, "1L-256"
    arm = models.CharField(max_length=40)  # "baseline", "solu", "ln_only"
    harvest = models.ForeignKey("neurons.HarvestRun", related_query_name="no__way__to_key", **PROTECTED)
    layer = models.PositiveIntegerField()
    neuron = models.PositiveIntegerField()
    truth = models.JSONField(default=dict)  # right answers of tasks that have them (annotation.protocols)


class SealedDraw(models.Model):
    """One draw of the sampling, accepted or rejected, in the order it was made."""

    study = models.ForeignKey("annotation.Study", related_query_name="no__way__to_draw", **PROTECTED)
    number = models.PositiveIntegerField()
    size = models.CharField(max_length=40)
    arm = models.CharField(max_length=40)
    layer = models.PositiveIntegerField()
    neuron = models.PositiveIntegerField()
    accepted = models.BooleanField()
    reason = models.CharField(max_length=200, blank=True)  # why a draw was rejected

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_sealed_draw_per_number")]


class SealedSalt(models.Model):
    """The secret half of a study's randomness. Without it the public design cannot be drawn again."""

    study = models.OneToOneField("annotation.Study", related_query_name="no__way__to_salt", **PROTECTED)
    salt = models.CharField(max_length=64)


class SealedCatch(models.Model):
    """Which items are catch trials. Sealed, so that nobody who looks at a page or a list can tell them from neurons."""

    item = models.OneToOneField("annotation.Item", related_query_name="no__way__to_catch", **PROTECTED)
    study = models.ForeignKey("annotation.Study", related_query_name="no__way__to_catch", **PROTECTED)
    kind = models.CharField(max_length=12)  # "planted" or "pooled"
    expected = models.CharField(max_length=8, blank=True)  # verdict of a careful rater; empty in tasks without verdict
    truth = models.JSONField(default=dict)  # right answers, as SealedKey.truth
    rule = models.CharField(max_length=200, blank=True)  # the planted rule
