"""Where neurons come from: corpora, networks, and the runs that train and harvest them.

Rows hold runs and facts; arrays live in artifact folders (`url`, an fsspec address; see neurons.artifacts).
"""

from django.db import models
from django.db.models import Q


class RunStatus(models.TextChoices):
    WAITING = "waiting", "waiting"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


class Corpus(models.Model):
    """Documents in a fixed order, tokenized; the fingerprint is the sha256 over the ordered documents."""

    name = models.SlugField(unique=True, max_length=60)
    description = models.TextField(blank=True)
    url = models.CharField(max_length=400)
    fingerprint = models.CharField(max_length=64)
    tokenizer_fingerprint = models.CharField(max_length=64)
    documents = models.PositiveBigIntegerField()
    text_bytes = models.PositiveBigIntegerField()
    tokens = models.PositiveBigIntegerField()
    import_report = models.JSONField(default=dict)  # what was read, repaired, skipped, dropped as duplicate
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "corpora"

    def __str__(self) -> str:
        return self.name


class NetworkPair(models.Model):
    """Networks of one size that share initial weights, data order and hyperparameters and differ in the MLP only."""

    name = models.SlugField(unique=True, max_length=60)
    size = models.CharField(max_length=40)  # label used for sampling and tables: "1L-256"
    config = models.JSONField()  # what the arms share
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Network(models.Model):
    """One trained network of a pair."""

    class Format(models.TextChoices):
        BLINDSCOPE = "blindscope", "Blindscope checkpoint"
        TRANSFORMER_LENS = "transformer_lens", "TransformerLens checkpoint"
        HUGGING_FACE = "huggingface", "Hugging Face causal language model"
        RECORDS = "records", "activation records without a model"

    name = models.SlugField(unique=True, max_length=60)
    pair = models.ForeignKey(NetworkPair, on_delete=models.PROTECT, related_name="networks")
    activation = models.CharField(max_length=20)  # gelu, solu_ln, solu, gelu_ln
    n_layers = models.PositiveIntegerField()
    d_mlp = models.PositiveIntegerField()
    format = models.CharField(max_length=20, choices=Format, default=Format.BLINDSCOPE)
    options = models.JSONField(default=dict, blank=True)  # what its loader is told, such as the name of a module
    url = models.CharField(max_length=400)  # folder with the weights and what describes them
    sha256 = models.CharField(max_length=64)  # of the weights
    tokenizer_fingerprint = models.CharField(max_length=64, blank=True)  # empty: not known
    corpus_fingerprint = models.CharField(max_length=64, blank=True)  # of the training corpus; empty: not known
    tokens_trained = models.PositiveBigIntegerField(null=True)  # empty: not known
    validation_loss = models.FloatField(null=True)  # nats per token
    is_public = models.BooleanField(default=False)  # whether strangers may read its neurons' pages
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "activation"], name="one_network_per_pair_and_activation")
        ]

    def __str__(self) -> str:
        return self.name


class Run(models.Model):
    """Status of a piece of long work; what a task locks, updates and may resume."""

    status = models.CharField(max_length=12, choices=RunStatus, default=RunStatus.WAITING)
    progress = models.FloatField(default=0.0)  # 0 … 1
    message = models.TextField(blank=True)  # last line of progress, or the error
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class TrainingRun(Run):
    pair = models.ForeignKey(NetworkPair, on_delete=models.PROTECT, related_name="training_runs")
    activation = models.CharField(max_length=20)
    corpus = models.ForeignKey(Corpus, on_delete=models.PROTECT, related_name="+")
    url = models.CharField(max_length=400)  # checkpoint folder


class HarvestRun(Run):
    """One pass of one network over one corpus split."""

    network = models.ForeignKey(Network, on_delete=models.PROTECT, related_name="harvests")
    corpus = models.ForeignKey(Corpus, on_delete=models.PROTECT, related_name="harvests")
    # Where activations are read: "post_act" (before any extra LayerNorm) or "post_ln".
    site = models.CharField(max_length=20)
    config = models.JSONField()
    url = models.CharField(max_length=400, blank=True)  # address of the artifact folder
    tokens_seen = models.PositiveBigIntegerField(default=0)
    dead_neurons = models.PositiveIntegerField(default=0)
    not_finite = models.PositiveBigIntegerField(default=0)  # activations that were NaN or infinite and were left out
    # Address of what was worked out about the neurons from the harvest and the weights; empty: not yet.
    index_url = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["network", "corpus", "site"],
                condition=Q(status="done"),
                name="one_finished_harvest_per_network_corpus_and_site",
            )
        ]
