"""Somebody else's records in, a corpus and a harvest out; and any network's neurons out as records."""

from pathlib import Path

from django.db import transaction

from neurons import artifacts, services
from neurons.models import Corpus, HarvestRun, Network
from neurons.pipeline.runs import Count
from neurons.selectors import corpus_store, harvest_store, neuron_index
from neurons.store.corpus import CorpusStore
from neurons.store.harvest import HarvestStore
from neurons.store.neuron_index import NeuronIndex, TokenNumber
from neurons.store.records.build import RecordImport, Wanted
from neurons.store.records.export import ExportFacts, export
from neurons.store.records.harvested import Facts, HarvestedNeurons, RecordSource
from neurons.store.records.record import AS_RECORDED, RecordsError
from neurons.store.records.store import RecordStore
from neurons.store.records.tokens import token_text


def records_import(
    wanted: Wanted, *, pair: str, size: str, arm: str, name: str, corpus: str, progress: Count | None = None
) -> HarvestRun:
    """Import the records of one network; the corpus is made unless there is one of that name."""
    services.records_check(name=name, pair=pair, arm=arm, corpus=corpus)
    address = artifacts.harvest_address(name, corpus, AS_RECORDED, 0)
    with artifacts.exclusive(address) as folder, artifacts.exclusive(artifacts.corpus_address(corpus)) as texts:
        # Without a row it is what an interrupted import left: complete, but perhaps of other records.
        artifacts.remove(address)
        importing = RecordImport(wanted, progress)
        facts = {"network": name}
        found = Corpus.objects.filter(name=corpus).first()
        if found is None:
            artifacts.remove(artifacts.corpus_address(corpus))
            importing.into_new_corpus(texts, folder, name=corpus, facts=facts)
            artifacts.publish(artifacts.corpus_address(corpus))
            opened = CorpusStore.open(artifacts.artifact_folder(artifacts.corpus_address(corpus)))
        else:
            opened = corpus_store(found)
            importing.into_known_corpus(opened, folder, facts=facts)
        artifacts.publish(address)
        store = HarvestStore.open(artifacts.artifact_folder(address), opened)
        return _registered(opened, store, pair, size, arm, address)


@transaction.atomic
def _registered(texts: CorpusStore, harvest: HarvestStore, pair: str, size: str, arm: str, address: str) -> HarvestRun:
    name = texts.meta["name"]
    corpus = services.corpus_register(
        name=name, url=artifacts.corpus_address(name), facts=texts.meta, description="Texts of imported records."
    )
    return services.records_register(
        pair=services.pair_create(name=pair, size=size, config={"records": True}),
        name=harvest.meta["network"],
        arm=arm,
        corpus=corpus,
        url=address,
        facts=harvest.meta,
    )


def neurons_export(
    run: HarvestRun,
    folder: Path,
    *,
    format: str,
    layers: list[int] | None = None,
    neurons: list[int] | None = None,
    samples: int,
    progress: Count | None = None,
) -> int:
    """Write a harvest's neurons, all of them unless layers or indices are named; returns how many were written."""
    store = harvest_store(run)
    records = RecordStore.of(store)
    source: RecordSource = records or HarvestedNeurons(store, samples, _logit_effects(run))
    chosen = {layer: _within(neurons, store.d_mlp, "neuron") for layer in _within(layers, store.n_layers, "layer")}
    return export(folder, source, _facts(run, store, format, samples), chosen, progress)


def _within(asked: list[int] | None, count: int, what: str) -> list[int]:
    if asked is None:
        return list(range(count))
    if beyond := [number for number in asked if not 0 <= number < count]:
        raise RecordsError(f"there is no {what} {beyond[0]}; the network has {what}s 0 to {count - 1}.")
    return sorted(set(asked))


def _facts(run: HarvestRun, store: HarvestStore, format: str, samples: int) -> ExportFacts:
    network, told = run.network, run.network.options if run.network.format == Network.Format.RECORDS else {}
    provenance = {
        "network": network.name,
        "network_sha256": network.sha256,
        "activation": network.activation,
        "corpus_fingerprint": store.corpus.fingerprint,
        "site": run.site,
        "harvest_config": run.config,
        "tokens_seen": run.tokens_seen,
        "samples": samples,
        "index": run.index_url,
    }
    return ExportFacts(
        format=format,
        model=told.get("model") or network.name,
        source_set=told.get("source_set", "") if told else f"mlp-{run.site.replace('_', '-')}",
        corpus=run.corpus.name,
        n_layers=store.n_layers,
        d_mlp=store.d_mlp,
        provenance=provenance,
    )


def _logit_effects(run: HarvestRun) -> Facts | None:
    """The tokens that a neuron raises and lowers most, if they were worked out."""
    index = neuron_index(run)
    if index is None or not index.has("weights"):
        return None

    def effects(layer: int, neuron: int) -> dict[str, object]:
        raised, lowered = index.effect(layer, neuron)
        return _listed(index, "pos", raised) | _listed(index, "neg", lowered)

    return effects


def _listed(index: NeuronIndex, side: str, tokens: list[TokenNumber]) -> dict[str, object]:
    texts = [token_text(index.vocabulary.token_bytes(one.token)) or f"#{one.token}" for one in tokens]
    return {f"{side}_str": texts, f"{side}_values": [one.number for one in tokens]}
