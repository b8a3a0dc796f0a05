"""config.json of networks in the TransformerLens layout (Neel Nanda's SoLU and GELU networks).

What would change the forward pass and is not supported is refused here by name, so that no network is misread.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurons.lab.checkpoint import CheckpointError
from neurons.lab.loaders.common import SourceConfig, context_of, read_config

ACTIVATIONS = ("gelu", "gelu_new", "relu", "silu", "solu", "solu_ln")
NORMALIZATIONS = ("LN", "LNPre", None)
DEFAULT_EPS = 1e-5  # of every LayerNorm, where config.json names none (TransformerLens)
NEEDED = ("n_layers", "d_model", "d_head", "n_ctx", "d_vocab", "act_fn")

# Keys that change the forward pass -> values this loader computes, and why others are refused.
REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "attn_only": ((False,), "a network without MLPs has no neurons to look at"),
    "shortformer_pos": ((False, None), "positions added inside attention (Shortformer) are not supported"),
    "positional_embedding_type": (("standard", None), "only learned positions, added once, are supported"),
    "gated_mlp": ((False, None), "gated MLPs are read through the Hugging Face layout"),
    "parallel_attn_mlp": ((False, None), "attention and MLP side by side are read through the Hugging Face layout"),
    "attention_dir": (("causal", None), "only causal attention is supported"),
    "use_local_attn": ((False, None), "local attention is not supported"),
    "scale_attn_by_inverse_layer_idx": (
        (False, None),
        "a scale of attention that depends on the layer is not supported",
    ),
    "use_attn_scale": ((True, None), "attention without a scale is not supported"),
}


@dataclass(frozen=True)
class LensConfig(SourceConfig):
    """Shape of a pre-LayerNorm decoder with learned positions.

    Attributes
    ----------
    n_heads, d_head : int
        Their product may differ from d_model.
    positions : int
        Rows of the position embedding; `context` is at most this.
    normalization : {"LN", "LNPre", None}
        LayerNorm with gain and bias; without either; none at all.
    final_rms : bool
        Whether the last norm divides by the root mean square, without a mean or a bias.
    eps : float
        Of every norm.
    attention_scale : float
        What scores are divided by, √d_head unless config.json says otherwise.
    """

    n_heads: int
    d_head: int
    positions: int
    normalization: str | None
    final_rms: bool
    eps: float
    attention_scale: float

    @property
    def has_extra_layernorm(self) -> bool:
        """Whether a LayerNorm stands between the activation and W_out."""
        return self.activation == "solu_ln"


def lens_config(folder: Path, options: dict[str, Any]) -> LensConfig:
    """Read and check config.json.

    Raises
    ------
    CheckpointError
        If a key is missing, or a value cannot be computed here.
    """
    given = read_config(folder)
    path = folder / "config.json"
    if missing := [key for key in NEEDED if key not in given]:
        raise CheckpointError(f"{path} lacks {', '.join(missing)}.")
    for key, (allowed, why) in REFUSED.items():
        if given.get(key, allowed[0]) not in allowed:
            raise CheckpointError(f"{path} has {key} {given[key]!r}: {why}.")
    normalization = _normalization(given, path)
    if given.get("final_rms") and normalization is None:
        raise CheckpointError(
            f"{path} has final_rms without any normalization; only with LN and LNPre it has a meaning."
        )
    activation = str(options.get("act_fn", given["act_fn"]))
    if activation not in ACTIVATIONS:
        raise CheckpointError(f"{path} has act_fn {activation!r}; known are {', '.join(ACTIVATIONS)}.")
    return LensConfig(
        n_layers=given["n_layers"],
        d_model=given["d_model"],
        d_mlp=given.get("d_mlp") or 4 * given["d_model"],
        vocab_size=given["d_vocab"],
        context=context_of(given["n_ctx"], options),
        activation=activation,
        n_heads=given.get("n_heads") or given["d_model"] // given["d_head"],
        d_head=given["d_head"],
        positions=given["n_ctx"],
        normalization=normalization,
        final_rms=bool(given.get("final_rms", False)),
        eps=float(given.get("eps", DEFAULT_EPS)),
        attention_scale=_attention_scale(given),
    )


def _normalization(given: dict[str, Any], path: Path) -> str | None:
    """Older files call it `normalization`."""
    keys = [key for key in ("normalization", "normalization_type") if key in given]
    if not keys:
        raise CheckpointError(f"{path} lacks normalization (or normalization_type).")
    found = given[keys[0]]
    if found not in NORMALIZATIONS:
        raise CheckpointError(f"{path} has {keys[0]} {found!r}; known are LN, LNPre and null.")
    return None if found is None else str(found)


def _attention_scale(given: dict[str, Any]) -> float:
    scale = float(given.get("attn_scale") or -1.0)
    return scale if scale > 0 else float(given["d_head"]) ** 0.5
