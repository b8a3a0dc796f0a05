"""Exporting networks of ours, as a user runs it."""

import gzip
import json

import pytest
from django.core.management import CommandError, call_command

from evalsite.tests.tiny import make_harvested_pair
from neurons import pipeline
from neurons.selectors import harvest_finished, harvest_store, neuron_index
from neurons.store.records.tokens import token_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def harvested(settings, tmp_path):
    settings.ARTIFACTS_URL = str(tmp_path / "artifacts")
    make_harvested_pair()


def shown(store, neuron):
    config = store.meta["config"]
    found = store.top_snippets(0, neuron, 100, config["before"], config["after"])
    return [(snippet.pieces, snippet.peak) for snippet in found]


@pytest.mark.parametrize("kind", ["neuronpedia", "openai"])
def test_a_network_of_ours_goes_out_and_comes_back(harvested, tmp_path, kind):
    call_command("neurons_export", "tiny-gelu", corpus="tiny", format=kind, to=tmp_path / "out", verbosity=0)
    call_command("records_import", tmp_path / "out", pair="back", arm="gelu", verbosity=0)
    ours = harvest_store(harvest_finished("tiny-gelu", "tiny"))
    theirs = harvest_store(harvest_finished("back-gelu", "back-records"))
    assert any(shown(ours, neuron) for neuron in range(ours.d_mlp))
    for neuron in range(ours.d_mlp):
        assert shown(theirs, neuron) == shown(ours, neuron)
        if kind == "neuronpedia":
            assert theirs.density(0, neuron) == ours.density(0, neuron)


def test_some_neurons_are_exported(harvested, tmp_path):
    out = tmp_path / "out"
    call_command("neurons_export", "tiny-gelu", corpus="tiny", format="neuronpedia", to=out, neurons=[3, 5], samples=0)
    place = out / "tiny-gelu" / "0-mlp-post-act"
    features = gzip.decompress((place / "features" / "batch-0.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line)["index"] for line in features] == ["3", "5"]
    source = json.loads((place / "source.jsonl").read_text())
    assert (source["id"], source["dataset"]) == ("0-mlp-post-act", "tiny")
    assert "network_sha256" in json.loads(source["notes"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"neurons": [24]}, "there is no neuron 24; the network has neurons 0 to 23"),
        ({"layers": [1]}, "there is no layer 1"),
        ({"corpus": "none"}, "there is no corpus 'none'"),
        ({"site": "post_ln"}, "was not harvested on tiny at post_ln"),
    ],
)
def test_what_is_not_there_is_told(harvested, tmp_path, asked, said):
    wanted = {"corpus": "tiny", "format": "openai", "to": tmp_path / "out"} | asked
    with pytest.raises(CommandError, match=said):
        call_command("neurons_export", "tiny-gelu", **wanted)


def test_what_a_neuron_raises_and_lowers_is_exported_once_it_is_worked_out(harvested, tmp_path):
    run = harvest_finished("tiny-gelu", "tiny")
    pipeline.indexes_make(run.pk)
    out = tmp_path / "out"
    call_command("neurons_export", "tiny-gelu", corpus="tiny", format="neuronpedia", to=out, neurons=[3])
    path = out / "tiny-gelu" / "0-mlp-post-act" / "features" / "batch-0.jsonl.gz"
    feature = json.loads(gzip.decompress(path.read_bytes()))
    run.refresh_from_db()
    index = neuron_index(run)
    raised, lowered = index.effect(0, 3)
    assert feature["pos_values"] == [one.number for one in raised]
    assert feature["neg_values"] == [one.number for one in lowered]
    assert feature["pos_values"] == sorted(feature["pos_values"], reverse=True)
    assert feature["neg_values"] == sorted(feature["neg_values"])
    texts = {token_text(index.vocabulary.token_bytes(token)) for token in range(len(index.vocabulary))}
    assert {*feature["pos_str"], *feature["neg_str"]} <= texts | {"#0"}  # the beginning of a text has none
    call_command("records_import", out, pair="back", arm="gelu", verbosity=0)
    call_command("neurons_export", "back-gelu", corpus="back-records", format="neuronpedia", to=tmp_path / "again")
    again = json.loads(gzip.decompress((tmp_path / "again" / path.relative_to(out)).read_bytes()))
    assert again == feature
