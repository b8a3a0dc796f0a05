"""Two published ways to find a neuron's top texts, written anew from their descriptions, to measure beside ours.

Both run on the same network and tiles as ours, and both compute the logits, as their originals do.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from neurons.lab.harvest_plan import Tile
from neurons.lab.transformer import Transformer

TOP = 20  # entries that Neuroscope keeps


def activations_with_logits(network: Transformer, tokens: Tensor) -> list[Tensor]:
    """Every layer's activations from a whole forward pass, as a hook on a model's output sees them."""
    seen: list[Tensor] = []
    hooks = [
        block.mlp.w_out.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
        for block in network.blocks
    ]
    try:
        network(tokens)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


class RowReplacement:
    """Neuroscope's store: the best so far of each neuron; a batch's rows, best first, replace the weakest entry.

    References
    ----------
    Neel Nanda, Neuroscope (2022): the maximum over positions for each document; the loop over sorted rows ends with the
    first row that replaces nothing.
    """

    def __init__(self, neurons: int) -> None:
        self.values = torch.full((TOP, neurons), -torch.inf)
        self.documents = torch.full((TOP, neurons), -1)

    def add(self, strongest: Tensor, documents: Tensor) -> None:
        ordered, order = strongest.sort(dim=0, descending=True)
        for values, rows in zip(ordered, order, strict=True):
            weakest, places = self.values.min(dim=0)
            better = values > weakest
            if not bool(better.any()):
                return
            neurons = better.nonzero()[:, 0]
            self.values[places[neurons], neurons] = values[neurons]
            self.documents[places[neurons], neurons] = documents[rows[neurons]]


class TopOfConcatenation:
    """The store of universal-neurons and others: top-k of the old top-k joined with every token of the batch.

    References
    ----------
    Gurnee et al. (2024), Universal Neurons in GPT2 Language Models.
    """

    def __init__(self, neurons: int) -> None:
        self.values = torch.full((TOP, neurons), -torch.inf)
        self.places = torch.full((TOP, neurons), -1)

    def add(self, tokens: Tensor, places: Tensor) -> None:
        values, chosen = torch.cat([self.values, tokens]).topk(TOP, dim=0)
        every = torch.cat([self.places, places[:, None].expand(-1, tokens.shape[1])])
        self.values, self.places = values, every.gather(0, chosen)


@torch.inference_mode()
def neuroscope_loop(network: Transformer, tiles: Iterable[Tile]) -> None:
    """Maximum of each context, then Neuroscope's replacement, layer by layer."""
    stores = [RowReplacement(network.config.d_mlp) for _ in network.blocks]
    for tile in tiles:
        documents = torch.from_numpy(tile.documents)
        for store, activations in zip(
            stores, activations_with_logits(network, torch.from_numpy(tile.tokens)), strict=True
        ):
            store.add(activations.amax(dim=1), documents)


@torch.inference_mode()
def concatenation_loop(network: Transformer, tiles: Iterable[Tile]) -> None:
    """Top-k over the concatenation with all tokens, layer by layer."""
    stores = [TopOfConcatenation(network.config.d_mlp) for _ in network.blocks]
    seen = 0
    for tile in tiles:
        places = torch.arange(seen, seen + tile.tokens.size)
        seen += tile.tokens.size
        for store, activations in zip(
            stores, activations_with_logits(network, torch.from_numpy(tile.tokens)), strict=True
        ):
            store.add(activations.flatten(0, 1), places)
