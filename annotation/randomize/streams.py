"""Where every random choice of a study comes from: a seed that anybody may read and a salt that is sealed.

Notes
-----
A study's randomness has two parts: the author's seed, which anybody may read in the design, and a salt drawn at freeze
that stays sealed until unblinding. Without the salt nobody can repeat the draw; with it anybody can, bit for bit.
Public ids are hashes and not generator output, so that they tell nothing about the generator's state.

Orders are made from the raw words of PCG64 and not by `Generator.permutation`: NumPy promises that the raw words of a
bit generator stay the same in all versions, and promises nothing of the kind for the methods of a `Generator` (NEP 19).
"""

import base64
import hashlib
from collections.abc import Sequence

import numpy as np

PUBLIC_ID_CHARS = 16  # 96 bits


def stream(seed: int, salt: str, purpose: str) -> np.random.Generator:
    """The generator for one purpose; streams of different purposes are independent.

    Parameters
    ----------
    seed : int
        The author's seed, >= 0.
    salt : str
        The study's sealed salt.
    purpose : str
        What is drawn, for example "draw:1L-256:solu".

    Examples
    --------
    >>> a, b = stream(1, "s", "x"), stream(1, "s", "x")
    >>> bool((permutation(a, 9) == permutation(b, 9)).all())
    True
    """
    digest = hashlib.sha256(f"{seed}|{salt}|{purpose}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


def public_id(seed: int, salt: str, what: str) -> str:
    """An unguessable id that anybody can recompute once the salt is public.

    Examples
    --------
    >>> len(public_id(1, "s", "item:0")), public_id(1, "s", "item:0") == public_id(1, "s", "item:1")
    (16, False)
    """
    digest = hashlib.sha256(f"public id|{seed}|{salt}|{what}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:PUBLIC_ID_CHARS]


def words(rng: np.random.Generator, count: int) -> np.ndarray:
    """`count` random 64-bit words: uint64 (count,)."""
    return np.asarray(rng.bit_generator.random_raw(count), dtype=np.uint64)


def permutation(rng: np.random.Generator, count: int) -> np.ndarray:
    """The numbers 0 … count - 1 in random order: the order of as many random words, int64 (count,)."""
    return np.argsort(words(rng, count), kind="stable")


def below(rng: np.random.Generator, bound: int) -> int:
    """A random whole number, 0 … bound - 1; bias below bound / 2**64."""
    return int(words(rng, 1)[0]) % bound


def shuffled(rng: np.random.Generator, things: Sequence[str]) -> tuple[str, ...]:
    """The same things in random order.

    Examples
    --------
    >>> sorted(shuffled(stream(1, "s", "x"), ["a", "b", "c"]))
    ['a', 'b', 'c']
    """
    return tuple(things[int(i)] for i in permutation(rng, len(things)))
