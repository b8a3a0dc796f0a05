"""A network read along other directions of its activation space than its neurons.

Whatever reads neurons (the harvest, its shards, its index) reads directions alike: `InBasis` stands in for the network
and gives, in each layer, activations · directions. Its directions follow from a word (neurons.store.basis) but for
their signs, which are fitted on text and kept in the harvest's meta.json.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64, Int, Int64
from torch import Tensor

from neurons.lab.harvest_config import HarvestConfig
from neurons.lab.harvest_plan import Tile, TokenSource, choose_documents, tiles_of
from neurons.lab.source import NeuronSource
from neurons.store.basis import Basis, random_directions, signs_to_hex

FIT_TOKENS = 16_384  # read to choose signs: whole documents, the first that a harvest of any length reads


@dataclass(frozen=True)
class BasisShape:
    """Sizes of a network seen along directions (neurons.lab.source.SourceShape)."""

    n_layers: int
    d_mlp: int  # directions in each layer
    context: int


class InBasis:
    """A network whose units are directions; a `NeuronSource` without weights of its units.

    Parameters
    ----------
    source : NeuronSource
    basis : Basis
        Other than the neurons.
    signs : list of ndarray, int64, (directions,)
        1 or -1 for each direction of each layer.
    """

    def __init__(self, source: NeuronSource, basis: Basis, signs: list[Int64[np.ndarray, "directions"]]) -> None:
        shape = source.config
        self.source, self.basis, self.signs = source, basis, signs
        self.config = BasisShape(int(shape.n_layers), basis.directions, int(shape.context))
        drawn = [random_directions(basis, layer, int(shape.d_mlp)) for layer in range(shape.n_layers)]
        self.directions = [
            torch.from_numpy((rows * side[:, None]).astype(np.float32)).to(device_of(source))
            for rows, side in zip(drawn, signs, strict=True)
        ]

    @property
    def bos_id(self) -> int:
        return self.source.bos_id

    @property
    def facts(self) -> dict[str, Any]:
        """From which the directions can be had again without the network: word, width, signs; and their sha256."""
        digest = hashlib.sha256()
        for rows in self.directions:
            digest.update(rows.cpu().numpy().tobytes())
        return {
            "word": self.basis.word,
            "width": int(self.directions[0].shape[1]),
            "signs": [signs_to_hex(side) for side in self.signs],
            "sha256": digest.hexdigest(),
        }

    def parameters(self) -> Iterable[Tensor]:
        return self.directions

    def to(self, device: Any) -> "InBasis":
        self.source = self.source.to(device)
        self.directions = [rows.to(device) for rows in self.directions]
        return self

    def neuron_activations(
        self, tokens: Int[Tensor, "batch pos"], *, site: str = "post_act"
    ) -> Iterator[tuple[int, Float[Tensor, "batch pos directions"]]]:
        """Each layer's activations times its directions, in float32 whatever the autocast."""
        for layer, activations in self.source.neuron_activations(tokens, site=site):
            with torch.autocast(activations.device.type, enabled=False):
                yield layer, activations.float() @ self.directions[layer].T


def device_of(source: NeuronSource) -> torch.device:
    return next((p.device for p in getattr(source, "parameters", list)()), torch.device("cpu"))


def in_basis(source: NeuronSource, basis: Basis, corpus: TokenSource, config: HarvestConfig) -> InBasis:
    """The network along the directions of a basis, each turned to the side on which it has its rare large values.

    Parameters
    ----------
    basis : Basis
        Other than the neurons.
    corpus, config
        Of the harvest: signs are fitted on its first FIT_TOKENS tokens, at its site.

    Notes
    -----
    A direction and its opposite are equally likely to be drawn. Neurons have a side on which they fire; so that a
    direction has one too, it takes the sign that makes its skewness (third central moment) positive.
    """
    unsigned = InBasis(source, basis, [np.ones(basis.directions, dtype=np.int64)] * int(source.config.n_layers))
    moments = _third_moments(unsigned, corpus, config)
    return InBasis(source, basis, [np.where(moment < 0, -1, 1) for moment in moments])


@torch.inference_mode()
def _third_moments(
    source: InBasis, corpus: TokenSource, config: HarvestConfig
) -> list[Float64[np.ndarray, "directions"]]:
    sums = [_PowerSums(source.basis.directions) for _ in range(source.config.n_layers)]
    for tile in _fit_tiles(source, corpus, config):
        tokens = torch.from_numpy(tile.tokens).to(device_of(source))
        inside = torch.from_numpy(_inside(tile)).to(device_of(source))
        for layer, activations in source.neuron_activations(tokens, site=config.site):
            sums[layer].add(activations[inside].double().cpu().numpy())
    return [each.third_moment() for each in sums]


def _fit_tiles(source: InBasis, corpus: TokenSource, config: HarvestConfig) -> Iterator[Tile]:
    documents = choose_documents(corpus, config.split, FIT_TOKENS)
    most = -(-4 * FIT_TOKENS // config.tile_tokens)  # of one enormous document a part is enough
    context = source.config.context
    tiles = tiles_of(corpus, documents, context=context, tile_tokens=config.tile_tokens, bos=source.bos_id)
    return islice(tiles, most)


def _inside(tile: Tile) -> np.ndarray:
    """Where a tile has text: not at the beginning of a sequence, not behind its end."""
    columns = np.arange(tile.tokens.shape[1])
    inside: np.ndarray = (columns > 0) & (columns <= tile.lengths[:, None])
    return inside


class _PowerSums:
    """Sums of the first three powers of each direction's values, tokens that are not finite left out."""

    def __init__(self, directions: int) -> None:
        self.tokens = 0
        self.sums = np.zeros((3, directions))

    def add(self, values: Float64[np.ndarray, "tokens directions"]) -> None:
        values = values[np.isfinite(values).all(axis=1)]
        squares = values * values
        self.tokens += len(values)
        self.sums += np.stack([values.sum(axis=0), squares.sum(axis=0), (squares * values).sum(axis=0)])

    def third_moment(self) -> Float64[np.ndarray, "directions"]:
        first, second, third = self.sums / max(1, self.tokens)
        return np.asarray(third - 3 * first * second + 2 * first**3)
