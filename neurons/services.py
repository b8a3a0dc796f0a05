"""Writes of corpora, networks and the runs that train and harvest them."""

import re
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from neurons.artifacts import harvest_address
from neurons.models import Corpus, HarvestRun, Network, NetworkPair, Run, RunStatus, TrainingRun
from neurons.selectors import DEFAULT_SITE
from neurons.store.basis import NEURONS, Basis, BasisError

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
def records_register(
    *, pair: NetworkPair, name: str, arm: str, corpus: Corpus, url: str, facts: dict[str, Any]
) -> HarvestRun:
    """Record a network that is known by somebody's records only, and the finished harvest that these make.

    `facts` is the harvest's meta.json.
    """
    records_check(name=name, pair=pair.name, arm=arm, corpus=corpus.name)
    network = Network.objects.create(
        name=name,
        pair=pair,
        activation=arm,
        n_layers=facts["n_layers"],
        d_mlp=facts["d_mlp"],
        format=Network.Format.RECORDS,
        options={key: facts["records"][key] for key in ("format", "model", "source_set")},
        url=url,
        sha256=facts["records_sha256"],
        tokenizer_fingerprint=corpus.tokenizer_fingerprint,
    )
    run = HarvestRun.objects.create(
        network=network,
        corpus=corpus,
        site=facts["site"],
        config=facts["config"],
        url=url,
        dead_neurons=sum(facts["dead"]),
        started_at=timezone.now(),
    )
    run_finish(run=run, message=f"{facts['records']['excerpts']:,} excerpts of {sum(facts['known']):,} neurons")
    return run


def records_check(*, name: str, pair: str, arm: str, corpus: str) -> None:
    """Refuse names that are taken or cannot be one, before records are read for hours."""
    for what, value, longest in (("pair", pair, 60), ("arm", arm, 20), ("corpus", corpus, 60), ("network", name, 60)):
        if not re.fullmatch(r"[-\w]+", value, re.ASCII) or len(value) > longest:
            raise NeuronsRefused(
                f"the name of the {what} is {value!r}; use letters, digits, hyphens and underscores, "
                f"at most {longest} of them."
            )
    if Network.objects.filter(name=name).exists():
        raise NeuronsRefused(f"a network {name!r} exists already; choose another name with --name.")
    if Network.objects.filter(pair__name=pair, activation=arm).exists():
        raise NeuronsRefused(f"the pair {pair!r} has an arm {arm!r} already; choose another label or pair.")


@transaction.atomic
def network_register(
    *,
    name: str,
    pair: NetworkPair,
    url: str,
    facts: dict[str, Any],
    format: str = Network.Format.BLINDSCOPE,
    options: dict[str, Any] | None = None,
) -> Network:
    """Record a network; `facts` is its network.json, or what an import found out about it in the same words.

    A network trained anew replaces the one of its name, unless that was harvested: harvests name what they read.
    """
    config, told = facts["config"], {"sha256": facts["weights_sha256"], "options": options or {}}
    found = Network.objects.filter(name=name).first()
    if found is not None and found.pair != pair:
        raise NeuronsRefused(f"a network {name!r} of the pair {found.pair} exists already; choose another name.")
    if found is not None and found.harvests.exists() and any(getattr(found, key) != told[key] for key in told):
        raise NeuronsRefused(
            f"the network {name!r} has other weights or options and was harvested; choose another name."
        )
    if taken := pair.networks.filter(activation=config["activation"]).exclude(name=name).first():
        raise NeuronsRefused(f"the pair {pair} has an arm {config['activation']!r} already: {taken}.")
    network, _ = Network.objects.update_or_create(
        name=name,
        defaults=told
        | {
            "pair": pair,
            "activation": config["activation"],
            "n_layers": config["n_layers"],
            "d_mlp": config["d_mlp"],
            "format": format,
            "url": url,
            "tokenizer_fingerprint": facts.get("tokenizer_fingerprint", ""),
            "corpus_fingerprint": facts.get("corpus_fingerprint", ""),
            "tokens_trained": facts.get("tokens_trained"),
            "validation_loss": facts.get("validation_loss"),
        },
    )
    return network


def network_publish(*, network: Network, public: bool) -> Network:
    """Let strangers read the pages of a network's neurons, or end that."""
    network.is_public = public
    network.save(update_fields=["is_public"])
    return network


@transaction.atomic
def training_create(*, pair: NetworkPair, activation: str, corpus: Corpus, url: str) -> TrainingRun:
    """The run that trains one arm of a pair; asked for again, it is the same run."""
    found = TrainingRun.objects.filter(pair=pair, activation=activation, corpus=corpus).last()
    return found or TrainingRun.objects.create(pair=pair, activation=activation, corpus=corpus, url=url)


@transaction.atomic
def harvest_create(
    *,
    network: Network,
    corpus: Corpus,
    site: str = DEFAULT_SITE,
    basis: str = NEURONS,
    config: dict[str, Any] | None = None,
    workers: int = 1,
    shards: int = 0,
) -> HarvestRun:
    """A run that harvests a network on a corpus, in the basis of its neurons or another (`neurons.store.basis`).

    The same harvest asked for again is the same run: a finished one stays as it is, an unfinished one waits again.
    `config` names only what differs from the defaults of the harvest; with `shards` 0 their number suits the workers.
    """
    if network.format == Network.Format.RECORDS:
        raise NeuronsRefused(f"{network} is known by its records only; there is no model to harvest.")
    if network.tokenizer_fingerprint not in ("", corpus.tokenizer_fingerprint):
        raise NeuronsRefused(
            f"{network} was trained with another tokenizer than that of the corpus {corpus}: its tokens would mean "
            "other texts. Import the corpus with the network's tokenizer.json (corpus_import --tokenizer)."
        )
    if site not in SITES:
        raise NeuronsRefused(f"`site` is {site!r}; choose one of {', '.join(SITES)}.")
    try:
        basis = Basis.parse(basis).word
    except BasisError as error:
        raise NeuronsRefused(str(error)) from None
    config = config or {}
    for run in HarvestRun.objects.filter(network=network, corpus=corpus, site=site, basis=basis).order_by("-id"):
        # A run that has started holds its full configuration, a waiting one only what was asked for.
        if config.items() <= run.config.items():
            _check_shards(run, shards)
            return run if run.status in (RunStatus.DONE, RunStatus.RUNNING) else _wait_again(run, workers, shards)
        if run.status == RunStatus.DONE:
            raise NeuronsRefused(
                f"{network} was harvested on {corpus} at {run.where} with another configuration; that harvest stands, "
                "because studies may show it."
            )
    run = HarvestRun.objects.create(
        network=network, corpus=corpus, site=site, basis=basis, config=config, workers=workers, shards_wanted=shards
    )
    run.url = harvest_address(network.name, corpus.name, site, run.pk)
    run.save(update_fields=["url"])
    return run


def _check_shards(run: HarvestRun, shards: int) -> None:
    cut = run.shards.count()
    if shards and cut and cut != shards:
        raise NeuronsRefused(
            f"this harvest of {run.network} is cut into {cut} shards already and they stand; ask without a number of "
            "shards to go on with them."
        )


def harvest_resume(*, run: HarvestRun, workers: int) -> HarvestRun:
    """Let a harvest that failed or was cancelled go on with what it has; any other stays as it is."""
    if run.status in (RunStatus.FAILED, RunStatus.CANCELLED):
        return _wait_again(run, workers, run.shards_wanted)
    return run


def _wait_again(run: HarvestRun, workers: int, shards: int) -> HarvestRun:
    run.status, run.finished_at = RunStatus.WAITING, None
    run.workers, run.shards_wanted, run.merge_losses = workers, shards, 0
    run.save(update_fields=["status", "finished_at", "workers", "shards_wanted", "merge_losses"])
    run.shards.update(losses=0)
    return run


def harvest_start(*, run: HarvestRun, config: dict[str, Any]) -> HarvestRun:
    """Note that a waiting harvest runs, and its configuration in full; in any other state it is left as it is."""
    HarvestRun.objects.filter(pk=run.pk, status=RunStatus.WAITING).update(
        status=RunStatus.RUNNING, config=config, message="", started_at=Coalesce("started_at", Now()), finished_at=None
    )
    run.refresh_from_db()
    return run


def harvest_progress(*, run: HarvestRun, message: str = "") -> None:
    """Note how far a running harvest is, summed over its shards."""
    sums = run.shards.aggregate(read=Coalesce(Sum("tokens_read"), 0), tokens=Coalesce(Sum("tokens"), 1))
    HarvestRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
        progress=sums["read"] / sums["tokens"],
        tokens_seen=sums["read"],
        message=message or f"{sums['read']:,} of {sums['tokens']:,} tokens",
    )


def harvest_cancel(*, run: HarvestRun) -> HarvestRun:
    """Ask a waiting or running harvest to stop; what it has read so far stays, to be taken up again."""
    return _harvest_end(run, RunStatus.CANCELLED, "cancelled; start it again to go on")


def harvest_interrupt(*, run: HarvestRun) -> HarvestRun:
    """Note that the harvest was stopped by hand where it was started."""
    return _harvest_end(run, RunStatus.CANCELLED, "interrupted; start it again to go on")


def harvest_fail(*, run: HarvestRun, error: str) -> HarvestRun:
    """Note why a harvest cannot go on; its other workers stop when they see it."""
    return _harvest_end(run, RunStatus.FAILED, error)


def _harvest_end(run: HarvestRun, status: RunStatus, message: str) -> HarvestRun:
    """A harvest that has ended already stays as it is: the first word counts."""
    going = HarvestRun.objects.filter(pk=run.pk, status__in=(RunStatus.WAITING, RunStatus.RUNNING))
    going.update(status=status, message=message[:MESSAGE_CHARS], finished_at=Now())
    run.refresh_from_db()
    return run


def harvest_index_note(*, run: HarvestRun, url: str) -> HarvestRun:
    """Note where what was worked out about the harvest's neurons lies."""
    run.index_url = url
    run.save(update_fields=["index_url"])
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
