"""The network computes what its definition says."""

import pytest
import torch
import torch.nn.functional as F

from neurons.lab.config import ACTIVATIONS, ConfigError, TransformerConfig
from neurons.lab.transformer import Transformer, solu


def make_config(**changes):
    values = {"n_layers": 2, "d_model": 16, "n_heads": 2, "d_mlp": 24, "context": 12, "vocab_size": 50}
    return TransformerConfig(**(values | {"activation": "gelu"} | changes))


def make_tokens(rows=3, positions=12):
    return torch.randint(0, 50, (rows, positions), generator=torch.Generator().manual_seed(1))


def test_solu_gives_the_values_printed_in_the_paper():
    given = torch.tensor([[4.0, 1.0, 4.0, 1.0], [4.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    printed = torch.tensor([[1.905, 0.024, 1.905, 0.024], [3.79, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]])
    torch.testing.assert_close(solu(given), printed, atol=5e-3, rtol=0)


def test_solu_stays_in_float32_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert solu(torch.ones(3, dtype=torch.bfloat16)).dtype == torch.float32


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_mlp_is_activation_then_layernorm_then_w_out(activation):
    network = Transformer(make_config(activation=activation), seed=3)
    mlp, x = network.blocks[0].mlp, torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(2))
    z = x @ mlp.w_in.weight.T + mlp.w_in.bias
    h = z * torch.softmax(z, -1) if activation.startswith("solu") else z * 0.5 * (1 + torch.erf(z / 2**0.5))
    if activation.endswith("_ln"):
        variance, mean = torch.var_mean(h, -1, correction=0, keepdim=True)
        h = (h - mean) / torch.sqrt(variance + 1e-5)
    torch.testing.assert_close(mlp(x), h @ mlp.w_out.weight.T + mlp.w_out.bias)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("site", ["post_act", "post_ln"])
def test_harvested_activations_are_those_that_the_forward_pass_uses(activation, site):
    network, seen = Transformer(make_config(activation=activation), seed=3).eval(), []

    def watched(normalise):
        def wrapper(h):
            normalised = normalise(h)
            seen.append({"post_act": h, "post_ln": normalised}[site].detach())
            return normalised

        return wrapper

    for block in network.blocks:
        block.mlp.normalise = watched(block.mlp.normalise)
    network(make_tokens())
    forward = list(seen)
    harvested = list(network.neuron_activations(make_tokens(), site=site))
    assert [layer for layer, _ in harvested] == [0, 1]
    for layer, activations in harvested:
        torch.testing.assert_close(activations, forward[layer])


def test_a_position_sees_nothing_that_comes_after_it():
    network, tokens = Transformer(make_config(), seed=3), make_tokens()
    changed = tokens.clone()
    changed[:, 7:] = 1
    torch.testing.assert_close(network(tokens)[:, :7], network(changed)[:, :7])
    assert not torch.equal(network(tokens)[:, 7:], network(changed)[:, 7:])


def test_arms_with_one_seed_start_from_the_same_weights():
    networks = {name: Transformer(make_config(activation=name), seed=5).state_dict() for name in ACTIVATIONS}
    for name, state in networks.items():
        for key, tensor in networks["gelu"].items():
            assert torch.equal(state[key], tensor), (name, key)
    assert {key for key in networks["solu_ln"] if key not in networks["gelu"]} == {
        f"blocks.{layer}.mlp.ln.{part}" for layer in (0, 1) for part in ("weight", "bias")
    }


def test_the_extra_layernorm_keeps_its_exact_eps():
    # With eps 1e-5 LayerNorm does not cancel the softmax's denominator where SoLU is small.
    network = Transformer(make_config(activation="solu_ln"), seed=3)
    z = torch.randn(1, 1, 24, generator=torch.Generator().manual_seed(4)) * 0.01
    exact = network.blocks[0].mlp.normalise(solu(z))
    simplified = F.layer_norm(z * torch.exp(z), (24,), eps=1e-5)
    assert not torch.allclose(exact, simplified, atol=1e-2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"activation": "relu"}, "'relu'"),
        ({"n_heads": 3}, "no multiple"),
        ({"d_mlp": 0}, "`d_mlp` is 0"),
    ],
)
def test_a_wrong_configuration_is_refused_with_what_was_received(change, said):
    with pytest.raises(ConfigError, match=said):
        make_config(**change)


def test_an_unknown_configuration_key_is_named():
    with pytest.raises(ConfigError, match="n_experts"):
        TransformerConfig.from_dict(make_config().as_dict() | {"n_experts": 4})


def test_a_text_longer_than_the_context_is_refused():
    with pytest.raises(ValueError, match="13 positions"):
        Transformer(make_config())(make_tokens(positions=13))
