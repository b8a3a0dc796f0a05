"""Which directions of a layer's activation space a harvest follows: the neurons, or others that are named here.

A basis is written as one word, "neurons" or "random:1024:7" (kind, number of directions, seed), so that commands, forms
and designs of studies say it alike. A further kind is a further word.
"""

import hashlib
import re
from dataclasses import dataclass

import numpy as np

NEURONS, RANDOM = "neurons", "random"
MOST_DIRECTIONS, MOST_SEED = 65_536, 2**63 - 1
WRITTEN = re.compile(r"random:(\d{1,5}):(\d{1,19})", re.ASCII)


class BasisError(ValueError):
    """A text names no basis."""


@dataclass(frozen=True, slots=True)
class Basis:
    """Directions in the activation space of every layer.

    Attributes
    ----------
    kind : {"neurons", "random"}
    directions : int
        In each layer, 1 … 65,536; 0 for neurons, of which a layer has as many as it has.
    seed : int
        0 … 2**63 - 1.
    """

    kind: str = NEURONS
    directions: int = 0
    seed: int = 0

    @classmethod
    def parse(cls, written: str) -> "Basis":
        """The basis that a word names.

        Raises
        ------
        BasisError

        Examples
        --------
        >>> Basis.parse("random:1024:7")
        Basis(kind='random', directions=1024, seed=7)
        >>> Basis.parse("neurons").is_neurons
        True
        """
        if written == NEURONS:
            return cls()
        found = WRITTEN.fullmatch(written) if isinstance(written, str) else None
        directions, seed = (int(number) for number in found.groups()) if found else (0, 0)
        if not (1 <= directions <= MOST_DIRECTIONS and seed <= MOST_SEED):
            raise BasisError(
                f"{written!r} is no basis; write neurons, or random:COUNT:SEED with 1 to {MOST_DIRECTIONS:,} random "
                "directions, as in random:1024:7."
            )
        return cls(RANDOM, directions, seed)

    @property
    def word(self) -> str:
        """The word that `parse` reads."""
        return NEURONS if self.is_neurons else f"{self.kind}:{self.directions}:{self.seed}"

    @property
    def is_neurons(self) -> bool:
        return self.kind == NEURONS

    @property
    def label(self) -> str:
        """For people.

        Examples
        --------
        >>> Basis.parse("random:1024:7").label
        '1,024 random directions (seed 7)'
        """
        return NEURONS if self.is_neurons else f"{self.directions:,} random directions (seed {self.seed})"


def random_directions(basis: Basis, layer: int, width: int) -> np.ndarray:
    """Directions drawn uniformly from the unit sphere, a row each, before their signs are chosen.

    Parameters
    ----------
    layer : int
        Each layer has directions of its own.
    width : int
        Neurons of the layer.

    Returns
    -------
    ndarray, float64, (directions, width)
        Rows of norm 1. The first rows of a basis with more directions and the same seed are the same.

    Notes
    -----
    A vector of independent normal numbers, divided by its norm, is uniform on the sphere [1]_, as is each row of a
    uniformly random rotation; rows here are independent of each other, so there may be more of them than neurons.

    References
    ----------
    .. [1] Muller (1959), A note on a method for generating points uniformly on N-dimensional spheres, CACM 2(4).

    Examples
    --------
    >>> rows = random_directions(Basis.parse("random:3:7"), layer=0, width=5)
    >>> bool(np.allclose((rows**2).sum(axis=1), 1))
    True
    """
    digest = hashlib.sha256(f"blindscope random directions|{basis.seed}|{layer}|{width}".encode()).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))
    rows = generator.standard_normal((basis.directions, width))
    turned: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return turned


def signs_to_hex(signs: np.ndarray) -> str:
    """Signs (1 or -1) as bits, a set bit for each -1, first sign in the highest bit of the first byte.

    Examples
    --------
    >>> signs_to_hex(np.array([1, -1, 1, 1, 1, 1, 1, -1, -1]))
    '4180'
    """
    return np.packbits(np.asarray(signs) < 0).tobytes().hex()


def signs_from_hex(written: str, count: int) -> np.ndarray:
    """int64 (count,): the signs that `signs_to_hex` wrote.

    Examples
    --------
    >>> signs_from_hex("4180", 9).tolist()
    [1, -1, 1, 1, 1, 1, 1, -1, -1]
    """
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(written), dtype=np.uint8))[:count]
    return np.where(bits, -1, 1)
