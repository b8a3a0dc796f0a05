"""Catch trials: items with a known right answer that look like all others.

Two kinds. In a *planted* one the strongest mark is the same word in every snippet: a careful rater says Yes, and finds
the right answers in tasks that have them. In a *pooled* one every snippet comes from another neuron, drawn over all
arms: a careful rater says No. Marks around a planted word are borrowed from a real snippet of the study, by their
distance from the peak, so that neither their number nor their place tells a catch trial from a neuron.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from annotation.design import StudyDesign
from annotation.protocols import TASKS
from annotation.protocols.display import Marked
from annotation.protocols.task import NO, YES, CannotCompose
from annotation.randomize import public_id, stream
from annotation.services.errors import NotEnoughNeurons
from annotation.services.harvests import Stratum
from annotation.services.material import HarvestMaterial
from annotation.services.showing import Showing
from neurons.store.corpus import CorpusStore
from neurons.store.harvest import HarvestStore
from neurons.store.pieces import Snippet, context_bounds, snippet_of

PLANTED, POOLED = "planted", "pooled"
WORDS_READ = 3_000  # documents that are searched for words to plant
DOCUMENTS_WITH_WORD = 60  # in so many of them a word must stand
LETTERS_AT_LEAST = 4  # of a planted word
TRIES = 50  # neurons tried for one borrowed snippet


@dataclass(frozen=True, slots=True)
class CatchItem:
    """A catch trial, before it is stored. `expected` is empty in tasks that ask for no verdict."""

    public_id: str
    kind: str
    expected: str
    rule: str
    snippets: tuple[Marked, ...]
    layout: dict[str, Any]
    truth: dict[str, Any]


def catch_items(design: StudyDesign, strata: Sequence[Stratum], salt: str) -> list[CatchItem]:
    """The catch trials of a study, the same for every seat.

    Raises
    ------
    NotEnoughNeurons
        If the text has no word to plant, or the neurons give no snippets.
    """
    kinds = [PLANTED] * design.quality.planted_catches + [POOLED] * design.quality.pooled_catches
    made = [_catch(design, strata, kind, number, salt) for number, kind in enumerate(kinds, start=1)]
    # Where no verdict is asked, a pooled item has no right answer.
    return [catch for catch in made if catch.kind == PLANTED or catch.expected]


def _catch(design: StudyDesign, strata: Sequence[Stratum], kind: str, number: int, salt: str) -> CatchItem:
    task = TASKS[design.protocol]
    rng = stream(design.seed, salt, f"catch:{number}")
    pool = PooledMaterial(design, strata, rng)
    material = PlantedMaterial(pool, *_word(strata[0].store, rng)) if kind == PLANTED else pool
    shown = Showing(design, material)
    try:
        composed = task.compose(
            shown,
            snippets=design.snippets_per_neuron,
            options=task.options_filled(design.options),
            marker=shown.mark,
            rng=rng,
        )
    except CannotCompose as reason:
        raise NotEnoughNeurons(f"A {kind} catch trial cannot be made: {reason}; plan none of this kind.") from None
    asked = TASKS[composed.layout.get("task") or task.name]  # the first item of a task with two may be another's
    return CatchItem(
        public_id=public_id(design.seed, salt, f"catch:{number}"),
        kind=kind,
        expected={PLANTED: YES, POOLED: NO}[kind] if asked.asks_verdict else "",
        rule=f"the word “{material.text.strip()}”" if isinstance(material, PlantedMaterial) else "",
        snippets=composed.snippets,
        layout=composed.layout,
        truth=composed.truth,
    )


@dataclass(frozen=True, slots=True)
class PooledMaterial:
    """Snippets of as many different neurons, each scaled to its own neuron's maximum."""

    design: StudyDesign
    strata: Sequence[Stratum]
    rng: np.random.Generator

    @property
    def maximum(self) -> float:
        return 1.0

    def top(self, count: int) -> list[Snippet]:
        return self._pooled(count, lambda material: material.top(self.design.snippets_per_neuron))

    def between(self, low: float, high: float, count: int, rng: np.random.Generator) -> list[Snippet]:
        return self._pooled(count, lambda material: material.between(low, high, 1, rng))

    def silent(self, count: int, rng: np.random.Generator) -> list[Snippet]:
        return self._pooled(count, lambda material: material.silent(1, rng))

    def promoted(self, count: int) -> Sequence[tuple[str, float]]:
        return self._neuron().promoted(count)

    def _pooled(self, count: int, read: Any) -> list[Snippet]:
        found: dict[int, Snippet] = {}
        for _ in range(TRIES * count):
            if len(found) == count:
                return list(found.values())
            material = self._neuron()
            try:
                snippets = read(material)
                snippet = snippets[int(self.rng.integers(len(snippets)))]
                found.setdefault(snippet.doc, _scaled(snippet, material.maximum))
            except CannotCompose:
                continue
        raise CannotCompose(f"{len(found)} of {count} snippets after {TRIES * count} neurons")

    def _neuron(self) -> HarvestMaterial:
        stratum = self.strata[int(self.rng.integers(len(self.strata)))]
        layer = stratum.pair.layers[int(self.rng.integers(len(stratum.pair.layers)))]
        return HarvestMaterial(self.design, stratum, layer, int(self.rng.integers(stratum.store.d_mlp)))


@dataclass(frozen=True, slots=True)
class PlantedMaterial:
    """A neuron that does not exist: it fires on one word and on nothing else."""

    pool: PooledMaterial
    text: str  # of the word's token, with the space in front
    token: int
    documents: np.ndarray  # in which it stands, in random order

    @property
    def maximum(self) -> float:
        return 1.0

    def top(self, count: int) -> list[Snippet]:
        if len(self.documents) < count:
            raise CannotCompose(f"{self.text!r} stands in {len(self.documents)} of {count} texts")
        profiles = self.pool.top(count)
        return [self._snippet(int(doc), profile) for doc, profile in zip(self.documents, profiles, strict=False)]

    def between(self, low: float, high: float, count: int, rng: np.random.Generator) -> list[Snippet]:
        """The word in the upper half of the ranks, something else in the lower: the rule holds at every strength."""
        return self.top(count) if low >= 0.5 else self.silent(count, rng)

    def silent(self, count: int, rng: np.random.Generator) -> list[Snippet]:
        """Snippets of other neurons in which the word does not stand."""
        found = [snippet for snippet in self.pool.silent(3 * count, rng) if self.text not in _text(snippet)]
        if len(found) < count:
            raise CannotCompose(f"{len(found)} of {count} snippets without {self.text!r}")
        return found[:count]

    def promoted(self, count: int) -> Sequence[tuple[str, float]]:
        raise CannotCompose("a planted rule has no output weights")

    def _snippet(self, document: int, profile: Snippet) -> Snippet:
        """The word in its text, with the activations of a real snippet at the same distances from the peak."""
        design, corpus = self.pool.design, self.pool.strata[0].store.corpus
        tokens = corpus.document_tokens(document)
        position = int(self.pool.rng.choice(np.flatnonzero(tokens == self.token)))
        low, high = context_bounds(position, len(tokens), self.pool.strata[0].store.context)
        first, last = max(low, position - design.context_before), min(high, position + design.context_after + 1)
        snippet = snippet_of(
            document,
            corpus.document_bytes(document),
            corpus.token_ranges(document),
            first=first,
            peak=position,
            values=np.zeros(last - first, dtype=np.float32),
        )
        return replace(snippet, pieces=_borrowed(snippet, profile))


def _borrowed(snippet: Snippet, profile: Snippet) -> tuple[tuple[str, float], ...]:
    shift = profile.peak - snippet.peak
    values = [
        profile.pieces[i + shift][1] if 0 <= i + shift < len(profile.pieces) else 0.0
        for i in range(len(snippet.pieces))
    ]
    return tuple((text, value) for (text, _), value in zip(snippet.pieces, values, strict=True))


def _scaled(snippet: Snippet, maximum: float) -> Snippet:
    return replace(snippet, pieces=tuple((text, value / maximum) for text, value in snippet.pieces))


def _text(snippet: Snippet) -> str:
    return "".join(text for text, _ in snippet.pieces)


def _word(store: HarvestStore, rng: np.random.Generator) -> tuple[str, int, np.ndarray]:
    """A word to plant: one token of letters with a space in front that stands in many texts, drawn by chance."""
    corpus = store.corpus
    documents = rng.permutation(corpus.splits[store.meta["config"].get("split", "harvest")])[:WORDS_READ]
    tokens = [np.unique(corpus.document_tokens(int(document))) for document in documents]
    counts = np.bincount(np.concatenate(tokens))
    enough = min(DOCUMENTS_WITH_WORD, max(1, len(documents) // 4))
    for token in rng.permutation(np.flatnonzero(counts >= enough)).tolist():
        having = documents[[token in here for here in tokens]]
        text = _token_text(corpus, int(having[0]), token)
        if text.startswith(" ") and len(text) > LETTERS_AT_LEAST and text[1:].isalpha() and text.isascii():
            return text, token, having
    raise NotEnoughNeurons(
        f"No word of {LETTERS_AT_LEAST} letters stands in {enough} texts; plan no planted catch trials."
    )


def _token_text(corpus: CorpusStore, document: int, token: int) -> str:
    place = int(np.flatnonzero(corpus.document_tokens(document) == token)[0])
    begin, end = corpus.token_ranges(document)[place]
    return corpus.document_bytes(document)[begin:end].decode("utf-8", errors="replace")
