"""A study on two networks that others trained: from their folders, through a store of any kind, to frozen items."""

import pytest
from django.core.management import call_command

from annotation.design import design_from_dict
from annotation.models import Item
from annotation.services import study_create, study_freeze
from annotation.services.verify import study_problems
from annotation.staff.options import size_options
from neurons import artifacts, pipeline, services
from neurons.models import Corpus, Network
from neurons.tests.factories import make_texts
from neurons.tests.lab.lens_small import make_config, make_folder, make_state
from neurons.tests.lab.tokenizers_small import llama
from neurons.tests.object_store import CREDENTIALS, s3_server

pytestmark = pytest.mark.django_db

ARMS = {"baseline": "gelu", "solu": "solu_ln"}


@pytest.fixture(autouse=True)
def own_artifacts(settings, tmp_path):
    settings.ARTIFACTS_URL = str(tmp_path / "artifacts")


def bring_pair(tmp_path):
    """Folders of a GELU and a SoLU network with one tokenizer, imported as a pair."""
    for number, activation in enumerate(ARMS.values()):
        config = make_config(act_fn=activation, d_vocab=400, n_ctx=64)
        folder = make_folder(tmp_path / activation, config, make_state(config, seed=number))
        llama().save(str(folder / "tokenizer.json"))
        call_command("networks_import", folder, pair="theirs")


def harvest_pair(tmp_path):
    text = tmp_path / "texts"
    text.mkdir()
    for number, words in enumerate(make_texts(90)):
        (text / f"{number}.txt").write_text(words)
    call_command("corpus_import", "read", str(text), tokenizer=tmp_path / "gelu" / "tokenizer.json")
    for network in Network.objects.all():
        run = services.harvest_create(network=network, corpus=Corpus.objects.get(), config={"split": "train"})
        pipeline.harvest_execute(run.pk)


def make_study():
    arms = {arm: f"theirs-{activation}".replace("_", "-") for arm, activation in ARMS.items()}
    design = {
        "title": "Networks of others",
        "slug": "theirs",
        "seed": 3,
        "corpus": "read",
        "pairs": [{"size": "2L-32", "layers": [0, 1], "arms": arms}],
        "neurons_per_arm": 6,
        "snippets_per_neuron": 5,
        "raters": 2,
        "context_before": 6,
        "context_after": 4,
    }
    return study_create(design=design_from_dict(design))


def test_a_study_freezes_on_two_imported_networks(tmp_path):
    bring_pair(tmp_path)
    harvest_pair(tmp_path)
    (option,) = size_options()
    assert (option.size, option.n_layers) == ("2L-32", 2)
    assert {shown.activation for shown in option.options} == set(ARMS.values())
    study = study_freeze(study=make_study())
    assert study_problems(study) == []
    items = Item.objects.filter(study=study)
    assert items.count() == 12
    texts = make_texts(90)
    for item in items:
        for snippet in item.snippets:
            assert any("".join(text for text, _ in snippet) in whole for whole in texts)


def test_a_network_is_imported_into_an_object_store_and_read_on_another_machine(settings, tmp_path, monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with s3_server("networks") as endpoint:
        settings.ARTIFACTS_URL, settings.S3_ENDPOINT = "s3://networks/arrays", endpoint
        settings.ARTIFACTS_CACHE = str(tmp_path / "cache")
        bring_pair(tmp_path)
        bring_pair(tmp_path)  # the same again changes nothing
        settings.ARTIFACTS_CACHE = str(tmp_path / "other-machine")
        network = Network.objects.get(activation="solu_ln")
        assert pipeline.network_source(network).config.activation == "solu_ln"
        assert (artifacts.artifact_folder(network.url) / "tokenizer.json").is_file()
