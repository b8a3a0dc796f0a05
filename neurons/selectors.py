"""Reads of corpora, networks and harvests. Studies draw their neurons through here."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from django.db.models import BooleanField, Case, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, When
from django.db.models.functions import Coalesce, Now

from neurons.artifacts import artifact_folder
from neurons.models import Corpus, HarvestRun, HarvestShard, Network, RunStatus
from neurons.store.basis import NEURONS
from neurons.store.corpus import CorpusStore
from neurons.store.harvest import HarvestStore
from neurons.store.neuron_index import NeuronIndex
from neurons.store.records.record import AS_RECORDED

DEFAULT_SITE = "post_act"  # before any extra LayerNorm: what the SoLU paper's raters saw
POST_LN = "post_ln"  # after it
STUDY_SITES = (DEFAULT_SITE, POST_LN, AS_RECORDED)  # whose harvests can be shown in studies


# What a network's pages show unless asked for another harvest: its neurons and not other directions, before an extra
# LayerNorm and not after it, the newest.
FIRST_SHOWN = (
    Case(When(basis=NEURONS, then=0), default=1),
    Case(When(site=POST_LN, then=1), default=0),
    "-id",
)


class NotFound(LookupError):
    """No row has this name."""


def corpus_by_name(name: str) -> Corpus:
    corpus = Corpus.objects.filter(name=name).first()
    if corpus is None:
        raise NotFound(f"there is no corpus {name!r}; {_known(corpus_choices())}")
    return corpus


def network_by_name(name: str) -> Network:
    network = Network.objects.select_related("pair").filter(name=name).first()
    if network is None:
        raise NotFound(f"there is no network {name!r}; {_known(network_choices())}")
    return network


def corpus_choices() -> list[str]:
    """Names of all corpora, in alphabetical order."""
    return list(Corpus.objects.order_by("name").values_list("name", flat=True))


def network_choices() -> list[str]:
    """Names of all networks, in alphabetical order."""
    return list(Network.objects.order_by("name").values_list("name", flat=True))


def harvest_finished(
    network_name: str, corpus_name: str, site: str = DEFAULT_SITE, basis: str = NEURONS
) -> HarvestRun | None:
    """The finished harvest of a network on a corpus, if there is one; records have the site that they came with."""
    runs = HarvestRun.objects.select_related("network__pair", "corpus")
    done = runs.filter(network__name=network_name, corpus__name=corpus_name, status=RunStatus.DONE, basis=basis)
    return done.filter(site__in=(site, AS_RECORDED)).first()


def harvests_finished() -> QuerySet[HarvestRun]:
    """All finished harvests, newest first, with their network."""
    return HarvestRun.objects.filter(status=RunStatus.DONE).select_related("network").order_by("-id")


def harvests_finished_of(network: Network) -> list[HarvestRun]:
    """Finished harvests of one network with their corpus: those of its neurons first, then newest first."""
    done = network.harvests.filter(status=RunStatus.DONE).select_related("corpus")
    return list(done.order_by(*FIRST_SHOWN))


def newest_harvests(networks: Sequence[Network]) -> dict[int, HarvestRun]:
    """The finished harvest that is shown first of each of these networks that has one, by the network's id."""
    newest: dict[int, HarvestRun] = {}
    for run in harvests_finished().filter(network__in=networks).order_by(*FIRST_SHOWN):
        newest.setdefault(run.network_id, run)
    return newest


def harvests_of_twins(run: HarvestRun) -> list[HarvestRun]:
    """Finished harvests of the other networks' neurons on the same corpus at the same site; directions have none."""
    if not run.follows_neurons:
        return []
    twins = harvests_finished().filter(
        network__pair=run.network.pair_id, corpus=run.corpus_id, site=run.site, basis=NEURONS
    )
    return list(twins.exclude(network=run.network_id).order_by("network__name"))


def corpus_store(corpus: Corpus) -> CorpusStore:
    """The corpus's documents and tokens, memory-mapped."""
    return _corpus_store(artifact_folder(corpus.url), corpus.fingerprint)


def harvest_store(run: HarvestRun) -> HarvestStore:
    """What the harvest kept, memory-mapped.

    Raises HarvestError if the folder is gone, unfinished, or belongs to another corpus.
    """
    return HarvestStore.open(artifact_folder(run.url), corpus_store(run.corpus))


def harvests_without_worker() -> list[HarvestRun]:
    """Running harvests of which no part is leased: their workers were lost, or are between two shards."""
    alive = HarvestShard.objects.filter(run=OuterRef("pk"), lease_until__gte=Now())
    running = HarvestRun.objects.filter(status=RunStatus.RUNNING).exclude(merge_lease_until__gte=Now())
    return list(running.filter(~Exists(alive)))


def neuron_index(run: HarvestRun) -> NeuronIndex | None:
    """What was worked out about the harvest's neurons, memory-mapped; None if that was not done yet.

    Raises NeuronIndexError if the folder is gone or of another version.
    """
    return _neuron_index(artifact_folder(run.index_url)) if run.index_url else None


def shards_at_work(run: HarvestRun) -> list[HarvestShard]:
    """Shards whose workers were heard of lately."""
    return list(run.shards.filter(lease_until__gte=Now()).order_by("number"))


def shards_of_note(run: HarvestRun) -> list[HarvestShard]:
    """Shards that are being read, wait half-read, or cost a worker; each knows whether its worker is silent."""
    half_read = Q(tokens_read__gt=0) & ~Q(status=HarvestShard.Status.DONE)
    noted = run.shards.filter(half_read | Q(status=HarvestShard.Status.RUNNING) | Q(attempt__gt=1))
    silent = ExpressionWrapper(Q(lease_until__lt=Now()), output_field=BooleanField())
    return list(noted.annotate(is_silent=Coalesce(silent, False)).order_by("-status", "number"))


def harvest_goes_on(run_id: int) -> bool:
    """Whether a harvest waits or runs: neither done nor failed nor cancelled."""
    return HarvestRun.objects.filter(pk=run_id, status__in=(RunStatus.WAITING, RunStatus.RUNNING)).exists()


# Opened stores are kept: a page then reads its few rows without opening files. The fingerprint is part of the key so
# that a corpus that was deleted and imported again under its name is opened anew.
@lru_cache(maxsize=16)
def _corpus_store(folder: Path, fingerprint: str) -> CorpusStore:
    return CorpusStore.open(folder)


# By address: an index is never changed, a newer one has another address.
@lru_cache(maxsize=64)
def _neuron_index(folder: Path) -> NeuronIndex:
    return NeuronIndex.open(folder)


def _known(names: list[str]) -> str:
    return f"known are: {', '.join(names)}." if names else "there are none yet."
