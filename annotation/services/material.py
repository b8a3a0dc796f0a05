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
from annotation.services.strengths import shows_all_strengths
from neurons.models import Network
from neurons.store.harvest import Sample
from neurons.store.near_misses import near_miss_places
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
        # No text in which it is known to fire strongly, though the sampled token be silent.
        sample, top = self._sample(), self.stratum.store.top_documents(self.layer, self.neuron)
        places = np.flatnonzero((sample.values <= 0) & ~np.isin(sample.documents, top))
        return self._sampled(places, count, rng, f"{count} sampled tokens at which it does not fire")

    def near_misses(self, count: int, rng: np.random.Generator) -> Sequence[Reading]:
        places = near_miss_places(self.stratum.store, self.layer, self.neuron)
        return list(self._read(places, count, rng).values())

    def promoted(self, count: int) -> Sequence[tuple[str, float]]:
        return promoted_tokens(self.stratum, self.layer, self.neuron, count)

    def _sample(self) -> Sample:
        return self.stratum.store.sample(self.layer, self.neuron)

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
        found = self._read(places, count, rng)
        if len(found) < count:
            raise CannotCompose(f"{len(found)} different texts among {wanted}")
        return list(found.values())

    def _read(self, places: np.ndarray, count: int, rng: np.random.Generator) -> dict[int, Snippet]:
        """Snippets at random ones of these places, at most `count`, by document."""
        store = self.stratum.store
        found: dict[int, Snippet] = {}
        for place in rng.permutation(places).tolist():
            if len(found) == count:
                break
            snippet = store.sample_snippet(
                self.layer, self.neuron, place, self.design.context_before, self.design.context_after
            )
            if len(snippet.pieces) >= self._needed:
                found.setdefault(snippet.doc, snippet)
        return found


def material_open(
    design: StudyDesign, stratum: Stratum, layer: int, neuron: int, places: np.random.Generator
) -> Scaled:
    """What an arm offers of one unit; `places` draws the text of random snippets.

    Raises HarvestMissing if the task shows what the arm's harvest cannot know of any unit.
    """
    lender = stratum.lender(neuron)
    if lender.run.network.format == Network.Format.RECORDS and shows_all_strengths(design):
        raise HarvestMissing(
            f"The harvest of {lender.run.network.name!r} (arm {lender.arm.name}) holds no sample of all tokens, "
            f"because it was imported; {TASKS[design.protocol].label} shows weak or silent places too. Choose "
            "first_glance, or an arm whose network was harvested here."
        )
    material = HarvestMaterial(design, lender, layer, neuron)
    return material if lender is stratum else RandomSnippets(material, RandomPlaces(lender.store, places))
