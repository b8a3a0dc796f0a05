"""Whether a task shows more of a neuron than its strongest snippets, for which a harvest needs a sample of all text."""

from collections.abc import Sequence

import numpy as np

from annotation.design import StudyDesign
from annotation.protocols import TASKS
from annotation.protocols.task import Reading
from neurons.store.pieces import Snippet


class _SampleAsked(Exception):
    """The task asked for weak or silent places."""


class _TopOnly:
    """A neuron of which any number of strongest snippets is known and nothing else."""

    def top(self, count: int) -> list[Snippet]:
        return [Snippet(number, 0, ((f"text {number}", 1.0),)) for number in range(count)]

    def between(self, low: float, high: float, count: int, rng: np.random.Generator) -> Sequence[Reading]:
        raise _SampleAsked

    def silent(self, count: int, rng: np.random.Generator) -> Sequence[Reading]:
        raise _SampleAsked

    def promoted(self, count: int) -> list[tuple[str, float]]:
        return [(f"token {number}", 1.0) for number in range(count)]


def shows_all_strengths(design: StudyDesign) -> bool:
    """Whether the design's task, with its options, shows weak or silent places: found out by letting it compose."""
    task = TASKS[design.protocol]
    try:
        task.compose(
            _TopOnly(),
            snippets=design.snippets_per_neuron,
            options=task.options_filled(design.options),
            marker=lambda reading: [(text, 0) for text, _ in reading.pieces],
            rng=np.random.default_rng(0),
        )
    except _SampleAsked:
        return True
    return False
