"""State dicts in the TransformerLens layout: which file, which of its layouts, and whether it is whole.

    embed.W_E (V, d)  pos_embed.W_pos (n_ctx, d)  unembed.W_U (d, V)  unembed.b_U (V), zeros where missing
    blocks.l.ln1|ln2.w|b (d)                       LN only; ln_final.w|b (d) likewise, w alone with final_rms
    blocks.l.attn.W_Q|W_K|W_V (H, d, dh)  W_O (H, dh, d)  b_Q|b_K|b_V (H, dh)  b_O (d)
    blocks.l.mlp.W_in (d, m)  b_in (m)  W_out (m, d)  b_out (d)
    blocks.l.mlp.ln.w|b (m)                        solu_ln only; with LNPre the file may leave them out: 1 and 0

Every product is x @ W. Buffers (attn.mask, attn.IGNORE) are dropped. Files of the first generation ("old") call a
LayerNorm "norm", the last one "norm" alone, and hold most matrices the other way round.
"""

import pickle
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neurons.lab.checkpoint import CheckpointError
from neurons.lab.loaders.common import read_config, refuse_tensors
from neurons.lab.loaders.lens_config import LensConfig

LAYOUTS = ("auto", "current", "old")
BUFFERS = (".mask", ".IGNORE")
# Where shapes cannot tell (square matrices): networks up to so many layers were saved the other way round.
OLD_POSITIONS_LAYERS, OLD_WEIGHTS_LAYERS = 8, 6

State = dict[str, Tensor]
Shapes = dict[str, tuple[int, ...]]


def weights_file(folder: Path, options: dict[str, Any]) -> Path:
    """The state dict that is meant: named by the option `weights`, else …final.pth, else the only .pth.

    Raises
    ------
    CheckpointError
        If there is none, or several and none is called final.
    """
    if "weights" in options:
        path = folder / str(options["weights"])
        if not path.is_file() or folder.resolve() not in path.resolve().parents:
            raise CheckpointError(f"{folder} has no file {options['weights']!r} (option weights).")
        return path
    found = sorted(folder.glob("*.pth"))
    final = [path for path in found if path.name.endswith("final.pth")]
    if len(final or found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise CheckpointError(f"{folder} has .pth files: {names}; say which one with --option weights=NAME.")
    return (final or found)[0]


def load_state(folder: Path, config: LensConfig, options: dict[str, Any]) -> tuple[State, dict[str, str]]:
    """The network's tensors, float32, in the current layout, complete; and the file and layout they were found in.

    Raises
    ------
    CheckpointError
        If the file cannot be read, or a tensor is missing, left over or of another shape.
    """
    path = weights_file(folder, options)
    state = {key: tensor for key, tensor in _read(path).items() if not key.endswith(BUFFERS)}
    old = _is_old(folder, state, options)
    if old:
        state = from_old_layout(state, config)
    needed, optional = expected_shapes(config)
    shapes = needed | optional
    refuse_tensors(
        path,
        missing=sorted(needed.keys() - state.keys()),
        extra=sorted(state.keys() - shapes.keys()),
        shapes={
            key: (tuple(state[key].shape), shape)
            for key, shape in shapes.items()
            if key in state and tuple(state[key].shape) != shape
        },
    )
    left_out = {
        key: torch.ones(shape) if key.endswith(".w") else torch.zeros(shape)
        for key, shape in optional.items()
        if key not in state
    }
    found = {"weights": path.relative_to(folder).as_posix(), "layout": "old" if old else "current"}
    return {key: tensor.float() for key, tensor in state.items()} | left_out, found


def _read(path: Path) -> State:
    try:
        read = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} cannot be read as a state dict of tensors alone; it is damaged, or holds objects that would run "
            f"code: {str(error).partition(chr(10))[0]}"
        ) from None
    if not isinstance(read, dict) or not all(isinstance(value, Tensor) for value in read.values()):
        raise CheckpointError(f"{path} is no state dict: it has to map names to tensors.")
    return read


def _is_old(folder: Path, state: State, options: dict[str, Any]) -> bool:
    layout = options.get("layout", "auto")
    if layout not in LAYOUTS:
        raise CheckpointError(f"`layout` is {layout!r}; choose one of {', '.join(LAYOUTS)}.")
    if layout != "auto":
        return bool(layout == "old")
    named = read_config(folder).get("architecture") == "neel-solu-old" or "_old" in folder.name
    return named or any("norm" in key for key in state)


def from_old_layout(state: State, config: LensConfig) -> State:
    """Rename norms and turn matrices; shapes decide, and for square ones the number of layers."""
    renamed = {_new_name(key): tensor for key, tensor in state.items()}
    turned = _is_turned(
        renamed.get("embed.W_E"), (config.vocab_size, config.d_model), config.n_layers <= OLD_WEIGHTS_LAYERS
    )
    positions_turned = _is_turned(
        renamed.get("pos_embed.W_pos"), (config.positions, config.d_model), config.n_layers <= OLD_POSITIONS_LAYERS
    )
    return {
        key: tensor.transpose(-2, -1)
        if ".W_" in key and (positions_turned if key == "pos_embed.W_pos" else turned)
        else tensor
        for key, tensor in renamed.items()
    }


def _new_name(key: str) -> str:
    key = key.replace("norm", "ln")
    return "ln_final." + key.removeprefix("ln.") if key.startswith("ln.") else key


def _is_turned(tensor: Tensor | None, shape: tuple[int, int], usual: bool) -> bool:
    found = None if tensor is None else tuple(tensor.shape)
    if shape[0] == shape[1] or found not in (shape, shape[::-1]):
        return usual
    return found != shape


def expected_shapes(config: LensConfig) -> tuple[Shapes, Shapes]:
    """Shapes of the tensors that a file must have, and of those that it may leave out."""
    width = config.d_model
    needed: Shapes = {
        "embed.W_E": (config.vocab_size, width),
        "pos_embed.W_pos": (config.positions, width),
        "unembed.W_U": (width, config.vocab_size),
    }
    optional: Shapes = {"unembed.b_U": (config.vocab_size,)}
    for layer in range(config.n_layers):
        needed |= {f"blocks.{layer}.{name}": shape for name, shape in _block_shapes(config).items()}
        if config.has_extra_layernorm:
            extra = {f"blocks.{layer}.mlp.ln.{name}": (config.d_mlp,) for name in "wb"}
            (needed if config.normalization == "LN" else optional).update(extra)
    final = {f"ln_final.{name}": (width,) for name in ("w" if config.final_rms else "wb")}
    if config.normalization == "LN":
        needed |= final
    elif config.final_rms:  # with LNPre some files keep the last norm's gain, others have it folded in
        optional |= final
    return needed, optional


def _block_shapes(config: LensConfig) -> Shapes:
    heads, width, head, neurons = config.n_heads, config.d_model, config.d_head, config.d_mlp
    norms = {f"{norm}.{name}": (width,) for norm in ("ln1", "ln2") for name in "wb"}
    return (norms if config.normalization == "LN" else {}) | {
        **{f"attn.W_{part}": (heads, width, head) for part in "QKV"},
        **{f"attn.b_{part}": (heads, head) for part in "QKV"},
        "attn.W_O": (heads, head, width),
        "attn.b_O": (width,),
        "mlp.W_in": (width, neurons),
        "mlp.b_in": (neurons,),
        "mlp.W_out": (neurons, width),
        "mlp.b_out": (width,),
    }
