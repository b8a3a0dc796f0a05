"""Training learns, is the same for every arm but the activation, and survives being killed."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from neurons.lab.checkpoint import CheckpointError, load_network, network_facts
from neurons.lab.config import TrainingConfig, TransformerConfig
from neurons.lab.corpus import build_corpus
from neurons.lab.tokenizer import BOS_ID, train_tokenizer
from neurons.lab.train import ArmTraining, RowOrder, inputs_of, learning_rate, pack_rows, pair_configs
from neurons.store.corpus import CorpusError

WORDS = "one two three four five six seven eight nine ten eleven twelve".split()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    turn = itertools.cycle(WORDS)
    texts = [f"Text {n}.\n" + " ".join(next(turn) for _ in range(60 + n % 11)) for n in range(400)]
    return build_corpus(tmp_path_factory.mktemp("c") / "c", texts, train_tokenizer(texts, vocab_size=300), name="c")


def make_shape(corpus, activation="gelu"):
    return TransformerConfig(
        n_layers=1, d_model=16, n_heads=2, d_mlp=32, context=16, vocab_size=corpus.vocab_size, activation=activation
    )


TRAINING = TrainingConfig(
    tokens=40 * 4 * 16, batch_rows=4, warmup_steps=4, validate_every=10, checkpoint_every=7, validation_rows=4
)


def make_training(corpus, folder, activation="gelu", **changes):
    return ArmTraining(folder, make_shape(corpus, activation), replace(TRAINING, **changes), corpus)


def test_rows_are_the_train_documents_each_behind_a_beginning(corpus):
    rows = pack_rows(corpus, "train", 16)
    expected = [token for d in corpus.splits["train"] for token in [BOS_ID, *corpus.document_tokens(int(d)).tolist()]]
    assert rows.ravel().tolist() == expected[: rows.size]
    assert len(expected) - rows.size < 16


def test_inputs_are_targets_shifted_by_one_behind_a_beginning():
    assert inputs_of(torch.tensor([[5, 6, 7], [8, 9, 4]])).tolist() == [[BOS_ID, 5, 6], [BOS_ID, 8, 9]]


def test_every_row_comes_once_in_each_pass_and_the_order_follows_the_seed():
    order = RowOrder(rows=10, batch_rows=4, seed=3)
    batches = [order.batch(step) for step in range(5)]
    drawn = [row for batch in batches for row in batch]
    assert sorted(drawn[:10]) == sorted(drawn[10:]) == list(range(10))
    assert drawn[:10] != drawn[10:]
    assert RowOrder(10, 4, seed=3).batch(3) == batches[3]
    assert RowOrder(10, 4, seed=4).batch(0) != batches[0]


def test_the_learning_rate_rises_then_falls_to_its_final_share():
    rates = [learning_rate(step, 100, TrainingConfig(tokens=1, warmup_steps=10)) for step in range(100)]
    assert rates.index(max(rates)) in (9, 10)
    assert max(rates) == 2e-3
    assert rates[-1] == pytest.approx(2e-4, rel=0.01)


def test_training_lowers_the_loss(corpus, tmp_path):
    training = make_training(corpus, tmp_path, tokens=150 * 4 * 16)
    training.run()
    assert training.curve[-1]["validation"] < training.curve[0]["validation"] - 0.5


def test_killed_and_resumed_equals_never_killed_to_the_bit(corpus, tmp_path):
    whole = make_training(corpus, tmp_path / "whole")
    whole.run()
    killed = make_training(corpus, tmp_path / "killed")
    killed.run(until=10)
    for _ in range(3):  # steps that no checkpoint saw
        killed.train_step()
    del killed
    resumed = make_training(corpus, tmp_path / "killed")
    assert resumed.step == 10
    resumed.run()
    assert resumed.finish() == whole.finish()
    weights = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1]


def test_a_state_of_another_configuration_is_not_taken_up(corpus, tmp_path):
    make_training(corpus, tmp_path).run(until=7)
    with pytest.raises(CheckpointError, match="another training"):
        make_training(corpus, tmp_path, learning_rate=1e-3)


def test_a_network_cannot_be_finished_early(corpus, tmp_path):
    with pytest.raises(CheckpointError, match="step 0 of 40"):
        make_training(corpus, tmp_path).finish()


def test_the_saved_network_reads_back_and_says_what_made_it(corpus, tmp_path):
    training = make_training(corpus, tmp_path, "solu_ln")
    training.run()
    facts = training.finish()
    assert facts == network_facts(tmp_path)
    assert facts["tokens_trained"] == 40 * 4 * 16
    assert facts["corpus_fingerprint"] == corpus.fingerprint
    assert facts["validation_loss"] == pytest.approx(training.curve[-1]["validation"], abs=0.2)
    tokens = torch.zeros(1, 5, dtype=torch.long)
    torch.testing.assert_close(load_network(tmp_path)(tokens), training.network(tokens), atol=2e-2, rtol=0)


@pytest.mark.parametrize("damage", ["missing", "shape", "garbage"])
def test_a_damaged_network_says_what_is_wrong(corpus, tmp_path, damage):
    from safetensors.torch import load_file, save_file

    training = make_training(corpus, tmp_path)
    training.run()
    training.finish()
    path = tmp_path / "weights.safetensors"
    weights = load_file(path)
    if damage == "missing":
        del weights["embed.weight"]
    if damage == "shape":
        weights["embed.weight"] = weights["embed.weight"][:7].clone()
    save_file(weights, path)
    if damage == "garbage":
        path.write_bytes(b"garbage")
    said = {
        "missing": "lacks the tensors embed.weight",
        "shape": "embed.weight has shape \\(7, 16\\)",
        "garbage": "cannot be read as safetensors",
    }
    with pytest.raises(CheckpointError, match=said[damage]):
        load_network(tmp_path)


def test_arms_of_a_pair_differ_in_the_activation_only(corpus):
    arms = pair_configs(make_shape(corpus), ("gelu", "solu_ln", "gelu_ln"))
    assert {name: config.activation for name, config in arms.items()} == {name: name for name in arms}
    assert len({tuple(sorted((config.as_dict() | {"activation": ""}).items())) for config in arms.values()}) == 1


def test_a_corpus_too_small_for_one_row_says_so(corpus):
    with pytest.raises(CorpusError, match="less than one row"):
        pack_rows(corpus, "validation", 1_000_000)
    assert np.issubdtype(pack_rows(corpus, "train", 16).dtype, np.integer)
