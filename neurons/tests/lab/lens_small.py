"""Small networks with random weights, written in the TransformerLens layout."""

import json
from pathlib import Path
from typing import Any

import torch

SHAPE: dict[str, Any] = {
    "d_model": 32,
    "n_layers": 2,
    "d_mlp": 64,
    "d_head": 8,
    "n_heads": 3,  # heads · d_head is not d_model, as in solu-2l-pile
    "n_ctx": 20,
    "d_vocab": 50,
    "act_fn": "solu_ln",
    "attn_only": False,
    "final_rms": False,
    "normalization": "LN",
    "tokenizer_name": "made/up",
    "bos_token_id": 3,
}
State = dict[str, torch.Tensor]


def make_config(**changes: Any) -> dict[str, Any]:
    return SHAPE | changes


def make_state(config: dict[str, Any], *, seed: int = 7, mlp_ln: bool = True) -> State:
    """Random weights under the names and in the shapes that the files have."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int, scale: float = 0.2, around: float = 0.0) -> torch.Tensor:
        return around + scale * torch.randn(shape, generator=generator)

    d, m, h, dh, v = (config[key] for key in ("d_model", "d_mlp", "n_heads", "d_head", "d_vocab"))
    state = {"embed.W_E": draw(v, d, scale=1.0), "pos_embed.W_pos": draw(config["n_ctx"], d)}
    state |= {"unembed.W_U": draw(d, v), "unembed.b_U": draw(v)}
    gains = config["normalization"] == "LN"
    for layer in range(config["n_layers"]):
        block = {f"attn.W_{part}": draw(h, d, dh) for part in "QKV"} | {f"attn.b_{part}": draw(h, dh) for part in "QKV"}
        block |= {"attn.W_O": draw(h, dh, d), "attn.b_O": draw(d), "mlp.W_in": draw(d, m), "mlp.b_in": draw(m)}
        block |= {"mlp.W_out": draw(m, d), "mlp.b_out": draw(d)}
        block |= {"attn.mask": torch.ones(4, 4).bool(), "attn.IGNORE": torch.tensor(-1e5)}
        if gains:
            block |= {f"{ln}.{part}": draw(d, around=float(part == "w")) for ln in ("ln1", "ln2") for part in "wb"}
        if config["act_fn"] == "solu_ln" and mlp_ln:
            block |= {"mlp.ln.w": draw(m, around=1.0), "mlp.ln.b": draw(m)}
        state |= {f"blocks.{layer}.{name}": tensor for name, tensor in block.items()}
    if gains:
        state["ln_final.w"] = draw(d, around=1.0)
        if not config["final_rms"]:
            state["ln_final.b"] = draw(d)
    return state


def to_old_layout(state: State, *, turn_positions: bool = True, turn_weights: bool = True) -> State:
    """As the first generation of files had it."""
    old = {}
    for key, tensor in state.items():
        positions, matrix = key.endswith("W_pos"), ".W_" in key
        if (positions and turn_positions) or (matrix and not positions and turn_weights):
            tensor = tensor.transpose(-2, -1).contiguous()
        old[key.replace("ln_final", "norm").replace("ln", "norm")] = tensor
    return old


def make_folder(folder: Path, config: dict[str, Any], state: State, *, weights: str = "model_final.pth") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(state, folder / weights)
    return folder


def make_tokens(config: dict[str, Any], rows: int = 3, width: int = 11) -> torch.Tensor:
    return torch.randint(config["d_vocab"], (rows, width), generator=torch.Generator().manual_seed(2))
