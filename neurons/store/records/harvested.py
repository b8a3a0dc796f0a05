"""Records of a harvest of ours: what it kept and sampled, in the terms that other tools use."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from neurons.store.harvest import HarvestStore, Sample, layer_folder
from neurons.store.pieces import character_groups, context_bounds
from neurons.store.records.record import BOUNDARIES, QUANTILES, RANDOM, RANGE, TOP, Excerpt, Group, NeuronRecord
from neurons.store.records.tokens import token_text

SHARES = (0.0, 0.5, 0.9, 0.99, 0.999, 1.0)  # rank ranges of the sample, as in the published NeuronRecords
HISTOGRAM_BINS = 50
Facts = Callable[[int, int], dict[str, Any]]  # more about a neuron (layer, neuron), under the names of Neuronpedia


class RecordSource(Protocol):
    """Neurons whose records can be written."""

    def is_known(self, layer: int, neuron: int) -> bool: ...
    def record(self, layer: int, neuron: int) -> NeuronRecord: ...


class HarvestedNeurons:
    """Records of a harvest's neurons.

    Parameters
    ----------
    store : HarvestStore
    samples : int
        Excerpts from each range of the sample, and at random. Of these only the sampled token's activation is known.
    more : callable, optional
        Further facts about a neuron, such as the tokens that it raises.
    """

    def __init__(self, store: HarvestStore, samples: int, more: Facts | None = None) -> None:
        self.store, self.samples, self.more = store, samples, more
        self.before, self.after = (int(store.meta["config"][side]) for side in ("before", "after"))
        self._opened: dict[int, list[np.ndarray]] = {}

    def is_known(self, layer: int, neuron: int) -> bool:
        return 0 <= layer < self.store.n_layers and 0 <= neuron < self.store.d_mlp

    def record(self, layer: int, neuron: int) -> NeuronRecord:
        """Strongest snippets, samples of the ranges and at random, and facts."""
        sample = self.store.sample(layer, neuron)
        excerpts = self._strongest(layer, neuron)
        if self.samples and len(sample.values):
            excerpts += self._sampled(layer, neuron, sample)
        more = self.more(layer, neuron) if self.more else {}
        return NeuronRecord(layer, neuron, excerpts, self._facts(layer, neuron, sample) | more)

    def _strongest(self, layer: int, neuron: int) -> list[Excerpt]:
        values = self.store.top_values(layer, neuron)
        if not len(values):
            return []
        group = Group(TOP, 0, -1.0, float(values[0]), -1.0)
        documents, positions, windows = (array[neuron, : len(values)] for array in self._arrays(layer))
        return [
            self._excerpt(group, int(document), int(position), window)
            for document, position, window in zip(documents, positions, windows, strict=True)
        ]

    def _arrays(self, layer: int) -> list[np.ndarray]:
        """Documents, positions and windows of a layer's strongest snippets, memory-mapped."""
        if layer not in self._opened:
            folder = self.store.folder / layer_folder(layer)
            names = ("documents", "positions", "windows")
            self._opened = {layer: [np.load(folder / f"{name}.npy", mmap_mode="r") for name in names]}
        return self._opened[layer]

    def _sampled(self, layer: int, neuron: int, sample: Sample) -> list[Excerpt]:
        # A generator of its own for each neuron: the same excerpts whatever else is exported.
        random = np.random.default_rng([layer, neuron])
        order = np.argsort(sample.values, kind="stable")
        excerpts = []
        for number, (low, high) in enumerate(pairwise(SHARES)):
            places = order[int(low * len(order)) : int(high * len(order))]
            if len(places):
                bounds = float(sample.values[places[0]]), float(sample.values[places[-1]])
                group = Group(RANGE, number, *bounds, high - low)
                excerpts += self._drawn(random, sample, places, group)
        return excerpts + self._drawn(random, sample, np.arange(len(sample.values)), Group(RANDOM))

    def _drawn(self, random: np.random.Generator, sample: Sample, places: np.ndarray, group: Group) -> list[Excerpt]:
        drawn = random.choice(places, size=min(self.samples, len(places)), replace=False)
        return [self._sampled_excerpt(sample, int(place), group) for place in drawn]

    def _sampled_excerpt(self, sample: Sample, place: int, group: Group) -> Excerpt:
        window = np.full(self.before + 1 + self.after, np.nan, dtype=np.float32)
        window[self.before] = sample.values[place]
        excerpt = self._excerpt(group, int(sample.documents[place]), int(sample.positions[place]), window)
        return Excerpt(group, excerpt.tokens, excerpt.values, excerpt.peak, excerpt.peak, excerpt.document)

    def _excerpt(self, group: Group, document: int, position: int, window: np.ndarray) -> Excerpt:
        """The stretch of a document around a token, as far as its context goes."""
        tokens = len(self.store.corpus.document_tokens(document))
        low, high = context_bounds(position, tokens, self.store.context)
        first, end = max(low, position - self.before), min(high, position + self.after + 1)
        origin = position - self.before
        values = np.asarray(window[first - origin : end - origin], dtype=np.float32)
        return Excerpt(group, self._tokens(document, first, end), values, position - first, document=document)

    def _tokens(self, document: int, first: int, end: int) -> tuple[str, ...]:
        """Tokens as text. Characters that the edges cut are whole, as they are in a snippet."""
        text, ranges = self.store.corpus.document_bytes(document), self.store.corpus.token_ranges(document)
        groups = character_groups(text, ranges)
        edges = ranges[first:end].copy()
        edges[0, 0] = ranges[np.searchsorted(groups, groups[first]), 0]
        edges[-1, 1] = ranges[np.searchsorted(groups, groups[end - 1], side="right") - 1, 1]
        return tuple(token_text(text[start:stop]) for start, stop in edges)

    def _facts(self, layer: int, neuron: int, sample: Sample) -> dict[str, Any]:
        values = self.store.top_values(layer, neuron)
        density = self.store.density(layer, neuron)
        facts: dict[str, Any] = {"maxActApprox": float(values[0]) if len(values) else 0.0}
        if np.isfinite(density):
            facts["frac_nonzero"] = density
        if len(sample.values):
            shares = sample.quantiles(list(SHARES[1:-1])).tolist()
            facts |= {BOUNDARIES: shares, QUANTILES: len(SHARES) - 1} | moments(sample.values) | histogram(sample)
        return facts


def moments(values: np.ndarray) -> dict[str, float]:
    """Population moments in float64.

    Parameters
    ----------
    values : ndarray, float32, (n,)
        At least one.

    Returns
    -------
    dict
        `mean`, `variance` (n in the denominator) and, unless all values are equal, `skewness` (third standardised
        moment) and `kurtosis` (fourth standardised moment: 3 for a normal distribution, not 0).

    Examples
    --------
    >>> moments(np.array([-1, 1, -1, 1], dtype=np.float32))
    {'mean': 0.0, 'variance': 1.0, 'skewness': 0.0, 'kurtosis': 1.0}
    """
    exact = values.astype(np.float64)
    deviations = exact - exact.mean()
    variance = float(np.mean(deviations**2))
    found = {"mean": float(exact.mean()), "variance": variance}
    if variance > 0:
        standard = deviations / np.sqrt(variance)
        found |= {"skewness": float(np.mean(standard**3)), "kurtosis": float(np.mean(standard**4))}
    return found


def histogram(sample: Sample) -> dict[str, Any]:
    """Histogram of the sampled activations above 0, as Neuronpedia draws it: middles of bins, and counts.

    Nothing if none is above 0.
    """
    above = sample.values[sample.values > 0].astype(np.float64)
    if not len(above):
        return {}
    counts, edges = np.histogram(above, bins=HISTOGRAM_BINS)
    return {
        "freq_hist_data_bar_heights": counts.tolist(),
        "freq_hist_data_bar_values": ((edges[:-1] + edges[1:]) / 2).tolist(),
    }
