"""Measure delphi's LatentCache (eai-delphi 0.1.3) on the neurons of a GPT-2 with our weights, in its own environment.

The network is transformers' GPT2Model, as delphi loads a network: no logits. The "sparse coder" passes on the first
neurons. Defaults are delphi's: 32 contexts in a batch, 5 files. It keeps every value above 1e-5 in memory until the
end, 56 bytes for each neuron and token at the peak; the top is what its files hold, in float16.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from transformers import GPT2Config, GPT2Model

from benchmarks.peers.exchange import Entry, Job, Result
from benchmarks.peers.peer import TOP, bytes_in, fastest, peak_bytes, run_peer, seconds, stand_in

stand_in({"faiss": (), "sentence_transformers": ("SentenceTransformer",)})

from delphi.latents import LatentCache  # noqa: E402

BATCH, SPLITS = 32, 5


def load_gpt2(job: Job) -> GPT2Model:
    """Our weights in transformers' GPT-2, whose linear layers hold (inputs, outputs)."""
    shape = job.config
    model = GPT2Model(
        GPT2Config(
            vocab_size=shape["vocab_size"],
            n_positions=shape["context"],
            n_embd=shape["d_model"],
            n_layer=shape["n_layers"],
            n_head=shape["n_heads"],
            n_inner=shape["d_mlp"],
            activation_function="gelu",
            layer_norm_epsilon=shape["layernorm_eps"],
        )
    ).eval()
    state = {"wte.weight": job.weights["embed.weight"], "wpe.weight": job.weights["positions.weight"]}
    state |= {f"ln_f.{part}": job.weights[f"ln_final.{part}"] for part in ("weight", "bias")}
    for layer in range(shape["n_layers"]):
        ours, theirs = f"blocks.{layer}", f"h.{layer}"
        for one, other in (("ln1", "ln_1"), ("ln2", "ln_2")):
            state |= {f"{theirs}.{other}.{part}": job.weights[f"{ours}.{one}.{part}"] for part in ("weight", "bias")}
        for one, other in (
            ("attention.qkv", "attn.c_attn"),
            ("attention.out", "attn.c_proj"),
            ("mlp.w_in", "mlp.c_fc"),
            ("mlp.w_out", "mlp.c_proj"),
        ):
            state[f"{theirs}.{other}.weight"], state[f"{theirs}.{other}.bias"] = job.linear(f"{ours}.{one}")
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in state.items()}
    model.load_state_dict(tensors)
    return model


@torch.no_grad()
def forward(model: GPT2Model, tokens: torch.Tensor) -> None:
    for batch in tokens.split(BATCH):
        model(batch)


def top_of(folder: Path, shape: tuple[int, int]) -> list[list[Entry]]:
    """Each neuron's strongest rows, beginnings of sequences left out, from the files that delphi wrote."""
    top: list[list[Entry]] = []
    for path in sorted(folder.glob("*.safetensors"), key=lambda path: int(path.stem.split("_")[0])):
        first, last = (int(number) for number in path.stem.split("_"))
        stored = load_file(path)
        rows, columns, neurons = stored["locations"].T.astype(np.int64)
        dense = np.zeros((last - first + 1, *shape), dtype=np.float32)
        dense[neurons, rows, columns] = stored["activations"]
        dense[:, :, 0] = 0
        peaks = dense.argmax(axis=2)
        values = np.take_along_axis(dense, peaks[:, :, None], axis=2)[:, :, 0]
        for neuron in range(len(dense)):
            order = np.argsort(-values[neuron], kind="stable")[:TOP]
            top.append(
                [
                    (float(values[neuron, row]), int(row), int(peaks[neuron, row]))
                    for row in order
                    if values[neuron, row] > 0
                ]
            )
    return top


def measure(job: Job, neurons: int, output: Path) -> Result:
    model = load_gpt2(job)
    # delphi leaves out the rows that do not fill a batch.
    tokens = torch.from_numpy(job.tokens[: len(job.tokens) // BATCH * BATCH].astype(np.int64))
    site = f"h.{job.layer}.mlp.act"
    forward_seconds = fastest(lambda: forward(model, tokens))
    cache = LatentCache(model, {site: lambda activations: activations[:, :, :neurons]}, batch_size=BATCH)
    harvest_seconds = seconds(lambda: cache.run(tokens.numel(), tokens))
    saving_seconds = seconds(lambda: cache.save_splits(SPLITS, output))
    return Result(
        version=f"eai-delphi {version('eai-delphi')}",
        neurons=neurons,
        tokens=tokens.numel(),
        seconds_forward=forward_seconds,
        seconds_harvest=harvest_seconds,
        seconds_saving=saving_seconds,
        peak_bytes=peak_bytes(),
        disk_bytes=bytes_in(output),
        columns=(1, tokens.shape[1]),
        top=top_of(output / site, tuple(tokens.shape)),
    )


if __name__ == "__main__":
    run_peer(measure)
