"""Where neurons come from: corpora, networks, and the runs that train and harvest them.

Rows hold runs and facts; arrays live in artifact folders (`url`, an fsspec address; see neurons.artifacts).
"""

from django.db import models
from django.db.models import F, Q

from neurons.store.basis import NEURONS, Basis


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
    # Which directions of the activation space are followed, as neurons.store.basis writes them: "random:1024:7".
    basis = models.CharField(max_length=60, default=NEURONS)
    config = models.JSONField()
    url = models.CharField(max_length=400, blank=True)  # address of the artifact folder
    tokens_seen = models.PositiveBigIntegerField(default=0)
    dead_neurons = models.PositiveIntegerField(default=0)
    not_finite = models.PositiveBigIntegerField(default=0)  # activations that were NaN or infinite and were left out
    # Address of what was worked out about the neurons from the harvest and the weights; empty: not yet.
    index_url = models.CharField(max_length=400, blank=True)
    workers = models.PositiveIntegerField(default=1)  # how many were asked for; any number may come
    shards_wanted = models.PositiveIntegerField(default=0)  # 0: as many as suit the workers
    # Joining the shards is leased like a shard; both are empty while nobody does it.
    merge_owner = models.CharField(max_length=32, blank=True)
    merge_lease_until = models.DateTimeField(null=True, blank=True)
    merge_losses = models.PositiveIntegerField(default=0)  # workers lost with it since the harvest was last started

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(merge_owner="", merge_lease_until=None)
                | ~Q(merge_owner="") & Q(merge_lease_until__isnull=False),
                name="a_merge_has_an_owner_and_a_lease_or_neither",
            ),
            models.UniqueConstraint(
                fields=["network", "corpus", "site", "basis"],
                condition=Q(status="done"),
                name="one_finished_harvest_per_network_corpus_site_and_basis",
            ),
        ]

    @property
    def follows_neurons(self) -> bool:
        """Whether its units are the network's neurons."""
        return self.basis == NEURONS

    @property
    def where(self) -> str:
        """Site and, where they are not the neurons, directions; for people."""
        return self.site if self.follows_neurons else f"{self.site}, {Basis.parse(self.basis).label}"


class HarvestShard(models.Model):
    """Consecutive blocks of a harvest that one worker reads. Who holds it is decided in neurons.leases."""

    class Status(models.TextChoices):
        OPEN = "open", "open"
        RUNNING = "running", "running"
        DONE = "done", "done"

    run = models.ForeignKey(HarvestRun, on_delete=models.CASCADE, related_name="shards")
    number = models.PositiveIntegerField()
    first_block = models.PositiveIntegerField()
    end_block = models.PositiveIntegerField()  # exclusive
    tokens = models.PositiveBigIntegerField()
    tokens_read = models.PositiveBigIntegerField(default=0)
    tokens_per_second = models.FloatField(default=0.0)  # of the worker that has it now
    status = models.CharField(max_length=8, choices=Status, default=Status.OPEN)
    owner = models.CharField(max_length=32, blank=True)  # drawn anew at each claim
    worker = models.CharField(max_length=120, blank=True)  # host and process, for people
    lease_until = models.DateTimeField(null=True, blank=True)  # by the clock of the database
    attempt = models.PositiveIntegerField(default=1)  # one more for each worker that was lost with it
    losses = models.PositiveIntegerField(default=0)  # workers lost since the harvest was last started
    url = models.CharField(max_length=400, blank=True)  # address of the finished shard

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="one_shard_per_run_and_number"),
            models.UniqueConstraint(fields=["run", "first_block"], name="one_shard_per_run_and_first_block"),
            models.UniqueConstraint(fields=["run", "end_block"], name="one_shard_per_run_and_end_block"),
            models.CheckConstraint(condition=Q(first_block__lt=F("end_block")), name="a_shard_has_blocks"),
            models.CheckConstraint(
                condition=Q(status="running", lease_until__isnull=False) & ~Q(owner="")
                | ~Q(status="running") & Q(owner="", lease_until=None),
                name="a_running_shard_has_an_owner_and_a_lease_and_no_other_has",
            ),
            models.CheckConstraint(
                condition=Q(status="done") & ~Q(url="") | ~Q(status="done") & Q(url=""),
                name="a_shard_is_done_when_it_is_published",
            ),
        ]

    def __str__(self) -> str:
        return f"shard {self.number} of harvest {self.run_id}"
