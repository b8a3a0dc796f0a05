"""What a neuron's weights say by themselves: the logits it writes to, and whether it writes where it reads.

The direct effect of a neuron on the logits is w_out · W_U, a number per token of the vocabulary: the change of the
token's logit per unit that the neuron adds, past all later layers. The mean over the vocabulary is taken off, because a
constant added to all logits changes no probability. The final LayerNorm's gain and scale are left out.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float32, Int32
from torch import Tensor

from neurons.lab.weights import NeuronWeights

BLOCK_ELEMENTS = 16 << 20  # logits of one block of neurons


def cosines(weights: NeuronWeights) -> Float32[np.ndarray, " d_mlp"]:
    """Cosine of what each neuron reads and what it writes, -1 … 1; 0 where one of them is zero."""
    return F.cosine_similarity(weights.w_in.float(), weights.w_out.float(), dim=1).cpu().numpy()


@torch.no_grad()
def logit_effects(
    weights: NeuronWeights, unembedding: Float[Tensor, "d_model vocab"], k: int
) -> tuple[Int32[np.ndarray, "d_mlp 2 k"], Float32[np.ndarray, "d_mlp 2 k"]]:
    """The k tokens whose logits each neuron raises most, and the k that it lowers most.

    Parameters
    ----------
    weights : NeuronWeights
        Of one layer.
    unembedding : Tensor, float32, (d_model, vocab)
        Centred by `centred`.

    Returns
    -------
    tokens : ndarray, int32, (d_mlp, 2, k)
        [:, 0] largest first, [:, 1] smallest first.
    values : ndarray, float32, (d_mlp, 2, k)
        Logits per unit of the neuron's output.
    """
    parts = [_extremes(block, k) for block in _blocks(weights.w_out.to(unembedding), unembedding)]
    tokens, values = (torch.cat(column) for column in zip(*parts, strict=True))
    return tokens.cpu().numpy().astype(np.int32), values.cpu().numpy()


def centred(unembedding: Float[Tensor, "d_model vocab"]) -> Float[Tensor, "d_model vocab"]:
    """W_U less its mean over the vocabulary: every effect computed with it has mean 0."""
    return unembedding.float() - unembedding.float().mean(dim=1, keepdim=True)


def _blocks(w_out: Float[Tensor, "d_mlp d_model"], unembedding: Tensor) -> Iterator[Float[Tensor, "rows vocab"]]:
    for rows in w_out.split(max(1, BLOCK_ELEMENTS // unembedding.shape[1])):
        yield rows @ unembedding


def _extremes(effects: Float[Tensor, "rows vocab"], k: int) -> tuple[Tensor, Tensor]:
    k = min(k, effects.shape[1])
    ends = effects.topk(k, dim=1), effects.topk(k, dim=1, largest=False)
    return torch.stack([end.indices for end in ends], dim=1), torch.stack([end.values for end in ends], dim=1)
