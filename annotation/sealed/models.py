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
    """What an item shows. In an arm of random snippets, harvest, layer and neuron are those of the unit whose
    activations were borrowed; its text is not shown."""

    item = models.OneToOneField("annotation.Item", related_query_name="no__way__to_key", **PROTECTED)
    study = models.ForeignKey("annotation.Study", related_query_name="no__way__to_key", **PROTECTED)
    size = models.CharField(max_length=40)  # size label of the pair, "1L-256"
    arm = models.CharField(max_length=40)  # "baseline", "solu", "ln_only"
    harvest = models.ForeignKey("neurons.HarvestRun", related_query_name="no__way__to_key", **PROTECTED)
    layer = models.PositiveIntegerField()
    neuron = models.PositiveIntegerField()
    corpus = models.CharField(max_length=60, blank=True)  # name of the corpus that the snippets come from
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
    reserve = models.BooleanField(default=False)  # accepted beyond the sample: on nobody's list

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_sealed_draw_per_number")]


class SealedStratum(models.Model):
    """How many neurons one layer of one arm has, and how many were drawn: what intervals for finite layers need."""

    study = models.ForeignKey("annotation.Study", related_query_name="no__way__to_stratum", **PROTECTED)
    number = models.PositiveIntegerField()
    size = models.CharField(max_length=40)
    arm = models.CharField(max_length=40)
    layer = models.PositiveIntegerField()
    corpus = models.CharField(max_length=60)
    width = models.PositiveIntegerField(default=0)  # units in the layer that numbers are drawn from
    neurons = models.PositiveIntegerField(null=True)  # empty: not a finite population (random snippets)
    unrecorded = models.PositiveIntegerField(null=True)  # imported records do not have them
    dead = models.PositiveIntegerField(null=True)  # never above 0 on the harvested text
    enough = models.PositiveIntegerField(null=True)  # kept as many snippets of different texts as an item shows
    sampled = models.PositiveIntegerField()
    reserved = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="one_sealed_stratum_per_number")]


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
