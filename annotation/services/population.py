"""How many neurons a layer has, as far as the harvest knows: counts that intervals for finite layers need."""

from dataclasses import replace

from annotation.design import RANDOM_SNIPPETS, StudyDesign
from annotation.sealed.keys import StratumRow
from annotation.services.harvests import Stratum


def population(design: StudyDesign, stratum: Stratum, layer: int, corpus: str) -> StratumRow:
    """The counts of one layer of one arm over one corpus; nothing is sampled yet."""
    place = StratumRow(0, stratum.pair.size, stratum.arm.name, layer, corpus, stratum.store.d_mlp)
    if stratum.arm.kind == RANDOM_SNIPPETS:
        return place
    counts, known = stratum.store.top_counts(layer), stratum.store.known(layer)
    return replace(
        place,
        neurons=len(counts),
        unrecorded=int((~known).sum()),
        dead=int((known & (counts == 0)).sum()),
        enough=int((counts >= design.snippets_per_neuron).sum()),
    )


def living(row: StratumRow) -> int:
    """Neurons that fired at all; 0 where nothing is counted."""
    return (row.neurons or 0) - (row.unrecorded or 0) - (row.dead or 0)
