"""What an arm offers of one neuron, for a task to compose an item from (`annotation.protocols.task.Material`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotation.design import StudyDesign
from annotation.protocols import TASKS
from annotation.protocols.display import is_eligible, tokens_needed
from annotation.protocols.task import CannotCompose, Reading
from annotation.services.errors import HarvestMissing
from annotation.services.harvests import Stratum
from annotation.services.promoted import promoted_tokens
from annotation.services.random_snippets import RandomPlaces, RandomSnippets, Scaled
from neurons.store.harvest import Sample
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
        places = self._sample().between(low, high)
        return self._sampled(places, count, rng, f"{count} sampled tokens of rank {low:.0%} to {high:.0%}")

    def silent(self, count: int, rng: np.random.Generator) -> Sequence[Reading]:
        places = np.flatnonzero(self._sample().values <= 0)
        return self._sampled(places, count, rng, f"{count} sampled tokens at which it does not fire")

    def promoted(self, count: int) -> Sequence[tuple[str, float]]:
        return promoted_tokens(self.stratum, self.layer, self.neuron, count)

    def _sample(self) -> Sample:
        sample = self.stratum.store.sample(self.layer, self.neuron)
        if not len(sample.values):
            run, arm = self.stratum.run, self.stratum.arm.name
            raise HarvestMissing(
                f"The harvest of {run.network.name!r} (arm {arm}) holds no sample of all tokens, as imported records "
                f"do not; {TASKS[self.design.protocol].label} shows weak or silent places too. Choose first_glance, or "
                "an arm whose network was harvested here."
            )
        return sample

    @property
    def _needed(self) -> int:
        return tokens_needed(self.design.display, self.design.marked_per_snippet)

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


def material_open(
    design: StudyDesign, stratum: Stratum, layer: int, neuron: int, places: np.random.Generator
) -> Scaled:
    """What an arm offers of one unit; `places` draws the text of random snippets."""
    lender = stratum.lender(neuron)
    material = HarvestMaterial(design, lender, layer, neuron)
    return material if lender is stratum else RandomSnippets(material, RandomPlaces(lender.store, places))
