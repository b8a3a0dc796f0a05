"""Random places of a corpus under borrowed activations: what raters see where there is nothing to find.

How often raters call these readable is the false-alarm floor of a study. So that nothing but the text tells them from
other items, each item borrows all its activations from one unit of the pair's other arms: its snippets, in the order of
their strength, are laid piece by piece over random places. Number, distance and strength of marks and the number of
tokens before and after the peak are then those of real items, in every display mode.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from annotation.protocols.task import CannotCompose, Material, NearMisses, Reading
from neurons.store.harvest import HarvestStore
from neurons.store.pieces import Snippet, context_bounds, snippet_of

TRIES = 500  # places looked at for one snippet


class Scaled(Material, Protocol):
    """A material whose activations have a known largest value."""

    @property
    def maximum(self) -> float: ...

    def promoted(self, count: int) -> Sequence[tuple[str, float]]: ...


class RandomPlaces:
    """Places of the text that a harvest read from, drawn uniformly over its tokens, no document twice."""

    def __init__(self, store: HarvestStore, rng: np.random.Generator) -> None:
        corpus, splits = store.corpus, store.corpus.splits
        self.store, self.rng = store, rng
        self.documents = splits.get(store.meta["config"].get("split", ""), np.arange(corpus.documents))
        self.ends = np.cumsum(corpus.token_counts(self.documents))
        self.used: set[int] = set()

    def text_like(self, before: int, after: int) -> tuple[int, tuple[str, ...]]:
        """A document and `before` + 1 + `after` of its pieces, from within one context.

        Raises
        ------
        CannotCompose
            If no such place is found.
        """
        for _ in range(TRIES):
            document, position = self._token()
            if document in self.used:
                continue
            pieces = self._context(document, position)
            if len(pieces) > before + after:
                peak = int(self.rng.integers(before, len(pieces) - after))
                self.used.add(document)
                return document, pieces[peak - before : peak + after + 1]
        raise CannotCompose(f"no other text of the corpus has {before} tokens before and {after} after a token")

    def tokens(self, count: int) -> list[str]:
        """Different tokens of random places; raises CannotCompose."""
        found: dict[str, None] = {}
        for _ in range(TRIES):
            pieces = self._context(*self._token())
            found.setdefault(pieces[int(self.rng.integers(len(pieces)))])
            if len(found) == count:
                return list(found)
        raise CannotCompose(f"{len(found)} of {count} different tokens in the corpus")

    def _token(self) -> tuple[int, int]:
        token = int(self.rng.integers(self.ends[-1]))
        place = int(np.searchsorted(self.ends, token, side="right"))
        return int(self.documents[place]), token - int(self.ends[place - 1] if place else 0)

    def _context(self, document: int, position: int) -> tuple[str, ...]:
        """The pieces of the context in which a token was read."""
        corpus = self.store.corpus
        ranges = corpus.token_ranges(document)
        low, high = context_bounds(position, len(ranges), self.store.context)
        nothing = np.zeros(high - low, dtype=np.float32)
        text = corpus.document_bytes(document)
        snippet = snippet_of(document, text, ranges, first=low, peak=position, values=nothing)
        return tuple(piece for piece, _ in snippet.pieces)


@dataclass(frozen=True, slots=True)
class RandomSnippets:
    """A unit that does not exist: the snippets of a real one, each with the text of another place.

    It can be shown, or cannot, exactly where the lender can.
    """

    lender: Scaled
    places: RandomPlaces

    @property
    def maximum(self) -> float:
        return self.lender.maximum

    def top(self, count: int) -> list[Snippet]:
        return self._moved(self.lender.top(count))

    def between(self, low: float, high: float, count: int, rng: np.random.Generator) -> list[Snippet]:
        return self._moved(self.lender.between(low, high, count, rng))

    def silent(self, count: int, rng: np.random.Generator) -> list[Snippet]:
        return self._moved(self.lender.silent(count, rng))

    def near_misses(self, count: int, rng: np.random.Generator) -> list[Snippet]:
        return self._moved(self.lender.near_misses(count, rng)) if isinstance(self.lender, NearMisses) else []

    def promoted(self, count: int) -> list[tuple[str, float]]:
        effects = [effect for _, effect in self.lender.promoted(count)]
        return list(zip(self.places.tokens(count), effects, strict=True))

    def _moved(self, snippets: Sequence[Reading]) -> list[Snippet]:
        return [self._laid(snippet) for snippet in snippets]

    def _laid(self, snippet: Reading) -> Snippet:
        document, texts = self.places.text_like(snippet.peak, len(snippet.pieces) - snippet.peak - 1)
        values = (value for _, value in snippet.pieces)
        return Snippet(doc=document, peak=snippet.peak, pieces=tuple(zip(texts, values, strict=True)))
