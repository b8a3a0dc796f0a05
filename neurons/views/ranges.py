"""Samples of a neuron's activations by rank range, so that nobody is fooled by the strongest alone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurons.store.harvest import HarvestStore, Sample
from neurons.views.shading import ShadedSnippet, shaded_at_peak

EACH = 5  # snippets drawn from each range
BEFORE, AFTER = 16, 8  # tokens of text around the sampled one
# Rank shares of the sampled tokens; above the last one the strongest snippets say more than a sample.
RANGES = ((0.99, 0.999), (0.9, 0.99), (0.5, 0.9), (0.0, 1.0))
MARKS = (0.5, 0.9, 0.99, 0.999)  # in the histogram


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


def rank_ranges(
    store: HarvestStore, layer: int, neuron: int, strongest: float, url_of: Callable[[int, int], str], draw: int
) -> list[RankRange]:
    """Each range of RANGES with a few snippets, drawn by chance but the same at every visit with the same `draw`.

    Parameters
    ----------
    url_of : callable
        Address of the whole text, from document and position.
    """
    sample = store.sample(layer, neuron)
    order = sample.between(0, 1)
    generator = np.random.default_rng([layer, neuron, draw])
    found = []
    for low, high in RANGES:
        places = order[int(low * len(order)) : int(high * len(order))]
        chosen = np.sort(generator.choice(len(places), size=min(EACH, len(places)), replace=False))[::-1]
        snippets = tuple(
            _snippet(store, layer, neuron, int(places[place]), sample, strongest, url_of) for place in chosen
        )
        weakest, most = (f"{sample.values[places[end]]:.3g}" if len(places) else "" for end in (0, -1))
        found.append(RankRange(_title(low, high), len(places), weakest, most, snippets))
    return found


def sorted_sample(sample: Sample) -> tuple[np.ndarray, list[tuple[str, float]]]:
    """The sampled values, ascending, and those at MARKS with their names."""
    values = np.sort(sample.values)
    marks = [(f"{100 * share:g} %", float(values[min(len(values) - 1, int(share * len(values)))])) for share in MARKS]
    return values, marks


def _snippet(
    store: HarvestStore,
    layer: int,
    neuron: int,
    place: int,
    sample: Sample,
    strongest: float,
    url_of: Callable[[int, int], str],
) -> ShadedSnippet:
    snippet = store.sample_snippet(layer, neuron, place, BEFORE, AFTER)
    url = url_of(snippet.doc, int(sample.positions[place]))
    return shaded_at_peak(snippet, float(sample.values[place]), strongest, url)


def _title(low: float, high: float) -> str:
    return "Random" if (low, high) == (0.0, 1.0) else f"{100 * low:g} to {100 * high:g} %"
