"""Random directions: drawn as said, projected as said, and harvested like neurons."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats

from neurons.lab.bases import InBasis, in_basis
from neurons.lab.harvest import HarvestConfig, HarvestStopped, harvest, harvest_shard, make_plan, merge_shards
from neurons.lab.harvest_plan import choose_documents
from neurons.lab.neuron_index import NeuronIndexWriter, write_index
from neurons.store.basis import Basis, random_directions, signs_from_hex, signs_to_hex
from neurons.store.harvest import HarvestError
from neurons.tests.factories import IntegerNetwork, make_corpus, make_network
from neurons.tests.lab.brute_force import all_activations, brute_force

BASIS = Basis.parse("random:10:7")
CONFIG = HarvestConfig(
    split="train", top=5, reserve=15, before=9, after=6, sample_one_in=7, tile_tokens=320, block_tokens=1500
)
FACTS = {"network": "n"}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("bases") / "corpus")


def in_numpy(source: InBasis) -> list[np.ndarray]:
    """The directions, had again from what the harvest keeps of them."""
    facts = source.facts
    return [
        random_directions(Basis.parse(facts["word"]), layer, facts["width"])
        * signs_from_hex(signs, BASIS.directions)[:, None]
        for layer, signs in enumerate(facts["signs"])
    ]


def bytes_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_directions_are_of_norm_one_and_follow_from_the_seed_and_the_layer():
    rows = random_directions(BASIS, 0, 24)
    np.testing.assert_allclose((rows**2).sum(axis=1), 1)
    assert (rows == random_directions(BASIS, 0, 24)).all()
    assert not np.isclose(rows, random_directions(BASIS, 1, 24)).any()
    assert not np.isclose(rows, random_directions(Basis.parse("random:10:8"), 0, 24)).any()


def test_more_directions_of_a_seed_begin_with_the_same_ones():
    assert (random_directions(Basis.parse("random:30:7"), 2, 24)[:10] == random_directions(BASIS, 2, 24)).all()


def test_directions_are_uniform_on_the_sphere():
    """On the sphere in three dimensions each coordinate is uniform from -1 to 1 (Archimedes)."""
    rows = random_directions(Basis.parse("random:4000:1"), 0, 3)
    for column in rows.T:
        assert stats.kstest(column, stats.uniform(-1, 2).cdf).pvalue > 0.001


@pytest.mark.parametrize("activation", ["gelu", "solu_ln"])
@pytest.mark.parametrize("site", ["post_act", "post_ln"])
def test_units_are_activations_times_directions(corpus, activation, site):
    network = make_network(activation)
    source = in_basis(network, BASIS, corpus, replace(CONFIG, site=site))
    tokens = torch.from_numpy(corpus.document_tokens(3)[:40].astype(np.int64))[None]
    seen = zip(network.neuron_activations(tokens, site=site), source.neuron_activations(tokens, site=site), strict=True)
    for (layer, activations), (same, units) in seen:
        assert same == layer
        expected = activations.detach().double().numpy() @ in_numpy(source)[layer].T
        np.testing.assert_allclose(units.detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_top_snippets_equal_a_brute_force_in_float64(corpus, tmp_path):
    source = in_basis(make_network(), BASIS, corpus, CONFIG)
    store = harvest(source, corpus, tmp_path / "out", CONFIG, facts=FACTS)
    neurons = all_activations(source.source, corpus, choose_documents(corpus, "train", None))
    rows = in_numpy(source)
    activations = {
        document: np.stack([values[layer] @ rows[layer].T for layer in range(2)])
        for document, values in neurons.items()
    }
    assert (store.n_layers, store.d_mlp) == (2, 10)
    for layer in range(2):
        for unit in range(10):
            expected = brute_force(activations, corpus, layer, unit, CONFIG, store.context)
            found = store.top_values(layer, unit)
            np.testing.assert_allclose(found, [value for value, *_ in expected], rtol=1e-4)
            shown = [snippet.doc for snippet in store.top_snippets(layer, unit, 5, 9, 6)]
            assert sorted(shown) == sorted(document for _, document, *_ in expected)


def test_each_direction_points_to_its_rare_large_values(corpus):
    source = in_basis(make_network("solu_ln"), BASIS, corpus, CONFIG)
    documents = choose_documents(corpus, "train", None)
    for layer in range(2):
        values = np.concatenate([v[layer] for v in all_activations(source, corpus, documents).values()])
        assert (stats.skew(values) > 0).all()
    assert len({side for signs in source.signs for side in signs.tolist()}) == 2  # some were turned, some were not


def test_a_longer_harvest_has_the_same_signs(corpus):
    short = in_basis(make_network(), BASIS, corpus, replace(CONFIG, max_tokens=900))
    assert short.facts == in_basis(make_network(), BASIS, corpus, CONFIG).facts


def test_a_token_that_is_not_finite_does_not_decide_signs(corpus):
    class Broken(IntegerNetwork):
        def neuron_activations(self, tokens, *, site="post_act"):
            for layer, values in super().neuron_activations(tokens, site=site):
                values[:, 5, 1] = torch.nan
                yield layer, values

    whole, broken = (in_basis(kind(), BASIS, corpus, CONFIG) for kind in (IntegerNetwork, Broken))
    same = np.mean([(one == other).mean() for one, other in zip(whole.signs, broken.signs, strict=True)])
    assert same > 0.9


def test_shards_in_any_order_give_the_bytes_of_one_reading(corpus, tmp_path):
    source, plan = in_basis(make_network(), BASIS, corpus, CONFIG), make_plan(corpus, CONFIG)
    harvest(source, corpus, tmp_path / "whole", CONFIG, facts=FACTS)
    shards = []
    for number, blocks in enumerate(plan.cut(3)):
        again = in_basis(make_network(), BASIS, corpus, CONFIG)  # as another worker has it
        shards.insert(0, tmp_path / f"shard{number}")
        harvest_shard(again, corpus, shards[0], plan, CONFIG, blocks, facts=FACTS)
    merge_shards(shards, tmp_path / "joined", corpus, plan, CONFIG, facts=FACTS)
    assert len(shards) == 3
    assert bytes_of(tmp_path / "joined") == bytes_of(tmp_path / "whole")


def test_stopped_and_taken_up_equals_never_stopped(corpus, tmp_path):
    source = in_basis(make_network(), BASIS, corpus, CONFIG)
    harvest(source, corpus, tmp_path / "whole", CONFIG, facts=FACTS)
    with pytest.raises(HarvestStopped):
        harvest(source, corpus, tmp_path / "cut", CONFIG, facts=FACTS, stop=lambda: True)
    harvest(source, corpus, tmp_path / "cut", CONFIG, facts=FACTS)
    assert bytes_of(tmp_path / "whole") == bytes_of(tmp_path / "cut")


def test_parts_with_other_directions_or_signs_are_not_joined(corpus, tmp_path):
    source, plan = in_basis(make_network(), BASIS, corpus, CONFIG), make_plan(corpus, CONFIG)
    turned = InBasis(source.source, BASIS, [-signs for signs in source.signs])
    shards = [tmp_path / "one", tmp_path / "two"]
    for each, shard, blocks in zip((source, turned), shards, plan.cut(2), strict=True):
        harvest_shard(each, corpus, shard, plan, CONFIG, blocks, facts=FACTS)
    with pytest.raises(HarvestError, match="basis differs"):
        merge_shards(shards, tmp_path / "joined", corpus, plan, CONFIG, facts=FACTS)


def test_the_harvest_tells_its_directions_and_that_of_neurons_says_nothing_new(corpus, tmp_path):
    source = in_basis(make_network(), BASIS, corpus, CONFIG)
    store = harvest(source, corpus, tmp_path / "directions", CONFIG, facts=FACTS)
    assert store.basis == json.loads(json.dumps(source.facts))
    assert "basis" not in harvest(make_network(), corpus, tmp_path / "neurons", CONFIG, facts=FACTS).meta


def test_an_index_of_directions_says_why_they_have_no_weights(corpus, tmp_path):
    source = in_basis(make_network(), BASIS, corpus, CONFIG)
    store = harvest(source, corpus, tmp_path / "out", CONFIG, facts=FACTS)
    index = write_index(NeuronIndexWriter(store, None, "w", {}), tmp_path / "index", facts={})
    assert index.missing == {"weights": "directions are no neurons and have no weights of their own"}
    assert index.d_mlp == 10
    assert index.has("neighbours")


def test_signs_survive_the_way_to_text_and_back():
    signs = np.where(np.random.default_rng(1).random(37) < 0.5, -1, 1)
    assert (signs_from_hex(signs_to_hex(signs), 37) == signs).all()
