"""Logits and neurons equal those of the transformer-lens package, within 1e-4, on random weights.

The package is imported once (it takes about ten seconds) and may not open a connection. Without it these tests fail.
"""

import socket

import pytest
import torch

from neurons.lab.source import open_source
from neurons.tests.lab.lens_small import make_config, make_folder, make_state, make_tokens

TOLERANCE = {"rtol": 0, "atol": 1e-4}
VARIANTS = {
    "gelu LN": {"act_fn": "gelu"},
    "gelu LNPre": {"act_fn": "gelu", "normalization": "LNPre"},
    "gelu_new LN": {"act_fn": "gelu_new"},
    "solu_ln LN": {},
    "solu_ln LNPre": {"normalization": "LNPre"},
    "solu LN": {"act_fn": "solu"},
    "gelu LN, root mean square at the end": {"act_fn": "gelu", "final_rms": True},
    "solu_ln LNPre, root mean square at the end": {"normalization": "LNPre", "final_rms": True},
    "gelu without norms": {"act_fn": "gelu", "normalization": None},
    "gelu LN with another eps": {"act_fn": "gelu", "eps": 1e-2},
}


@pytest.fixture(scope="module")
def lens():
    """The package, with the network cut off."""

    def refuse(*_):
        raise AssertionError("transformer_lens opened a connection")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        from transformer_lens.config import TransformerBridgeConfig
        from transformer_lens.conversion_utils import convert_tl_checkpoint
        from transformer_lens.model_bridge.sources.native import boot as boot_native

        def boot(config, state):
            """The package's own network with these weights."""
            own = {key: value for key, value in config.items() if key not in ("normalization", "bos_token_id")}
            shape = TransformerBridgeConfig(
                **own | {"normalization_type": config["normalization"], "tokenizer_name": None, "init_weights": False},
                positional_embedding_type="standard",
                architecture="TransformerLensNative",
            )
            with torch.random.fork_rng(devices=[]):
                bridge = boot_native(shape)
            bridge.load_state_dict(convert_tl_checkpoint(state, shape), strict=True)
            return bridge

        yield boot


@pytest.mark.parametrize("variant", VARIANTS)
def test_logits_and_neurons_equal_the_package(lens, tmp_path, variant):
    config = make_config(**VARIANTS[variant])
    state, tokens = make_state(config), make_tokens(config)
    ours = open_source(make_folder(tmp_path, config, state), "transformer_lens")
    with torch.inference_mode():
        logits, cache = lens(config, state).run_with_cache(tokens)
        assert logits.std() > 0.5  # the comparison is of something
        torch.testing.assert_close(ours(tokens), logits, **TOLERANCE)
        before_norm = "mlp.ln.hook_in" if config["act_fn"] == "solu_ln" else "mlp.hook_post"
        for site, hook in (("post_act", before_norm), ("post_ln", "mlp.hook_post")):
            layers = list(ours.neuron_activations(tokens, site=site))
            assert [layer for layer, _ in layers] == [0, 1]
            for layer, activations in layers:
                expected = cache[f"blocks.{layer}.{hook}"]
                assert expected.std() > 1e-3
                torch.testing.assert_close(activations, expected, **TOLERANCE)


def test_gelu_and_gelu_new_are_told_apart(lens, tmp_path):
    config = make_config(act_fn="gelu")
    state, tokens = make_state(config), make_tokens(config)
    folder = make_folder(tmp_path, config, state)
    exact, tanh = (open_source(folder, "transformer_lens", {"act_fn": name}) for name in ("gelu", "gelu_new"))
    expected = lens(config | {"act_fn": "gelu_new"}, state).run_with_cache(tokens)[1]
    with torch.inference_mode():
        (_, by_exact), (_, by_tanh) = next(exact.neuron_activations(tokens)), next(tanh.neuron_activations(tokens))
    torch.testing.assert_close(by_tanh, expected["blocks.0.mlp.hook_post"], **TOLERANCE)
    assert (by_exact - by_tanh).abs().max() > 2 * TOLERANCE["atol"]
