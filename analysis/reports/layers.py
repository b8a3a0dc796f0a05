"""Where in the network neurons are interpretable: by thirds of relative depth, and a trend over it.

With 60 neurons over 16 layers there are four to a layer, so nothing is said of single layers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from analysis.reports import estimands
from analysis.reports.cells import Counts, NeuronCounts, Place
from analysis.reports.document import AnalysisPlan, PopulationRow
from analysis.reports.estimands import Scope
from analysis.reports.fractions import Question, family
from analysis.reports.population import NOWHERE, means_of
from analysis.reports.ratings import Codes, Floats
from analysis.stats.results import Number
from analysis.stats.trend import trend_test

FRACTION, DIFFERENCE, TREND = "layer_third_fraction", "layer_third_difference", "layer_trend"
THIRDS = ("first third of layers", "middle third of layers", "last third of layers")
LEAST_LAYERS = 3
TREND_HYPOTHESIS = (
    "the share of neurons that more than half of their raters call interpretable does not rise or fall with relative "
    "depth, from the first layer to the last; these raters (panel question); new neurons drawn in the same way "
    "(superpopulation)"
)


def layer_numbers(counts: Counts, rows: tuple[PopulationRow, ...], plan: AnalysisPlan) -> Iterator[Number]:
    """Fractions and differences in each third of depth, and a trend test; only of sizes with three layers or more.

    Parameters
    ----------
    rows : tuple of PopulationRow
        Which layers there are; without them those of the judged neurons.
    """
    layers = layer_numbers_of(counts, rows)
    deep = {place: neurons for place, neurons in counts.items() if layers.get(place[0], 0) >= LEAST_LAYERS}
    if not deep:
        return
    scope = Scope()
    for third, name in enumerate(THIRDS):
        here = {place: _in_third(neurons, layers[place[0]], third) for place, neurons in deep.items()}
        question = Question(FRACTION, DIFFERENCE, f"{estimands.MEAN}, {name}", scope, part=name)
        yield from family(means_of(here, NeuronCounts.mean, scope, NOWHERE), question, _only(plan, deep))
    for place in plan.groups:
        if place in deep:
            yield _trend(deep[place], layers[place[0]], place, plan)


def layer_numbers_of(counts: Counts, rows: tuple[PopulationRow, ...]) -> dict[str, int]:
    """How many layers each size has: one more than the highest number that was drawn from."""
    highest: dict[str, int] = {}
    for row in rows:
        highest[row.size] = max(highest.get(row.size, -1), row.layer)
    for (size, _), neurons in counts.items():
        highest[size] = max(highest.get(size, -1), int(neurons.layer.max(initial=-1)))
    return {size: layer + 1 for size, layer in highest.items()}


def depth(layer: Codes, layers: int) -> Floats:
    """Relative depth of layers numbered from 0, the middle of each, in (0, 1).

    Examples
    --------
    >>> depth(np.array([0, 1, 3]), 4).tolist()
    [0.125, 0.375, 0.875]
    """
    return (layer + 0.5) / layers


def _in_third(neurons: NeuronCounts, layers: int, third: int) -> NeuronCounts:
    known = neurons.layer >= 0
    return neurons.where(known & (np.floor(3 * depth(neurons.layer, layers)) == third))


def _only(plan: AnalysisPlan, deep: Mapping[Place, NeuronCounts]) -> AnalysisPlan:
    """The plan for the sizes that are deep enough."""
    sizes = {size for size, _ in deep}
    return replace(plan, groups=tuple(group for group in plan.groups if group[0] in sizes))


def _trend(neurons: NeuronCounts, layers: int, place: Place, plan: AnalysisPlan) -> Number:
    """Trend of the majority vote over depth: one vote per neuron, so the neurons are independent."""
    decided = (2 * neurons.yes != neurons.judged) & (neurons.layer >= 0)
    layer, yes = neurons.layer[decided], (2 * neurons.yes > neurons.judged)[decided]
    n = np.bincount(layer, minlength=layers)
    said = np.bincount(layer[yes], minlength=layers)
    filled = n > 0
    test = trend_test(said[filled], n[filled], depth(np.flatnonzero(filled), layers))
    test = replace(test, hypothesis=TREND_HYPOTHESIS, judgments=int(neurons.judged[decided].sum()))
    return Number.of_test(test, kind=TREND, level=plan.level, size=place[0], arm=place[1])
