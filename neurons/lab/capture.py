"""From the activations of one tile and layer to candidates for the top-k.

Of everything only the maximum over each context is taken, one read of the activations; all else happens for the few
(context, neuron) pairs whose maximum reaches the neuron's threshold. On a processor this is NumPy, context by context,
while the context is in the cache; on a graphics card it is torch, and only the hits leave the card.

NaN and infinities cannot be ranked: they are noted with their place and count as minus infinity here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float16, Float32, Int
from torch import Tensor

from neurons.lab.harvest_config import HarvestConfig
from neurons.lab.harvest_plan import Tile
from neurons.lab.near_duplicates import window_keys
from neurons.lab.topk import Candidates, Peaks

HALF_LARGEST, HALF_SMALLEST = 65504.0, 2.0**-24  # float16


@dataclass(frozen=True)
class NotFinite:
    """A token at which a layer gave NaN or infinities.

    Attributes
    ----------
    neurons : int
        How many neurons of the layer.
    neuron : int
        The first of them.
    """

    document: int
    position: int
    layer: int
    neurons: int
    neuron: int


def all_finite(activations: Float[Tensor, "rows width neurons"]) -> bool:
    """Whether there is surely no NaN and no infinity; False may be a false alarm.

    The sum is NaN or infinite as soon as one value is, and it costs a tenth of asking each value.
    """
    return bool(torch.isfinite(activations.sum()))


def without_not_finite(
    layer: int, tile: Tile, activations: Float[Tensor, "rows width neurons"]
) -> tuple[Float[Tensor, "rows width neurons"], list[NotFinite]]:
    """The same activations with minus infinity for each that is not finite, and where text had those."""
    bad = ~torch.isfinite(activations)
    clean = activations.masked_fill(bad, -torch.inf)
    inside = np.arange(activations.shape[1]) <= tile.lengths[:, None]
    inside[:, 0] = False
    bad &= torch.from_numpy(inside).to(bad.device)[:, :, None]
    found = []
    for row, column in bad.any(dim=2).nonzero().tolist():
        neurons = bad[row, column].nonzero()[:, 0]
        place = int(tile.documents[row]), int(tile.firsts[row] + column - 1)
        found.append(NotFinite(*place, layer, len(neurons), int(neurons[0])))
    return clean, found


def capture(
    tile: Tile,
    activations: Float[Tensor, "rows width neurons"],
    thresholds: Float32[np.ndarray, "neurons"],
    config: HarvestConfig,
    scratch: "Scratch",
) -> Candidates | None:
    """Candidates of one tile: contexts whose maximum is above 0 and reaches the neuron's threshold.

    Parameters
    ----------
    activations : Tensor, floating, (rows, width, neurons)
        On any device. Column 0 is the beginning of a sequence; it is never looked at, and neither is padding.
    thresholds : ndarray, float32, (neurons,)
    scratch : Scratch
        One for all calls.
    """
    on_host = activations.device.type == "cpu" and activations.dtype == torch.float32
    if on_host:
        return _candidates(tile, _hits_on_host(tile, activations, thresholds, scratch), config, scratch)
    return _candidates(tile, _hits_on_device(tile, activations, thresholds), config, scratch)


class Scratch:
    """Memory that is used again for every context: fresh arrays of ever other sizes would cost page faults and fragment
    the memory."""

    def __init__(self) -> None:
        self._tracks = self._rows = np.empty(0, dtype=np.float32)

    def tracks(self, tokens: int, count: int) -> Float32[np.ndarray, "tokens n"]:
        if len(self._tracks) < tokens * count:
            self._tracks = np.empty(tokens * count, dtype=np.float32)
        return self._tracks[: tokens * count].reshape(tokens, count)

    def rows(self, count: int, width: int) -> Float32[np.ndarray, "n width"]:
        if len(self._rows) < count * width:
            self._rows = np.empty(count * width, dtype=np.float32)
        return self._rows[: count * width].reshape(count, width)


@dataclass(frozen=True)
class Hits:
    """Tracks of one context: activations at its tokens, for the neurons that were hit. Valid until the next is made.

    Attributes
    ----------
    row : int
        Of the tile.
    neurons : ndarray, int64, (n,)
    tracks : ndarray, float32, (tokens, n)
    """

    row: int
    neurons: Int[np.ndarray, "n"]
    tracks: Float32[np.ndarray, "tokens n"]


def _hits_on_host(
    tile: Tile,
    activations: Float32[Tensor, "rows width neurons"],
    thresholds: Float32[np.ndarray, "neurons"],
    scratch: "Scratch",
) -> Iterator[Hits]:
    values = activations.numpy()
    for row, length in enumerate(tile.lengths.tolist()):
        context = values[row, 1 : length + 1]
        strongest = context.max(axis=0)
        neurons = np.flatnonzero((strongest >= thresholds) & (strongest > 0))
        if len(neurons):
            # Clipping spares NumPy a buffer: with the default it could not write into `out` before it knew all indices.
            tracks = context.take(neurons, axis=1, out=scratch.tracks(length, len(neurons)), mode="clip")
            yield Hits(row, neurons, tracks)


def _hits_on_device(
    tile: Tile, activations: Float[Tensor, "rows width neurons"], thresholds: Float32[np.ndarray, "neurons"]
) -> Iterator[Hits]:
    lengths = torch.from_numpy(tile.lengths).to(activations.device)
    columns = torch.arange(activations.shape[1], device=activations.device)
    outside = (columns == 0) | (columns > lengths[:, None])
    strongest = activations.masked_fill(outside[:, :, None], -torch.inf).amax(dim=1).float()
    enough = torch.from_numpy(thresholds).to(strongest.device)
    rows, hit = ((strongest >= enough) & (strongest > 0)).nonzero(as_tuple=True)
    # One gather and one transfer: every transfer waits for the card.
    tracks = activations[rows, :, hit].float().cpu().numpy()
    counts = torch.bincount(rows, minlength=len(lengths)).tolist()
    neurons = hit.cpu().numpy()
    first = 0
    for row, count in enumerate(counts):
        if count:
            mine = slice(first, first + count)
            yield Hits(row, neurons[mine], np.ascontiguousarray(tracks[mine, 1 : int(tile.lengths[row]) + 1].T))
        first += count


def _candidates(tile: Tile, hits: Iterable[Hits], config: HarvestConfig, scratch: "Scratch") -> Candidates | None:
    found = [(hit.row, hit.neurons, *_windows(hit.tracks, config, scratch)) for hit in hits]
    if not found:
        return None
    neurons = np.concatenate([neurons for _, neurons, _, _ in found])
    columns = np.concatenate([columns for *_, columns, _ in found])
    windows = np.concatenate([windows for *_, windows in found])
    rows = np.repeat([row for row, *_ in found], [len(neurons) for _, neurons, _, _ in found])
    peaks = Peaks(
        neurons=neurons,
        values=windows[:, config.before].copy(),
        documents=tile.documents[rows],
        positions=tile.firsts[rows] + columns,
        keys=window_keys(
            tile.tokens,
            rows,
            columns + 1,
            neurons,
            before=config.equal_before,
            after=config.equal_after,
        ),
    )
    return Candidates(peaks, windows)


def _windows(
    tracks: Float32[np.ndarray, "tokens n"], config: HarvestConfig, scratch: "Scratch"
) -> tuple[Int[np.ndarray, "n"], Float32[np.ndarray, "n window"]]:
    """Where each track has its peak, the first of equal ones, and the activations around it."""
    tokens, count = tracks.shape
    # Zeros in front and behind: before a context's first token, and from the end of its text on, nothing was read.
    padded = scratch.rows(count, config.before + tokens + config.after)
    padded[:, : config.before] = 0
    padded[:, config.before + tokens :] = 0
    text = padded[:, config.before : config.before + tokens]
    text[:] = tracks.T
    columns = text.argmax(axis=1)
    # All windows of all rows as a view; NumPy's own function for this takes longer than the rest of this one.
    row, item = padded.strides
    windows = np.ndarray((count, tokens, config.window), np.float32, padded, strides=(row, item, item))
    return columns, windows[np.arange(count), columns]


def to_half(values: Float32[np.ndarray, "s neurons"]) -> Float16[np.ndarray, "s neurons"]:
    """Round to float16 so that the sign stays: nothing above 0 becomes 0, nothing finite becomes infinite.

    Minus infinity, which marks what is not finite, becomes NaN: not known.

    Examples
    --------
    >>> to_half(np.array([[1e-30, -1e-30, 1e30, -np.inf]], dtype=np.float32)).tolist()
    [[5.960464477539063e-08, -0.0, 65504.0, nan]]
    """
    half = values.clip(-HALF_LARGEST, HALF_LARGEST).astype(np.float16)
    half[(half == 0) & (values > 0)] = HALF_SMALLEST
    half[np.isneginf(values)] = np.nan
    return half
