"""The harvest against a brute force in float64, under every cut, interruption and damage."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from neurons.lab.harvest import HarvestConfig, HarvestStopped, NotFinite, harvest, to_half
from neurons.lab.harvest_plan import Sampling, batches_of, choose_documents
from neurons.store.harvest import HarvestError
from neurons.tests.factories import IntegerNetwork, make_corpus, make_network, make_texts

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
    batch_tokens=320,
    block_documents=16,
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


def context_rows(corpus, document, context):
    """Tokens of each context of a document, a beginning-of-sequence token (0) in front."""
    tokens = corpus.document_tokens(int(document)).astype(np.int64)
    return [np.concatenate([[0], tokens[i : i + context - 1]]) for i in range(0, len(tokens), context - 1)]


def all_activations(network, corpus, documents):
    """{document: float64 (layer, token, neuron)}, one context at a time and without padding."""
    found = {}
    for document in documents:
        parts = [
            np.stack(
                [
                    acts[0, 1:].detach().double().numpy()
                    for _, acts in network.neuron_activations(torch.from_numpy(row)[None])
                ]
            )
            for row in context_rows(corpus, document, network.config.context)
        ]
        found[int(document)] = np.concatenate(parts, axis=1)
    return found


def jaccard(left: list[int], right: list[int]) -> float:
    one, two = ({tuple(tokens[i : i + 3]) for i in range(len(tokens) - 2)} for tokens in (left, right))
    return len(one & two) / len(one | two)


def brute_force(activations, corpus, layer, neuron, config, context):
    """(value, document, position, window) of the top snippets, by full sorts of everything."""
    width = context - 1
    peaks = []
    for document, values in activations.items():
        column = values[layer, :, neuron]
        if column.max() > 0:
            position = int(np.flatnonzero(column == column.max())[0])
            peaks.append((column[position], document, position))
    peaks.sort(key=lambda peak: (-peak[0], peak[1], peak[2]))

    def around(document, position, before, after, fill=None):
        tokens = corpus.document_tokens(document).tolist()
        low = position // width * width
        high = min(low + width, len(tokens))
        places = range(position - before, position + after + 1)
        return [tokens[p] if low <= p < high else fill for p in places if fill is not None or low <= p < high]

    distinct, seen = [], set()
    for value, document, position in peaks:
        key = tuple(around(document, position, config.equal_before, config.equal_after, fill=0))
        if key not in seen:
            seen.add(key)
            distinct.append((value, document, position))
    chosen, texts = [], []
    for value, document, position in distinct[: config.reserve]:
        text = around(document, position, config.alike_before, config.alike_after)
        if len(chosen) < config.top and all(jaccard(text, other) < config.likeness for other in texts):
            texts.append(text)
            low = position // width * width
            column = activations[document][layer, :, neuron]
            window = [
                column[p] if low <= p < min(low + width, len(column)) else 0.0
                for p in range(position - config.before, position + config.after + 1)
            ]
            chosen.append((value, document, position, window))
    return chosen


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


@pytest.mark.parametrize(("batch_tokens", "block_documents"), [(1, 1), (40, 5), (333, 7), (4096, 1000)])
def test_exact_arithmetic_gives_the_same_bytes_in_any_batches(corpus, tmp_path, batch_tokens, block_documents):
    run(IntegerNetwork(), corpus, tmp_path / "one")
    other = replace(CONFIG, batch_tokens=batch_tokens, block_documents=block_documents)
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
    (tmp_path / "cut.unfinished" / "state.npz.writing").write_bytes(b"half a state")
    seen = []
    run(make_network(), corpus, tmp_path / "cut", progress=lambda done, total: seen.append(done))
    assert seen[0] > 0
    assert bytes_of(tmp_path / "whole", "*") == bytes_of(tmp_path / "cut", "*")
    assert not (tmp_path / "cut.unfinished").exists()


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
    assert (tmp_path / "cut.unfinished" / "state.npz").is_file()
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


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_cannot_be_ranked_is_reported_with_its_place(corpus, tmp_path, value):
    documents = choose_documents(corpus, "train", None)
    token = int(corpus.document_tokens(int(documents[0]))[10])
    with pytest.raises(NotFinite, match=r"layer 1, neuron 5 is (nan|inf) at document \d+, token \d+") as caught:
        run(Damaged(token, value), corpus, tmp_path / "out")
    document, position = _place(str(caught.value))
    assert corpus.document_tokens(document)[position] == token


def _place(message):
    words = message.replace(",", " ").split()
    return int(words[words.index("document") + 1]), int(words[words.index("token") + 1])


def test_bad_numbers_at_the_beginning_of_sequence_and_in_padding_do_not_matter(corpus, tmp_path):
    run(IntegerNetwork(), corpus, tmp_path / "clean")
    run(Damaged(0, float("nan")), corpus, tmp_path / "bad")  # token 0 stands at position 0 and in padding only
    assert bytes_of(tmp_path / "clean") == bytes_of(tmp_path / "bad")


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
    sampled = Sampling.choose(corpus, documents, 7)
    spread = (tokens * (1 / 7) * (6 / 7)) ** 0.5
    assert abs(len(sampled) - tokens / 7) < 4 * spread
    later = Sampling.choose(corpus, documents[:20], 7)
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
    for batch in batches_of(corpus, documents, context=40, batch_tokens=200, bos=0):
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
