"""What is exported can be read back: our snippets to the bit, and other people's fields as they were."""

import gzip
import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurons.lab.harvest import harvest
from neurons.lab.harvest_config import HarvestConfig
from neurons.store.harvest import HarvestStore
from neurons.store.records.export import ExportFacts, export
from neurons.store.records.harvested import HarvestedNeurons, moments
from neurons.store.records.numbers import numbers
from neurons.store.records.record import RecordsError
from neurons.store.records.store import RecordStore
from neurons.tests.factories import IntegerNetwork, make_corpus
from neurons.tests.records.factories import (
    import_here,
    make_activation,
    make_feature,
    make_neuronpedia,
    make_openai,
    write_lines,
)

CONFIG = HarvestConfig(split="train", top=6, reserve=18, before=9, after=6, sample_one_in=5)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> HarvestStore:
    folder = tmp_path_factory.mktemp("export")
    return harvest(IntegerNetwork(), make_corpus(folder / "corpus"), folder / "out", CONFIG, facts={})


def make_facts(kind, store, source_set="mlp", **provenance) -> ExportFacts:
    return ExportFacts(kind, "tiny", source_set, "small", store.n_layers, store.d_mlp, provenance)


def every_neuron(store):
    return {layer: list(range(store.d_mlp)) for layer in range(store.n_layers)}


def snippets(store, layer, neuron):
    """All snippets, as wide as they were stored, without the numbers of their documents."""
    config = store.meta["config"]
    found = store.top_snippets(layer, neuron, 100, config["before"], config["after"])
    return [(snippet.pieces, snippet.peak) for snippet in found]


def lines_of(path):
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


@pytest.mark.parametrize("kind", ["neuronpedia", "openai"])
def test_our_snippets_come_back_to_the_bit(store, tmp_path, kind):
    written = export(tmp_path / "out", HarvestedNeurons(store, 3), make_facts(kind, store), every_neuron(store))
    assert written == store.n_layers * store.d_mlp
    back = import_here(tmp_path, tmp_path / "out")
    assert (back.n_layers, back.d_mlp) == (store.n_layers, store.d_mlp)
    assert back.meta["records"]["spelling"] == "text"
    seen = 0
    for layer in range(store.n_layers):
        for neuron in range(store.d_mlp):
            assert snippets(back, layer, neuron) == snippets(store, layer, neuron)
            assert back.top_values(layer, neuron).tobytes() == store.top_values(layer, neuron).tobytes()
            seen += store.top_count(layer, neuron)
    assert seen > 100
    assert any(len(text.encode()) > len(text) for pieces, _ in snippets(back, 0, 5) for text, _ in pieces)


def test_density_histogram_and_moments_come_from_the_sample(store, tmp_path):
    export(tmp_path / "out", HarvestedNeurons(store, 0), make_facts("neuronpedia", store), every_neuron(store))
    feature = lines_of(tmp_path / "out" / "tiny" / "0-mlp" / "features" / "batch-0.jsonl.gz")[5]
    values = store.sample(0, 5).values
    assert feature["frac_nonzero"] == store.density(0, 5) == np.count_nonzero(values > 0) / len(values)
    assert sum(feature["freq_hist_data_bar_heights"]) == np.count_nonzero(values > 0)
    assert len(feature["freq_hist_data_bar_values"]) == 50
    assert feature["maxActApprox"] == store.top_values(0, 5)[0]
    assert "pos_str" not in feature
    export(tmp_path / "json", HarvestedNeurons(store, 0), make_facts("openai", store), {0: [5]})
    record = json.loads((tmp_path / "json" / "0" / "5.json").read_text())
    assert record["mean"] == pytest.approx(values.astype(np.float64).mean(), abs=1e-12)
    assert record["quantile_boundaries"] == np.quantile(values.astype(np.float64), [0.5, 0.9, 0.99, 0.999]).tolist()
    assert record["random_sample"] == []


def test_moments_are_those_of_the_population():
    values = np.random.default_rng(1).gamma(2.0, size=4000).astype(np.float32)
    exact = values.astype(np.float64)
    centred = exact - math.fsum(exact) / 4000
    found = moments(values)
    assert found["variance"] == pytest.approx(math.fsum(centred**2) / 4000, rel=1e-12)
    assert found["skewness"] == pytest.approx(math.fsum(centred**3) / 4000 / found["variance"] ** 1.5, rel=1e-12)
    assert found["kurtosis"] == pytest.approx(math.fsum(centred**4) / 4000 / found["variance"] ** 2, rel=1e-12)
    assert set(moments(np.ones(3, dtype=np.float32))) == {"mean", "variance"}


def test_samples_of_rank_ranges_say_what_is_not_known(store, tmp_path):
    neurons = HarvestedNeurons(store, 3)
    export(tmp_path / "np", neurons, make_facts("neuronpedia", store), {1: [7]})
    rows = lines_of(tmp_path / "np" / "tiny" / "1-mlp" / "activations" / "batch-0.jsonl.gz")
    ranges = [row for row in rows if row["binContains"] != -1]
    assert sorted({round(row["binContains"], 3) for row in ranges}) == [0.001, 0.009, 0.09, 0.4, 0.5]
    for row in ranges:
        known = [value for value in row["values"] if value is not None]
        assert known == [row["values"][row["qualifyingTokenIndex"]]]
        assert row["binMin"] <= known[0] <= row["binMax"]
    assert all(row["binMin"] == -1 and None not in row["values"] for row in rows if row not in ranges)
    export(tmp_path / "oa", neurons, make_facts("openai", store), {1: [7]})
    record = json.loads((tmp_path / "oa" / "1" / "7.json").read_text())
    assert len(record["random_sample_by_quantile"]) == 5
    assert len(record["random_sample"]) == 3


@pytest.mark.parametrize("kind", ["neuronpedia", "openai"])
def test_their_fields_come_back_as_they_were(tmp_path, kind):
    if kind == "openai":
        source = make_openai(tmp_path / "source")
    else:
        make_neuronpedia(tmp_path / "source" / "tiny" / "0-mlp")
        make_neuronpedia(tmp_path / "source" / "tiny" / "1-mlp", layer="1-mlp", neurons=2)
        source = tmp_path / "source"
    store = import_here(tmp_path, source)
    export(tmp_path / "out", RecordStore.of(store), make_facts(kind, store), every_neuron(store))
    if kind == "openai":
        files = sorted(file.relative_to(source) for file in source.rglob("*.json"))
        assert files == sorted(file.relative_to(tmp_path / "out") for file in (tmp_path / "out").rglob("*.json"))
        for file in files:
            assert json.loads((tmp_path / "out" / file).read_text()) == json.loads((source / file).read_text())
        return
    for layer in ("0-mlp", "1-mlp"):
        for part, lost in (
            ("activations", {"id", "creatorId", "dataSource", "dataIndex"}),
            ("features", {"creatorId"}),
        ):
            given = [row for file in sorted((source / "tiny" / layer / part).iterdir()) for row in lines_of(file)]
            got = lines_of(tmp_path / "out" / "tiny" / layer / part / "batch-0.jsonl.gz")
            wanted = [{key: row[key] for key in row.keys() - lost if row[key] != []} for row in given]
            assert [{key: row[key] for key in row.keys() - lost} for row in got] == wanted


@pytest.mark.parametrize("first", ["neuronpedia", "openai"])
def test_what_both_formats_have_survives_the_way_through_the_other(tmp_path, first):
    source = make_openai(tmp_path / "a") if first == "openai" else make_neuronpedia(tmp_path / "a" / "tiny" / "0-mlp")
    store = import_here(tmp_path, source)
    second = "neuronpedia" if first == "openai" else "openai"
    export(tmp_path / "b", RecordStore.of(store), make_facts(second, store), every_neuron(store))
    back = import_here(tmp_path / "back", tmp_path / "b")
    for layer in range(store.n_layers):
        for neuron in range(store.d_mlp):
            assert snippets(back, layer, neuron) == snippets(store, layer, neuron)
    if first == "openai":
        # Ranges keep their order and their bounds; only what was drawn at random has no place in the other format.
        ranges = [excerpt.group for excerpt in RecordStore.of(back).record(0, 0).excerpts][6:]
        assert [(group.low, group.high) for group in ranges[::2]] == [
            (None, 0.1),
            (0.1, 0.25),
            (0.25, 1.5),
            (1.5, 3.25),
        ]


TOKEN = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6),
    st.binary(min_size=1, max_size=3).map(lambda raw: "".join(f"<0x{byte:02X}>" for byte in raw)),
    st.sampled_from([" the", "<0x", "▁", "Ġ", "\u0000", "\ud83d", "日", "🙂"]),
)
FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    excerpts=st.lists(st.lists(st.tuples(TOKEN, FLOAT32), min_size=1, max_size=8), min_size=1, max_size=4),
    kind=st.sampled_from(["neuronpedia", "openai"]),
)
def test_any_tokens_and_any_float32_survive(tmp_path_factory, excerpts, kind):
    folder = tmp_path_factory.mktemp("any")
    lines = []
    for pairs in excerpts:
        tokens, values = ([pair[side] for pair in pairs] for side in (0, 1))
        lines.append(make_activation(0, 0, tokens=tokens, values=values, maxValueTokenIndex=None))
    path = write_lines(folder / "a.jsonl", lines)
    store = import_here(folder, path, spelling="text")
    export(folder / "out", RecordStore.of(store), make_facts(kind, store), {0: [0]})
    back = import_here(folder / "back", folder / "out", spelling="text")
    first, second = (RecordStore.of(one).record(0, 0).excerpts for one in (store, back))
    assert [excerpt.tokens for excerpt in second] == [excerpt.tokens for excerpt in first]
    assert [excerpt.values.tobytes() for excerpt in second] == [excerpt.values.tobytes() for excerpt in first]
    assert snippets(back, 0, 0) == snippets(store, 0, 0)


@given(st.lists(FLOAT32, min_size=1, max_size=20))
def test_numbers_are_short_and_exact(values):
    array = np.array(values, dtype=np.float32)
    assert np.array(json.loads(json.dumps(numbers(array))), dtype=np.float64).astype(np.float32).tobytes() == (
        array.tobytes()
    )
    assert json.dumps(numbers(np.array([0.1], dtype=np.float32))) == "[0.1]"


def test_facts_that_were_given_from_elsewhere_are_written(store, tmp_path):
    neurons = HarvestedNeurons(store, 0, lambda layer, neuron: {"pos_str": [" a"], "pos_values": [0.5]})
    export(tmp_path / "out", neurons, make_facts("neuronpedia", store), {0: [2]})
    (feature,) = lines_of(tmp_path / "out" / "tiny" / "0-mlp" / "features" / "batch-0.jsonl.gz")
    assert (feature["index"], feature["pos_str"], feature["pos_values"]) == ("2", [" a"], [0.5])


@pytest.mark.parametrize("kind", ["neuronpedia", "openai"])
def test_an_interrupted_export_goes_on_and_gives_the_same_files(store, tmp_path, monkeypatch, kind):
    monkeypatch.setattr("neurons.store.records.export.BATCH", 5)
    neurons, facts = HarvestedNeurons(store, 2), make_facts(kind, store)
    export(tmp_path / "whole", neurons, facts, every_neuron(store))

    def stop(done, total):
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(tmp_path / "cut", neurons, facts, every_neuron(store), stop)
    assert not (tmp_path / "cut").exists()
    before = times_of(tmp_path / "cut.unfinished")
    export(tmp_path / "cut", neurons, facts, every_neuron(store))
    after = times_of(tmp_path / "cut")
    assert sum(after[file] == before[file] for file in after.keys() & before.keys()) == len(before) - 1 > 8
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")
    assert not (tmp_path / "cut.unfinished").exists()


def times_of(folder):
    return {file.relative_to(folder): file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}


def files_of(folder):
    return {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_an_export_of_something_else_does_not_go_on_with_what_is_there(store, tmp_path):
    neurons = HarvestedNeurons(store, 0)

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(tmp_path / "out", neurons, make_facts("openai", store, sha="a"), {0: [1]}, stop)
    export(tmp_path / "out", neurons, make_facts("openai", store, sha="b"), {0: [2]})
    assert [file.name for file in (tmp_path / "out").rglob("*.json")] == ["2.json"]


def test_a_folder_that_holds_something_is_left_alone(store, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RecordsError, match="holds something already"):
        export(tmp_path, HarvestedNeurons(store, 0), make_facts("openai", store), {0: [1]})
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_neurons_without_records_are_passed_over(tmp_path):
    lines = [make_activation(1, 1), make_activation(4, 2), make_feature(6)]
    store = import_here(tmp_path, write_lines(tmp_path / "a.jsonl", lines))
    assert export(tmp_path / "out", RecordStore.of(store), make_facts("openai", store), every_neuron(store)) == 3
    assert sorted(file.name for file in (tmp_path / "out").rglob("*.json")) == ["1.json", "4.json", "6.json"]
