"""How many neurons there are: what turns a variance for endless layers into one for the layers as they are."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.reports.cells import Counts, NeuronCounts, Place
from analysis.reports.document import AnalysisPlan, PopulationRow
from analysis.reports.estimands import Scope
from analysis.stats.finite import finite_mean, layered_mean
from analysis.stats.proportions import ClusterMean
from annotation.design.analysis import FINITE, PANEL
from annotation.design.sampling import POOLED

Read = Callable[[NeuronCounts], ClusterMean]
LEAST_OF_A_LAYER = 2  # fewer neurons of a layer have no variance of their own


@dataclass(frozen=True, slots=True)
class Populations:
    """Neurons that could be shown, by size, arm and layer.

    Attributes
    ----------
    counts : mapping of (size, arm) to a mapping of layer to neurons
        Only places whose layers are all counted.
    by_layer : bool
        Whether neurons were drawn from each layer by itself.
    """

    counts: Mapping[Place, Mapping[int, int]]
    by_layer: bool

    def corrected(self, place: Place, neurons: NeuronCounts, read: Read) -> ClusterMean:
        """A mean whose variance is that of a sample from the counted neurons; unchanged where none are counted."""
        layers = self.counts.get(place, {})
        if not layers:
            return read(neurons)
        if self.by_layer and len(layers) > 1:
            parts = [read(neurons.where(neurons.layer == layer)) for layer in layers]
            if all(part.n >= LEAST_OF_A_LAYER for part in parts):
                return layered_mean(parts, list(layers.values()))
        return finite_mean(read(neurons), sum(layers.values()))


NOWHERE = Populations({}, by_layer=False)


def population_rows(strata: pd.DataFrame | None, plan: AnalysisPlan) -> Iterator[PopulationRow]:
    """One row per layer of every size and arm of the plan, in its order.

    A neuron counts if it kept as many texts as an item shows; over several corpora, the smallest count is the most
    that can be shown on all of them. Fewer than were drawn are no count: a task can show neurons with fewer texts.
    """
    if strata is None or strata.empty:
        return
    order = {place: number for number, place in enumerate(plan.groups)}
    rows = []
    for (size, arm, layer), here in strata.groupby(["size", "arm", "layer"], sort=True):
        if (size, arm) in order:
            drawn = int(here["sampled"].max())
            counted = bool(here["enough"].notna().all()) and int(here["enough"].min()) >= drawn
            neurons = int(here["enough"].min()) if counted else None
            rows.append(PopulationRow(str(size), str(arm), int(layer), neurons, drawn))
    yield from sorted(rows, key=lambda row: (order[row.size, row.arm], row.layer))


def populations_of(rows: tuple[PopulationRow, ...], plan: AnalysisPlan) -> Populations:
    """The counts in the form that estimates need."""
    found: dict[Place, dict[int, int | None]] = {}
    for row in rows:
        found.setdefault((row.size, row.arm), {})[row.layer] = row.neurons
    known = {
        place: {layer: count for layer, count in layers.items() if count is not None}
        for place, layers in found.items()
        if None not in layers.values()
    }
    return Populations(known, by_layer=plan.layers != POOLED)


def means_of(counts: Counts, read: Read, scope: Scope, populations: Populations) -> dict[Place, ClusterMean]:
    """One mean for every size and arm, for the neurons that the scope speaks of."""
    if scope.population != FINITE:
        return {place: read(neurons) for place, neurons in counts.items()}
    return {place: populations.corrected(place, neurons, read) for place, neurons in counts.items()}


def scope_of(plan: AnalysisPlan, populations: Populations, asks: str = PANEL, population: str = "") -> Scope:
    """Whose raters and which neurons: the plan's population unless another is named."""
    counted = all(place in populations.counts for place in plan.groups)
    return Scope(asks, population or plan.population, counted)
