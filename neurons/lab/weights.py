"""The weights that make a neuron: what it reads and what it writes."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class NeuronWeights:
    """Weights of one layer's neurons, a row each, float32; what the residual stream reads and writes.

    Attributes
    ----------
    w_in : Tensor, (d_mlp, d_model)
        Row of W_in of each neuron; of the gate in a gated MLP.
    w_out : Tensor, (d_mlp, d_model)
    """

    w_in: Float[Tensor, "d_mlp d_model"]
    w_out: Float[Tensor, "d_mlp d_model"]
