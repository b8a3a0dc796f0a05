"""What is worked out once about a network's neurons, for their pages and for searching: memory-mapped, by neuron.

A neuron's flat number is layer · d_mlp + index; n is the number of all neurons, k the number listed of each.

    layers/     maxima.npy, densities.npy  float32, float64 (layers, d_mlp)  0: dead; NaN: not known
                summaries.json             one summary over all neurons, then one of each layer
    tokens/     peak_tokens.npy, peak_counts.npy  int32 (n, k)  tokens at the peaks of the kept snippets, commonest
                                           first, and in how many; -1: no more
                mean_tokens.npy, mean_values.npy  int32, float32 (n, k)  tokens with the largest mean activation on the
                                           sample
                occurrences.npy            int64 (vocab)  of each token in the sample
                starts.npy                 int64 (vocab + 1)  token t is at the peaks of neurons[starts[t]:starts[t+1]],
                neurons.npy, counts.npy    int32  in so many snippets of each, most first
    vocabulary/ texts.bin, starts.npy      bytes; int64 (vocab + 1)  bytes of each token
    snippets/   search.sqlite              see neurons.store.snippet_search
    neighbours/ neurons.npy, r.npy         int32, float32 (n, k)  Pearson's r with the other neurons; -1: no more
    weights/    cosines.npy                float32 (n)  of w_in and w_out
                effect_tokens.npy, effect_values.npy  int32, float32 (n, 2, k)  w_out · W_U less its mean over the
                                           vocabulary: largest first, and smallest first
    twin-<key>/ neurons.npy, r.npy         int32, float32 (n, k)  the same with the neurons of a paired network
                same.npy                   float32 (n)  r with the neuron of the same number there; NaN: none
    <part>/     part.json                  what the part was made from
    meta.json                              parts and facts; written last: without it the folder is unfinished

A part that cannot be made (no weights, no sample) is missing, and meta.json says why under "missing".
"""

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from neurons.store.layer_summary import LayerSummary
from neurons.store.snippet_search import Finding, search_snippets
from neurons.store.vocabulary import Vocabulary

FORMAT = 1
META, PART = "meta.json", "part.json"


class NeuronIndexError(ValueError):
    """A neuron index is missing, unfinished or damaged."""


@dataclass(frozen=True, slots=True)
class TokenNumber:
    """A token and a number about it: snippets, a mean activation, or logits; `occurrences` where it is a mean."""

    token: int
    number: float
    occurrences: int = 0


@dataclass(frozen=True, slots=True)
class Related:
    """A neuron and its correlation with the one that was asked for."""

    layer: int
    index: int
    r: float


@dataclass(frozen=True)
class NeuronIndex:
    """A finished index, opened for reading."""

    folder: Path
    meta: dict[str, Any]

    @classmethod
    def open(cls, folder: Path) -> "NeuronIndex":
        """Open a finished index.

        Raises
        ------
        NeuronIndexError
            If the folder is unfinished or of another format.
        """
        if not (folder / META).is_file():
            raise NeuronIndexError(f"{folder} holds no finished index ({META} is missing); run neurons_index again.")
        meta = json.loads((folder / META).read_text())
        if meta.get("format") != FORMAT:
            raise NeuronIndexError(
                f"{folder} has format {meta.get('format')!r}, this version reads {FORMAT}; run neurons_index again."
            )
        return cls(folder, meta)

    # -- what there is ------------------------------------------------------------------------------------------------
    @property
    def n_layers(self) -> int:
        return int(self.meta["n_layers"])

    @property
    def d_mlp(self) -> int:
        return int(self.meta["d_mlp"])

    def has(self, part: str) -> bool:
        return part in self.meta["parts"]

    @property
    def missing(self) -> dict[str, str]:
        """Parts that could not be made, and why."""
        return dict(self.meta["missing"])

    @property
    def twins(self) -> dict[str, dict[str, Any]]:
        """What each paired network's part says about it, by the part's name."""
        return {name: facts for name, facts in self.meta["parts"].items() if name.startswith("twin-")}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        return Vocabulary.open(self.folder / "vocabulary")

    # -- layers -------------------------------------------------------------------------------------------------------
    def maxima(self, layer: int) -> np.ndarray:
        """Largest activation of each neuron of a layer, 0 for a dead one: float32 (d_mlp,)."""
        return np.asarray(self._array("layers", "maxima")[layer])

    def densities(self, layer: int) -> np.ndarray:
        """Share of sampled tokens above 0 of each neuron of a layer, NaN where not known: float64 (d_mlp,)."""
        return np.asarray(self._array("layers", "densities")[layer])

    @property
    def summaries(self) -> list[LayerSummary]:
        """One over all neurons, then one of each layer."""
        return _summaries(self.folder / "layers" / "summaries.json")

    def cosines(self, layer: int) -> np.ndarray | None:
        """Cosine of w_in and w_out of each neuron of a layer: float32 (d_mlp,); None without weights."""
        if not self.has("weights"):
            return None
        return np.asarray(self._array("weights", "cosines")[layer * self.d_mlp : (layer + 1) * self.d_mlp])

    # -- one neuron ---------------------------------------------------------------------------------------------------
    def flat(self, layer: int, index: int) -> int:
        """Number of a neuron among all of the network.

        Raises
        ------
        NeuronIndexError
            If there is no such neuron.
        """
        if not (0 <= layer < self.n_layers and 0 <= index < self.d_mlp):
            raise NeuronIndexError(
                f"no neuron {index} in layer {layer}; the index has layers 0–{self.n_layers - 1} of neurons "
                f"0–{self.d_mlp - 1}."
            )
        return layer * self.d_mlp + index

    def peak_tokens(self, layer: int, index: int, most: int = 10) -> list[TokenNumber]:
        """Tokens at the peaks of the kept snippets with the number of snippets, commonest first."""
        return self._listed("tokens", "peak_tokens", "peak_counts", self.flat(layer, index), most)

    def mean_tokens(self, layer: int, index: int) -> list[TokenNumber]:
        """Tokens with the largest mean activation on the sample, and how often they occur in it."""
        found = self._listed("tokens", "mean_tokens", "mean_values", self.flat(layer, index))
        occurrences = self._array("tokens", "occurrences")
        return [TokenNumber(one.token, one.number, int(occurrences[one.token])) for one in found]

    def effect(self, layer: int, index: int) -> tuple[list[TokenNumber], list[TokenNumber]]:
        """Tokens whose logits the neuron's output raises most and lowers most, with w_out · W_U less its mean."""
        flat = self.flat(layer, index)
        tokens, values = (self._array("weights", name)[flat] for name in ("effect_tokens", "effect_values"))
        raised, lowered = (_token_numbers(tokens[side], values[side]) for side in (0, 1))
        return raised, lowered

    def cosine(self, layer: int, index: int) -> float:
        return float(self._array("weights", "cosines")[self.flat(layer, index)])

    def neighbours(self, layer: int, index: int) -> list[Related]:
        """Neurons of the network whose activations go most with this one's, closest first."""
        return self._related("neighbours", self.flat(layer, index), self.d_mlp)

    def nearest_twins(self, part: str, layer: int, index: int) -> list[Related]:
        """The same among the neurons of a paired network; `part` is a key of `twins`."""
        return self._related(part, self.flat(layer, index), int(self.meta["parts"][part]["d_mlp"]))

    def same_index(self, part: str, layer: int, index: int) -> float | None:
        """r with the paired network's neuron of the same layer and index; None if not defined."""
        r = float(self._array(part, "same")[self.flat(layer, index)])
        return None if np.isnan(r) else r

    # -- searching ----------------------------------------------------------------------------------------------------
    def neurons_of_token(self, token: int, most: int) -> tuple[list[tuple[int, int, int]], int]:
        """Neurons at whose peaks a token stands: (layer, index, snippets), most snippets first; and how many in all."""
        starts = self._array("tokens", "starts")
        # A network may know more tokens than the corpus's tokenizer gives.
        first, end = starts[token : token + 2].tolist() if token + 1 < len(starts) else (0, 0)
        rows = slice(first, min(end, first + most))
        found = zip(self._array("tokens", "neurons")[rows], self._array("tokens", "counts")[rows], strict=True)
        return [(*divmod(int(flat), self.d_mlp), int(count)) for flat, count in found], end - first

    def search(self, words: str, most: int) -> Finding:
        """Neurons whose strongest snippets hold the words."""
        return search_snippets(self.folder / "snippets" / "search.sqlite", words, most)

    # -- rows ---------------------------------------------------------------------------------------------------------
    def _array(self, part: str, name: str) -> np.ndarray:
        return _mapped(self.folder, part, name)

    def _listed(self, part: str, tokens: str, numbers: str, flat: int, most: int | None = None) -> list[TokenNumber]:
        return _token_numbers(self._array(part, tokens)[flat][:most], self._array(part, numbers)[flat][:most])

    def _related(self, part: str, flat: int, width: int) -> list[Related]:
        neurons, r = self._array(part, "neurons")[flat], self._array(part, "r")[flat]
        return [
            Related(*divmod(int(neuron), width), float(value))
            for neuron, value in zip(neurons, r, strict=True)
            if neuron >= 0
        ]


def _token_numbers(tokens: np.ndarray, numbers: np.ndarray) -> list[TokenNumber]:
    pairs = zip(tokens.tolist(), numbers.tolist(), strict=True)
    return [TokenNumber(token, number) for token, number in pairs if token >= 0]


# By folder: an index is never changed once it has its name.
@lru_cache(maxsize=256)
def _mapped(folder: Path, part: str, name: str) -> np.ndarray:
    array: np.ndarray = np.load(folder / part / f"{name}.npy", mmap_mode="r")
    return array


@lru_cache(maxsize=64)
def _summaries(path: Path) -> list[LayerSummary]:
    return [LayerSummary.from_dict(facts) for facts in json.loads(path.read_text())]
