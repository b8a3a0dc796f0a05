"""Hugging Face causal language models from a folder, through transformers: nothing is fetched, no code in it runs.

The model's own forward pass runs up to the last layer's neurons and no further: a hook in front of the MLP's last
matrix takes what goes into it, and in the last layer ends the pass. So neither that matrix nor the unembedding is
computed. Texts are padded on the right, which a causal model cannot see; that it is causal is tried when it is opened.
"""

from collections.abc import Iterator
from pathlib import Path
from threading import get_ident
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from neurons.lab.checkpoint import CheckpointError
from neurons.lab.config import ConfigError
from neurons.lab.loaders.common import SourceConfig, check_bos, check_options, context_of, precision_of, refuse_tensors
from neurons.lab.loaders.hub_sites import NeuronSite, find_site, input_rows, output_rows
from neurons.lab.loaders.layer_stream import Emit, LayerStream
from neurons.lab.loaders.tokenizer_files import bos_in_files
from neurons.lab.weights import NeuronWeights

KIND = "huggingface"
OPTIONS: dict[str, type] = {"site": str, "reads": str, "bos_id": int, "context": int, "precision": str}
DEFAULT_CONTEXT = 1024  # tokens in one forward pass, where the model could read more
LENGTH_DEPENDENT = ("dynamic", "longrope")
LABEL_CHARS = 20  # of the name of an activation
# Buffers that older files carry and the model works out itself.
BUFFERS = (".attn.bias", ".attn.masked_bias", ".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq")
PROBE = (2, 6)  # rows and tokens with which causality is tried
LEAST_EFFECT = 1e-4  # of a token on the neurons before it, relative to that on its own: less is rounding


def open_hub(folder: Path, options: dict[str, Any]) -> "HubNetwork":
    """Read a causal language model in the Hugging Face layout: config.json and *.safetensors.

    Parameters
    ----------
    options : dict
        site: name of the module that reads the neurons, with {layer}; found by architecture without it. reads: name
        of the module whose rows are their input weights. bos_id: token that begins a sequence. context: tokens in one
        forward pass. precision: float32 or bfloat16.

    Raises
    ------
    CheckpointError
        If the architecture or a module is not known, a tensor is missing, left over or of another shape, or the model
        looks ahead.
    """
    options = check_options(options, OPTIONS, KIND)
    model = _load(folder, precision_of(options))
    shape = model.config.get_text_config()
    site = find_site(model, shape.num_hidden_layers, site=options.get("site", ""), reads=options.get("reads", ""))
    longest = _longest(shape)
    config = SourceConfig(
        n_layers=shape.num_hidden_layers,
        d_model=shape.hidden_size,
        d_mlp=site.d_mlp,
        vocab_size=shape.vocab_size,
        context=context_of(longest, {"context": min(longest, DEFAULT_CONTEXT)} | options),
        activation=_activation(shape, site),
    )
    bos = options.get("bos_id", _bos(shape, folder))
    bos = check_bos(bos, config.vocab_size, folder)
    network = HubNetwork(model, site, config, bos, options | {"site": site.pattern})
    network.check_causal()
    return network


def _load(folder: Path, dtype: torch.dtype) -> Any:
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    if not (folder / "config.json").is_file():
        raise CheckpointError(f"{folder} holds no network: config.json is missing.")
    try:
        with torch.random.fork_rng(devices=[]):  # what a file lacks is drawn at random there, before it is refused here
            model, found = AutoModelForCausalLM.from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # they are refused below, by name
                output_loading_info=True,
                dtype=dtype,
            )
    except Exception as error:  # transformers and safetensors raise many kinds, all about this folder
        raise CheckpointError(f"{folder} cannot be read by transformers: {str(error).strip()}") from error
    refuse_tensors(
        folder,
        missing=sorted(found["missing_keys"]),
        extra=sorted(key for key in found["unexpected_keys"] if not key.endswith(BUFFERS)),
        shapes={key: (tuple(have), tuple(want)) for key, have, want in sorted(found["mismatched_keys"])},
    )
    return model.eval().requires_grad_(False)


def _longest(shape: Any) -> int:
    """Tokens that the model reads at most, as long as what it computes does not depend on how many there are."""
    longest = getattr(shape, "max_position_embeddings", None) or DEFAULT_CONTEXT
    rotary = getattr(shape, "rope_parameters", None) or {}
    for facts in (rotary, *(part for part in rotary.values() if isinstance(part, dict))):
        # These rotate all positions otherwise once a text, its padding included, is longer than in training.
        if facts.get("rope_type") in LENGTH_DEPENDENT:
            longest = min(longest, facts.get("original_max_position_embeddings") or longest)
    return int(longest)


def _activation(shape: Any, site: NeuronSite) -> str:
    named = getattr(shape, "hidden_act", None) or getattr(shape, "activation_function", None)
    name = str(named or getattr(shape, "hidden_activation", None) or "activation").replace("pytorch_", "")
    return (name + "_gated" if site.gated else name)[:LABEL_CHARS]


def _bos(shape: Any, folder: Path) -> int | None:
    """The model's beginning of a sequence; else its tokenizer's; else its end of a text, as GPT-2 does it."""
    if (bos := getattr(shape, "bos_token_id", None)) is not None:
        return int(bos)
    if (bos := bos_in_files(folder)) is not None:
        return bos
    eos = getattr(shape, "eos_token_id", None)
    return eos[0] if isinstance(eos, list) else eos


class _Enough(Exception):
    """The last layer's neurons were seen."""


class HubNetwork(nn.Module):
    """A Hugging Face causal language model, read at its neurons.

    Parameters
    ----------
    model : PreTrainedModel
    site : NeuronSite
    bos_id : int
        Token at position 0 of every context.
    options : dict
        With which the same network is read again; the site among them by name.
    """

    def __init__(
        self, model: Any, site: NeuronSite, config: SourceConfig, bos_id: int, options: dict[str, Any]
    ) -> None:
        super().__init__()
        self.model, self.site, self.config, self.bos_id, self.options = model, site, config, bos_id, options

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def neuron_weights(self, layer: int) -> NeuronWeights:
        """Weights of one layer's neurons, a row each, float32.

        Raises
        ------
        CheckpointError
            If the site was given by name and what the neurons are computed with is not known.
        """
        if self.site.inputs is None:
            raise CheckpointError(
                f"what computes the neurons at {self.site.pattern} is not known; name it with --option reads=NAME."
            )
        return NeuronWeights(
            w_in=input_rows(self.site.inputs[layer], self.config.d_mlp).float(),
            w_out=output_rows(self.site.outputs[layer]).float(),
        )

    def unembedding(self) -> Float[Tensor, "d_model vocab"]:
        return self.model.get_output_embeddings().weight.float().T

    def forward(self, tokens: Int[Tensor, "batch pos"]) -> Float[Tensor, "batch pos vocab"]:
        """Next-token logits, nats."""
        return self.model(input_ids=tokens, use_cache=False).logits

    def neuron_activations(
        self, tokens: Int[Tensor, "batch pos"], *, site: str = "post_act"
    ) -> Iterator[tuple[int, Float[Tensor, "batch pos d_mlp"]]]:
        """Activations of every neuron, layer by layer; the pass ends at the last layer's neurons.

        Parameters
        ----------
        tokens : Tensor, integer, (batch, pos)
        site : {"post_act"}
            What goes into the MLP's last matrix.

        Yields
        ------
        layer : int
        activations : Tensor, float32, (batch, pos, d_mlp)
        """
        if site != "post_act":
            raise ConfigError(
                f"`site` is {site!r}; this network has no LayerNorm after the activation, so that it can be read at "
                "post_act only."
            )
        if tokens.shape[1] > self.config.context:
            raise ValueError(
                f"`tokens` has {tokens.shape[1]} positions, the network reads {self.config.context}; cut the text."
            )
        for layer, activations in LayerStream(lambda emit: self._watch(tokens, emit), self.device):
            yield layer, activations.reshape(*tokens.shape, -1).float()

    def _watch(self, tokens: Int[Tensor, "batch pos"], emit: Emit) -> None:
        """Run the model with a hook in front of each layer's last matrix."""
        hooks = [
            module.register_forward_pre_hook(self._hook(layer, tokens.numel(), emit))
            for layer, module in enumerate(self.site.outputs)
        ]
        try:
            self.model(input_ids=tokens, use_cache=False)
        except _Enough:
            pass
        finally:
            for hook in hooks:
                hook.remove()

    def _hook(self, layer: int, tokens: int, emit: Emit) -> Any:
        own = get_ident()

        def take(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            if get_ident() != own:  # another pass through the same model
                return
            if inputs[0].numel() != tokens * self.config.d_mlp:
                raise CheckpointError(
                    f"{self.site.pattern} of layer {layer} was given shape {tuple(inputs[0].shape)} for {tokens} "
                    f"tokens and {self.config.d_mlp} neurons; it does not read every neuron at every token once."
                )
            emit(layer, inputs[0])
            if layer + 1 == self.config.n_layers:
                raise _Enough

        return take

    def check_causal(self) -> None:
        """Try that the neurons at a token do not depend on the tokens after it, and that every layer is seen once.

        Raises
        ------
        CheckpointError
            If they do: padding and the text after a snippet would change its activations.
        """
        rows, width = PROBE
        tokens = torch.full((rows, min(width, self.config.context)), self.bos_id, device=self.device)
        tokens[1, -1] = (self.bos_id + 1) % self.config.vocab_size
        seen = []
        for layer, activations in self.neuron_activations(tokens):
            seen.append(layer)
            change = (activations[0] - activations[1]).abs().nan_to_num(0)
            if change[:-1].max() > LEAST_EFFECT * change[-1].max():
                raise CheckpointError(
                    f"{type(self.model).__name__} looks ahead: in layer {layer} a token changes the neurons at the "
                    "tokens before it. Only causal language models can be read."
                )
        if seen != list(range(self.config.n_layers)):
            raise CheckpointError(
                f"{self.site.pattern} showed the layers {seen}, expected are 0 to {self.config.n_layers - 1}."
            )
