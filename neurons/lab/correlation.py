"""Which neurons go together: Pearson's r of their activations at the sampled tokens.

The sample is the same tokens for every network on a corpus, so neurons of different networks can be compared too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int32, Int64
from torch import Tensor

from neurons.store.harvest import HarvestStore, layer_folder

BLOCK_BYTES = 64 << 20  # of float32 activations in one block of neurons; three to six such blocks are in memory at once
FEWEST_TOKENS = 200  # below so many shared tokens r says too little

Step = Callable[[int, int], None]


@dataclass(frozen=True)
class Nearest:
    """The neurons of a second set that go most with each neuron of a first one.

    Attributes
    ----------
    neurons : ndarray, int32, (first, k)
        Flat numbers, closest first; -1: no more.
    r : ndarray, float32, (first, k)
    same : ndarray, float32, (first,)
        r with the neuron of the same layer and index; NaN where there is none or r is not defined.
    """

    neurons: Int32[np.ndarray, "first k"]
    r: Float32[np.ndarray, "first k"]
    same: Float32[np.ndarray, " first"]


class SampledNeurons:
    """Activations of a harvest's neurons at some sampled tokens, read in blocks.

    Parameters
    ----------
    places : ndarray, int64, (tokens,)
        Of the sample.
    """

    def __init__(self, store: HarvestStore, places: Int64[np.ndarray, " tokens"]) -> None:
        self.layers, self.width = store.n_layers, store.d_mlp
        self._samples = [
            np.load(store.folder / layer_folder(layer) / "sample.npy", mmap_mode="r") for layer in range(self.layers)
        ]
        consecutive = len(places) and bool((np.diff(places) == 1).all())
        # A slice reads its part of a row only; an array of places reads the whole row.
        self.places: slice | np.ndarray = slice(int(places[0]), int(places[-1]) + 1) if consecutive else places
        self._moments: dict[int, Moments] = {}
        self.rows = max(1, BLOCK_BYTES // (4 * max(1, len(places))))

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """The flat number of the first neuron, and float32 (neurons, tokens), of each block."""
        for layer, sample in enumerate(self._samples):
            for first in range(0, self.width, self.rows):
                values = sample[first : first + self.rows, self.places]
                yield layer * self.width + first, values.astype(np.float32)

    def standardised_blocks(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """The same, standardised, and which of the neurons vary at all: bool (neurons,)."""
        for first, values in self.blocks():
            if first not in self._moments:  # a block is read many times, its moments are taken once
                self._moments[first] = moments_of(values)
            standardise(values, self._moments[first])
            yield first, values, self._moments[first].varies

    @property
    def blocks_in_all(self) -> int:
        return self.layers * -(-self.width // self.rows)


def has_sample(store: HarvestStore) -> bool:
    """Whether the harvest kept activations at sampled tokens."""
    path = store.folder / layer_folder(0) / "sample.npy"
    return path.is_file() and np.load(path, mmap_mode="r").shape[1] > 0


def sample_keys(store: HarvestStore) -> Int64[np.ndarray, " sampled"]:
    """A number for each sampled token, equal for the same token in harvests of the same corpus."""
    documents, positions = (np.load(store.folder / f"sample_{name}.npy") for name in ("documents", "positions"))
    return documents.astype(np.int64) << 32 | positions.astype(np.int64)


def shared_places(stores: list[HarvestStore], most: int) -> list[Int64[np.ndarray, " tokens"]]:
    """Where in each harvest's sample their shared tokens stand: at most `most`, the first in the first one's order.

    Tokens at which a network was not finite are left out.
    """
    keys = [sample_keys(store) for store in stores]
    known = [_finite(store, len(own)) for store, own in zip(stores, keys, strict=True)]
    shared = keys[0][known[0]]
    for own, finite in zip(keys[1:], known[1:], strict=True):
        shared = shared[np.isin(shared, own[finite])]
    shared = shared[:most]
    return [_places_of(shared, own) for own in keys]


def _finite(store: HarvestStore, sampled: int) -> Bool[np.ndarray, " sampled"]:
    finite = np.ones(sampled, dtype=bool)
    if store.meta.get("not_finite"):
        for _, values in SampledNeurons(store, np.arange(sampled)).blocks():
            finite &= np.isfinite(values).all(axis=0)
    return finite


def _places_of(shared: np.ndarray, keys: np.ndarray) -> Int64[np.ndarray, " tokens"]:
    order = np.argsort(keys)
    places: np.ndarray = order[np.searchsorted(keys[order], shared)]
    return places


@dataclass(frozen=True)
class Moments:
    """Of some neurons' activations, taken in float64.

    Attributes
    ----------
    means, scales : ndarray, float32, (neurons, 1)
        Mean, and one over the length of what is left when it is taken off; 0 for a constant neuron.
    """

    means: Float32[np.ndarray, "neurons 1"]
    scales: Float32[np.ndarray, "neurons 1"]

    @property
    def varies(self) -> Bool[np.ndarray, " neurons"]:
        found: np.ndarray = self.scales[:, 0] > 0
        return found


def moments_of(values: Float32[np.ndarray, "neurons tokens"]) -> Moments:
    """Means and scales of some neurons."""
    means = values.mean(axis=1, dtype=np.float64, keepdims=True)
    centred = values - means
    lengths = np.sqrt(np.einsum("nt,nt->n", centred, centred))[:, None]
    varies = (values.max(axis=1) > values.min(axis=1))[:, None]
    scales = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=varies)
    return Moments(means.astype(np.float32), scales.astype(np.float32))


def standardise(values: Float32[np.ndarray, "neurons tokens"], moments: Moments) -> None:
    """Turn rows, in place, into rows of mean 0 and length 1, whose products are correlations; constant ones into 0."""
    values -= moments.means
    values *= moments.scales


@torch.no_grad()
def nearest(
    first: SampledNeurons, second: SampledNeurons, k: int, *, device: str = "cpu", step: Step | None = None
) -> Nearest:
    """The k neurons of the second set with the largest r for each neuron of the first.

    Neurons without variation on these tokens are listed nowhere and get no list. If both are the same object, no neuron
    is listed as its own neighbour.

    Parameters
    ----------
    first, second : SampledNeurons
        At the same tokens, in the same order.
    device : str
        Where the products are taken, in float32; their number is the product of the numbers of neurons.
    step : callable, optional
        Told how many of the first set's blocks are done, and of how many.
    """
    found = []
    for start, rows, varies in first.standardised_blocks():
        found.append(_nearest_of_block(start, rows, varies, second, k, own=first is second, device=device))
        if step is not None:
            step(len(found), first.blocks_in_all)
    return Nearest(
        neurons=np.concatenate([part.neurons for part in found]),
        r=np.concatenate([part.r for part in found]),
        same=_same(np.concatenate([part.same for part in found]), first, second),
    )


def _nearest_of_block(
    start: int, rows: np.ndarray, varies: np.ndarray, second: SampledNeurons, k: int, *, own: bool, device: str
) -> Nearest:
    mine = torch.from_numpy(rows).to(device)
    best = torch.full((len(rows), k), -torch.inf, device=device)
    neurons = torch.full((len(rows), k), -1, dtype=torch.int64, device=device)
    same = torch.full((len(rows),), torch.nan)
    for begin, columns, usable in second.standardised_blocks():
        r = mine @ torch.from_numpy(columns).to(device).T
        r[:, torch.from_numpy(~usable).to(device)] = -torch.inf
        _note_same(same, r, start, begin)
        if own:
            _forget_self(r, start, begin)
        best, neurons = _merge(best, neurons, r, begin, k)
    best[torch.from_numpy(~varies).to(device)] = -torch.inf
    neurons[best == -torch.inf] = -1
    same[torch.from_numpy(~varies)] = torch.nan
    r_kept = best.clamp(-1, 1).cpu().numpy()
    r_kept[neurons.cpu().numpy() < 0] = np.nan
    return Nearest(neurons.cpu().numpy().astype(np.int32), r_kept, same.numpy())


def _merge(
    best: Float[Tensor, "rows k"], neurons: Tensor, r: Float[Tensor, "rows columns"], begin: int, k: int
) -> tuple[Tensor, Tensor]:
    top = r.topk(min(k, r.shape[1]), dim=1)
    values, places = torch.cat([best, top.values], dim=1).topk(k, dim=1)
    return values, torch.cat([neurons, top.indices + begin], dim=1).gather(1, places)


def _diagonal(r: Tensor, start: int, begin: int) -> tuple[Tensor, Tensor]:
    """Rows and columns of a block of r at which both neurons have the same flat number."""
    low, high = max(start, begin), min(start + r.shape[0], begin + r.shape[1])
    numbers = torch.arange(low, max(low, high), device=r.device)
    return numbers - start, numbers - begin


def _forget_self(r: Float[Tensor, "rows columns"], start: int, begin: int) -> None:
    rows, columns = _diagonal(r, start, begin)
    r[rows, columns] = -torch.inf


def _note_same(same: Float[Tensor, " rows"], r: Float[Tensor, "rows columns"], start: int, begin: int) -> None:
    rows, columns = _diagonal(r, start, begin)
    values = r[rows, columns].cpu()
    same[rows.cpu()] = values.where(values.isfinite(), torch.tensor(torch.nan))


def _same(same: np.ndarray, first: SampledNeurons, second: SampledNeurons) -> np.ndarray:
    """Flat numbers name the same layer and index only where the layers are equally wide."""
    return same if first.width == second.width else np.full_like(same, np.nan)
