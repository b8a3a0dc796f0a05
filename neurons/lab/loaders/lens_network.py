"""Networks in the TransformerLens layout: the forward pass, in torch alone.

The site "post_act" is after the activation and, in solu_ln, before the extra LayerNorm: what TransformerLens up to 3
calls mlp.hook_mid and since 4 mlp.ln.hook_in. "post_ln" is after that LayerNorm: mlp.hook_post there. In networks
without it both are mlp.hook_post. act_fn "gelu" is the exact GELU, as TransformerLens reads it; the networks were
trained with the tanh form, which the option act_fn=gelu_new gives.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from neurons.lab.config import ConfigError
from neurons.lab.loaders.common import check_bos, check_options, precision_of, read_config
from neurons.lab.loaders.lens_config import LensConfig, lens_config
from neurons.lab.loaders.lens_files import State, load_state
from neurons.lab.loaders.tokenizer_files import bos_in_files
from neurons.lab.transformer import solu
from neurons.lab.weights import NeuronWeights

KIND = "transformer_lens"
OPTIONS: dict[str, type] = {
    "weights": str,
    "layout": str,
    "act_fn": str,
    "bos_id": int,
    "context": int,
    "precision": str,
}
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": lambda z: F.gelu(z, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
    "solu": solu,
    "solu_ln": solu,
}


def open_lens(folder: Path, options: dict[str, Any]) -> "LensNetwork":
    """Read a network in the TransformerLens layout.

    Parameters
    ----------
    options : dict
        weights: name of the .pth file. layout: auto, current or old. act_fn: another activation than config.json's.
        bos_id: token that begins a sequence. context: tokens in one forward pass. precision: float32 or bfloat16.

    Raises
    ------
    CheckpointError
        If something is missing, damaged, of another shape, or would be computed otherwise than in training.
    """
    options = check_options(options, OPTIONS, KIND)
    config = lens_config(folder, options)
    bos = options.get("bos_id", read_config(folder).get("bos_token_id"))
    bos = check_bos(bos_in_files(folder) if bos is None else bos, config.vocab_size, folder)
    state, found = load_state(folder, config, options)
    network = LensNetwork(config, state, bos, options | found)
    return network.to(precision_of(options)).eval()


def _linear(weight: Float[Tensor, "inputs outputs"], bias: Float[Tensor, "outputs"]) -> nn.Linear:
    """x @ weight + bias as a module."""
    inputs, outputs = weight.shape
    module = nn.Linear(inputs, outputs, device="meta")
    module.weight, module.bias = nn.Parameter(weight.T.contiguous()), nn.Parameter(bias.clone())
    return module.requires_grad_(False)


def _norm(state: State, name: str, width: int, eps: float, *, rms: bool = False) -> nn.Module:
    """LayerNorm, or division by the root mean square; with the gain and bias that the state has for it."""
    norm = nn.RMSNorm if rms else nn.LayerNorm
    module = norm(width, eps=eps, elementwise_affine=f"{name}.w" in state)
    module.load_state_dict({key: state[f"{name}.{key[0]}"] for key in module.state_dict()})
    return module.requires_grad_(False)


class LensBlock(nn.Module):
    """Attention and MLP, each behind its norm."""

    def __init__(self, config: LensConfig, state: State, layer: int) -> None:
        super().__init__()
        own = {key.removeprefix(f"blocks.{layer}."): value for key, value in state.items()}
        self.config = config
        normed = config.normalization is not None
        self.ln1 = _norm(own, "ln1", config.d_model, config.eps) if normed else nn.Identity()
        self.ln2 = _norm(own, "ln2", config.d_model, config.eps) if normed else nn.Identity()
        by_head = torch.stack([own[f"attn.W_{part}"] for part in "QKV"])  # (3, heads, d_model, d_head)
        self.qkv = _linear(
            by_head.permute(2, 0, 1, 3).flatten(1), torch.stack([own[f"attn.b_{part}"] for part in "QKV"]).flatten()
        )
        self.out = _linear(own["attn.W_O"].flatten(0, 1), own["attn.b_O"])
        self.w_in = _linear(own["mlp.W_in"], own["mlp.b_in"])
        self.w_out = _linear(own["mlp.W_out"], own["mlp.b_out"])
        extra = _norm(own, "mlp.ln", config.d_mlp, config.eps) if config.has_extra_layernorm else None
        self.ln = cast(nn.LayerNorm | None, extra)

    def attend(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_model"]:
        heads = self.qkv(self.ln1(x)).unflatten(-1, (3, self.config.n_heads, self.config.d_head))
        q, k, v = heads.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1 / self.config.attention_scale)
        return self.out(mixed.transpose(1, 2).flatten(2))

    def activate(self, x: Float[Tensor, "batch pos d_model"]) -> Float[Tensor, "batch pos d_mlp"]:
        """Activations at the site "post_act"."""
        return ACTIVATIONS[self.config.activation](self.w_in(self.ln2(x)))

    def normalise(self, h: Float[Tensor, "batch pos d_mlp"]) -> Float[Tensor, "batch pos d_mlp"]:
        """Activations at the site "post_ln"; the same as "post_act" where there is no extra LayerNorm."""
        if self.ln is None:
            return h
        # In float32 whatever the weights: the variance of SoLU can be as small as eps.
        return F.layer_norm(
            h.float(), self.ln.normalized_shape, self.ln.weight.float(), self.ln.bias.float(), self.ln.eps
        )

    def write(self, normalised: Float[Tensor, "batch pos d_mlp"]) -> Float[Tensor, "batch pos d_model"]:
        return self.w_out(normalised.to(self.w_out.weight.dtype))


class LensNetwork(nn.Module):
    """A decoder in the TransformerLens layout.

    Parameters
    ----------
    state : dict of str to Tensor
        From load_state: complete and of the right shapes.
    bos_id : int
        Token at position 0 of every context.
    options : dict
        With which the same network is read again, wherever its folder then is.
    """

    def __init__(self, config: LensConfig, state: State, bos_id: int, options: dict[str, Any]) -> None:
        super().__init__()
        self.config, self.bos_id, self.options = config, bos_id, options
        self.embed = nn.Embedding.from_pretrained(state["embed.W_E"])
        self.positions = nn.Embedding.from_pretrained(state["pos_embed.W_pos"])
        self.blocks = nn.ModuleList(LensBlock(config, state, layer) for layer in range(config.n_layers))
        final = config.normalization is not None
        self.ln_final: nn.Module = (
            _norm(state, "ln_final", config.d_model, config.eps, rms=config.final_rms) if final else nn.Identity()
        )
        self.unembed = _linear(state["unembed.W_U"], state["unembed.b_U"])

    def neuron_weights(self, layer: int) -> NeuronWeights:
        """Weights of one layer's neurons, a row each, float32."""
        block = cast(LensBlock, self.blocks[layer])
        return NeuronWeights(w_in=block.w_in.weight.float(), w_out=block.w_out.weight.float().T)

    def unembedding(self) -> Float[Tensor, "d_model vocab"]:
        return self.unembed.weight.float().T

    def _embed(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos d_model"]:
        if tokens.shape[1] > self.config.context:
            raise ValueError(
                f"`tokens` has {tokens.shape[1]} positions, the network reads {self.config.context}; cut the text."
            )
        return self.embed(tokens) + self.positions(torch.arange(tokens.shape[1], device=tokens.device))

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos vocab"]:
        """Next-token logits, nats."""
        x = self._embed(tokens)
        for module in self.blocks:
            block = cast(LensBlock, module)
            x = x + block.attend(x)
            x = x + block.write(block.normalise(block.activate(x)))
        return self.unembed(self.ln_final(x))

    @torch.inference_mode()
    def neuron_activations(
        self, tokens: Int[Tensor, "batch pos"], *, site: str = "post_act"
    ) -> Iterator[tuple[int, Float[Tensor, "batch pos d_mlp"]]]:
        """Activations of every neuron, layer by layer, without logits and without the last W_out.

        Parameters
        ----------
        tokens : Tensor, integer, (batch, pos)
        site : {"post_act", "post_ln"}
            Before or after the extra LayerNorm.

        Yields
        ------
        layer : int
        activations : Tensor, float32, (batch, pos, d_mlp)
        """
        if site not in ("post_act", "post_ln"):
            raise ConfigError(f"`site` is {site!r}; choose post_act or post_ln.")
        x = self._embed(tokens)
        for layer, module in enumerate(self.blocks):
            block, last = cast(LensBlock, module), layer + 1 == len(self.blocks)
            x = x + block.attend(x)
            h = block.activate(x)
            normalised = h if last and site == "post_act" else block.normalise(h)
            yield layer, (normalised if site == "post_ln" else h).float()
            if not last:
                x = x + block.write(normalised)
