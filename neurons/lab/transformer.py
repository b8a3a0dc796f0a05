"""The network: a GPT-2-style decoder whose MLP activation is chosen by name.

One block, for x of shape (batch, position, d_model):

    x = x + attention(LN1(x))
    z = LN2(x) W_in + b_in                    pre-activation           (batch, position, d_mlp)
    h = act(z)                                the site "post_act"      (batch, position, d_mlp)
    x = x + (LN(h) or h) W_out + b_out        LN(h) is the site "post_ln"

    act = GELU(z) = z Φ(z)                    arms gelu, gelu_ln
        = SoLU(z) = z ∘ softmax(z)            arms solu, solu_ln (softmax over d_mlp)

The extra LayerNorm has its own gain and bias and is there in gelu_ln and solu_ln only. It does not cancel the softmax's
denominator: the variance of SoLU(z) can be as small as its eps, so eps stays exact and the softmax is taken in float32.

References
----------
Elhage et al. (2022), Softmax Linear Units. https://transformer-circuits.pub/2022/solu
"""

from collections.abc import Iterator
from typing import Literal, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from neurons.lab.config import ConfigError, TransformerConfig
from neurons.lab.tokenizer import BOS_ID
from neurons.lab.weights import NeuronWeights

Site = Literal["post_act", "post_ln"]


def solu(z: Float[Tensor, "... d_mlp"]) -> Float[Tensor, "... d_mlp"]:
    """Softmax linear unit, z ∘ softmax(z) over the last axis; float32 in and out whatever the autocast.

    Examples
    --------
    >>> [round(value, 3) for value in solu(torch.tensor([4.0, 1.0, 4.0, 1.0])).tolist()]
    [1.905, 0.024, 1.905, 0.024]
    """
    z = z.float()
    return z * torch.softmax(z, dim=-1)


class Attention(nn.Module):
    """Causal multi-head self-attention with biases."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.n_heads = config.n_heads
        self.qkv = nn.Linear(config.d_model, 3 * config.d_model)
        self.out = nn.Linear(config.d_model, config.d_model)

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        batch, pos, d_model = x.shape
        q, k, v = self.qkv(x).view(batch, pos, 3, self.n_heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(mixed.transpose(1, 2).reshape(batch, pos, d_model))


class MLP(nn.Module):
    """The neurons."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.w_in = nn.Linear(config.d_model, config.d_mlp)
        self.w_out = nn.Linear(config.d_mlp, config.d_model)
        self.soft = config.activation.startswith("solu")
        self.ln = nn.LayerNorm(config.d_mlp, eps=config.layernorm_eps) if config.has_extra_layernorm else None

    def activate(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_mlp"]:
        """Activations at the site "post_act": after the activation, before any extra LayerNorm."""
        z = self.w_in(x)
        return solu(z) if self.soft else F.gelu(z)

    def normalise(self, h: Float[Tensor, "batch pos d_mlp"]) -> Float[Tensor, "batch pos d_mlp"]:
        """Activations at the site "post_ln"; the same as "post_act" where there is no extra LayerNorm."""
        if self.ln is None:
            return h
        return F.layer_norm(h.float(), self.ln.normalized_shape, self.ln.weight, self.ln.bias, self.ln.eps)

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        return self.w_out(self.normalise(self.activate(x)))


class Block(nn.Module):
    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.ln1 = nn.LayerNorm(config.d_model, eps=config.layernorm_eps)
        self.attention = Attention(config)
        self.ln2 = nn.LayerNorm(config.d_model, eps=config.layernorm_eps)
        self.mlp = MLP(config)

    def forward(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        x = x + self.attention(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class Transformer(nn.Module):
    """The decoder.

    Parameters
    ----------
    config : TransformerConfig
        Shape and activation.
    seed : int
        Of the initial weights. Arms of a pair get the same seed: what they share starts equal to the bit, because the
        extra LayerNorm draws nothing.
    """

    def __init__(self, config: TransformerConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        # torch's own initial values, replaced below, must not move the caller's global generator.
        with torch.random.fork_rng(devices=[]):
            self.embed = nn.Embedding(config.vocab_size, config.d_model)
            self.positions = nn.Embedding(config.context, config.d_model)
            self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
            self.ln_final = nn.LayerNorm(config.d_model, eps=config.layernorm_eps)
            self.unembed = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self._initialise(torch.Generator().manual_seed(seed))

    @torch.no_grad()
    def _initialise(self, generator: torch.Generator) -> None:
        """GPT-2's scheme: normal weights, zero biases, what writes to the residual stream scaled by 1/√(2·layers)."""
        config = self.config
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            elif parameter.dim() == 1:
                parameter.fill_(1.0)
            else:
                parameter.normal_(0.0, self._initial_std(name, config), generator=generator)

    @staticmethod
    def _initial_std(name: str, config: TransformerConfig) -> float:
        if name == "positions.weight":
            return config.init_std_positions
        if name.endswith(("attention.out.weight", "mlp.w_out.weight")):
            return config.init_std / (2 * config.n_layers) ** 0.5
        return config.init_std

    @property
    def bos_id(self) -> int:
        return BOS_ID

    def neuron_weights(self, layer: int) -> NeuronWeights:
        """Weights of one layer's neurons as the residual stream meets them, a row each, float32."""
        mlp = cast(Block, self.blocks[layer]).mlp
        return NeuronWeights(w_in=mlp.w_in.weight.detach().float(), w_out=mlp.w_out.weight.detach().float().T)

    def unembedding(self) -> Float[Tensor, "d_model vocab"]:
        return self.unembed.weight.detach().float().T

    def _embed(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_model"]:
        if tokens.shape[1] > self.config.context:
            raise ValueError(
                f"`tokens` has {tokens.shape[1]} positions, the network has {self.config.context}; cut the text."
            )
        return self.embed(tokens) + self.positions(torch.arange(tokens.shape[1], device=tokens.device))

    def hidden(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_model"]:
        """Residual stream after the last block and the final LayerNorm: what the unembedding reads."""
        x = self._embed(tokens)
        for block in self.blocks:
            x = block(x)
        return self.ln_final(x)

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos vocab"]:
        """Next-token logits, nats.

        Parameters
        ----------
        tokens : Tensor, integer, (batch, pos)
            Token ids; position 0 holds the beginning-of-sequence token.
        """
        return self.unembed(self.hidden(tokens))

    @torch.inference_mode()
    def neuron_activations(
        self, tokens: Int[Tensor, "batch pos"], *, site: Site = "post_act"
    ) -> Iterator[tuple[int, Float[Tensor, "batch pos d_mlp"]]]:
        """Activations of every neuron, layer by layer, at the cost of no logits and no last W_out.

        Parameters
        ----------
        tokens : Tensor, integer, (batch, pos)
        site : {"post_act", "post_ln"}
            Before or after the extra LayerNorm. "post_act" is what the SoLU paper showed its raters.

        Yields
        ------
        layer : int
        activations : Tensor, float32, (batch, pos, d_mlp)
            Unitless; overwritten by nothing, so it may be kept.
        """
        if site not in ("post_act", "post_ln"):
            raise ConfigError(f"`site` is {site!r}; choose post_act or post_ln.")
        x = self._embed(tokens)
        for layer, module in enumerate(self.blocks):
            block = cast(Block, module)
            x = x + block.attention(block.ln1(x))
            h = block.mlp.activate(block.ln2(x))
            normalised = block.mlp.normalise(h) if site == "post_ln" or layer + 1 < len(self.blocks) else h
            yield layer, (normalised if site == "post_ln" else h).float()
            if layer + 1 < len(self.blocks):
                x = x + block.mlp.w_out(normalised)
