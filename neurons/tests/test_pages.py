"""The pages about corpora, networks, harvests and neurons, over HTTP: who may read them, and what they say."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from unittest.mock import patch

import numpy as np
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from neurons.views import browse as views
from neurons.models import Corpus, HarvestRun, Network, NetworkPair
from neurons.store.harvest import HarvestError
from neurons.store.pieces import Snippet

pytestmark = pytest.mark.django_db

DEAD, LIVE = 0, 1


@dataclass(frozen=True)
class FakeHarvest:
    """Two layers of ten neurons, of which number 0 is dead and the others like the word "apple"."""

    n_layers: int = 2
    d_mlp: int = 10
    meta: dict = field(default_factory=lambda: {"config": {"before": 3, "after": 2}})

    def is_dead(self, layer: int, neuron: int) -> bool:
        return neuron == DEAD

    def density(self, layer: int, neuron: int) -> float:
        return 0.0 if neuron == DEAD else 0.0125

    def maxima(self, layer: int) -> np.ndarray:
        return np.array([0.0] + [4.0] * (self.d_mlp - 1), dtype=np.float32)

    def top_count(self, layer: int, neuron: int) -> int:
        return 0 if neuron == DEAD else 2

    def top_values(self, layer: int, neuron: int) -> np.ndarray:
        return np.array([4.0, 2.0][: self.top_count(layer, neuron)], dtype=np.float32)

    def top_snippets(self, layer: int, neuron: int, count: int, before: int, after: int) -> list[Snippet]:
        if before > 3 or after > 2:
            raise HarvestError("more than was stored")
        return [
            Snippet(doc=rank, peak=1, pieces=(("<b>an", -0.5), (" apple", value), (" pie", value / 4)))
            for rank, value in enumerate(self.top_values(layer, neuron).tolist())
        ]


@pytest.fixture
def opened() -> Iterator[None]:
    with patch.object(views, "harvest_store", lambda run: FakeHarvest()):
        yield


def make_corpus() -> Corpus:
    return Corpus.objects.create(
        name="words", fingerprint="f1" * 32, tokenizer_fingerprint="t" * 64, documents=1234, text_bytes=9, tokens=5678,
        import_report={"repaired": 3},
    )  # fmt: skip


def make_network() -> Network:
    pair = NetworkPair.objects.create(name="pair", size="2L-16", config={})
    return Network.objects.create(
        name="net-gelu", pair=pair, activation="gelu", n_layers=2, d_mlp=10, sha256="a" * 64,
        corpus_fingerprint="f1" * 32, tokens_trained=20_000_000, validation_loss=3.1416,
    )  # fmt: skip


def make_run(network: Network, corpus: Corpus, **changes: object) -> HarvestRun:
    values: dict = {"site": "post_act", "config": {}, "status": "done", "progress": 1.0, "dead_neurons": 7}
    return HarvestRun.objects.create(network=network, corpus=corpus, **values | changes)


def make_client(group: str = "") -> Client:
    client = Client()
    if group:
        user = get_user_model().objects.create_user(username=group, password="a-long-enough-password")
        user.groups.add(Group.objects.get_or_create(name=group)[0])
        client.force_login(user)
    return client


@pytest.fixture
def researcher() -> Client:
    return make_client("researchers")


@pytest.fixture
def run() -> HarvestRun:
    return make_run(make_network(), make_corpus())


def neuron_url(index: int, layer: int = 0) -> str:
    return reverse("neurons:neuron", args=["net-gelu", layer, index])


def addresses() -> list[str]:
    return [
        reverse("neurons:index"),
        reverse("neurons:corpus", args=["words"]),
        reverse("neurons:network", args=["net-gelu"]),
        neuron_url(LIVE),
    ]


@pytest.mark.parametrize("group", ["admins", "researchers"])
def test_admins_and_researchers_read_every_page_and_can_send_to_none(run, opened, group):
    client = make_client(group)
    for address in addresses():
        assert client.get(address).status_code == 200, address
        assert client.post(address).status_code == 405, address


def test_an_evaluator_finds_no_page_even_as_a_researcher_too(run, opened):
    client = make_client("evaluators")
    get_user_model().objects.get().groups.add(Group.objects.get_or_create(name="researchers")[0])
    for address in addresses():
        assert client.get(address).status_code == 404, address


def test_strangers_are_sent_to_the_sign_in_page(run):
    for address in addresses():
        assert make_client().get(address).headers["Location"].startswith("/accounts/login/"), address


def test_the_index_shows_corpora_networks_and_harvests(researcher, run):
    page = researcher.get(reverse("neurons:index")).content.decode()
    for said in ("1,234", "5,678", "f1f1f1f1f1f1", "3.142", "20,000,000", "2L-16"):
        assert said in page, said
    assert "f1" * 7 not in page


def test_only_admins_are_offered_to_start_a_harvest(run):
    link = reverse("staff:harvest_start")
    assert link in make_client("admins").get(reverse("neurons:index")).content.decode()
    assert link not in make_client("researchers").get(reverse("neurons:index")).content.decode()


def test_the_index_looks_again_while_a_harvest_runs(researcher, run):
    address = reverse("neurons:index")
    assert "http-equiv" not in researcher.get(address).content.decode()
    make_run(run.network, run.corpus, status="running", progress=0.25, message="layer 1 of 2")
    page = researcher.get(address).content.decode()
    assert 'http-equiv="refresh"' in page
    assert "layer 1 of 2" in page


def test_a_corpus_says_what_its_import_did(researcher, run):
    page = researcher.get(reverse("neurons:corpus", args=["words"])).content.decode()
    assert "repaired" in page
    assert "f1" * 32 in page


def test_a_network_lists_its_layers_with_their_dead_neurons(researcher, run, opened):
    layers = researcher.get(reverse("neurons:network", args=["net-gelu"])).context["layers"]
    assert [(row.layer, row.neurons, row.dead) for row in layers] == [(0, 10, 1), (1, 10, 1)]


def test_a_neuron_is_found_by_its_numbers(researcher, run, opened):
    answer = researcher.get(reverse("neurons:network", args=["net-gelu"]), {"layer": "1", "index": "4"})
    assert answer.headers["Location"] == f"{neuron_url(4, layer=1)}?harvest={run.pk}"


def test_a_neuron_shows_its_snippets_shaded_by_share_of_its_own_maximum(researcher, run, opened):
    answer = researcher.get(neuron_url(LIVE))
    bands = [[piece.band for piece in snippet.pieces] for snippet in answer.context["snippets"]]
    assert bands == [[0, 5, 2], [0, 3, 1]]
    page = answer.content.decode()
    assert "4.000" in page
    assert "1.25 %" in page
    assert "&lt;b&gt;an" in page


def test_a_dead_neuron_is_named_as_dead(researcher, run, opened):
    page = researcher.get(neuron_url(DEAD)).content.decode()
    assert "never above 0" in page
    assert '<ul class="snippets">' not in page


def test_one_can_walk_from_neuron_to_neuron_but_not_off_the_ends(researcher, run, opened):
    first, last = (researcher.get(neuron_url(index)).context["links"] for index in (0, 9))
    assert first["previous"] == ""
    assert first["next"].startswith(neuron_url(1))
    assert last["next"] == ""
    assert last["previous"].startswith(neuron_url(8))
    assert researcher.get(first["random"]).status_code == 200


@pytest.mark.parametrize("address", [("net-gelu", 2, 0), ("net-gelu", 0, 10), ("no-such-network", 0, 0)])
def test_a_neuron_that_does_not_exist_is_not_found(researcher, run, opened, address):
    assert researcher.get(reverse("neurons:neuron", args=address)).status_code == 404


def test_a_harvest_of_another_network_cannot_be_asked_for(researcher, run, opened):
    other = Network.objects.create(
        name="other", pair=run.network.pair, activation="solu", n_layers=2, d_mlp=10, sha256="b" * 64,
        corpus_fingerprint="f1" * 32, tokens_trained=1,
    )  # fmt: skip
    foreign = make_run(other, run.corpus)
    assert researcher.get(neuron_url(LIVE), {"harvest": foreign.pk}).status_code == 404
    assert researcher.get(neuron_url(LIVE), {"harvest": "1 or 1"}).status_code == 404


def test_pages_without_a_readable_harvest_say_so(researcher):
    network = make_network()
    pages = [reverse("neurons:network", args=["net-gelu"]), neuron_url(LIVE)]
    for address in pages:
        assert "no finished harvest" in researcher.get(address).content.decode(), address
    make_run(network, make_corpus(), url="nowhere")
    with patch.object(views, "harvest_store", side_effect=HarvestError("the folder holds no finished harvest")):
        for address in pages:
            assert "cannot be read" in researcher.get(address).content.decode(), address
