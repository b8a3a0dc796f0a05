"""From a finished harvest to what its neurons' pages look up: by command, by task, and when a twin comes later."""

import pytest
from django.core.management import CommandError, call_command

from evalsite.tests.tiny import NETWORKS, make_corpus, make_harvested_pair, make_network
from neurons import artifacts, pipeline, services
from neurons.models import HarvestRun, Network
from neurons.selectors import neuron_index
from neurons.tasks import harvest_task, index_task

pytestmark = pytest.mark.django_db(transaction=True)

FIRST, SECOND = NETWORKS.values()


@pytest.fixture(autouse=True)
def own_store(settings, tmp_path):
    settings.ARTIFACTS_URL = str(tmp_path / "artifacts")


def make_waiting(activation: str) -> HarvestRun:
    return services.harvest_create(network=make_network(activation), corpus=make_corpus(), config={"split": "train"})


def index_of(network: str):
    return neuron_index(HarvestRun.objects.get(network__name=network))


def test_a_worker_that_finishes_a_harvest_leaves_an_index_and_twins_learn_of_it():
    first, second = NETWORKS
    harvest_task(make_waiting(first).pk)
    alone = index_of(FIRST)
    assert alone.twins == {}
    harvest_task(make_waiting(second).pk)
    for name, other in ((FIRST, SECOND), (SECOND, FIRST)):
        index = index_of(name)
        (facts,) = index.twins.values()
        assert facts["network"] == other
        assert index.meta["network"] == name
    assert index_of(FIRST).folder != alone.folder
    assert index_of(FIRST).neighbours(0, 3) == alone.neighbours(0, 3)


def test_a_worker_that_finds_the_harvest_unfinished_makes_no_index():
    run = make_waiting("gelu")
    services.harvest_cancel(run=run)
    harvest_task(run.pk)
    run.refresh_from_db()
    assert run.index_url == ""


def test_the_same_index_is_not_made_twice(monkeypatch):
    make_harvested_pair()
    run = HarvestRun.objects.get(network__name=FIRST)
    index_task(run.pk)
    before = sorted(HarvestRun.objects.values_list("index_url", flat=True))
    assert all(before)
    monkeypatch.setattr("neurons.pipeline.neuron_index.write_index", None)  # would fail if it were called
    index_task(run.pk)
    assert sorted(HarvestRun.objects.values_list("index_url", flat=True)) == before


def test_an_index_that_is_gone_is_made_anew():
    make_harvested_pair()
    run = HarvestRun.objects.get(network__name=FIRST)
    pipeline.indexes_make(run.pk)
    run.refresh_from_db()
    artifacts.remove(run.index_url)
    HarvestRun.objects.update(index_url="")
    pipeline.indexes_make(run.pk)
    assert index_of(FIRST).peak_tokens(0, 2)


def test_the_command_makes_the_index_and_says_what_is_up_to_date(capsys):
    make_harvested_pair()
    call_command("neurons_index", FIRST, corpus="tiny")
    told = capsys.readouterr().out
    assert f"{FIRST}: the index" in told
    assert f"{SECOND}: the index" in told
    assert index_of(SECOND).has("weights")


@pytest.mark.parametrize(("network", "said"), [("nobody", "known are"), (FIRST, "run harvest_run")])
def test_the_command_refuses_what_was_not_harvested(network, said):
    make_network("gelu")
    with pytest.raises(CommandError, match=said):
        call_command("neurons_index", network, corpus="tiny")


def test_a_network_of_records_gets_no_weights():
    make_harvested_pair()
    Network.objects.filter(name=FIRST).update(format=Network.Format.RECORDS)
    pipeline.indexes_make(HarvestRun.objects.get(network__name=FIRST).pk)
    assert "no weights" in index_of(FIRST).missing["weights"]
    assert index_of(FIRST).neighbours(0, 1)
