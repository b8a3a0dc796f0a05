"""The tokens of a vocabulary as bytes, to be shown and to be looked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Vocabulary:
    """Bytes of every token, in one file."""

    raw: np.ndarray
    starts: np.ndarray

    @classmethod
    def open(cls, folder: Path) -> "Vocabulary":
        return _opened(folder)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def token_bytes(self, token: int) -> bytes:
        """UTF-8 of a token, or a part of a character; empty if its text is not known."""
        return self.raw[int(self.starts[token]) : int(self.starts[token + 1])].tobytes()

    def token_text(self, token: int) -> str:
        """A token as it can be shown: bytes that are no whole character as <0x..>, an unknown one by its number."""
        if not 0 <= token < len(self):
            return f"#{token}"
        raw = self.token_bytes(token)
        return shown(raw) if raw else f"#{token}"

    def alike(self, text: str) -> list[int]:
        """Tokens that read like a text, whatever their spaces and capitals: the token itself first.

        Spaces count if there is nothing else.
        """
        found = self._by_text.get(_plain(text), [])
        return sorted(found, key=lambda token: (self.token_bytes(token) != text.encode(), token))

    @cached_property
    def _by_text(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for token in range(len(self)):
            if raw := self.token_bytes(token):
                found.setdefault(_plain(shown(raw)), []).append(token)
        return found


def write_vocabulary(folder: Path, tokens: Sequence[bytes]) -> None:
    """Write the files that `Vocabulary.open` reads."""
    np.save(folder / "starts.npy", np.cumsum([0, *map(len, tokens)], dtype=np.int64))
    (folder / "texts.bin").write_bytes(b"".join(tokens))


def shown(raw: bytes) -> str:
    """Bytes as text; those that are no whole character one by one.

    Examples
    --------
    >>> shown("né".encode()), shown("né".encode()[:2])
    ('né', 'n<0xC3>')
    """
    return "".join(
        f"<0x{ord(letter) - 0xDC00:02X}>" if 0xDC80 <= ord(letter) <= 0xDCFF else letter
        for letter in raw.decode("utf-8", "surrogateescape")
    )


def _plain(text: str) -> str:
    return (text.strip() or text).casefold()


@lru_cache(maxsize=16)
def _opened(folder: Path) -> Vocabulary:
    return Vocabulary(
        raw=np.fromfile(folder / "texts.bin", dtype=np.uint8), starts=np.load(folder / "starts.npy", mmap_mode="r")
    )
