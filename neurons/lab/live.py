"""Reading a few texts with a network while somebody waits for the answer."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float32, Int32
from torch import Tensor, nn

from neurons.lab.source import NeuronSource

Statistic = Literal["maximum", "mean"]
Neurons = Sequence[tuple[int, int]]  # (layer, index)
BATCH_TOKENS = 4096  # in one forward pass, padding included
Keep = Callable[[], None]  # called between two forward passes; what it raises ends the work


def text_activations(
    source: NeuronSource, ids: Sequence[int], neurons: Neurons, *, site: str
) -> Float32[np.ndarray, "tokens n"]:
    """Activations of a few neurons at every token of one text.

    Parameters
    ----------
    ids : sequence of int
        Tokens, without a beginning-of-sequence token; at most `context - 1`.
    neurons : sequence of (int, int)
        Layer and index of each.

    Returns
    -------
    ndarray, float32, (tokens, n)
        Exactly what a forward pass over this text alone gives; later layers than needed are not computed.
    """
    values = np.zeros((len(ids), len(neurons)), dtype=np.float32)
    if len(ids) and neurons:
        last = max(layer for layer, _ in neurons)
        for layer, activations in source.neuron_activations(_padded(source, [ids]), site=site):
            for column, (wanted, index) in enumerate(neurons):
                if wanted == layer:
                    values[:, column] = activations[0, 1:, index].float().cpu().numpy()
            if layer == last:
                break
    return values


def text_statistics(
    source: NeuronSource,
    texts: Sequence[Sequence[int]],
    *,
    site: str,
    neurons: Neurons | None = None,
    statistic: Statistic = "maximum",
    keep: Keep | None = None,
) -> tuple[Float32[np.ndarray, "texts n"], Int32[np.ndarray, "texts n"]]:
    """The largest (or mean) activation of neurons over the tokens of each text, and where the largest is.

    Parameters
    ----------
    texts : sequence of sequence of int
        Tokens of each text: at least one, at most `context - 1`.
    neurons : sequence of (int, int), optional
        Layer and index of each; without it all neurons, layer by layer.
    statistic : {"maximum", "mean"}

    Returns
    -------
    values : ndarray, float32, (texts, n)
        NaN where an activation was not a number.
    positions : ndarray, int32, (texts, n)
        First token of the largest activation; 0 for "mean".
    """
    places = _places(source, neurons)
    total = sum(len(columns) for columns, _ in places.values())
    values = np.zeros((len(texts), total), dtype=np.float32)
    positions = np.zeros((len(texts), total), dtype=np.int32)
    for rows in _batches([len(text) for text in texts]):
        if keep is not None:
            keep()
        lengths = torch.tensor([len(texts[row]) for row in rows])
        for layer, activations in source.neuron_activations(_padded(source, [texts[row] for row in rows]), site=site):
            if layer in places:
                columns, indices = places[layer]
                wanted = activations[:, 1:] if indices is None else activations[:, 1:, indices]
                some, where = _statistic(wanted.float().cpu(), lengths, statistic)
                values[np.ix_(rows, columns)], positions[np.ix_(rows, columns)] = some, where
            if layer == max(places):
                break
    return values, positions


def network_bytes(source: NeuronSource) -> int:
    """Memory of a network's weights: its own, or those of the modules that it holds."""
    modules = (
        [source] if isinstance(source, nn.Module) else [v for v in vars(source).values() if isinstance(v, nn.Module)]
    )
    return sum(weights.nbytes for module in modules for weights in [*module.parameters(), *module.buffers()])


def _places(source: NeuronSource, neurons: Neurons | None) -> dict[int, tuple[list[int], list[int] | None]]:
    """For each layer that is needed, the columns of the result and the neurons that go there; None: all of them."""
    width = source.config.d_mlp
    if neurons is None:
        return {
            layer: (list(range(layer * width, (layer + 1) * width)), None) for layer in range(source.config.n_layers)
        }
    return {
        layer: (
            [column for column, (its, _) in enumerate(neurons) if its == layer],
            [index for its, index in neurons if its == layer],
        )
        for layer in sorted({layer for layer, _ in neurons})
    }


def _batches(lengths: list[int]) -> Iterator[list[int]]:
    """Rows of texts of like length, so many that a forward pass has BATCH_TOKENS tokens at most."""
    rows: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: lengths[row]):
        if rows and (lengths[row] + 1) * (len(rows) + 1) > BATCH_TOKENS:
            yield rows
            rows = []
        rows.append(row)
    if rows:
        yield rows


def _padded(source: NeuronSource, texts: Sequence[Sequence[int]]) -> Tensor:
    """Tokens behind a beginning-of-sequence token each; padding behind a text changes nothing before it."""
    tokens = torch.full((len(texts), 1 + max(map(len, texts))), source.bos_id, dtype=torch.int64)
    for row, ids in enumerate(texts):
        tokens[row, 1 : 1 + len(ids)] = torch.tensor(ids, dtype=torch.int64)
    return tokens


def _statistic(activations: Tensor, lengths: Tensor, statistic: Statistic) -> tuple[np.ndarray, np.ndarray | int]:
    outside = (torch.arange(activations.shape[1]) >= lengths[:, None])[:, :, None]
    if statistic == "mean":
        return (activations.masked_fill(outside, 0.0).sum(dim=1) / lengths[:, None]).numpy(), 0
    values, where = activations.masked_fill(outside, -torch.inf).max(dim=1)
    return values.numpy(), where.to(torch.int32).numpy()
