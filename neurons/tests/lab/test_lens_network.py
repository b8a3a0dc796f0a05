"""Files in the TransformerLens layout: every generation of them is read, and a wrong one says what is wrong."""

import json
import shutil

import pytest
import torch

from neurons.lab.checkpoint import CheckpointError
from neurons.lab.config import ConfigError
from neurons.lab.source import WeightSource, open_source
from neurons.tests.lab.lens_small import make_config, make_folder, make_state, make_tokens, to_old_layout
from neurons.tests.lab.tokenizers_small import llama

KIND = "transformer_lens"


def open_with(folder, config, state, **options):
    shutil.rmtree(folder, ignore_errors=True)
    return open_source(make_folder(folder, config, state), KIND, options)


@torch.inference_mode()
def logits_of(network, config):
    return network(make_tokens(config))


def assert_same(network, other, config):
    assert torch.equal(logits_of(network, config), logits_of(other, config))


@pytest.mark.parametrize("n_layers", [1, 7, 9])
@pytest.mark.parametrize("name", ["model", "model_old"])
def test_the_first_generation_of_files_is_read_as_the_same_network(tmp_path, n_layers, name):
    config = make_config(n_layers=n_layers)
    state = make_state(config)
    old = to_old_layout(state, turn_positions=n_layers <= 8, turn_weights=n_layers <= 6)
    assert_same(open_with(tmp_path / "new", config, state), open_with(tmp_path / name, config, old), config)


@pytest.mark.parametrize("n_layers", [6, 7, 9])
def test_square_matrices_of_the_first_generation_follow_the_number_of_layers(tmp_path, n_layers):
    config = make_config(n_layers=n_layers, n_ctx=32, d_vocab=32)
    state = make_state(config)
    old = to_old_layout(state, turn_positions=n_layers <= 8, turn_weights=n_layers <= 6)
    assert_same(open_with(tmp_path / "new", config, state), open_with(tmp_path / "old", config, old), config)


def test_the_layout_can_be_said_by_config_or_option(tmp_path):
    config = make_config(normalization="LNPre", act_fn="gelu")  # no norm in any name gives the layout away
    state = make_state(config)
    old, plain = to_old_layout(state), open_with(tmp_path / "new", config, state)
    assert_same(plain, open_with(tmp_path / "a", config, old, layout="old"), config)
    assert_same(plain, open_with(tmp_path / "a", config | {"architecture": "neel-solu-old"}, old), config)
    with pytest.raises(CheckpointError, match=r"embed.W_E has shape \(32, 50\), expected is \(50, 32\)"):
        open_with(tmp_path / "a", config, old, layout="current")
    with pytest.raises(CheckpointError, match="choose one of auto, current, old"):
        open_with(tmp_path / "a", config, old, layout="new")


def test_what_a_file_may_leave_out_counts_as_one_or_zero(tmp_path):
    config = make_config(normalization="LNPre", final_rms=True)
    bare = make_state(config, mlp_ln=False)
    del bare["unembed.b_U"]
    full = bare | {"unembed.b_U": torch.zeros(50), "ln_final.w": torch.ones(32)}
    full |= {f"blocks.{layer}.mlp.ln.w": torch.ones(64) for layer in range(2)}
    full |= {f"blocks.{layer}.mlp.ln.b": torch.zeros(64) for layer in range(2)}
    plain = open_with(tmp_path / "a", config, bare)
    assert_same(plain, open_with(tmp_path / "b", config, full), config)
    gain = open_with(tmp_path / "b", config, full | {"ln_final.w": torch.full((32,), 2.0)})
    torch.testing.assert_close(logits_of(gain, config), 2 * logits_of(plain, config))


def test_normalization_has_two_names_and_weights_any_precision(tmp_path):
    config = make_config()
    state = {key: tensor.half().float() for key, tensor in make_state(config).items()}
    renamed = {key: value for key, value in config.items() if key != "normalization"} | {"normalization_type": "LN"}
    halves = {key: tensor.half() for key, tensor in state.items()}
    assert_same(open_with(tmp_path / "a", config, state), open_with(tmp_path / "b", renamed, halves), config)


def test_the_network_tells_its_shape_and_its_neurons_weights(tmp_path):
    config = make_config()
    state = make_state(config)
    network = open_with(tmp_path / "a", config, state, context="12")
    shape = network.config
    assert (shape.n_layers, shape.d_model, shape.d_mlp, shape.vocab_size) == (2, 32, 64, 50)
    assert (shape.context, shape.activation, network.bos_id) == (12, "solu_ln", 3)
    assert isinstance(network, WeightSource)
    weights = network.neuron_weights(1)
    assert torch.equal(weights.w_in, state["blocks.1.mlp.W_in"].T)
    assert torch.equal(weights.w_out, state["blocks.1.mlp.W_out"])
    assert torch.equal(network.unembedding(), state["unembed.W_U"])
    with pytest.raises(ValueError, match="13 positions, the network reads 12"):
        next(network.neuron_activations(make_tokens(config, width=13)))
    with pytest.raises(ConfigError, match="`site` is 'pre'"):
        next(network.neuron_activations(make_tokens(config), site="pre"))


def test_neurons_cost_neither_logits_nor_the_last_output_matrix(tmp_path, monkeypatch):
    config = make_config()
    network = open_with(tmp_path / "a", config, make_state(config))
    called = []
    for name, module in network.named_modules():
        module.register_forward_hook(lambda *_, name=name: called.append(name))
    for site in ("post_act", "post_ln"):
        assert len(list(network.neuron_activations(make_tokens(config), site=site))) == 2
    assert "blocks.0.w_out" in called
    assert not {"blocks.1.w_out", "ln_final", "unembed", ""} & set(called)


def test_bfloat16_is_close_to_float32(tmp_path):
    config = make_config()
    state, tokens = make_state(config), make_tokens(config)
    full = open_with(tmp_path / "a", config, state)
    half = open_with(tmp_path / "a", config, state, precision="bfloat16")
    assert half.unembed.weight.dtype is torch.bfloat16
    for (_, exact), (_, rounded) in zip(full.neuron_activations(tokens), half.neuron_activations(tokens), strict=True):
        assert rounded.dtype is torch.float32
        assert (exact - rounded).abs().mean() < 0.02 * exact.abs().mean() + 0.02
    with pytest.raises(CheckpointError, match="choose float32 or bfloat16"):
        open_with(tmp_path / "a", config, state, precision="float16")


WRONG_STATES = {
    r"lacks blocks.1.mlp.b_in\.": lambda state: state.pop("blocks.1.mlp.b_in"),
    r"lacks blocks.0.mlp.ln.b; blocks.0.mlp.ln.w": lambda state: [
        state.pop(f"blocks.0.mlp.ln.{name}") for name in "wb"
    ],
    r"has unknown tensors blocks.2.attn.W_Q": lambda state: state.update({"blocks.2.attn.W_Q": torch.zeros(1)}),
    r"blocks.0.mlp.W_in has shape \(64, 32\), expected is \(32, 64\)": lambda state: state.update(
        {"blocks.0.mlp.W_in": torch.zeros(64, 32)}
    ),
    r"attn.W_O has shape \(8, 3, 32\), expected is \(3, 8, 32\)": lambda state: state.update(
        {"blocks.1.attn.W_O": torch.zeros(8, 3, 32)}
    ),
}


@pytest.mark.parametrize("says", WRONG_STATES)
def test_a_wrong_tensor_is_named_with_its_shape(tmp_path, says):
    config = make_config()
    state = make_state(config)
    WRONG_STATES[says](state)
    with pytest.raises(CheckpointError, match=says):
        open_with(tmp_path / "a", config, state)


WRONG_CONFIGS = {
    "attn_only True: a network without MLPs has no neurons": {"attn_only": True},
    "shortformer_pos True: positions added inside attention": {"shortformer_pos": True},
    "positional_embedding_type 'rotary'": {"positional_embedding_type": "rotary"},
    "act_fn 'mish'; known are gelu": {"act_fn": "mish"},
    "normalization 'RMS'; known are LN": {"normalization": "RMS"},
    "final_rms without any normalization": {"normalization": None, "final_rms": True},
    "token 50 is to begin every sequence": {"bos_token_id": 50},
}


@pytest.mark.parametrize("says", WRONG_CONFIGS)
def test_what_would_be_computed_otherwise_is_refused_by_name(tmp_path, says):
    config = make_config()
    with pytest.raises(CheckpointError, match=says):
        open_with(tmp_path / "a", config | WRONG_CONFIGS[says], make_state(config))


def test_a_config_that_lacks_a_key_or_is_no_json_is_refused(tmp_path):
    config = make_config()
    state = make_state(config)
    for key, says in (
        ("d_head", "lacks d_head"),
        ("normalization", "lacks normalization"),
        ("bos_token_id", "bos_id="),
    ):
        with pytest.raises(CheckpointError, match=says):
            open_with(tmp_path / "a", {name: value for name, value in config.items() if name != key}, state)
    for text, says in (("{", "is no JSON"), ("[1]", "holds list")):
        (tmp_path / "a" / "config.json").write_text(text)
        with pytest.raises(CheckpointError, match=says):
            open_source(tmp_path / "a", KIND)
    (tmp_path / "a" / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        open_source(tmp_path / "a", KIND)


def test_the_beginning_of_a_sequence_is_the_tokenizers_or_the_options(tmp_path):
    config = make_config(d_vocab=400)
    state = make_state(config)
    del config["bos_token_id"]
    folder = make_folder(tmp_path / "a", config, state)
    llama().save(str(folder / "tokenizer.json"))
    for token in ("<s>", {"content": "<s>"}):
        (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": token}))
        assert open_source(folder, KIND).bos_id == 1
    assert open_source(folder, KIND, {"bos_id": "5"}).bos_id == 5


def test_among_several_files_the_final_one_or_the_named_one_is_read(tmp_path):
    config = make_config()
    last, first = make_state(config), make_state(config, seed=8)
    folder = make_folder(tmp_path / "a", config, last)
    torch.save(first, folder / "model_init.pth")
    assert torch.equal(open_source(folder, KIND).unembedding(), last["unembed.W_U"])
    assert torch.equal(open_source(folder, KIND, {"weights": "model_init.pth"}).unembedding(), first["unembed.W_U"])
    for name in ("none.pth", "../a.pth"):
        with pytest.raises(CheckpointError, match="has no file"):
            open_source(folder, KIND, {"weights": name})
    (folder / "model_final.pth").rename(folder / "model_7.pth")
    with pytest.raises(CheckpointError, match=r"model_7.pth, model_init.pth; say which"):
        open_source(folder, KIND)


class Dangerous:
    def __reduce__(self):
        return print, ("this must never run",)


def test_a_file_that_is_damaged_or_would_run_code_is_refused(tmp_path, capsys):
    config = make_config()
    folder = make_folder(tmp_path / "a", config, make_state(config))
    weights = folder / "model_final.pth"
    whole = weights.read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"no such thing"):
        weights.write_bytes(broken)
        with pytest.raises(CheckpointError, match="cannot be read as a state dict"):
            open_source(folder, KIND)
    torch.save({"embed.W_E": Dangerous()}, weights)
    with pytest.raises(CheckpointError, match="would run code"):
        open_source(folder, KIND)
    assert "never" not in capsys.readouterr().out
    torch.save({"step": 3}, weights)
    with pytest.raises(CheckpointError, match="is no state dict"):
        open_source(folder, KIND)


def test_unknown_options_and_kinds_are_named(tmp_path):
    with pytest.raises(CheckpointError, match="no option colour; known are act_fn, bos_id"):
        open_source(tmp_path, KIND, {"colour": "red"})
    with pytest.raises(CheckpointError, match="wrong value"):
        open_source(tmp_path, KIND, {"bos_id": "first"})
    with pytest.raises(CheckpointError, match="known are blindscope, transformer_lens, huggingface"):
        open_source(tmp_path, "onnx")
