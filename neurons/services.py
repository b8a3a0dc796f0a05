"""Writes of corpora, networks and the runs that train and harvest them."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from neurons.artifacts import harvest_address
from neurons.models import Corpus, HarvestRun, Network, NetworkPair, Run, RunStatus, TrainingRun
from neurons.selectors import DEFAULT_SITE

SITES = ("post_act", "post_ln")
MESSAGE_CHARS = 2000


class NeuronsRefused(ValueError):
    """A corpus, network or harvest cannot be registered or started as asked."""


@transaction.atomic
def corpus_register(*, name: str, url: str, facts: dict[str, Any], description: str = "") -> Corpus:
    """Record an imported corpus; `facts` is its corpus.json. The same corpus twice is one row."""
    found = Corpus.objects.filter(name=name).first()
    if found is not None and found.fingerprint != facts["fingerprint"]:
        raise NeuronsRefused(f"a corpus {name!r} with other documents exists already; choose another name.")
    return found or Corpus.objects.create(
        name=name,
        description=description,
        url=url,
        fingerprint=facts["fingerprint"],
        tokenizer_fingerprint=facts["tokenizer_fingerprint"],
        documents=facts["documents"],
        text_bytes=facts["text_bytes"],
        tokens=facts["tokens"],
        import_report=facts["report"],
    )


@transaction.atomic
def pair_create(*, name: str, size: str, config: dict[str, Any]) -> NetworkPair:
    """Record a size whose arms share `config`; the same pair twice is one row."""
    pair, _ = NetworkPair.objects.get_or_create(name=name, defaults={"size": size, "config": config})
    if pair.config != config:
        changed = sorted(key for key in {*pair.config, *config} if pair.config.get(key) != config.get(key))
        raise NeuronsRefused(f"the pair {name!r} exists with another {' and '.join(changed)}; choose another name.")
    return pair


@transaction.atomic
def network_register(*, name: str, pair: NetworkPair, url: str, facts: dict[str, Any]) -> Network:
    """Record a trained network; `facts` is its network.json.

    A network trained anew replaces the one of its name, unless that was harvested: harvests name what they read.
    """
    found = Network.objects.filter(name=name).first()
    if found is not None and found.sha256 != facts["weights_sha256"] and found.harvests.exists():
        raise NeuronsRefused(f"the network {name!r} has other weights and was harvested; choose another name.")
    config = facts["config"]
    network, _ = Network.objects.update_or_create(
        name=name,
        defaults={
            "pair": pair,
            "activation": config["activation"],
            "n_layers": config["n_layers"],
            "d_mlp": config["d_mlp"],
            "url": url,
            "sha256": facts["weights_sha256"],
            "corpus_fingerprint": facts["corpus_fingerprint"],
            "tokens_trained": facts["tokens_trained"],
            "validation_loss": facts["validation_loss"],
        },
    )
    return network


@transaction.atomic
def training_create(*, pair: NetworkPair, activation: str, corpus: Corpus, url: str) -> TrainingRun:
    """The run that trains one arm of a pair; asked for again, it is the same run."""
    found = TrainingRun.objects.filter(pair=pair, activation=activation, corpus=corpus).last()
    return found or TrainingRun.objects.create(pair=pair, activation=activation, corpus=corpus, url=url)


@transaction.atomic
def harvest_create(
    *, network: Network, corpus: Corpus, site: str = DEFAULT_SITE, config: dict[str, Any] | None = None
) -> HarvestRun:
    """A run that harvests a network on a corpus.

    The same harvest asked for again is the same run: a finished one stays as it is, an unfinished one waits again.
    `config` names only what differs from the defaults of the harvest.
    """
    if site not in SITES:
        raise NeuronsRefused(f"`site` is {site!r}; choose one of {', '.join(SITES)}.")
    config = config or {}
    for run in HarvestRun.objects.filter(network=network, corpus=corpus, site=site).order_by("-id"):
        # A run that has started holds its full configuration, a waiting one only what was asked for.
        if config.items() <= run.config.items():
            return run if run.status in (RunStatus.DONE, RunStatus.RUNNING) else _wait_again(run)
        if run.status == RunStatus.DONE:
            raise NeuronsRefused(
                f"{network} was harvested on {corpus} at {site} with another configuration; that harvest stands, "
                "because studies may show it."
            )
    run = HarvestRun.objects.create(network=network, corpus=corpus, site=site, config=config)
    run.url = harvest_address(network.name, corpus.name, site, run.pk)
    run.save(update_fields=["url"])
    return run


def _wait_again(run: HarvestRun) -> HarvestRun:
    run.status, run.finished_at = RunStatus.WAITING, None
    run.save(update_fields=["status", "finished_at"])
    return run


def harvest_start(*, run: HarvestRun, config: dict[str, Any]) -> HarvestRun:
    """Note that the harvest runs, and its configuration in full."""
    run.config = config
    run.save(update_fields=["config"])
    run_start(run=run)
    return run


def harvest_finish(*, run: HarvestRun, tokens: int, dead: int) -> HarvestRun:
    """Note that the harvest's folder is complete."""
    run.tokens_seen, run.dead_neurons = tokens, dead
    run.save(update_fields=["tokens_seen", "dead_neurons"])
    run_finish(run=run, message=f"{tokens:,} tokens")
    return run


def harvest_cancel(*, run: HarvestRun) -> HarvestRun:
    """Ask a waiting or running harvest to stop; what it has read so far stays, to be taken up again."""
    asked = HarvestRun.objects.filter(pk=run.pk, status__in=(RunStatus.WAITING, RunStatus.RUNNING))
    asked.update(status=RunStatus.CANCELLED, message="cancelled; start it again to go on")
    run.refresh_from_db()
    return run


def run_start(*, run: Run) -> None:
    run.status, run.message = RunStatus.RUNNING, ""
    run.started_at, run.finished_at = run.started_at or timezone.now(), None
    run.save(update_fields=["status", "message", "started_at", "finished_at"])


def run_progress(*, run: Run, share: float, message: str) -> None:
    """Note how far a run is; its status is left alone, so that a cancellation is not undone."""
    run.progress, run.message = share, message[:MESSAGE_CHARS]
    run.save(update_fields=["progress", "message"])


def run_finish(*, run: Run, message: str) -> None:
    run.status, run.progress, run.message = RunStatus.DONE, 1.0, message[:MESSAGE_CHARS]
    run.finished_at = timezone.now()
    run.save(update_fields=["status", "progress", "message", "finished_at"])


def run_fail(*, run: Run, error: str) -> None:
    run.status, run.message, run.finished_at = RunStatus.FAILED, error[:MESSAGE_CHARS], timezone.now()
    run.save(update_fields=["status", "message", "finished_at"])


def run_stopped(*, run: Run, message: str) -> None:
    run.status, run.message, run.finished_at = RunStatus.CANCELLED, message[:MESSAGE_CHARS], timezone.now()
    run.save(update_fields=["status", "message", "finished_at"])
