"""What an arm offers of one neuron, for a task to compose an item from (`annotation.protocols.task.Material`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from annotation.design import StudyDesign
from annotation.protocols.display import PEAK, Marked, is_eligible, mark_peak, mark_proportional
from annotation.protocols.task import CannotCompose, Marker, Reading
from annotation.services.harvests import Stratum
from neurons.store.pieces import Snippet


@dataclass(frozen=True, slots=True)
class HarvestMaterial:
    """A neuron as its harvest knows it."""

    design: StudyDesign
    stratum: Stratum
    layer: int
    neuron: int

    @property
    def maximum(self) -> float:
        return float(self.stratum.store.top_values(self.layer, self.neuron)[0])

    def top(self, count: int) -> list[Snippet]:
        store = self.stratum.store
        if store.is_dead(self.layer, self.neuron):
            raise CannotCompose("dead: never above 0 on the harvested text")
        kept = store.top_count(self.layer, self.neuron)
        if not kept:
            raise CannotCompose("the imported records do not have this neuron")
        if kept < count:
            raise CannotCompose(f"{kept} of {count} snippets: too few different texts make it fire")
        eligible: list[Snippet] = []
        # The few spare ones replace snippets that are too short; all of them are read only if that is not enough.
        for read in (min(kept, count + 4), kept):
            eligible = self._eligible(read)
            if len(eligible) >= count:
                return eligible[:count]
        raise CannotCompose(
            f"{len(eligible)} of {count} snippets: the others have fewer than {self._needed} tokens around the peak"
        )

    def between(self, low: float, high: float, count: int, rng: np.random.Generator) -> Sequence[Reading]:
        places = self.stratum.store.sample(self.layer, self.neuron).between(low, high)
        return self._sampled(places, count, rng, f"{count} sampled tokens of rank {low:.0%} to {high:.0%}")

    def silent(self, count: int, rng: np.random.Generator) -> Sequence[Reading]:
        places = np.flatnonzero(self.stratum.store.sample(self.layer, self.neuron).values <= 0)
        return self._sampled(places, count, rng, f"{count} sampled tokens at which it does not fire")

    @property
    def _needed(self) -> int:
        return self.design.marked_per_snippet if self.design.display == PEAK else 1

    def _eligible(self, read: int) -> list[Snippet]:
        found = self.stratum.store.top_snippets(
            self.layer, self.neuron, read, self.design.context_before, self.design.context_after
        )
        return [snippet for snippet in found if is_eligible(snippet.pieces, snippet.peak, self._needed)]

    def _sampled(self, places: np.ndarray, count: int, rng: np.random.Generator, wanted: str) -> list[Snippet]:
        """Snippets at `count` of these places of the sample, each of another document."""
        store = self.stratum.store
        found: dict[int, Snippet] = {}
        for place in rng.permutation(places).tolist():
            snippet = store.sample_snippet(
                self.layer, self.neuron, place, self.design.context_before, self.design.context_after
            )
            if len(snippet.pieces) >= self._needed:
                found.setdefault(snippet.doc, snippet)
            if len(found) == count:
                return list(found.values())
        raise CannotCompose(f"{len(found)} different texts among {wanted}")


class Scaled(Protocol):
    """A material whose activations have a known largest value."""

    @property
    def maximum(self) -> float: ...


def marker(design: StudyDesign, material: Scaled) -> Marker:
    """How the design marks a snippet of this neuron."""

    def mark(snippet: Reading) -> Marked:
        if design.display == PEAK:
            return mark_peak(snippet.pieces, snippet.peak, design.marked_per_snippet)
        return mark_proportional(snippet.pieces, material.maximum, design.bands)

    return mark
