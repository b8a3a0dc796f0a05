"""Measure sae-dashboard 0.8.0 on the neurons of a HookedTransformer with our weights, in its own environment.

It makes pages for features of a sparse autoencoder; here that is the identity on the neurons, so that a feature is a
neuron (its ReLU takes the negative values, which no top holds). Defaults are the package's: 256 features and 64
contexts at a time, top 20 and ten intervals, five tokens of text on each side, so that peaks nearer than that to an end
of the context are not looked at. Not asked for is what would need a download: names, explanations, uploads.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from benchmarks.peers.exchange import Entry, Job, Result
from benchmarks.peers.peer import bytes_in, fastest, hide, peak_bytes, run_peer, seconds

# Built for another torch on machines without a graphics card, and not used here.
hide(["torchvision", "torchaudio"])

from sae_dashboard.neuronpedia.neuronpedia_converter import NeuronpediaConverter  # noqa: E402
from sae_dashboard.neuronpedia.neuronpedia_runner_config import NeuronpediaRunnerConfig  # noqa: E402
from sae_dashboard.sae_vis_data import SaeVisConfig, SaeVisData  # noqa: E402
from sae_dashboard.sae_vis_runner import SaeVisRunner  # noqa: E402
from sae_lens import HookedSAETransformer, StandardSAE, StandardSAEConfig  # noqa: E402
from transformer_lens import HookedTransformerConfig  # noqa: E402


def load_hooked(job: Job) -> HookedSAETransformer:
    """Our weights in TransformerLens's network."""
    shape = job.config
    heads = shape["n_heads"]
    model = HookedSAETransformer(
        HookedTransformerConfig(
            n_layers=shape["n_layers"],
            d_model=shape["d_model"],
            n_ctx=shape["context"],
            d_head=shape["d_model"] // heads,
            n_heads=heads,
            d_mlp=shape["d_mlp"],
            d_vocab=shape["vocab_size"],
            act_fn="gelu",
            normalization_type="LN",
            eps=shape["layernorm_eps"],
            device="cpu",
        )
    ).eval()
    state = {"embed.W_E": job.weights["embed.weight"], "pos_embed.W_pos": job.weights["positions.weight"]}
    state |= {"ln_final.w": job.weights["ln_final.weight"], "ln_final.b": job.weights["ln_final.bias"]}
    state |= {"unembed.W_U": job.weights["unembed.weight"].T, "unembed.b_U": np.zeros(shape["vocab_size"], np.float32)}
    for layer in range(shape["n_layers"]):
        block = block_of(job, f"blocks.{layer}", heads)
        state |= {f"blocks.{layer}.{name}": array for name, array in block.items()}
    tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in state.items()}
    found = model.load_state_dict(tensors, strict=False)
    # What may be missing are buffers: the causal mask and the value behind it.
    missing = [name for name in found.missing_keys if not name.endswith((".mask", ".IGNORE"))]
    if missing or found.unexpected_keys:
        raise ValueError(f"the weights do not fit TransformerLens: {missing} missing, {found.unexpected_keys} unknown.")
    return model


def block_of(job: Job, ours: str, heads: int) -> dict[str, np.ndarray]:
    """One block's tensors under TransformerLens's names, heads apart."""
    weight, bias = job.linear(f"{ours}.attention.qkv")
    block = {}
    for letter, matrix, offset in zip("QKV", np.split(weight, 3, axis=1), np.split(bias, 3), strict=True):
        block[f"attn.W_{letter}"] = np.stack(np.split(matrix, heads, axis=1))
        block[f"attn.b_{letter}"] = offset.reshape(heads, -1)
    out, block["attn.b_O"] = job.linear(f"{ours}.attention.out")
    block["attn.W_O"] = out.reshape(heads, -1, out.shape[1])
    block["mlp.W_in"], block["mlp.b_in"] = job.linear(f"{ours}.mlp.w_in")
    block["mlp.W_out"], block["mlp.b_out"] = job.linear(f"{ours}.mlp.w_out")
    for norm in ("ln1", "ln2"):
        block[f"{norm}.w"], block[f"{norm}.b"] = (job.weights[f"{ours}.{norm}.{part}"] for part in ("weight", "bias"))
    return block


@torch.no_grad()
def identity_encoder(width: int) -> StandardSAE:
    """A sparse autoencoder whose features are the neurons."""
    encoder = StandardSAE(StandardSAEConfig(d_in=width, d_sae=width, apply_b_dec_to_input=False))
    encoder.W_enc.copy_(torch.eye(width))
    encoder.W_dec.copy_(torch.eye(width))
    encoder.b_enc.zero_()
    encoder.b_dec.zero_()
    return encoder


@torch.inference_mode()
def forward(model: HookedSAETransformer, tokens: torch.Tensor, rows: int, layer: int) -> None:
    for batch in tokens.split(rows):
        model(batch, stop_at_layer=layer + 1)


def save(data: SaeVisData, model: HookedSAETransformer, path: Path) -> None:
    """Write the JSON that the package's own runner writes, with the tokens' numbers for their texts."""
    config = NeuronpediaRunnerConfig(sae_set="identity", sae_path="", outputs_dir=str(path.parent))
    names = {token: str(token) for token in range(model.cfg.d_vocab)}
    path.write_text(NeuronpediaConverter.convert_to_np_json(model, data, config, names))


def top_of(data: SaeVisData, neurons: int) -> list[list[Entry]]:
    """Each neuron's top group; several entries may be of one row."""
    top: list[list[Entry]] = []
    before = data.cfg.feature_centric_layout.seq_cfg.buffer[0]
    for neuron in range(neurons):
        group = data.feature_data_dict[neuron].sequence_data.seq_group_data[0]
        top.append(
            [
                (float(sequence.feat_acts[before]), sequence.original_index, sequence.qualifying_token_index)
                for sequence in group.seq_data
                if sequence.feat_acts[before] > 0
            ]
        )
    return top


def measure(job: Job, neurons: int, output: Path) -> Result:
    model, tokens = load_hooked(job), torch.from_numpy(job.tokens.astype(np.int64))
    config = SaeVisConfig(
        hook_point=f"blocks.{job.layer}.mlp.hook_post", features=list(range(neurons)), ignore_positions=[0]
    )
    encoder = identity_encoder(job.config["d_mlp"])
    forward_seconds = fastest(lambda: forward(model, tokens, config.minibatch_size_tokens, job.layer))
    made: list[SaeVisData] = []
    harvest_seconds = seconds(lambda: made.append(SaeVisRunner(config).run(encoder, model, tokens)))
    saving_seconds = seconds(lambda: save(made[0], model, output / "batch-0.json"))
    before, after = config.feature_centric_layout.seq_cfg.buffer
    return Result(
        version=f"sae-dashboard {version('sae-dashboard')}",
        neurons=neurons,
        tokens=tokens.numel(),
        seconds_forward=forward_seconds,
        seconds_harvest=harvest_seconds,
        seconds_saving=saving_seconds,
        peak_bytes=peak_bytes(),
        disk_bytes=bytes_in(output),
        columns=(before + 1, tokens.shape[1] - after),
        top=top_of(made[0], neurons),
    )


if __name__ == "__main__":
    run_peer(measure)
