"""Registering corpora and networks, and the life of a harvest from request to finished folder."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from neurons import pipeline, services
from neurons.artifacts import ArtifactError, artifact_folder
from neurons.lab.checkpoint import save_network
from neurons.models import Corpus, HarvestRun, Network, NetworkPair, RunStatus
from neurons.selectors import (
    NotFound,
    corpus_by_name,
    harvest_finished,
    harvest_store,
    network_by_name,
    network_choices,
)
from neurons.services import NeuronsRefused
from neurons.tasks import harvest_task
from neurons.tests.factories import make_corpus, make_network

pytestmark = pytest.mark.django_db

SMALL = {"split": "train", "top": 4, "reserve": 12, "before": 6, "after": 4, "tile_tokens": 400, "block_tokens": 2000}


@pytest.fixture(autouse=True)
def store(settings, tmp_path) -> Path:
    settings.ARTIFACTS_URL = str(tmp_path / "artifacts")
    return tmp_path / "artifacts"


@pytest.fixture
def corpus(store) -> Corpus:
    made = make_corpus(store / "corpora" / "small")
    return services.corpus_register(name="small", url="corpora/small", facts=made.meta)


def make_facts(**changes):
    return {
        "corpus_fingerprint": "c" * 64,
        "tokens_trained": 1000,
        "validation_loss": 4.5,
        **changes,
    }


@pytest.fixture
def network(store) -> Network:
    save_network(store / "networks" / "tiny" / "gelu", make_network(), make_facts())
    return pipeline.network_import("networks/tiny/gelu")


@pytest.fixture
def run(network, corpus) -> HarvestRun:
    return services.harvest_create(network=network, corpus=corpus, config=SMALL)


def test_a_network_folder_becomes_a_network_of_its_pair(network):
    assert (network.name, network.pair.name, network.pair.size) == ("tiny-gelu", "tiny", "2L-16")
    assert (network.activation, network.n_layers, network.d_mlp) == ("gelu", 2, 24)
    assert "activation" not in network.pair.config
    assert pipeline.network_import("networks/tiny/gelu") == network


def test_a_network_of_another_shape_cannot_join_a_pair(network, store):
    save_network(store / "networks" / "tiny" / "solu", make_network("solu", n_layers=1), make_facts())
    with pytest.raises(NeuronsRefused, match="another n_layers"):
        pipeline.network_import("networks/tiny/solu")


def test_shipped_networks_are_found_wherever_the_repository_lies(settings, tmp_path):
    settings.SHIPPED_NETWORKS_DIR = tmp_path / "shipped"
    save_network(tmp_path / "shipped" / "1l" / "gelu_ln", make_network("gelu_ln"), make_facts())
    (network,) = pipeline.networks_import()
    assert (network.name, network.url) == ("1l-gelu-ln", "shipped:1l/gelu_ln")
    assert artifact_folder(network.url) == tmp_path / "shipped" / "1l" / "gelu_ln"


def test_a_harvested_network_is_not_replaced_by_other_weights(run, store):
    save_network(store / "networks" / "tiny" / "gelu", make_network(seed=9), make_facts())
    with pytest.raises(NeuronsRefused, match="was harvested"):
        pipeline.network_import("networks/tiny/gelu")


def test_a_corpus_name_stands_for_one_text(corpus, store):
    same = services.corpus_register(name="small", url="x", facts=make_corpus_facts(corpus))
    assert same == corpus
    with pytest.raises(NeuronsRefused, match="other documents"):
        services.corpus_register(name="small", url="x", facts=make_corpus_facts(corpus, fingerprint="0"))


def make_corpus_facts(corpus, **changes):
    return {"fingerprint": corpus.fingerprint, **changes}


def test_a_harvest_runs_through_a_task_and_is_then_found_by_name(run):
    harvest_task.delay(run.pk)
    found = harvest_finished("tiny-gelu", "small")
    assert found == run
    assert (found.status, found.progress, found.dead_neurons) == (RunStatus.DONE, 1.0, 0)
    opened = harvest_store(found)
    assert opened.meta["network_sha256"] == run.network.sha256
    assert opened.meta["tokens"] == found.tokens_seen > 0
    assert found.config == opened.meta["config"]
    assert len(opened.top_snippets(1, 3, 4, 6, 4)) == opened.top_count(1, 3) > 0


def test_a_task_sent_twice_harvests_once(run):
    harvest_task.delay(run.pk)
    before = (artifact_folder(run.url) / "meta.json").stat().st_mtime_ns
    harvest_task.delay(run.pk)
    assert (artifact_folder(run.url) / "meta.json").stat().st_mtime_ns == before
    run.refresh_from_db()
    assert run.status == RunStatus.DONE


def test_a_cancelled_harvest_stops_keeps_what_it_read_and_goes_on_when_asked_again(run):
    seen = []

    def cancel(done, total):
        seen.append(done)
        services.harvest_cancel(run=HarvestRun.objects.get(pk=run.pk))

    stopped = pipeline.harvest_execute(run.pk, cancel)
    assert (stopped.status, len(seen)) == (RunStatus.CANCELLED, 1)
    pipeline.harvest_execute(run.pk)
    assert harvest_finished("tiny-gelu", "small") is None
    again = services.harvest_create(network=run.network, corpus=run.corpus, config=SMALL)
    assert again == run
    pipeline.harvest_execute(run.pk, lambda done, total: seen.append(done))
    assert seen[1] > seen[0]
    assert harvest_finished("tiny-gelu", "small") == run


def test_a_harvest_that_fails_says_why_on_its_row(run, store):
    (store / "networks" / "tiny" / "gelu" / "weights.safetensors").write_bytes(b"broken")
    with pytest.raises(pipeline.REFUSALS):
        pipeline.harvest_execute(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert "CheckpointError" in run.message
    assert run.finished_at is not None


def test_an_interruption_by_hand_is_no_failure(run):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pipeline.harvest_execute(run.pk, interrupt)
    run.refresh_from_db()
    assert run.status == RunStatus.CANCELLED


def test_a_finished_harvest_asked_for_again_is_the_same_and_another_configuration_is_refused(run):
    pipeline.harvest_execute(run.pk)
    assert services.harvest_create(network=run.network, corpus=run.corpus, config={"top": 4}) == run
    with pytest.raises(NeuronsRefused, match="that harvest stands"):
        services.harvest_create(network=run.network, corpus=run.corpus, config={"top": 5})


def test_a_harvest_at_an_unknown_site_is_refused(network, corpus):
    with pytest.raises(NeuronsRefused, match="choose one of post_act, post_ln"):
        services.harvest_create(network=network, corpus=corpus, site="logits")


def test_the_database_holds_one_finished_harvest_per_network_corpus_and_site(run):
    pipeline.harvest_execute(run.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        HarvestRun.objects.create(network=run.network, corpus=run.corpus, site=run.site, config={}, status="done")


@pytest.mark.parametrize("address", ["", "../elsewhere", "/etc", "shipped:../.."])
def test_an_address_never_leads_out_of_its_store(address):
    with pytest.raises(ArtifactError, match="no address in the artifact store"):
        artifact_folder(address)


def test_an_unknown_name_lists_the_known_ones(network, corpus):
    with pytest.raises(NotFound, match="known are: small"):
        corpus_by_name("smal")
    with pytest.raises(NotFound, match="known are: tiny-gelu"):
        network_by_name("gelu")
    assert network_choices() == ["tiny-gelu"]


def test_the_harvest_command_reads_part_of_the_split_and_says_what_it_did(network, corpus, capsys):
    call_command("harvest_run", "tiny-gelu", corpus="small", max_tokens=200)
    run = harvest_finished("tiny-gelu", "small")
    assert 200 <= run.tokens_seen < 800
    assert f"{run.tokens_seen:,} tokens read, {run.dead_neurons:,} dead neurons" in capsys.readouterr().out


def test_the_harvest_command_can_be_told_what_to_keep(network, corpus):
    call_command("harvest_run", "tiny-gelu", corpus="small", set=["top=3", "likeness=0.4", "split=train"])
    config = harvest_finished("tiny-gelu", "small").config
    assert (config["top"], config["likeness"], config["split"]) == (3, 0.4, "train")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("tpo=3", "knows no 'tpo'; it can be told after, alike_after"),
        ("site=post_ln", "knows no 'site'"),
        ("top", "`top` is ''; give a value like 32"),
        ("top=three", "`top` is 'three'"),
        ("top=1.5", r"`top` is 1\.5"),
        ("top=99", "1 ≤ top ≤ reserve"),
        ("precision=half", "choose one of float32, bfloat16"),
    ],
)
def test_the_harvest_command_refuses_what_a_harvest_cannot_be_told(network, corpus, said, answer):
    with pytest.raises(CommandError, match=answer):
        call_command("harvest_run", "tiny-gelu", corpus="small", set=[said])
    assert not HarvestRun.objects.exists()


def test_commands_say_in_one_sentence_what_is_missing(corpus, settings, tmp_path):
    settings.SHIPPED_NETWORKS_DIR = tmp_path / "none"
    with pytest.raises(CommandError, match="there is no network 'x'"):
        call_command("harvest_run", "x", corpus="small")
    with pytest.raises(CommandError, match="exists already"):
        call_command("corpus_import", "small", embedded=True)
    with pytest.raises(CommandError, match="give either paths"):
        call_command("corpus_import", "other")
    with pytest.raises(CommandError, match="does not exist"):
        call_command("corpus_import", "other", tmp_path / "nowhere", tokenizer=tokenizer_of(corpus))
    with pytest.raises(CommandError, match="no network ships"):
        call_command("networks_import")


def tokenizer_of(corpus) -> Path:
    return artifact_folder(corpus.url) / "tokenizer.json"


def test_a_folder_of_files_becomes_a_corpus_with_a_report(corpus, tmp_path, capsys):
    texts = tmp_path / "texts"
    texts.mkdir()
    for number in range(12):
        (texts / f"{number}.txt").write_text(f"{number} " * 150)
    (texts / "bad.txt").write_bytes(b"caf\xe9 " * 100)
    (texts / "empty.txt").touch()
    call_command("corpus_import", "mine", texts, tokenizer=tokenizer_of(corpus), description="Numbers.")
    mine = Corpus.objects.get(name="mine")
    assert (mine.documents, mine.description) == (13, "Numbers.")
    assert mine.import_report["reader"]["skipped"] == {"the file is empty": 1}
    said = capsys.readouterr().out
    assert "100 bytes were no UTF-8" in said
    assert "empty.txt: the file is empty" in said


def test_a_pair_is_trained_with_shared_beginnings_and_training_it_again_changes_nothing(corpus, capsys):
    command = ("pair_train", "small-pair")
    options = {"corpus": "small", "arms": ["gelu", "solu_ln"], "width": 16, "context": 32, "tokens": 2000}
    call_command(*command, **options)
    pair = NetworkPair.objects.get(name="small-pair")
    networks = {network.activation: network for network in pair.networks.all()}
    assert set(networks) == {"gelu", "solu_ln"}
    assert all(network.validation_loss > 0 for network in networks.values())
    assert pair.training_runs.filter(status=RunStatus.DONE).count() == 2
    call_command(*command, **options)
    assert {n.activation: n.sha256 for n in pair.networks.all()} == {a: n.sha256 for a, n in networks.items()}
    assert pair.training_runs.count() == 2
    assert "small-pair-gelu: validation loss" in capsys.readouterr().out
