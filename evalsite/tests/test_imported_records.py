"""A study on neurons that somebody else harvested: two sets of records, frozen as networks of ours are."""

import re

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotation.design import design_from_dict
from annotation.models import Item
from annotation.services import study_create, study_freeze, study_open
from annotation.services.draw import study_draw
from annotation.services.errors import HarvestMissing
from annotation.services.harvests import strata_open
from annotation.services.verify import study_problems
from annotation.staff.options import size_options
from annotation.tests.factories import make_user
from evalsite.access import ADMIN
from neurons import artifacts
from neurons.models import Corpus, HarvestRun, Network, RunStatus
from neurons.selectors import harvest_finished, harvest_store, neuron_index
from neurons.services import NeuronsRefused, harvest_create
from neurons.tests.object_store import CREDENTIALS, s3_server
from neurons.tests.records.factories import (
    make_activation,
    make_feature,
    make_neuronpedia,
    make_openai,
    make_openai_record,
    write_lines,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_artifacts(settings, tmp_path):
    settings.ARTIFACTS_URL = str(tmp_path / "artifacts")


def make_pair(tmp_path):
    """Arm "relu" from Neuronpedia's lines, arm "topk" from NeuronRecords, over one corpus."""
    first = make_neuronpedia(tmp_path / "np" / "0-sae", neurons=8, each=7, layer="0-sae")
    second = make_openai(tmp_path / "oa", layers=1, neurons=8, seed=7000)
    shared = {"pair": "latents", "corpus": "theirs", "verbosity": 0}
    call_command("records_import", first, arm="relu", texts_of=[second], **shared)
    call_command("records_import", second, arm="topk", **shared)


@pytest.fixture
def pair(tmp_path):
    make_pair(tmp_path)


def make_study(**changes):
    arms = {"baseline": "latents-relu", "solu": "latents-topk"}
    design = {
        "title": "Latents of others",
        "slug": "latents",
        "seed": 3,
        "corpus": "theirs",
        "pairs": [{"size": "latents", "layers": [0], "arms": arms}],
        "neurons_per_arm": 4,
        "snippets_per_neuron": 5,
        "raters": 2,
        "context_before": 5,
        "context_after": 3,
    }
    return study_create(design=design_from_dict(design | changes))


@pytest.mark.parametrize("display", ["peak", "proportional"])
def test_a_study_freezes_on_imported_records(pair, display):
    study = study_freeze(study=make_study(display=display))
    items = Item.objects.filter(study=study)
    assert items.count() == 8
    texts = {
        "".join(line["tokens"])
        for neuron in range(8)
        for line in [make_activation(neuron, 100 * neuron + i) for i in range(7)]
    } | {
        "".join(record["tokens"])
        for neuron in range(8)
        for record in make_openai_record(0, neuron, 7000)["most_positive_activation_records"]
    }
    for item in items:
        assert len(item.snippets) == 5
        for snippet in item.snippets:
            shown = "".join(text for text, _ in snippet)
            assert any(shown in text for text in texts)
            assert max(band for _, band in snippet) > 0
    assert study_problems(study) == []
    study_open(study=study)


def test_records_take_part_in_first_glance_beside_random_snippets_that_borrow_from_them(pair):
    arms = {"baseline": "latents-relu", "random_snippets": {"kind": "random_snippets"}}
    study = study_freeze(study=make_study(pairs=[{"size": "latents", "layers": [0], "arms": arms}]))
    assert Item.objects.filter(study=study).count() == 8
    assert study_problems(study) == []


@pytest.mark.parametrize("protocol", ["spectrum", "forced_choice", "intruder"])
def test_tasks_that_show_weak_or_silent_places_refuse_records_at_freeze(pair, protocol):
    with pytest.raises(HarvestMissing, match=r"'latents-\w+' \(arm \w+\) holds no sample of all tokens.*first_glance"):
        study_freeze(study=make_study(protocol=protocol))


def test_the_same_design_and_salt_give_the_same_items(pair):
    design = design_from_dict(make_study().design)
    first, second = (study_draw(design, strata_open(design), salt="5" * 64) for _ in range(2))
    assert first.lists == second.lists
    assert [item.snippets for item in first.items] == [item.snippets for item in second.items]


def test_the_records_may_live_in_an_object_store(settings, tmp_path, monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with s3_server("records") as endpoint:
        settings.ARTIFACTS_URL, settings.S3_ENDPOINT = "s3://records/arrays", endpoint
        settings.ARTIFACTS_CACHE = str(tmp_path / "cache")
        make_pair(tmp_path)
        settings.ARTIFACTS_CACHE = str(tmp_path / "other-machine")
        assert Item.objects.filter(study=study_freeze(study=make_study())).count() == 8


def test_the_rows_say_where_the_neurons_come_from(pair):
    network = Network.objects.get(name="latents-relu")
    assert (network.format, network.n_layers, network.d_mlp) == (Network.Format.RECORDS, 1, 8)
    assert network.options == {"format": "neuronpedia", "model": "tiny", "source_set": "sae"}
    assert (network.tokens_trained, network.validation_loss) == (None, None)
    run = harvest_finished("latents-relu", "theirs")
    assert (run.status, run.site, run.tokens_seen) == (RunStatus.DONE, "as_recorded", 0)
    assert run.message == "56 excerpts of 8 neurons"
    assert [option.size for option in size_options()] == ["latents"]
    with pytest.raises(NeuronsRefused, match="no model to harvest"):
        harvest_create(network=network, corpus=run.corpus)


def test_its_pages_open(pair, client):
    client.force_login(make_user("anna", ADMIN))
    for path in (
        reverse("neurons:index"),
        reverse("neurons:corpus", args=["theirs"]),
        reverse("neurons:network", args=["latents-topk"]),
        reverse("neurons:neuron", args=["latents-topk", 0, 3]),
    ):
        page = client.get(path)
        assert page.status_code == 200, path
        assert not re.search(r"\bnan\b", page.content.decode()), path


def test_two_sizes_of_two_arms_share_a_corpus(tmp_path):
    folders = [make_openai(tmp_path / name, layers=1, seed=seed) for name, seed in (("a", 0), ("b", 50), ("c", 90))]
    call_command(
        "records_import", folders[0], pair="small", arm="a", corpus="theirs", texts_of=folders[1:], verbosity=0
    )
    call_command("records_import", folders[1], pair="small", arm="b", corpus="theirs", verbosity=0)
    call_command("records_import", folders[2], pair="large", arm="a", corpus="theirs", verbosity=0)
    assert Corpus.objects.get().name == "theirs"
    assert HarvestRun.objects.filter(status=RunStatus.DONE).count() == 3


def test_names_that_are_taken_are_refused_before_anything_is_read(pair, tmp_path):
    with pytest.raises(CommandError, match="network 'latents-relu' exists already"):
        call_command("records_import", tmp_path / "none", pair="latents", arm="relu")
    with pytest.raises(CommandError, match="has an arm 'relu' already"):
        call_command("records_import", tmp_path / "none", pair="latents", arm="relu", name="another")
    with pytest.raises(CommandError, match="the name of the pair is 'two words'"):
        call_command("records_import", tmp_path / "none", pair="two words", arm="relu")


def test_a_second_arm_whose_texts_are_not_in_the_corpus_is_told_what_to_do(pair, tmp_path):
    other = make_openai(tmp_path / "other", layers=1, seed=123_456)
    with pytest.raises(CommandError, match="--texts-of"):
        call_command("records_import", other, pair="latents", arm="third", corpus="theirs")
    assert not Network.objects.filter(name="latents-third").exists()


def test_an_import_that_died_before_its_rows_is_simply_run_again(tmp_path, monkeypatch, capsys):
    def die(**_):
        raise KeyboardInterrupt

    first, second = (write_lines(tmp_path / f"{n}.jsonl", [make_activation(0, n), make_feature(0)]) for n in (1, 2))
    with monkeypatch.context() as patched:
        patched.setattr("neurons.services.records_register", die)
        with pytest.raises(CommandError, match="interrupted"):
            call_command("records_import", first, pair="latents", arm="relu")
    assert not Corpus.objects.exists()
    assert not Network.objects.exists()
    call_command("records_import", second, pair="latents", arm="relu")
    said = capsys.readouterr().out
    assert "latents-relu: 1 excerpts of 1 neurons, 0 of them dead, over 1 texts of latents-records" in said
    store = harvest_store(harvest_finished("latents-relu", "latents-records"))
    assert store.corpus.document_text(0) == "".join(make_activation(0, 2)["tokens"])
    assert not list(artifacts.workplace("corpora/x").parent.glob("*.unfinished"))


def test_bad_records_are_counted_when_they_are_skipped(tmp_path, capsys):
    path = write_lines(tmp_path / "a.jsonl", [make_activation(0, 1), "nonsense\n", make_activation(0, 2)])
    with pytest.raises(CommandError, match=r"a.jsonl:2: no JSON"):
        call_command("records_import", path, pair="latents", arm="relu")
    call_command("records_import", path, pair="latents", arm="relu", skip_bad=True)
    said = capsys.readouterr().out
    assert "1 bad records were skipped" in said
    assert f"{path}:2: no JSON" in said


def test_imported_neurons_are_exported_again(pair, tmp_path, capsys):
    call_command("neurons_export", "latents-relu", corpus="theirs", format="neuronpedia", to=tmp_path / "out")
    assert "8 neurons of latents-relu" in capsys.readouterr().out
    call_command("records_import", tmp_path / "out", pair="back", arm="relu", corpus="back", verbosity=0)
    first, second = (
        harvest_store(harvest_finished(f"{name}-relu", corpus))
        for name, corpus in (("latents", "theirs"), ("back", "back"))
    )
    for neuron in range(8):
        shown = [
            [(snippet.pieces, snippet.peak) for snippet in store.top_snippets(0, neuron, 9, 5, 3)]
            for store in (first, second)
        ]
        assert shown[0] == shown[1] != []


def test_what_can_be_looked_up_is_made_without_weights_and_without_a_sample(pair, client):
    for arm in ("relu", "topk"):
        call_command("neurons_index", f"latents-{arm}", corpus="theirs", verbosity=0)
    run = harvest_finished("latents-topk", "theirs")
    assert set(neuron_index(run).missing) >= {"weights", "neighbours"}
    client.force_login(make_user("anna", ADMIN))
    document = harvest_store(run).top_snippets(0, 3, 1, 0, 0)[0].doc
    for path in (
        reverse("neurons:network", args=["latents-topk"]),
        reverse("neurons:layer", args=["latents-topk", 0]),
        reverse("neurons:neuron", args=["latents-topk", 0, 3]),
        reverse("neurons:document", args=["latents-topk", 0, 3, document]),
        reverse("neurons:search") + "?words=river&network=latents-topk",
    ):
        page = client.get(path)
        assert page.status_code == 200, path
        assert not re.search(r"\bnan\b", page.content.decode()), path
