"""Hugging Face models from a folder: any architecture, the same neurons as in a full forward pass, nothing more."""

import json
import socket
import subprocess
import sys
import threading

import pytest
import torch
from safetensors.torch import load_file, save_file

from neurons.lab.checkpoint import CheckpointError
from neurons.lab.config import ConfigError
from neurons.lab.loaders.layer_stream import LayerStream
from neurons.lab.source import WeightSource, open_source
from neurons.tests.lab.hub_small import (
    LAYERS,
    MODELS,
    NEURONS,
    SIZES,
    VOCABULARY,
    WIDTH,
    make_folder,
    make_model,
    make_tokens,
    neurons_of,
)
from neurons.tests.lab.tokenizers_small import llama

KIND = "huggingface"


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@torch.inference_mode()
def seen_in_a_full_pass(model, name, tokens):
    """What goes into a module in the model's own forward pass, and its logits."""
    seen = []
    hook = model.get_submodule(name).register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    logits = model(input_ids=tokens).logits
    hook.remove()
    return seen[0].reshape(*tokens.shape, -1), logits


@pytest.mark.parametrize("model_type", MODELS)
def test_neurons_of_every_architecture_equal_those_of_a_full_pass(tmp_path, model_type):
    _, name, gated = MODELS[model_type]
    network, tokens = open_source(make_folder(tmp_path, model_type), KIND), make_tokens()
    shape = network.config
    assert (shape.n_layers, shape.d_mlp, shape.d_model, shape.vocab_size) == (
        LAYERS,
        neurons_of(model_type),
        WIDTH,
        VOCABULARY,
    )
    assert (shape.context, network.bos_id) == (32, 1)
    assert shape.activation.endswith("_gated") == gated
    own = make_model(model_type)
    layers = dict(network.neuron_activations(tokens))
    assert list(layers) == [0, 1]
    for layer, activations in layers.items():
        expected, logits = seen_in_a_full_pass(own, name.replace(".1.", f".{layer}."), tokens)
        assert expected.std() > 1e-3
        torch.testing.assert_close(activations, expected, rtol=1e-5, atol=1e-6)
    with torch.inference_mode():
        torch.testing.assert_close(network(tokens), logits, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("model_type", MODELS)
def test_weights_of_a_neuron_are_what_it_reads_and_what_it_writes(tmp_path, model_type):
    """Cut the neuron's own input weights (the gate's, if gated): its activation is that of its bias alone."""
    network, tokens = open_source(make_folder(tmp_path, model_type), KIND), make_tokens()
    assert isinstance(network, WeightSource)
    weights = network.neuron_weights(1)
    assert weights.w_in.shape == weights.w_out.shape == (neurons_of(model_type), WIDTH)
    assert network.unembedding().shape == (WIDTH, VOCABULARY)
    before = dict(network.neuron_activations(tokens))[1]
    weights.w_in[7] = 0  # a view of the model's own weights
    after = dict(network.neuron_activations(tokens))[1]
    assert before[..., 7].std() > 1e-3
    if MODELS[model_type][2]:
        assert after[..., 7].abs().max() < 1e-6  # act(0) · up
    else:
        assert after[..., 7].std() < 1e-6
    assert torch.equal(before[..., :7], after[..., :7])
    output = network.site.outputs[1]
    with torch.inference_mode():
        only = torch.zeros(1, neurons_of(model_type))
        bias = output(only)
        only[0, 7] = 1
        torch.testing.assert_close(output(only) - bias, weights.w_out[7:8], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model_type", ["gpt2", "gpt_neox", "llama"])
def test_no_unembedding_and_no_last_output_matrix_is_computed(tmp_path, model_type):
    network, name = open_source(make_folder(tmp_path, model_type), KIND), MODELS[model_type][1]
    called = []
    watched = {"head": network.model.get_output_embeddings(), "last": network.model.get_submodule(name)}
    watched["first"] = network.model.get_submodule(name.replace(".1.", ".0."))
    for what, module in watched.items():
        module.register_forward_hook(lambda *_, what=what: called.append(what))
    assert len(list(network.neuron_activations(make_tokens()))) == LAYERS
    assert called == ["first"]
    network(make_tokens())
    assert called == ["first", "first", "last", "head"]


def test_what_follows_a_token_and_padding_change_nothing(tmp_path):
    network, tokens = open_source(make_folder(tmp_path, "llama"), KIND), make_tokens(rows=1)
    padded = torch.cat([tokens, torch.zeros(1, 5, dtype=tokens.dtype)], dim=1)
    for (_, short), (_, long) in zip(
        network.neuron_activations(tokens), network.neuron_activations(padded), strict=True
    ):
        torch.testing.assert_close(short, long[:, : tokens.shape[1]], rtol=1e-5, atol=1e-6)


def test_layers_come_one_at_a_time_and_leaving_early_ends_the_pass(tmp_path):
    network, threads = open_source(make_folder(tmp_path), KIND), threading.active_count()
    called = []
    network.model.get_submodule("transformer.h.0.mlp.c_proj").register_forward_hook(lambda *_: called.append(0))
    stream = network.neuron_activations(make_tokens())
    assert next(stream)[0] == 0
    stream.close()
    assert called == []  # the first layer was still being looked at
    assert threading.active_count() == threads
    assert not network.model.get_submodule("transformer.h.0.mlp.c_proj")._forward_pre_hooks
    assert len(list(network.neuron_activations(make_tokens()))) == LAYERS


def test_two_passes_through_one_model_do_not_mix(tmp_path):
    network, tokens = open_source(make_folder(tmp_path), KIND), make_tokens()
    alone = [list(network.neuron_activations(rows)) for rows in (tokens, tokens.flip(0))]
    woven = zip(network.neuron_activations(tokens), network.neuron_activations(tokens.flip(0)), strict=True)
    for layer, both in enumerate(woven):
        assert all(torch.equal(found[1], expected[layer][1]) for found, expected in zip(both, alone, strict=True))


def test_an_error_within_the_pass_is_raised_where_layers_are_read(tmp_path):
    network = open_source(make_folder(tmp_path), KIND)
    with pytest.raises(IndexError):
        list(network.neuron_activations(make_tokens() + VOCABULARY))


def test_a_stream_computes_in_the_callers_autocast():
    def compute(emit):
        emit(0, torch.ones(2, 2) @ torch.ones(2, 2))

    with torch.autocast("cpu", dtype=torch.bfloat16):
        ((_, product),) = LayerStream(compute, torch.device("cpu"))
    assert product.dtype is torch.bfloat16
    ((_, product),) = LayerStream(compute, torch.device("cpu"))
    assert product.dtype is torch.float32


def test_the_site_can_be_named(tmp_path):
    folder = make_folder(tmp_path)
    known, tokens = open_source(folder, KIND), make_tokens()
    named = open_source(folder, KIND, {"site": "transformer.h.{layer}.attn.c_proj"})
    assert (named.config.d_mlp, named.config.activation) == (WIDTH, "gelu_new")
    expected, _ = seen_in_a_full_pass(make_model("gpt2"), "transformer.h.1.attn.c_proj", tokens)
    torch.testing.assert_close(dict(named.neuron_activations(tokens))[1], expected, rtol=1e-5, atol=1e-6)
    with pytest.raises(CheckpointError, match="reads=NAME"):
        named.neuron_weights(0)
    pair = {"site": "transformer.h.{layer}.mlp.c_proj", "reads": "transformer.h.{layer}.mlp.c_fc"}
    assert torch.equal(open_source(folder, KIND, pair).neuron_weights(1).w_in, known.neuron_weights(1).w_in)


def test_a_wrong_name_says_what_there_is(tmp_path):
    folder = make_folder(tmp_path)
    for name, says in (
        ("transformer.h.{layer}.mlp.c_prj", r"no matrix 'transformer.h.0.mlp.c_prj'. Its first matrices are .*c_fc"),
        ("transformer.h.{layer}.mlp", "no matrix 'transformer.h.0.mlp'"),
        ("transformer.h.0.mlp.c_proj", "names one module"),
    ):
        with pytest.raises(CheckpointError, match=says):
            open_source(folder, KIND, {"site": name})


def test_a_module_that_does_not_see_every_token_is_refused(tmp_path):
    network = open_source(make_folder(tmp_path), KIND)
    network.site.outputs[1].register_forward_pre_hook(lambda _, inputs: (inputs[0][:1],))
    with pytest.raises(CheckpointError, match=r"layer 1 was given shape \(1, 9, 40\) for 27 tokens"):
        list(network.neuron_activations(make_tokens()))


def test_an_architecture_whose_neurons_are_not_in_one_matrix_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"MixtralForCausalLM is not known here.* matrices are model\.layers\.0"):
        open_source(make_folder(tmp_path, "mixtral", num_local_experts=2), KIND)


def test_another_site_is_refused_with_the_reason(tmp_path):
    network = open_source(make_folder(tmp_path), KIND)
    with pytest.raises(ConfigError, match="no LayerNorm after the activation"):
        next(network.neuron_activations(make_tokens(), site="post_ln"))
    with pytest.raises(ValueError, match="33 positions, the network reads 32"):
        next(network.neuron_activations(make_tokens(width=33)))


def test_the_context_is_at_most_the_models_and_1024_unless_asked_for(tmp_path):
    long = make_folder(tmp_path, "llama", max_position_embeddings=4000)
    assert open_source(long, KIND).config.context == 1024
    assert open_source(long, KIND, {"context": "3000"}).config.context == 3000
    with pytest.raises(CheckpointError, match="2 to 4000 tokens"):
        open_source(long, KIND, {"context": 4001})


def test_the_context_ends_where_rotary_positions_begin_to_depend_on_the_length(tmp_path):
    rotary = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4, "original_max_position_embeddings": 30}
    folder = make_folder(tmp_path, "llama", max_position_embeddings=60, rope_parameters=rotary)
    assert open_source(folder, KIND).config.context == 30


def test_the_beginning_of_a_sequence_is_the_models_else_its_tokenizers_else_its_end_of_text(tmp_path):
    assert open_source(make_folder(tmp_path / "a"), KIND, {"bos_id": 9}).bos_id == 9
    folder = make_folder(tmp_path / "b", bos_token_id=None, eos_token_id=[2, 3])
    assert open_source(folder, KIND).bos_id == 2
    llama().save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>"}))
    assert open_source(folder, KIND).bos_id == 1
    with pytest.raises(CheckpointError, match="bos_id=NUMBER"):
        open_source(make_folder(tmp_path / "c", bos_token_id=None, eos_token_id=None), KIND)


def test_bfloat16_weights_give_float32_activations_that_are_close(tmp_path):
    folder, tokens = make_folder(tmp_path, "llama"), make_tokens()
    full, half = open_source(folder, KIND), open_source(folder, KIND, {"precision": "bfloat16"})
    assert next(half.parameters()).dtype is torch.bfloat16
    for (_, exact), (_, rounded) in zip(full.neuron_activations(tokens), half.neuron_activations(tokens), strict=True):
        assert rounded.dtype is torch.float32
        assert (exact - rounded).abs().mean() < 0.05 * exact.abs().mean()


def test_a_model_that_looks_ahead_is_refused(tmp_path):
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.random.fork_rng(devices=[]):
        config = AutoConfig.for_model("bert", **SIZES, is_decoder=False)
        AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    site = {"site": "bert.encoder.layer.{layer}.output.dense"}
    with pytest.raises(CheckpointError, match="BertLMHeadModel looks ahead: in layer 0"):
        open_source(tmp_path, KIND, site)
    with pytest.raises(CheckpointError, match="BertLMHeadModel is not known here; name the module"):
        open_source(tmp_path, KIND)


def test_a_missing_a_left_over_and_a_misshapen_tensor_are_named(tmp_path):
    path = make_folder(tmp_path) / "model.safetensors"
    whole = load_file(path)
    key = "transformer.h.1.mlp.c_proj.weight"
    faults = {
        f"lacks {key}": {name: tensor for name, tensor in whole.items() if name != key},
        "unknown tensors left.over": whole | {"left.over": torch.zeros(2)},
        rf"{key} has shape \(41, 16\), expected is \(40, 16\)": whole | {key: torch.zeros(NEURONS + 1, WIDTH)},
    }
    for says, tensors in faults.items():
        save_file(tensors, path, metadata={"format": "pt"})
        with pytest.raises(CheckpointError, match=says):
            open_source(tmp_path, KIND)
    save_file(whole | {"transformer.h.0.attn.bias": torch.zeros(2)}, path, metadata={"format": "pt"})
    open_source(tmp_path, KIND)  # a buffer that older files carry


def test_a_folder_that_is_no_causal_language_model_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        open_source(tmp_path, KIND)
    folder = make_folder(tmp_path)
    (folder / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="cannot be read by transformers"):
        open_source(folder, KIND)
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")  # a pickle is no weights file here
    with pytest.raises(CheckpointError, match="cannot be read by transformers"):
        open_source(folder, KIND)
    (folder / "config.json").write_text(json.dumps({"model_type": "made_up"}))
    with pytest.raises(CheckpointError, match="made_up"):
        open_source(folder, KIND)


def test_code_in_the_folder_never_runs(tmp_path):
    folder = make_folder(tmp_path)
    (folder / "evil.py").write_text("raise SystemExit('ran')\n")
    config = json.loads((folder / "config.json").read_text()) | {"model_type": "made_up"}
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="cannot be read by transformers"):
        open_source(folder, KIND)


def test_transformers_is_imported_only_for_its_own_kind():
    code = "import sys, neurons.lab.source, neurons.lab.loaders.hub_network; sys.exit('transformers' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
