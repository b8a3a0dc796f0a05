"""What an arm offers of one neuron, cut and marked as the design asks for."""

from collections.abc import Sequence

import numpy as np

from annotation.design import StudyDesign
from annotation.protocols.display import (
    MATCHED,
    PEAK,
    RANK,
    Marked,
    even_cut,
    mark_matched,
    mark_peak,
    mark_proportional,
    mark_rank,
    tokens_needed,
)
from annotation.protocols.task import CannotCompose, NearMisses, Reading
from annotation.services.random_snippets import Scaled
from neurons.store.pieces import Snippet


class Showing:
    """A material whose snippets come out cut; `mark` marks them.

    Matched marks rank all snippets of a neuron together, so `top` remembers what it gave: such an item must show all
    of them, as the tasks in `MATCHED_TASKS` do.
    """

    def __init__(self, design: StudyDesign, material: Scaled) -> None:
        self.design, self.material = design, material
        self._matched: dict[Reading, Marked] = {}

    @property
    def maximum(self) -> float:
        return self.material.maximum

    def top(self, count: int) -> list[Snippet]:
        shown = self._cut(self.material.top(count))
        if self.design.display == MATCHED:
            marked = mark_matched([(snippet.pieces, snippet.peak) for snippet in shown])
            self._matched = dict(zip(shown, marked, strict=True))
        return shown

    def between(self, low: float, high: float, count: int, rng: np.random.Generator) -> list[Snippet]:
        return self._cut(self.material.between(low, high, count, rng))

    def silent(self, count: int, rng: np.random.Generator) -> list[Snippet]:
        return self._cut(self.material.silent(count, rng))

    def near_misses(self, count: int, rng: np.random.Generator) -> list[Snippet]:
        """None where the material knows none."""
        return self._cut(self.material.near_misses(count, rng)) if isinstance(self.material, NearMisses) else []

    def promoted(self, count: int) -> Sequence[tuple[str, float]]:
        return self.material.promoted(count)

    def mark(self, snippet: Reading) -> Marked:
        if self.design.display == PEAK:
            return mark_peak(snippet.pieces, snippet.peak, self.design.marked_per_snippet)
        if self.design.display == RANK:
            return mark_rank(snippet.pieces, snippet.peak)
        if self.design.display == MATCHED:
            return self._matched[snippet]
        return mark_proportional(snippet.pieces, self.maximum, self.design.bands)

    def _cut(self, snippets: Sequence[Reading]) -> list[Snippet]:
        return [self._cut_one(snippet) for snippet in snippets]

    def _cut_one(self, snippet: Reading) -> Snippet:
        design = self.design
        if not design.even_characters:
            return Snippet(snippet.doc, snippet.peak, snippet.pieces)
        before = design.even_characters * design.context_before // max(1, design.context_before + design.context_after)
        pieces, peak = even_cut(snippet.pieces, snippet.peak, before, design.even_characters)
        needed = tokens_needed(design.display, design.marked_per_snippet)
        if len(pieces) < needed:
            raise CannotCompose(
                f"a snippet cut to {design.even_characters} characters has {len(pieces)} of {needed} tokens to mark"
            )
        return Snippet(snippet.doc, peak, pieces)
