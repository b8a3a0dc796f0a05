"""What the harvest, the neuron pages and the live reading ask of a network, whoever trained it.

A loader for another kind of file gives an object with these methods; nothing else in the project knows the kinds.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

from neurons.lab.checkpoint import CheckpointError, load_network
from neurons.lab.loaders.common import check_options
from neurons.lab.weights import NeuronWeights


class SourceShape(Protocol):
    """Sizes of a network."""

    @property
    def n_layers(self) -> int: ...
    @property
    def d_mlp(self) -> int: ...
    @property
    def context(self) -> int:
        """Tokens in one forward pass, the beginning-of-sequence token included."""


@runtime_checkable
class NeuronSource(Protocol):
    """A network that reads tokens and tells its neurons' activations, layer by layer."""

    @property
    def config(self) -> Any:
        """A SourceShape."""

    @property
    def bos_id(self) -> int:
        """Token at position 0 of every context; never counted."""

    def neuron_activations(
        self, tokens: Int[Tensor, "batch pos"], *, site: Any = ...
    ) -> Iterator[tuple[int, Float[Tensor, "batch pos d_mlp"]]]:
        """Each layer's activations, without the cost of logits or of the last W_out."""

    def to(self, device: Any) -> Any: ...


@runtime_checkable
class WeightSource(Protocol):
    """A network whose neurons' weights can be looked at."""

    def neuron_weights(self, layer: int) -> NeuronWeights: ...
    def unembedding(self) -> Float[Tensor, "d_model vocab"]:
        """W_U as the residual stream meets it: without the final LayerNorm's gain."""


Loader = Callable[[Path, dict[str, Any]], NeuronSource]


def _open_ours(folder: Path, options: dict[str, Any]) -> NeuronSource:
    check_options(options, {}, "blindscope")
    return load_network(folder)


def _open_lens(folder: Path, options: dict[str, Any]) -> NeuronSource:
    from neurons.lab.loaders.lens_network import open_lens

    return open_lens(folder, options)


def _open_hub(folder: Path, options: dict[str, Any]) -> NeuronSource:
    from neurons.lab.loaders.hub_network import open_hub

    return open_hub(folder, options)


# A loader's module is imported when it is needed: transformers alone takes seconds.
LOADERS: dict[str, Loader] = {"blindscope": _open_ours, "transformer_lens": _open_lens, "huggingface": _open_hub}


def open_source(folder: Path, kind: str = "blindscope", options: dict[str, Any] | None = None) -> NeuronSource:
    """Read the network in a folder.

    Parameters
    ----------
    kind : str
        A key of LOADERS.
    options : dict, optional
        What the loader of this kind may be told (see its module).

    Raises
    ------
    CheckpointError
        If no loader knows this kind, or the files are missing, damaged or of another shape.
    """
    if kind not in LOADERS:
        raise CheckpointError(f"no loader knows networks of the kind {kind!r}; known are {', '.join(LOADERS)}.")
    return LOADERS[kind](folder, options or {})
