"""The harvest against a brute force in float64, under every cut, interruption and damage."""

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurons.lab import capture as capture_module
from neurons.lab.capture import to_half
from neurons.lab.harvest import HarvestConfig, HarvestStopped, harvest, harvest_shard, make_plan, merge_shards
from neurons.lab.harvest_files import adopt_saved_state
from neurons.lab.harvest_plan import BlockSample, choose_documents, tiles_of
from neurons.store.harvest import HarvestError
from neurons.tests.factories import IntegerNetwork, make_corpus, make_network, make_texts
from neurons.tests.lab.brute_force import all_activations, brute_force

CONFIG = HarvestConfig(
    split="train",
    top=5,
    reserve=15,
    before=9,
    after=6,
    equal_before=2,
    equal_after=1,
    alike_before=4,
    alike_after=3,
    likeness=0.6,
    sample_one_in=7,
    tile_tokens=320,
    block_tokens=1500,
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("harvest") / "corpus")


def run(network, corpus, folder, config=CONFIG, **more):
    return harvest(network, corpus, folder, config, facts={"network": "n"}, **more)


def bytes_of(folder: Path, pattern: str = "*.npy") -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob(pattern)) if path.is_file()
    }


def test_top_snippets_equal_a_brute_force_in_float64_with_ties_everywhere(corpus, tmp_path):
    network = IntegerNetwork()
    store = run(network, corpus, tmp_path / "out")
    activations = all_activations(network, corpus, choose_documents(corpus, "train", None))
    compared = 0
    for layer in range(store.n_layers):
        files = {
            name: np.load(tmp_path / "out" / f"layer{layer:02d}" / f"{name}.npy")
            for name in ("values", "documents", "positions", "windows")
        }
        for neuron in range(store.d_mlp):
            expected = brute_force(activations, corpus, layer, neuron, CONFIG, store.context)
            count = store.top_count(layer, neuron)
            assert count == len(expected)
            compared += count
            for rank, (value, document, position, window) in enumerate(expected):
                assert files["values"][neuron, rank] == value
                assert files["documents"][neuron, rank] == document
                assert files["positions"][neuron, rank] == position
                assert files["windows"][neuron, rank].tolist() == window
    assert compared > 80


def test_the_values_of_a_real_network_agree_with_those_of_each_context_alone(corpus, tmp_path):
    network = make_network("solu_ln")
    store = run(network, corpus, tmp_path / "out")
    activations = all_activations(network, corpus, choose_documents(corpus, "train", None))
    for layer in range(store.n_layers):
        strongest = [max(values[layer, :, n].max() for values in activations.values()) for n in range(store.d_mlp)]
        np.testing.assert_allclose(store.maxima(layer), np.maximum(strongest, 0), rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize(("tile_tokens", "block_tokens"), [(1, 1), (40, 500), (333, 7000), (4096, 10**6)])
def test_exact_arithmetic_gives_the_same_bytes_in_tiles_and_blocks_of_any_size(
    corpus, tmp_path, tile_tokens, block_tokens
):
    run(IntegerNetwork(), corpus, tmp_path / "one")
    other = replace(CONFIG, tile_tokens=tile_tokens, block_tokens=block_tokens)
    run(IntegerNetwork(), corpus, tmp_path / "two", other)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


@pytest.mark.parametrize("blocks", [1, 3, 6])
def test_stopped_and_taken_up_equals_never_stopped(corpus, tmp_path, blocks):
    run(make_network(), corpus, tmp_path / "whole")
    left = iter([False] * (blocks - 1) + [True])
    with pytest.raises(HarvestStopped):
        run(make_network(), corpus, tmp_path / "cut", stop=lambda: next(left))
    assert not (tmp_path / "cut").exists()
    run(make_network(), corpus, tmp_path / "cut")
    assert bytes_of(tmp_path / "whole", "*") == bytes_of(tmp_path / "cut", "*")


def test_stopped_after_every_single_block_equals_never_stopped(corpus, tmp_path):
    run(IntegerNetwork(), corpus, tmp_path / "whole")
    stops = 0
    while not (tmp_path / "cut").exists():
        try:
            run(IntegerNetwork(), corpus, tmp_path / "cut", stop=lambda: True)
        except HarvestStopped:
            stops += 1
        if stops > 100:
            break
    assert stops > 5
    run(IntegerNetwork(), corpus, tmp_path / "cut")
    assert bytes_of(tmp_path / "whole", "*") == bytes_of(tmp_path / "cut", "*")


class Crash(Exception):
    pass


def test_a_crash_between_two_saved_states_changes_nothing(corpus, tmp_path):
    run(make_network(), corpus, tmp_path / "whole")
    calls = iter(range(100))

    def crash(*_):
        if next(calls) == 4:
            raise Crash

    with pytest.raises(Crash):
        run(make_network(), corpus, tmp_path / "cut", progress=crash, checkpoint_seconds=0.0)
    (tmp_path / "cut.unfinished" / "saved.json.writing").write_bytes(b"half a state")
    seen = []
    run(make_network(), corpus, tmp_path / "cut", progress=lambda done, total: seen.append(done))
    assert seen[0] > 0
    assert bytes_of(tmp_path / "whole", "*") == bytes_of(tmp_path / "cut", "*")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("cut")] == ["cut"]


KILLED = """
import os, signal, sys
from pathlib import Path
from neurons.store.corpus import CorpusStore
from neurons.tests.factories import IntegerNetwork
from neurons.tests.lab.test_harvest import run
blocks = iter(range(100))
def die(*_):
    if next(blocks) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
run(IntegerNetwork(), CorpusStore.open(sys.argv[1]), Path(sys.argv[2]), progress=die, checkpoint_seconds=0.0)
"""


def test_a_harvest_killed_outright_ends_with_the_same_bytes(corpus, tmp_path):
    run(IntegerNetwork(), corpus, tmp_path / "whole")
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", KILLED, str(corpus.folder), str(tmp_path / "cut")]
    killed = subprocess.run(command, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "cut.unfinished" / "saved.json").is_file()
    run(IntegerNetwork(), corpus, tmp_path / "cut")
    assert bytes_of(tmp_path / "whole", "*") == bytes_of(tmp_path / "cut", "*")


def test_a_finished_harvest_is_opened_and_not_made_again(corpus, tmp_path):
    run(IntegerNetwork(), corpus, tmp_path / "out")
    idle = IntegerNetwork()
    idle.neuron_activations = lambda *_, **__: pytest.fail("asked the network")
    assert run(idle, corpus, tmp_path / "out").meta["network"] == "n"


def test_a_harvest_of_another_configuration_is_neither_taken_up_nor_opened(corpus, tmp_path):
    with pytest.raises(HarvestStopped):
        run(IntegerNetwork(), corpus, tmp_path / "out", stop=lambda: True)
    with pytest.raises(HarvestError, match="another config"):
        run(IntegerNetwork(), corpus, tmp_path / "out", replace(CONFIG, top=4))
    run(IntegerNetwork(), corpus, tmp_path / "out")
    with pytest.raises(HarvestError, match="another config"):
        run(IntegerNetwork(), corpus, tmp_path / "out", replace(CONFIG, top=4))


class Damaged(IntegerNetwork):
    """Gives a bad number wherever one token is read, at neuron 5 of layer 1."""

    def __init__(self, token, value):
        super().__init__()
        self.token, self.value = token, value

    def neuron_activations(self, tokens, *, site="post_act"):
        for layer, values in super().neuron_activations(tokens, site=site):
            if layer == 1:
                values[..., 5][tokens == self.token] = self.value
            yield layer, values


def places_of(corpus, token):
    """(document, position) of every harvested occurrence of a token, ascending."""
    documents = sorted(choose_documents(corpus, "train", None).tolist())
    return [(d, int(p)) for d in documents for p in np.flatnonzero(corpus.document_tokens(d) == token)]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_cannot_be_ranked_is_listed_with_its_place_and_left_out(corpus, tmp_path, value):
    token = int(corpus.document_tokens(int(choose_documents(corpus, "train", None)[0]))[10])
    store = run(Damaged(token, value), corpus, tmp_path / "out")
    places = places_of(corpus, token)
    assert len(places) > 20
    assert np.load(tmp_path / "out" / "not_finite.npy").tolist() == [[d, p, 1, 1, 5] for d, p in places]
    assert store.not_finite == len(places)
    peaks = np.load(tmp_path / "out" / "layer01" / "values.npy")
    assert np.isfinite(peaks).all()
    assert np.isfinite(np.load(tmp_path / "out" / "layer01" / "windows.npy")).all()
    sampled = store.sample(1, 5)
    assert np.isfinite(sampled.values).all()
    assert not set(zip(sampled.documents.tolist(), sampled.positions.tolist(), strict=True)) & set(places)
    assert store.density(1, 5) == sampled.density()[0]
    assert len(store.sample(1, 4).values) > len(sampled.values)
    snippet = store.sample_snippet(1, 5, 3, 2, 2)
    assert snippet.doc == sampled.documents[3]
    assert snippet.pieces[snippet.peak][1] == sampled.values[3]


def test_other_neurons_do_not_suffer_from_one_that_cannot_be_ranked(corpus, tmp_path):
    token = int(corpus.document_tokens(int(choose_documents(corpus, "train", None)[0]))[10])
    run(IntegerNetwork(), corpus, tmp_path / "clean")
    run(Damaged(token, float("nan")), corpus, tmp_path / "bad")
    for name in ("values", "documents", "positions", "windows", "sample"):
        clean, bad = (np.load(tmp_path / kind / "layer01" / f"{name}.npy") for kind in ("clean", "bad"))
        others = np.arange(len(clean)) != 5
        assert (clean[others] == bad[others]).all()
    assert (tmp_path / "clean" / "layer00" / "values.npy").read_bytes() == (
        tmp_path / "bad" / "layer00" / "values.npy"
    ).read_bytes()


def test_bad_numbers_at_the_beginning_of_sequence_and_in_padding_do_not_matter(corpus, tmp_path):
    run(IntegerNetwork(), corpus, tmp_path / "clean")
    store = run(Damaged(0, float("nan")), corpus, tmp_path / "bad")  # token 0 stands at position 0 and in padding only
    assert bytes_of(tmp_path / "clean") == bytes_of(tmp_path / "bad")
    assert store.not_finite == 0


def cut_into_shards(network, corpus, folder, cuts, order=None, config=CONFIG):
    """Harvest block ranges between the cuts, each alone, and merge them in some order."""
    plan = make_plan(corpus, config)
    edges = [0, *cuts, plan.blocks]
    shards = []
    for first, end in pairwise(edges):
        shards.append(folder / f"shard{first}")
        harvest_shard(network, corpus, shards[-1], plan, config, range(first, end), facts={"network": "n"})
    order = range(len(shards)) if order is None else order
    merged = [shards[number] for number in order]
    return merge_shards(merged, folder / "out", corpus, plan, config, facts={"network": "n"})


@pytest.fixture(scope="module")
def whole(corpus, tmp_path_factory):
    """Bytes of harvests in one piece: of exact arithmetic with ties, of a real network, of one with NaN."""
    folder = tmp_path_factory.mktemp("whole")
    token = int(corpus.document_tokens(int(choose_documents(corpus, "train", None)[0]))[10])
    networks = {"ties": IntegerNetwork(), "real": make_network("solu_ln"), "nan": Damaged(token, float("nan"))}
    for name, network in networks.items():
        run(network, corpus, folder / name)
    return {name: (network, bytes_of(folder / name, "*")) for name, network in networks.items()}


@pytest.mark.parametrize("kind", ["ties", "real", "nan"])
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_any_shards_merged_in_any_order_give_the_same_bytes(corpus, whole, kind, data):
    network, expected = whole[kind]
    blocks = make_plan(corpus, CONFIG).blocks
    assert blocks > 8
    cuts = sorted(data.draw(st.sets(st.integers(1, blocks - 1), max_size=5)))
    order = data.draw(st.permutations(range(len(cuts) + 1)))
    with tempfile.TemporaryDirectory() as folder:
        cut_into_shards(network, corpus, Path(folder), cuts, order)
        assert bytes_of(Path(folder) / "out", "*") == expected


def test_one_shard_for_each_block_gives_the_same_bytes(corpus, whole, tmp_path):
    network, expected = whole["real"]
    cut_into_shards(network, corpus, tmp_path, range(1, make_plan(corpus, CONFIG).blocks))
    assert bytes_of(tmp_path / "out", "*") == expected


def test_shards_that_overlap_or_leave_a_gap_are_refused(corpus, tmp_path):
    plan = make_plan(corpus, CONFIG)
    shards = [range(0, 3), range(2, plan.blocks), range(4, plan.blocks)]
    for number, blocks in enumerate(shards):
        harvest_shard(IntegerNetwork(), corpus, tmp_path / str(number), plan, CONFIG, blocks, facts={})

    def merge(*numbers):
        folders = [tmp_path / str(number) for number in numbers]
        return merge_shards(folders, tmp_path / "out", corpus, plan, CONFIG, facts={})

    with pytest.raises(HarvestError, match="block 2 is in two shards"):
        merge(0, 1)
    with pytest.raises(HarvestError, match="block 0 is in two shards"):
        merge(0, 0, 2)
    with pytest.raises(HarvestError, match="blocks 3 to 3 are in no shard"):
        merge(0, 2)
    with pytest.raises(HarvestError, match="no shard to merge"):
        merge()
    assert not (tmp_path / "out").exists()


def test_shards_of_different_harvests_are_not_merged(corpus, tmp_path):
    plan, half = make_plan(corpus, CONFIG), make_plan(corpus, CONFIG).blocks // 2
    one, two = tmp_path / "one", tmp_path / "two"
    harvest_shard(IntegerNetwork(), corpus, one, plan, CONFIG, range(half), facts={"network": "a"})
    harvest_shard(IntegerNetwork(), corpus, two, plan, CONFIG, range(half, plan.blocks), facts={"network": "b"})
    with pytest.raises(HarvestError, match="its network differs"):
        merge_shards([one, two], tmp_path / "out", corpus, plan, CONFIG, facts={"network": "a"})


def test_a_damaged_shard_is_named(corpus, tmp_path):
    plan = make_plan(corpus, CONFIG)
    harvest_shard(IntegerNetwork(), corpus, tmp_path / "one", plan, CONFIG, range(plan.blocks), facts={})
    path = tmp_path / "one" / "layer01.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(HarvestError, match=r"layer01\.npz is damaged"):
        merge_shards([tmp_path / "one"], tmp_path / "out", corpus, plan, CONFIG, facts={})


def test_a_second_worker_goes_on_from_the_state_of_the_first_and_leaves_it_alone(corpus, whole, tmp_path):
    network, expected = whole["real"]
    plan = make_plan(corpus, CONFIG)
    blocks, left = range(plan.blocks), iter([False, False, False, True])
    with pytest.raises(HarvestStopped):
        harvest_shard(
            network, corpus, tmp_path / "a", plan, CONFIG, blocks, facts={"network": "n"}, stop=lambda: next(left)
        )
    before = bytes_of(tmp_path / "a.unfinished", "*")
    assert adopt_saved_state(tmp_path / "a.unfinished", tmp_path / "b.unfinished")
    seen = []
    harvest_shard(
        network,
        corpus,
        tmp_path / "b",
        plan,
        CONFIG,
        blocks,
        facts={"network": "n"},
        progress=lambda done, total: seen.append(done),
    )
    assert seen[0] > plan.tokens_of(range(4))
    assert bytes_of(tmp_path / "a.unfinished", "*") == before
    merge_shards([tmp_path / "b"], tmp_path / "out", corpus, plan, CONFIG, facts={"network": "n"})
    assert bytes_of(tmp_path / "out", "*") == expected
    assert not adopt_saved_state(tmp_path / "nothing", tmp_path / "c")


@torch.inference_mode()
def test_what_leaves_the_card_equals_what_the_processor_finds(corpus):
    plan, network = make_plan(corpus, CONFIG), make_network("solu_ln")
    thresholds = np.full(24, 0.002, dtype=np.float32)
    compared = 0
    for tile in tiles_of(corpus, plan.documents_of(0), context=48, tile_tokens=320, bos=0):
        for _, activations in network.neuron_activations(torch.from_numpy(tile.tokens)):
            here = capture_module._hits_on_host(tile, activations, thresholds, capture_module.Scratch())
            there = capture_module._hits_on_device(tile, activations, thresholds)
            for one, two in zip(here, there, strict=True):
                assert one.row == two.row
                assert one.neurons.tolist() == two.neurons.tolist()
                assert (one.tracks == two.tracks).all()
                compared += len(one.neurons)
    assert compared > 100


def test_half_precision_is_ranked_by_the_same_total_order(corpus, tmp_path):
    config = replace(CONFIG, precision="bfloat16")
    one = run(make_network(), corpus, tmp_path / "one", config)
    plan = make_plan(corpus, config)
    assert plan.blocks > 4
    cut_into_shards(make_network(), corpus, tmp_path / "cut", [2, 3], [2, 0, 1], config)
    assert bytes_of(tmp_path / "one", "*") == bytes_of(tmp_path / "cut" / "out", "*")
    tops = [one.top_values(layer, neuron) for layer in range(2) for neuron in range(24)]
    assert sum(int((np.diff(values) == 0).sum()) for values in tops) > 5  # ties, as eight significant bits make them


def test_a_dead_neuron_is_named_and_has_no_snippets(corpus, tmp_path):
    store = run(IntegerNetwork(), corpus, tmp_path / "out")
    assert store.meta["dead"] == [1, 1]
    assert store.is_dead(0, 0)
    assert store.top_snippets(0, 0, 20, 3, 3) == []
    assert store.density(0, 0) == 0
    assert not store.is_dead(0, 1)


def test_the_sample_holds_the_activations_of_the_same_tokens_for_every_network(corpus, tmp_path):
    first, second = run(IntegerNetwork(), corpus, tmp_path / "a"), run(IntegerNetwork(11), corpus, tmp_path / "b")
    activations = all_activations(IntegerNetwork(), corpus, choose_documents(corpus, "train", None))
    sample = first.sample(1, 7)
    assert sample.documents.tolist() == second.sample(0, 3).documents.tolist()
    assert sample.positions.tolist() == second.sample(0, 3).positions.tolist()
    expected = [activations[d][1, p, 7] for d, p in zip(sample.documents, sample.positions, strict=True)]
    assert sample.values.tolist() == expected
    assert first.density(1, 7) == sample.density()[0] == np.mean(np.array(expected) > 0)


def test_about_one_token_in_so_many_is_sampled_and_the_choice_is_fair(corpus):
    documents = choose_documents(corpus, "train", None)
    tokens = sum(len(corpus.document_tokens(int(document))) for document in documents)
    sampled = BlockSample.choose(corpus, documents, 7)
    spread = (tokens * (1 / 7) * (6 / 7)) ** 0.5
    assert abs(len(sampled) - tokens / 7) < 4 * spread
    later = BlockSample.choose(corpus, documents[:20], 7)
    pairs = set(zip(sampled.documents.tolist(), sampled.positions.tolist(), strict=True))
    assert set(zip(later.documents.tolist(), later.positions.tolist(), strict=True)) <= pairs


def test_a_limited_harvest_reads_the_beginning_of_one_fixed_order(corpus, tmp_path):
    everything = choose_documents(corpus, "train", None).tolist()
    some = choose_documents(corpus, "train", 3000).tolist()
    tokens = [len(corpus.document_tokens(document)) for document in some]
    assert some == everything[: len(some)]
    assert sum(tokens) >= 3000 > sum(tokens[:-1])
    assert some != sorted(some)
    store = run(IntegerNetwork(), corpus, tmp_path / "out", replace(CONFIG, max_tokens=3000))
    assert store.meta["tokens"] == sum(tokens)


def test_every_token_is_read_once_behind_a_beginning_of_sequence(corpus):
    documents = choose_documents(corpus, "train", None)
    seen = {int(document): [] for document in documents}
    for batch in tiles_of(corpus, documents, context=40, tile_tokens=200, bos=0):
        assert (batch.tokens[:, 0] == 0).all()
        assert batch.tokens.shape[1] <= 40
        for row, (document, first, length) in enumerate(zip(batch.documents, batch.firsts, batch.lengths, strict=True)):
            seen[int(document)].append((int(first), batch.tokens[row, 1 : length + 1].tolist()))
    for document, parts in seen.items():
        joined = [token for _, tokens in sorted(parts) for token in tokens]
        assert joined == corpus.document_tokens(document).tolist()


def test_a_text_that_many_documents_share_takes_one_place(tmp_path):
    corpus = make_corpus(tmp_path / "corpus", make_texts(240))
    store = run(IntegerNetwork(), corpus, tmp_path / "out")
    for neuron in range(1, store.d_mlp):
        texts = ["".join(text for text, _ in s.pieces) for s in store.top_snippets(0, neuron, 5, 2, 1)]
        assert len(set(texts)) == len(texts)


def test_rounding_to_half_precision_keeps_the_sign_and_stays_finite():
    values = np.array([[1e-30, -1e-30, 0.0, 1e30, -1e30, 0.5]], dtype=np.float32)
    half = to_half(values)
    assert (half > 0).tolist() == [[True, False, False, True, False, True]]
    assert np.isfinite(half).all()


@pytest.mark.parametrize("change", [{"top": 0}, {"top": 9, "reserve": 8}, {"before": -1}, {"sample_one_in": 0}])
def test_a_configuration_that_cannot_be_is_refused(change):
    with pytest.raises(HarvestError):
        HarvestConfig(**change)


def test_a_split_without_tokens_says_so(tmp_path):
    corpus = make_corpus(tmp_path / "corpus", make_texts(3))
    empty = next(name for name, documents in corpus.splits.items() if not len(documents))
    with pytest.raises(HarvestError, match="import a larger corpus"):
        run(IntegerNetwork(), corpus, tmp_path / "out", replace(CONFIG, split=empty))
    assert not (tmp_path / "out").exists()
