"""The neurons of a layer in a few numbers: how often they fire and how strongly, as histograms and quantiles."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

BINS = 24
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Spread:
    """How a positive quantity is spread over neurons.

    Attributes
    ----------
    edges : list of float
        Of the bins, log10.
    counts : list of int
        Neurons in each bin.
    quantiles : list of float
        At SHARES, log10; empty if there is no neuron to count.
    """

    edges: list[float]
    counts: list[int]
    quantiles: list[float]


@dataclass(frozen=True, slots=True)
class LayerSummary:
    """What is known of a layer's neurons together.

    Attributes
    ----------
    neurons, dead : int
        All, and those that never fired on the harvested text.
    never_sampled : int
        Neurons that fired, but on none of the sampled tokens: too rare to be drawn.
    unknown : int
        Neurons whose density is not known.
    density, maximum : Spread
        Of the neurons that fired.
    """

    neurons: int
    dead: int
    never_sampled: int
    unknown: int
    density: Spread
    maximum: Spread

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, facts: dict[str, Any]) -> "LayerSummary":
        return cls(**facts | {name: Spread(**facts[name]) for name in ("density", "maximum")})


def summaries(maxima: Sequence[np.ndarray], densities: Sequence[np.ndarray]) -> list[LayerSummary]:
    """One summary over all layers, then one of each, with the same bins so that they can be compared.

    Parameters
    ----------
    maxima : sequence of ndarray, float, (neurons,)
        Largest activation of each neuron of a layer; 0 or less: dead.
    densities : sequence of ndarray, float, (neurons,)
        Share of tokens above 0 (0 … 1); NaN: not known.
    """
    edges = density_edges(densities), maximum_edges(maxima)
    whole = _summary(np.concatenate(maxima), np.concatenate(densities), *edges)
    return [whole, *(_summary(*layer, *edges) for layer in zip(maxima, densities, strict=True))]


def _summary(
    maxima: np.ndarray, densities: np.ndarray, density_bins: np.ndarray, maximum_bins: np.ndarray
) -> LayerSummary:
    live = maxima > 0
    rare = live & (densities == 0)
    return LayerSummary(
        neurons=len(maxima),
        dead=int((~live).sum()),
        never_sampled=int(rare.sum()),
        unknown=int(np.isnan(densities).sum()),
        density=_spread(densities[live & (densities > 0)], density_bins),
        maximum=_spread(maxima[live], maximum_bins),
    )


def density_edges(densities: Sequence[np.ndarray]) -> np.ndarray:
    """Bins in log10 from the decade of the smallest positive density up to 1.

    Examples
    --------
    >>> density_edges([np.array([0.0, 0.03]), np.array([0.4])])[[0, -1]].tolist()
    [-2.0, 0.0]
    """
    low, _ = _positive_range(densities)
    return np.linspace(min(-1.0, np.floor(np.log10(low))), 0, BINS + 1)


def maximum_edges(maxima: Sequence[np.ndarray]) -> np.ndarray:
    """Bins in log10 between the smallest and the largest positive of these values.

    Examples
    --------
    >>> maximum_edges([np.array([0.0, 0.1]), np.array([10.0])])[[0, -1]].tolist()
    [-1.0, 1.0]
    """
    low, high = _positive_range(maxima)
    if low == high:
        low, high = low / 2, high * 2
    return np.linspace(np.log10(low), np.log10(high), BINS + 1)


def _positive_range(values: Sequence[np.ndarray]) -> tuple[float, float]:
    positive = [layer[layer > 0] for layer in values]
    low = min((float(layer.min()) for layer in positive if len(layer)), default=1.0)
    return low, max((float(layer.max()) for layer in positive if len(layer)), default=1.0)


def _spread(values: np.ndarray, edges: np.ndarray) -> Spread:
    logs = np.log10(values.astype(np.float64))
    counts, _ = np.histogram(logs.clip(edges[0], edges[-1]), bins=edges)
    quantiles = np.quantile(logs, SHARES).round(4).tolist() if len(logs) else []
    return Spread(edges=edges.round(4).tolist(), counts=counts.tolist(), quantiles=quantiles)
