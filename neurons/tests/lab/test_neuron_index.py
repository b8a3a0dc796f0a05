"""A neuron index against direct computation in float64, and its life: interrupted, taken over, incomplete."""

import re
import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from neurons.lab import correlation
from neurons.lab import neuron_index as index_module
from neurons.lab.correlation import SampledNeurons, moments_of, nearest, shared_places, standardise
from neurons.lab.harvest import HarvestConfig, harvest
from neurons.lab.logit_effect import centred, cosines, logit_effects
from neurons.lab.neuron_index import NeuronIndexWriter, write_index
from neurons.lab.token_tables import mean_by_token, tokens_at
from neurons.lab.vocabulary import vocabulary_of
from neurons.store.harvest import HarvestStore
from neurons.store.neuron_index import NeuronIndex, NeuronIndexError
from neurons.tests.factories import IntegerNetwork, make_corpus, make_network

CONFIG = HarvestConfig(split="train", top=8, reserve=18, before=9, after=6, sample_one_in=5)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("index") / "corpus")


@pytest.fixture(scope="module")
def stores(corpus, tmp_path_factory) -> dict[str, HarvestStore]:
    folder = tmp_path_factory.mktemp("index")
    networks = {"gelu": make_network("gelu"), "solu": make_network("solu_ln"), "whole": IntegerNetwork()}
    found = {name: harvest(one, corpus, folder / name, CONFIG, facts={}) for name, one in networks.items()}
    fewer = replace(CONFIG, max_tokens=6000)
    found["fewer"] = harvest(make_network("gelu", seed=9), corpus, folder / "fewer", fewer, facts={})
    return found


@pytest.fixture(scope="module")
def index(stores, tmp_path_factory) -> NeuronIndex:
    twins = {"2": (stores["solu"], {"network": "net-solu", "harvest_run": 2})}
    writer = NeuronIndexWriter(stores["gelu"], lambda: make_network("gelu"), "w", twins)
    return write_index(writer, tmp_path_factory.mktemp("index") / "made", facts={"network": "net-gelu"})


def sampled(store, neuron):
    return store.sample(*divmod(neuron, store.d_mlp)).values.astype(np.float64)


def whole_sample(store):
    return np.stack([sampled(store, neuron) for neuron in range(store.n_layers * store.d_mlp)])


def keyed(store):
    sample = store.sample(0, 0)
    return {place: number for number, place in enumerate(zip(sample.documents, sample.positions, strict=True))}


# -- correlations ----------------------------------------------------------------------------------------------------
def test_neighbours_are_those_with_the_largest_correlation(index, stores):
    r = np.corrcoef(whole_sample(stores["gelu"]))
    np.fill_diagonal(r, -np.inf)
    for flat in range(len(r)):
        found = index.neighbours(*divmod(flat, index.d_mlp))
        assert [one.r for one in found] == pytest.approx(np.sort(r[flat])[::-1][:10], abs=1e-5)
        assert [r[flat, one.layer * index.d_mlp + one.index] for one in found] == pytest.approx(
            [one.r for one in found], abs=1e-5
        )


def test_blocks_do_not_change_what_is_near(stores, monkeypatch):
    (places,) = shared_places([stores["gelu"]], 1000)
    at_once = SampledNeurons(stores["gelu"], places)
    whole = nearest(at_once, at_once, 7)
    monkeypatch.setattr(correlation, "BLOCK_BYTES", 4 * len(places) * 5)
    cut = SampledNeurons(stores["gelu"], places)
    assert cut.blocks_in_all == 10
    parts = nearest(cut, cut, 7)
    assert np.allclose(whole.r, parts.r, atol=1e-6)
    assert (whole.neurons == parts.neurons).mean() > 0.99  # equal but for ties


def test_a_constant_neuron_has_no_neighbours_and_is_nobodys(stores, tmp_path):
    folder = tmp_path / "flat"
    shutil.copytree(stores["gelu"].folder, folder)
    sample = np.load(folder / "layer00" / "sample.npy")
    sample[3] = 0.25
    np.save(folder / "layer00" / "sample.npy", sample)
    store = HarvestStore.open(folder, stores["gelu"].corpus)
    neurons = SampledNeurons(store, shared_places([store], 1000)[0])
    found = nearest(neurons, neurons, 10)
    assert (found.neurons[3] == -1).all()
    assert np.isnan(found.r[3]).all()
    assert not (np.delete(found.neurons, 3, axis=0) == 3).any()


def test_twins_are_compared_at_the_tokens_that_both_harvests_sampled(stores):
    first, second = stores["gelu"], stores["fewer"]
    places, other = shared_places([first, second], 10**9)
    there = keyed(second)
    mine = [place for place in keyed(first) if place in there]
    assert len(places) == len(mine) > 500
    assert len(mine) < len(keyed(first))
    a = whole_sample(first)[:, [keyed(first)[place] for place in mine]]
    b = whole_sample(second)[:, [there[place] for place in mine]]
    r = np.corrcoef(a, b)[: len(a), len(a) :]
    found = nearest(SampledNeurons(first, places), SampledNeurons(second, other), 5)
    assert np.allclose(found.r, -np.sort(-r, axis=1)[:, :5], atol=1e-5)
    assert np.allclose(found.same, np.diag(r), atol=1e-5)


def test_neurons_of_networks_with_other_widths_have_no_twin_of_the_same_number(stores):
    places, other = shared_places([stores["gelu"], stores["whole"]], 10**9)
    found = nearest(SampledNeurons(stores["gelu"], places), SampledNeurons(stores["whole"], other), 3)
    assert np.isnan(found.same).all()


def test_tokens_at_which_a_network_was_not_finite_are_left_out(stores, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(stores["gelu"].folder, folder)
    sample = np.load(folder / "layer01" / "sample.npy")
    sample[5, 17] = np.nan
    np.save(folder / "layer01" / "sample.npy", sample)
    meta = stores["gelu"].meta | {"not_finite": 1}
    store = replace(stores["gelu"], folder=folder, meta=meta)
    (places,) = shared_places([store], 100)
    assert len(places) == 100
    assert 17 not in places
    neurons = SampledNeurons(store, places)
    assert np.isfinite(nearest(neurons, neurons, 3).r).all()


def test_standardised_rows_have_mean_zero_and_length_one():
    values = np.array([[1e4, 1e4 + 1, 1e4 + 2], [7, 7, 7]], dtype=np.float32)
    moments = moments_of(values)
    assert moments.varies.tolist() == [True, False]
    standardise(values, moments)
    assert values[0].tolist() == pytest.approx([-(0.5**0.5), 0, 0.5**0.5], abs=1e-6)
    assert values[1].tolist() == [0, 0, 0]


# -- weights ---------------------------------------------------------------------------------------------------------
def test_logit_effects_are_w_out_times_w_u_less_its_mean(index):
    network = make_network("gelu")
    for layer in range(2):
        w_out = network.blocks[layer].mlp.w_out.weight.detach().double().T
        effects = (w_out @ network.unembed.weight.detach().double().T).numpy()
        effects -= effects.mean(axis=1, keepdims=True)
        for neuron in range(index.d_mlp):
            raised, lowered = index.effect(layer, neuron)
            order = np.argsort(effects[neuron])
            assert [one.token for one in raised] == order[::-1][:10].tolist()
            assert [one.token for one in lowered] == order[:10].tolist()
            assert [one.number for one in raised] == pytest.approx(effects[neuron][order[::-1][:10]], abs=1e-5)


def test_logit_effects_do_not_depend_on_the_size_of_a_block(monkeypatch):
    weights, unembedding = make_network().neuron_weights(0), centred(make_network().unembedding())
    whole = logit_effects(weights, unembedding, 4)
    monkeypatch.setattr("neurons.lab.logit_effect.BLOCK_ELEMENTS", 5 * unembedding.shape[1])
    assert all(np.array_equal(a, b) for a, b in zip(whole, logit_effects(weights, unembedding, 4), strict=True))


def test_the_cosine_tells_whether_a_neuron_writes_where_it_reads(index):
    weights = make_network("gelu").neuron_weights(1)
    a, b = weights.w_in.double(), weights.w_out.double()
    expected = (a * b).sum(1) / a.norm(dim=1) / b.norm(dim=1)
    assert np.allclose(cosines(weights), expected, atol=1e-6)
    assert np.allclose(index.cosines(1), expected, atol=1e-6)
    assert index.cosine(1, 7) == pytest.approx(float(expected[7]), abs=1e-6)


# -- tokens and texts ------------------------------------------------------------------------------------------------
def peaks_of(store, layer, neuron):
    folder, count = store.folder / f"layer{layer:02d}", store.top_count(layer, neuron)
    documents, positions = (np.load(folder / f"{name}.npy")[neuron, :count] for name in ("documents", "positions"))
    return Counter(int(store.corpus.document_tokens(d)[p]) for d, p in zip(documents, positions, strict=True))


def test_peak_tokens_are_counted_and_can_be_looked_up_the_other_way(index, stores):
    turned: dict[int, dict] = {}
    for layer in range(2):
        for neuron in range(index.d_mlp):
            counts = peaks_of(stores["gelu"], layer, neuron)
            assert {one.token: one.number for one in index.peak_tokens(layer, neuron)} == dict(counts)
            numbers = [one.number for one in index.peak_tokens(layer, neuron)]
            assert numbers == sorted(numbers, reverse=True)
            for token, count in counts.items():
                turned.setdefault(token, {})[layer, neuron] = count
    assert turned
    for token, expected in turned.items():
        found, in_all = index.neurons_of_token(token, 100)
        assert {(layer, neuron): count for layer, neuron, count in found} == expected
        assert in_all == len(expected)
        assert [count for *_, count in found] == sorted((count for *_, count in found), reverse=True)
    assert index.neurons_of_token(10**6, 5) == ([], 0)


def test_mean_activations_by_token_equal_direct_means(stores):
    store = stores["gelu"]
    sample = store.sample(0, 0)
    tokens = tokens_at(store.corpus, sample.documents, sample.positions)
    counts = Counter(tokens.tolist())
    (places,) = shared_places([store], 10**9)
    listed, values = mean_by_token(SampledNeurons(store, places), tokens, k=4, fewest=6)
    for flat in range(0, len(listed), 5):
        mine = sampled(store, flat)
        means = {token: mine[tokens == token].mean() for token, count in counts.items() if count >= 6}
        best = sorted(means.values(), reverse=True)[:4]
        assert values[flat].tolist() == pytest.approx(best, rel=1e-4, abs=1e-6)
        assert [means[token] for token in listed[flat]] == pytest.approx(best, rel=1e-4, abs=1e-6)


def test_every_neuron_is_found_by_words_of_its_strongest_snippet(index, stores):
    texts = [stores["gelu"].top_snippets(0, neuron, 1, 9, 6)[0].pieces for neuron in range(index.d_mlp)]
    words = [re.search(r" (\w+ \w+) ", "".join(text for text, _ in pieces)) for pieces in texts]
    assert sum(match is not None for match in words) > 15
    for neuron, match in enumerate(words):
        found = {one.neuron: one for one in index.search(f'"{match[1]}"', 1000).found} if match else {}
        assert match is None or found[neuron].rank == 0


def test_a_search_ranks_words_at_the_peak_first_and_takes_nothing_for_an_operator(index):
    finding = index.search("licence", 1000)
    assert finding.complete
    peaks = [one.at_peak for one in finding.found]
    assert peaks == sorted(peaks, reverse=True)
    assert {one.neuron for one in index.search('"see the licence"', 1000).found} <= {
        one.neuron for one in finding.found
    }
    for odd in ("", "  ", '"', "AND", "a OR", "NEAR(", "col:x", "--", "*", "'; DROP TABLE snippets", "_"):
        index.search(odd, 10)
    assert index.search("nosuchwordanywhere", 10).found == ()


def test_the_vocabulary_reads_as_the_tokenizer_does(index, corpus):
    vocabulary = index.vocabulary
    for document in (0, 7):
        raw = b"".join(vocabulary.token_bytes(int(token)) for token in corpus.document_tokens(document))
        assert raw == corpus.document_bytes(document)
    the = [vocabulary.token_text(token) for token in vocabulary.alike("THE")]
    assert " the" in the
    assert vocabulary.token_text(10**6) == "#1000000"


def test_without_a_tokenizer_tokens_read_as_they_stand_in_the_text(stores, corpus, tmp_path):
    folder = tmp_path / "bare"
    shutil.copytree(corpus.folder, folder)
    (folder / "tokenizer.json").unlink()
    bare = replace(corpus, folder=folder)
    places = np.stack([np.zeros(40, dtype=np.int64), np.arange(40)], axis=1)
    found = vocabulary_of(bare, corpus.vocab_size, places)
    assert (
        b"".join(found[token] for token in corpus.document_tokens(0)[:40])
        == corpus.document_bytes(0)[: corpus.token_ranges(0)[39, 1]]
    )


def test_layers_are_summed_up(index, stores):
    assert np.array_equal(index.maxima(1), stores["gelu"].maxima(1))
    assert np.array_equal(index.densities(0), stores["gelu"].densities(0))
    whole, *layers = index.summaries
    assert whole.neurons == 48
    assert sum(layer.neurons for layer in layers) == 48
    assert sum(whole.maximum.counts) == whole.neurons - whole.dead


# -- life ------------------------------------------------------------------------------------------------------------
def bytes_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def make_writer(stores, twin="solu"):
    twins = {"2": (stores[twin], {"network": twin, "harvest_run": 2})}
    return NeuronIndexWriter(stores["gelu"], lambda: make_network("gelu"), "w", twins)


@pytest.mark.parametrize("broken", ["_write_tokens", "_write_neighbours", "_write_weights"])
def test_an_interrupted_index_goes_on_and_ends_in_the_same_bytes(stores, tmp_path, broken):
    whole = write_index(make_writer(stores), tmp_path / "whole", facts={})
    writer = make_writer(stores)
    part = next(part for part in writer.parts if part.write == getattr(writer, broken))

    def stop(folder, step):
        part.write(folder, step)
        raise KeyboardInterrupt

    writer.parts[writer.parts.index(part)] = replace(part, write=stop)
    with pytest.raises(KeyboardInterrupt):
        write_index(writer, tmp_path / "cut", facts={})
    with pytest.raises(NeuronIndexError, match="no finished index"):
        NeuronIndex.open(tmp_path / "cut")
    resumed = write_index(make_writer(stores), tmp_path / "cut", facts={})
    assert bytes_of(resumed.folder) == bytes_of(whole.folder)


def test_an_index_with_another_twin_takes_over_what_did_not_change(stores, tmp_path, monkeypatch):
    older = write_index(make_writer(stores), tmp_path / "older", facts={})
    monkeypatch.setattr(index_module, "peak_counts", None)  # would fail if the tokens were worked out again
    writer = make_writer(stores, twin="fewer")
    assert writer.digest != make_writer(stores).digest
    newer = write_index(writer, tmp_path / "newer", facts={}, older=older.folder)
    assert newer.peak_tokens(1, 3) == older.peak_tokens(1, 3)
    assert newer.nearest_twins("twin-2", 0, 0) != older.nearest_twins("twin-2", 0, 0)


def test_records_without_weights_or_sample_get_what_is_possible(stores, tmp_path):
    folder = tmp_path / "bare"
    shutil.copytree(stores["gelu"].folder, folder)
    for path in [*folder.rglob("sample.npy"), *folder.glob("sample_*.npy")]:
        path.unlink()
    store = replace(stores["gelu"], folder=folder, meta=stores["gelu"].meta | {"sampled": 0})
    twins = {"2": (stores["solu"], {"network": "other", "harvest_run": 2})}
    index = write_index(NeuronIndexWriter(store, None, "", twins), tmp_path / "made", facts={})
    assert set(index.missing) == {"neighbours", "weights"}
    assert index.peak_tokens(0, 1)
    assert index.mean_tokens(0, 1) == []
    assert index.cosines(0) is None


def test_harvests_that_share_too_few_tokens_are_not_compared(stores, tmp_path, monkeypatch):
    monkeypatch.setattr(index_module, "FEWEST_TOKENS", 10**6)
    index = write_index(make_writer(stores), tmp_path / "made", facts={})
    assert "sampled tokens" in index.missing["twin-2"]
    assert index.twins == {}


def test_a_neuron_that_does_not_exist_is_refused(index):
    for place in ((2, 0), (0, 24), (-1, 0), (0, -1)):
        with pytest.raises(NeuronIndexError, match="no neuron"):
            index.neighbours(*place)
