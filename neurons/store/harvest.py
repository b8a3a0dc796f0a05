"""A harvest folder: what one network's neurons did on one corpus, memory-mapped and addressed by neuron.

    layer00/values.npy     float32 (neurons, kept)          activation at the peak, strongest first; 0: no more kept
    layer00/documents.npy  int64   (neurons, kept)          document of each top snippet
    layer00/positions.npy  int32   (neurons, kept)          the peak's token in the document, counted without BOS
    layer00/windows.npy    float32 (neurons, kept, window)  activations around the peak, at index `before` of the window
    layer00/counts.npy     int32   (neurons)                top snippets kept; 0: the neuron is dead
    layer00/known.npy      bool    (neurons)                whether imported records had the neuron; only there
    layer00/dropped.npy    int32   (neurons)                candidates of the reserve dropped as near-duplicates
    layer00/density.npy    float64 (neurons)                share of sampled tokens with activation above 0
    layer00/sample.npy     float16 (neurons, sampled)       activations at the sampled tokens; NaN: was not finite
    sample_documents.npy   int64   (sampled)                the hash-chosen tokens, in the order of reading: the same
    sample_positions.npy   int32   (sampled)                for every network that was harvested alike
    not_finite.npy         int64   (listed, 5)              document, position, layer, number of neurons and the first
                                                            of them, where the network gave NaN or infinity; such
                                                            values are never ranked. The first 10,000 in that order;
                                                            meta.json counts all such values under "not_finite"
    meta.json              provenance, configuration, counts, and under "basis" the directions if the units are no
                           neurons; written last: without it the folder is unfinished

A sampled value above 0 never rounds to 0, and one beyond float16 is stored as the largest float16.
"""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from neurons.store.corpus import CorpusStore
from neurons.store.pieces import Snippet, context_bounds, snippet_of

FORMAT = 2
META = "meta.json"


class HarvestError(ValueError):
    """A harvest folder is missing, unfinished, damaged or belongs to another corpus."""


def layer_folder(layer: int) -> str:
    return f"layer{layer:02d}"


@dataclass(frozen=True)
class Sample:
    """Activations of one neuron at the hash-chosen tokens, in the order of reading.

    Attributes
    ----------
    values : ndarray, float32, (sampled,)
        Activations, unitless, rounded to float16.
    documents : ndarray, int64, (sampled,)
    positions : ndarray, int32, (sampled,)
        Token in the document, counted from 0 without a beginning-of-sequence token.
    """

    values: np.ndarray
    documents: np.ndarray
    positions: np.ndarray

    def quantiles(self, shares: np.ndarray | list[float]) -> np.ndarray:
        """Activations below which the given shares (0 … 1) of the sampled tokens lie; float64."""
        return np.quantile(self.values.astype(np.float64), shares)

    def histogram(self, bins: int = 64) -> tuple[np.ndarray, np.ndarray]:
        """Counts (bins,) and edges (bins + 1,) of equal width between the smallest and the largest sampled value."""
        return np.histogram(self.values.astype(np.float64), bins=bins)

    def density(self) -> tuple[float, float]:
        """Share of tokens with activation above 0, and its standard error as of independent tokens (0 … 1)."""
        tokens = max(1, len(self.values))
        share = float(np.count_nonzero(self.values > 0)) / tokens
        return share, (share * (1 - share) / tokens) ** 0.5

    def between(self, low: float, high: float) -> np.ndarray:
        """Places in the sample whose rank share lies in [low, high), weakest first; ties in the order of reading."""
        order = np.argsort(self.values, kind="stable")
        first, last = (int(np.floor(share * len(order))) for share in (low, high))
        return order[first:last]


@dataclass(frozen=True)
class HarvestStore:
    """A finished harvest folder, opened for reading together with its corpus."""

    folder: Path
    corpus: CorpusStore
    meta: dict[str, Any]

    @classmethod
    def open(cls, folder: Path | str, corpus: CorpusStore) -> "HarvestStore":
        """Open a finished harvest.

        Raises
        ------
        HarvestError
            If the folder is unfinished, of another format, or made from another corpus or tokenizer.
        """
        folder = Path(folder)
        if not (folder / META).is_file():
            raise HarvestError(f"{folder} holds no finished harvest ({META} is missing); run the harvest again.")
        meta = json.loads((folder / META).read_text())
        if meta.get("format") != FORMAT:
            raise HarvestError(
                f"{folder} has format {meta.get('format')!r}, this version reads {FORMAT}; harvest again."
            )
        for key, expected in corpus_identity(corpus).items():
            if meta[key] != expected:
                raise HarvestError(
                    f"{folder} was harvested on a corpus with {key} {meta[key]}, this corpus has {expected}; "
                    "open it with its own corpus or harvest again."
                )
        return cls(folder=folder, corpus=corpus, meta=meta)

    @property
    def n_layers(self) -> int:
        return int(self.meta["n_layers"])

    @property
    def d_mlp(self) -> int:
        return int(self.meta["d_mlp"])

    @property
    def context(self) -> int:
        """Tokens in one forward pass, the beginning-of-sequence token included."""
        return int(self.meta["context"])

    @property
    def basis(self) -> dict[str, Any] | None:
        """Directions that were harvested (word, width, signs, sha256; see neurons.store.basis); None for neurons."""
        return self.meta.get("basis")

    @property
    def not_finite(self) -> int:
        """Activations that were NaN or infinite and therefore left out."""
        return int(self.meta.get("not_finite", 0))

    def is_dead(self, layer: int, neuron: int) -> bool:
        """Whether the neuron was above 0 on no harvested token at all."""
        return self.top_count(layer, neuron) == 0 and self.is_known(layer, neuron)

    def is_known(self, layer: int, neuron: int) -> bool:
        """Whether anything was recorded of the neuron: imported records may leave numbers out."""
        self._checked(layer, neuron)
        path = self.folder / layer_folder(layer) / "known.npy"
        return not path.is_file() or bool(_mapped(path)[neuron])

    def density(self, layer: int, neuron: int) -> float:
        """Share of the sampled tokens with activation above 0."""
        return float(self._array(layer, "density", neuron)[neuron])

    def densities(self, layer: int) -> np.ndarray:
        """Share of the sampled tokens with activation above 0, of every neuron: float64 (d_mlp,)."""
        return np.asarray(self._array(layer, "density"))

    def maxima(self, layer: int) -> np.ndarray:
        """Largest activation of every neuron, 0 for a dead one: float32 (d_mlp,)."""
        return np.asarray(self._array(layer, "values")[:, 0])

    def top_count(self, layer: int, neuron: int) -> int:
        """Top snippets kept: of distinct documents, without near-duplicates."""
        return int(self._array(layer, "counts", neuron)[neuron])

    def top_counts(self, layer: int) -> np.ndarray:
        """Top snippets kept of every neuron: int32 (d_mlp,)."""
        return np.asarray(self._array(layer, "counts"))

    def known(self, layer: int) -> np.ndarray:
        """Whether anything was recorded, of every neuron: bool (d_mlp,)."""
        path = self.folder / layer_folder(layer) / "known.npy"
        return np.asarray(_mapped(path)) if path.is_file() else np.ones(self.d_mlp, dtype=bool)

    def top_values(self, layer: int, neuron: int) -> np.ndarray:
        """Peak activations of the top snippets, strongest first: float32 (top_count,)."""
        return np.asarray(self._array(layer, "values", neuron)[neuron, : self.top_count(layer, neuron)])

    def top_documents(self, layer: int, neuron: int) -> np.ndarray:
        """Documents of the top snippets, strongest first: int64 (top_count,)."""
        kept = self.top_count(layer, neuron)
        return np.asarray(self._array(layer, "documents", neuron)[neuron, :kept], dtype=np.int64)

    def top_snippets(self, layer: int, neuron: int, count: int, before: int, after: int) -> list[Snippet]:
        """The strongest snippets of a neuron, at most `count`, strongest first.

        Parameters
        ----------
        before, after : int
            Tokens shown before and after the peak, clipped at the edges of the context the network saw. Activations
            were stored for `meta["config"]["before"]` and `["after"]` tokens; more cannot be shown.
        """
        stored_before, stored_after = (int(self.meta["config"][side]) for side in ("before", "after"))
        if not (0 <= before <= stored_before and 0 <= after <= stored_after):
            raise HarvestError(
                f"asked for {before} tokens before and {after} after the peak; this harvest stored {stored_before} "
                f"and {stored_after}; ask for fewer or harvest with a wider window."
            )
        shown = min(count, self.top_count(layer, neuron))
        return [self._top_snippet(layer, neuron, rank, before, after) for rank in range(shown)]

    def _top_snippet(self, layer: int, neuron: int, rank: int, before: int, after: int) -> Snippet:
        document = int(self._array(layer, "documents", neuron)[neuron, rank])
        position = int(self._array(layer, "positions", neuron)[neuron, rank])
        low, high = self._context_of(document, position)
        first, last = max(low, position - before), min(high, position + after + 1)
        origin = position - int(self.meta["config"]["before"])
        values = self._array(layer, "windows", neuron)[neuron, rank, first - origin : last - origin]
        return self._snippet(document, position, first, np.asarray(values))

    def sample(self, layer: int, neuron: int) -> Sample:
        """Activations of the neuron at the hash-chosen tokens: the same tokens for every network on this corpus, but
        for those at which this one was not finite."""
        values = np.asarray(self._array(layer, "sample", neuron)[neuron], dtype=np.float32)
        known = self._known(values)
        return Sample(values[known], self._sample_documents[known], self._sample_positions[known])

    def _known(self, values: np.ndarray) -> np.ndarray | slice:
        """The places of the sample at which these values are known; mostly all."""
        return np.isfinite(values) if self.meta.get("not_finite") else slice(None)

    def sample_snippet(self, layer: int, neuron: int, place: int, before: int, after: int) -> Snippet:
        """Text around one sampled token. Only that token's activation is known; the other pieces carry NaN."""
        sample = self.sample(layer, neuron)
        document, position = int(sample.documents[place]), int(sample.positions[place])
        low, high = self._context_of(document, position)
        first, last = max(low, position - before), min(high, position + after + 1)
        values = np.full(last - first, np.nan, dtype=np.float32)
        values[position - first] = sample.values[place]
        return self._snippet(document, position, first, values)

    def _context_of(self, document: int, position: int) -> tuple[int, int]:
        return context_bounds(position, len(self.corpus.document_tokens(document)), self.context)

    def _snippet(self, document: int, position: int, first: int, values: np.ndarray) -> Snippet:
        return snippet_of(
            document,
            self.corpus.document_bytes(document),
            self.corpus.token_ranges(document),
            first=first,
            peak=position,
            values=values,
        )

    @cached_property
    def _sample_documents(self) -> np.ndarray:
        return _mapped(self.folder / "sample_documents.npy")

    @cached_property
    def _sample_positions(self) -> np.ndarray:
        return _mapped(self.folder / "sample_positions.npy")

    def _array(self, layer: int, name: str, neuron: int = 0) -> np.ndarray:
        self._checked(layer, neuron)
        return _mapped(self.folder / layer_folder(layer) / f"{name}.npy")

    def _checked(self, layer: int, neuron: int) -> None:
        if not (0 <= layer < self.n_layers and 0 <= neuron < self.d_mlp):
            raise HarvestError(
                f"no neuron {neuron} in layer {layer}; the network has layers 0–{self.n_layers - 1} "
                f"of neurons 0–{self.d_mlp - 1}."
            )


@lru_cache(maxsize=64)
def _mapped(path: Path) -> np.ndarray:
    array: np.ndarray = np.load(path, mmap_mode="r")
    return array


def corpus_identity(corpus: CorpusStore) -> dict[str, str]:
    """What a harvest must share with the corpus that it is read with."""
    return {
        "corpus_fingerprint": corpus.fingerprint,
        "tokenizer_fingerprint": str(corpus.meta["tokenizer_fingerprint"]),
    }
