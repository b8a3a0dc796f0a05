"""Records of others become a corpus and a harvest, and what is wrong in them is said."""

import json

import numpy as np
import pytest

from neurons.store.corpus import CorpusStore
from neurons.store.harvest import HarvestStore
from neurons.store.records.build import RecordImport, Wanted
from neurons.store.records.record import RecordsError
from neurons.store.records.store import RecordStore
from neurons.tests.records.factories import (
    import_here,
    make_activation,
    make_feature,
    make_neuronpedia,
    make_openai,
    make_openai_record,
    write_lines,
)


def text_of(snippet):
    return "".join(text for text, _ in snippet.pieces)


def widest(store, layer, neuron):
    config = store.meta["config"]
    return store.top_snippets(layer, neuron, 100, config["before"], config["after"])


@pytest.mark.parametrize("gz", [True, False])
def test_a_neuronpedia_folder_becomes_snippets_with_their_activations(tmp_path, gz):
    store = import_here(tmp_path, make_neuronpedia(tmp_path / "0-mlp", gz=gz))
    assert (store.n_layers, store.d_mlp) == (1, 4)
    for neuron in range(4):
        lines = [make_activation(neuron, 100 * neuron + i) for i in range(6)]
        lines.sort(key=lambda line: -line["maxValue"])
        assert store.top_values(0, neuron).tolist() == [line["maxValue"] for line in lines]
        for snippet, line in zip(widest(store, 0, neuron), lines, strict=True):
            assert snippet.pieces == tuple(zip(line["tokens"], line["values"], strict=True))
            assert snippet.peak == line["maxValueTokenIndex"]
        assert store.density(0, neuron) == 0.0123456789012345


def test_openai_records_become_snippets_by_layer_and_neuron(tmp_path):
    store = import_here(tmp_path, make_openai(tmp_path / "neurons"))
    assert (store.n_layers, store.d_mlp) == (2, 3)
    for layer in range(2):
        for neuron in range(3):
            record = make_openai_record(layer, neuron, layer)
            snippets = widest(store, layer, neuron)
            assert [text_of(snippet) for snippet in snippets] == [
                "".join(item["tokens"]) for item in record["most_positive_activation_records"]
            ]
            assert np.isnan(store.density(layer, neuron))


def test_samples_stay_with_the_records_and_not_among_the_strongest(tmp_path):
    store = import_here(tmp_path, make_openai(tmp_path / "neurons"))
    record = RecordStore.of(store).record(1, 2)
    assert len(record.excerpts) == 6 + 8 + 3
    assert store.top_count(1, 2) == 6
    assert len(store.sample(1, 2).values) == 0
    assert store.sample(1, 2).density() == (0.0, 0.0)


def test_a_single_file_and_json_lines_are_read_as_well(tmp_path):
    one = tmp_path / "7.json"
    one.write_text(json.dumps(make_openai_record(0, 7), indent=1))
    many = write_lines(tmp_path / "more.jsonl", [make_openai_record(0, 8), make_openai_record(1, 0)])
    store = import_here(tmp_path, one, many)
    assert (store.n_layers, store.d_mlp) == (2, 9)
    assert store.top_count(0, 7) == store.top_count(0, 8) == store.top_count(1, 0) == 6
    assert store.top_count(1, 7) == 0
    assert store.meta["known"] == [2, 1]
    assert store.meta["dead"] == [0, 0]


def test_a_text_that_many_neurons_fire_on_is_stored_once(tmp_path):
    lines = [make_activation(n, 5) for n in range(20)]
    store = import_here(tmp_path, write_lines(tmp_path / "a.jsonl", lines))
    assert store.corpus.documents == 1
    assert all(store.top_count(0, neuron) == 1 for neuron in range(20))


def test_a_text_that_a_neuron_has_twice_is_shown_once_and_kept_twice(tmp_path):
    lines = [make_activation(0, 5), make_activation(0, 5), make_activation(0, 6)]
    store = import_here(tmp_path, write_lines(tmp_path / "a.jsonl", lines))
    assert store.top_count(0, 0) == 2
    assert store.meta["records"]["repeated"] == 1
    assert len(RecordStore.of(store).record(0, 0).excerpts) == 3


def test_a_neuron_that_never_fires_is_dead_and_one_without_records_is_unknown(tmp_path):
    silent = make_activation(2, 5, values=[0.0] * 12, maxValue=0.0, maxValueTokenIndex=0)
    store = import_here(tmp_path, write_lines(tmp_path / "a.jsonl", [make_activation(0, 1), silent]))
    assert [store.is_dead(0, neuron) for neuron in range(3)] == [False, False, True]
    assert [store.is_known(0, neuron) for neuron in range(3)] == [True, False, True]
    assert store.meta["dead"] == [1]
    assert store.meta["known"] == [2]


def test_bins_are_samples_unless_there_is_nothing_else(tmp_path):
    bins = {"binMin": 1.0, "binMax": 2.0, "binContains": 0.01}
    lines = [make_activation(0, 1), make_activation(0, 2, **bins), make_activation(1, 3, **bins)]
    store = import_here(tmp_path, write_lines(tmp_path / "a.jsonl", lines))
    assert store.top_count(0, 0) == 1
    assert store.top_count(0, 1) == 1
    assert store.meta["records"]["ungrouped"] == 1


def test_a_density_of_zero_beside_firing_excerpts_is_not_believed(tmp_path):
    lines = [make_activation(0, 1), make_feature(0, frac_nonzero=0), make_feature(1, frac_nonzero=0)]
    store = import_here(tmp_path, write_lines(tmp_path / "a.jsonl", lines))
    assert np.isnan(store.density(0, 0))
    assert store.density(0, 1) == 0


def test_one_layer_can_be_chosen(tmp_path):
    make_neuronpedia(tmp_path / "both" / "0-mlp")
    make_neuronpedia(tmp_path / "both" / "1-mlp", layer="1-mlp", neurons=2)
    store = import_here(tmp_path, tmp_path / "both")
    assert (store.n_layers, store.d_mlp) == (2, 4)
    one = import_here(tmp_path / "one", tmp_path / "both", layer="1-mlp")
    assert one.top_count(0, 0) == 0
    assert one.top_count(1, 1) == 6
    assert one.meta["records"]["other_layers"] == 28


def test_two_sets_of_neurons_are_not_mixed(tmp_path):
    lines = [make_activation(0, 1, "0-mlp"), make_activation(0, 2, "0-res-jb")]
    with pytest.raises(RecordsError, match=r"a.jsonl:2: set 'res-jb' of 'tiny' follows set 'mlp'"):
        import_here(tmp_path, write_lines(tmp_path / "a.jsonl", lines))
    assert import_here(tmp_path, tmp_path / "a.jsonl", layer="0-res-jb").top_count(0, 0) == 1


BAD_LINES = [
    ("{", "no JSON"),
    ("[1]", "a JSON int; expected an object"),
    ({"layer": "mlp"}, "layer is 'mlp'; expected a number and a set"),
    ({"index": "x"}, "index is 'x'; expected a whole number"),
    ({"index": 10**12}, "expected a whole number from 0"),
    ({"index": True}, "index is True"),
    ({"tokens": []}, "tokens is []; expected a list of at least one text"),
    ({"tokens": ["a", 1]}, "expected a list of at least one text"),
    ({"tokens": [""] * 12}, "tokens hold no text at all"),
    ({"values": [1.0]}, "values holds 1 numbers for 12 tokens"),
    ({"values": ["1"] * 12}, "expected a list of numbers"),
    ({"values": [1e39] * 12}, "beyond float32"),
    ({"values": [float("inf")] * 12}, "an infinity"),
    ({"values": [None] + [1.0] * 11}, "values is unknown for 1 of 12 tokens"),
    ({"maxValueTokenIndex": 12}, "maxValueTokenIndex is 12; expected a whole number from 0 to 11"),
    ({"binMin": "low"}, "binMin is 'low'; expected a number"),
]


@pytest.mark.parametrize(("fault", "said"), BAD_LINES)
def test_a_bad_line_is_named_with_what_is_wrong_and_can_be_skipped(tmp_path, fault, said):
    bad = fault + "\n" if isinstance(fault, str) else make_activation(0, 1) | fault
    path = write_lines(tmp_path / "a.jsonl", [make_activation(0, 2), bad, make_activation(0, 3)], gz=True)
    with pytest.raises(RecordsError) as refused:
        import_here(tmp_path, path)
    assert f"{path}:2: " in str(refused.value)
    assert said in str(refused.value)
    assert "--skip-bad" in str(refused.value)
    assert not (tmp_path / "harvest").exists()
    store = import_here(tmp_path, path, skip_bad=True)
    assert store.top_count(0, 0) == 2
    read = store.meta["records"]["read"]
    assert sum(read["skipped"].values()) == 1
    assert read["examples"][0].startswith(f"{path}:2: ")


def test_a_record_with_one_bad_excerpt_is_left_out_as_a_whole(tmp_path):
    bad = make_openai_record(0, 1)
    bad["random_sample"][2]["activations"].pop()
    path = write_lines(tmp_path / "a.jsonl", [make_openai_record(0, 0), bad])
    with pytest.raises(RecordsError, match=r"random_sample\[2\].activations holds 11 numbers for 12 tokens"):
        import_here(tmp_path, path)
    store = import_here(tmp_path, path, skip_bad=True)
    assert store.d_mlp == 1


def test_a_neuron_described_twice_is_told(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", [make_activation(0, 1), make_feature(0), make_feature(0)])
    with pytest.raises(RecordsError, match="neuron 0 of layer 0 was described before"):
        import_here(tmp_path, path)


def test_a_damaged_archive_is_named(tmp_path):
    path = write_lines(tmp_path / "a.jsonl", [make_activation(0, i) for i in range(40)], gz=True)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RecordsError, match=r"a.jsonl.gz: the file is damaged after line \d+"):
        import_here(tmp_path, path)
    assert import_here(tmp_path, path, skip_bad=True).top_count(0, 0) > 0


@pytest.mark.parametrize("name", ["none", "empty"])
def test_nothing_to_read_is_told(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordsError, match=r"does not exist|holds no file"):
        import_here(tmp_path, tmp_path / name)
    with pytest.raises(RecordsError, match="no text with activations"):
        import_here(tmp_path, write_lines(tmp_path / "a.jsonl", [make_feature(0)]))


def test_an_interrupted_import_leaves_nothing_that_the_next_one_trips_over(tmp_path):
    path = make_neuronpedia(tmp_path / "0-mlp")
    seen = []

    def stop(done, total):
        seen.append((done, total))
        if done > total / 2:
            raise KeyboardInterrupt

    importing = RecordImport(Wanted([path]), stop)
    with pytest.raises(KeyboardInterrupt):
        importing.into_new_corpus(tmp_path / "corpus", tmp_path / "harvest", name="small", facts={})
    assert not (tmp_path / "corpus").exists()
    assert seen == sorted(seen)
    import_here(tmp_path, path)
    assert not list(tmp_path.glob("*.unfinished"))


def test_the_same_records_give_the_same_bytes(tmp_path):
    path = make_neuronpedia(tmp_path / "0-mlp")
    stores = [import_here(tmp_path / name, path) for name in ("once", "twice")]
    files = [sorted(file.relative_to(s.folder) for file in s.folder.rglob("*") if file.is_file()) for s in stores]
    assert files[0] == files[1]
    assert all((stores[0].folder / file).read_bytes() == (stores[1].folder / file).read_bytes() for file in files[0])
    assert stores[0].corpus.fingerprint == stores[1].corpus.fingerprint


def test_arms_share_a_corpus_that_holds_the_texts_of_both(tmp_path):
    first, second = make_neuronpedia(tmp_path / "a" / "0-mlp"), make_openai(tmp_path / "b", layers=1, seed=500)
    store = import_here(tmp_path, first, texts_of=[second])
    RecordImport(Wanted([second])).into_known_corpus(store.corpus, tmp_path / "other", facts={})
    other = HarvestStore.open(tmp_path / "other", store.corpus)
    record = make_openai_record(0, 1, 500)["most_positive_activation_records"][0]
    assert text_of(widest(other, 0, 1)[0]) == "".join(record["tokens"])
    assert store.meta["records"]["texts_of"]["records"] == 3


def test_a_corpus_does_not_grow(tmp_path):
    store = import_here(tmp_path, make_neuronpedia(tmp_path / "a" / "0-mlp"))
    other = RecordImport(Wanted([make_openai(tmp_path / "b", seed=500)], skip_bad=True))
    with pytest.raises(RecordsError, match=r"lacks the text .* --texts-of"):
        other.into_known_corpus(store.corpus, tmp_path / "other", facts={})
    assert CorpusStore.open(tmp_path / "corpus").documents == store.corpus.documents


def test_byte_level_and_sentencepiece_tokens_become_readable_text(tmp_path):
    byte_level = ["Ġæ", "Ĺ", "¥", "æľ¬", "Ġthe", "âĢ", "Ļ", "Ċ", "Ġcaf", "Ã", "©", "<|endoftext|>"]
    marked = ["<bos>", "▁日", "<0xE6>", "<0x9C>", "<0xAC>", "▁the", "\n", "▁caf", "é", "▁a", "▁b", "▁c"]
    for name, tokens, text in (
        ("bytes", byte_level, " 日本 the’\n café<|endoftext|>"),
        ("sentencepiece", marked, "<bos> 日本 the\n café a b c"),
    ):
        line = make_activation(0, 1, tokens=tokens)
        store = import_here(tmp_path / name, write_lines(tmp_path / f"{name}.jsonl", [line]))
        assert store.meta["records"]["spelling"] == name
        assert store.corpus.document_text(0) == text
        assert text_of(widest(store, 0, 0)[0]) == text
        assert list(RecordStore.of(store).record(0, 0).excerpts[0].tokens) == tokens


def test_the_spelling_can_be_given(tmp_path):
    line = make_activation(0, 1, tokens=["Ġ"] * 12)
    store = import_here(tmp_path, write_lines(tmp_path / "a.jsonl", [line]), spelling="text")
    assert store.corpus.document_text(0) == "Ġ" * 12


def test_an_excerpt_longer_than_can_be_shown_is_told(tmp_path):
    values = [0.5] * 3000
    values[1500] = 9.0
    line = make_activation(0, 1, tokens=["a "] * 3000, values=values, maxValue=9.0, maxValueTokenIndex=1500)
    store = import_here(tmp_path, write_lines(tmp_path / "a.jsonl", [line]))
    assert (store.meta["config"]["before"], store.meta["config"]["after"]) == (1024, 1024)
    assert store.meta["records"]["cut"] == 1
    snippet = widest(store, 0, 0)[0]
    assert len(snippet.pieces) == 2049
    assert snippet.pieces[snippet.peak] == ("a ", 9.0)
    assert len(RecordStore.of(store).record(0, 0).excerpts[0].values) == 3000
