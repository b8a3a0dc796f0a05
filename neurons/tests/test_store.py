"""Reading a harvest folder: whole characters, the right windows, and refusals that say what to do."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurons.lab.harvest import HarvestConfig, harvest
from neurons.store.harvest import HarvestError, HarvestStore, Sample
from neurons.store.pieces import character_groups, context_bounds, snippet_of
from neurons.tests.factories import IntegerNetwork, make_corpus, make_texts

CONFIG = HarvestConfig(split="train", top=6, reserve=18, before=9, after=6, sample_one_in=5)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("store") / "corpus")


@pytest.fixture(scope="module")
def store(corpus, tmp_path_factory):
    return harvest(IntegerNetwork(), corpus, tmp_path_factory.mktemp("store") / "out", CONFIG, facts={})


def all_top_snippets(store, before, after):
    for layer in range(store.n_layers):
        for neuron in range(store.d_mlp):
            for rank, snippet in enumerate(store.top_snippets(layer, neuron, 20, before, after)):
                yield layer, neuron, rank, snippet


def test_snippets_are_stretches_of_their_documents(store, corpus):
    texts = [(snippet, "".join(text for text, _ in snippet.pieces)) for *_, snippet in all_top_snippets(store, 9, 6)]
    assert len(texts) > 50
    assert all(text in corpus.document_text(snippet.doc) for snippet, text in texts)
    assert not any("\ufffd" in text for _, text in texts)


def test_the_peak_carries_the_strongest_activation_and_snippets_come_strongest_first(store):
    for layer, neuron, rank, snippet in all_top_snippets(store, 9, 6):
        value = snippet.pieces[snippet.peak][1]
        assert value == store.top_values(layer, neuron)[rank]
        assert value == max(activation for _, activation in snippet.pieces)
    assert (np.diff(store.top_values(1, 3)) <= 0).all()


def test_snippets_of_a_neuron_come_from_different_documents(store):
    for neuron in range(store.d_mlp):
        documents = [snippet.doc for snippet in store.top_snippets(0, neuron, 20, 2, 2)]
        assert len(set(documents)) == len(documents)


def test_a_narrower_window_is_the_middle_of_a_wider_one(store):
    for (*_, wide), (*_, narrow) in zip(all_top_snippets(store, 9, 6), all_top_snippets(store, 2, 1), strict=True):
        start = wide.peak - narrow.peak
        assert wide.pieces[start : start + len(narrow.pieces)][narrow.peak] == narrow.pieces[narrow.peak]
        assert len(narrow.pieces) <= 4


def test_more_than_was_stored_is_refused(store):
    with pytest.raises(HarvestError, match="stored 9 and 6"):
        store.top_snippets(0, 1, 5, 10, 3)


@pytest.mark.parametrize(("layer", "neuron"), [(2, 0), (0, 12), (-1, 0), (0, -1)])
def test_a_neuron_that_does_not_exist_is_refused(store, layer, neuron):
    with pytest.raises(HarvestError, match="no neuron"):
        store.is_dead(layer, neuron)


def test_a_snippet_of_the_sample_knows_one_activation(store):
    sample = store.sample(0, 5)
    for place in range(0, len(sample.values), 97):
        snippet = store.sample_snippet(0, 5, place, 4, 3)
        assert snippet.pieces[snippet.peak][1] == sample.values[place]
        assert sum(not np.isnan(value) for _, value in snippet.pieces) == 1


def test_the_sample_gives_density_with_its_error_quantiles_and_ranges():
    sample = Sample(np.array([3, -1, 0, 2], dtype=np.float32), np.arange(4), np.zeros(4, dtype=np.int32))
    assert sample.density() == (0.5, 0.25)
    assert sample.quantiles([0, 0.5, 1]).tolist() == [-1, 1, 3]
    assert sample.between(0.5, 1.0).tolist() == [3, 0]
    counts, edges = sample.histogram(2)
    assert counts.tolist() == [2, 2]
    assert edges.tolist() == [-1, 1, 3]


def test_an_unfinished_folder_is_refused(store, corpus, tmp_path):
    with pytest.raises(HarvestError, match="no finished harvest"):
        HarvestStore.open(tmp_path, corpus)


@pytest.mark.parametrize(
    ("key", "value", "said"), [("format", 99, "has format 99"), ("corpus_fingerprint", "f" * 64, "another|fingerprint")]
)
def test_another_format_or_corpus_is_refused(store, corpus, tmp_path, key, value, said):
    (tmp_path / "meta.json").write_text(json.dumps(store.meta | {key: value}))
    with pytest.raises(HarvestError, match=said):
        HarvestStore.open(tmp_path, corpus)


def test_another_tokenization_of_the_same_text_is_refused(store, corpus, tmp_path):
    other = make_corpus(tmp_path / "other", make_texts(150, seed=2))
    with pytest.raises(HarvestError, match="open it with its own corpus"):
        HarvestStore.open(store.folder, other)


@given(st.text(min_size=1, max_size=30), st.data())
def test_pieces_join_to_the_text_whatever_bytes_the_tokens_cut(text, data):
    raw = text.encode()
    cuts = sorted(data.draw(st.sets(st.integers(1, len(raw) - 1), max_size=12))) if len(raw) > 1 else []
    edges = np.array([0, *cuts, len(raw)])
    ranges = np.stack([edges[:-1], edges[1:]], axis=1)
    values = np.arange(len(ranges), dtype=np.float32)
    peak = data.draw(st.integers(0, len(ranges) - 1))
    snippet = snippet_of(4, raw, ranges, first=0, peak=peak, values=values)
    assert "".join(piece for piece, _ in snippet.pieces) == text
    assert snippet.pieces[snippet.peak][1] >= values[peak]
    assert len(snippet.pieces) == character_groups(raw, ranges)[-1] + 1


def test_a_window_that_begins_inside_a_character_shows_the_whole_character():
    raw = "日a".encode()
    ranges = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    snippet = snippet_of(0, raw, ranges, first=2, peak=3, values=np.array([0.5, 2.0], dtype=np.float32))
    assert snippet.pieces == (("日", 0.5), ("a", 2.0))
    assert snippet.peak == 1


def test_the_context_of_a_token_ends_with_its_document():
    assert context_bounds(0, 5, 256) == (0, 5)
    assert context_bounds(254, 600, 256) == (0, 255)
    assert context_bounds(255, 600, 256) == (255, 510)
