"""Samples of a neuron's activations by rank range, so that nobody is fooled by the strongest alone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurons.store.harvest import HarvestStore, Sample
from neurons.store.known_activations import text_around
from neurons.views.shading import ShadedSnippet, shaded_at_peak

EACH = 5  # snippets drawn from each range
BEFORE, AFTER = 16, 8  # tokens of text around the sampled one
# Rank shares of the sampled tokens; above the last one the strongest snippets say more than a sample.
RANGES = ((0.99, 0.999), (0.9, 0.99), (0.5, 0.9), (0.0, 1.0))
MARKS = (0.5, 0.9, 0.99, 0.999)  # the bounds of the ranges; lines in the histogram


@dataclass(frozen=True, slots=True)
class RankRange:
    """Some snippets of a range, strongest first.

    Attributes
    ----------
    title : str
    tokens : int
        Sampled tokens in the range.
    low, high : str
        Smallest and largest activation in it.
    """

    title: str
    tokens: int
    low: str
    high: str
    snippets: tuple[ShadedSnippet, ...]


class RankedSample:
    """A neuron's sampled activations, parted at the bounds of RANGES: to sort them all takes longer than the page may.

    Parameters
    ----------
    sample : Sample
        Not empty.
    """

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.bounds = [int(share * len(sample.values)) for share in MARKS]
        # Afterwards the value at each bound stands where sorting would put it, smaller ones before it.
        self.order = np.argpartition(sample.values, self.bounds)

    def places(self, low: float, high: float) -> np.ndarray:
        """Places in the sample whose rank share lies in [low, high), in no order within it."""
        first, last = (int(share * len(self.order)) for share in (low, high))
        return self.order[first:last]

    def marks(self) -> list[tuple[str, float]]:
        """Name and value of the quantiles at MARKS."""
        values = self.sample.values[self.order[self.bounds]].tolist()
        return [(f"{100 * share:g} %", value) for share, value in zip(MARKS, values, strict=True)]


def rank_ranges(
    store: HarvestStore, ranked: RankedSample, seed: list[int], strongest: float, url_of: Callable[[int, int], str]
) -> list[RankRange]:
    """Each range of RANGES with a few snippets, drawn by chance but the same at every visit with the same seed.

    Parameters
    ----------
    url_of : callable
        Address of the whole text, from document and position.
    """
    generator, sample = np.random.default_rng(seed), ranked.sample
    found = []
    for low, high in RANGES:
        places = ranked.places(low, high)
        chosen = places[generator.choice(len(places), size=min(EACH, len(places)), replace=False)]
        chosen = chosen[np.argsort(-sample.values[chosen], kind="stable")]
        snippets = tuple(_snippet(store, sample, place, strongest, url_of) for place in chosen.tolist())
        inside = sample.values[places]
        weakest, most = (f"{inside.min():.3g}", f"{inside.max():.3g}") if len(inside) else ("", "")
        found.append(RankRange(_title(low, high), len(places), weakest, most, snippets))
    return found


def _snippet(
    store: HarvestStore, sample: Sample, place: int, strongest: float, url_of: Callable[[int, int], str]
) -> ShadedSnippet:
    document, position = int(sample.documents[place]), int(sample.positions[place])
    value = float(sample.values[place])
    snippet = text_around(store, document, position, value, BEFORE, AFTER)
    return shaded_at_peak(snippet, value, strongest, url_of(document, position))


def _title(low: float, high: float) -> str:
    return "Random" if (low, high) == (0.0, 1.0) else f"{100 * low:g} to {100 * high:g} %"
