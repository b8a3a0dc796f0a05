"""How records spell tokens, and the bytes behind them.

Three spellings are in use. *text*: a token stands as it reads (" the"). *bytes*: the alphabet of byte-level
vocabularies, in which one printable character stands for one byte ("Ġthe"). *sentencepiece*: "▁" stands for a space
("▁the"). In the first and the last one a token that is no whole text, because it holds a part of a character, may be
written as its bytes: "<0xE6><0x97>".
"""

import re
from collections.abc import Iterable

import numpy as np

TEXT, BYTES, SENTENCEPIECE = "text", "bytes", "sentencepiece"
SPELLINGS = (TEXT, BYTES, SENTENCEPIECE)
AS_BYTES = re.compile("(?:<0x[0-9A-F]{2}>)+")
REPLACEMENT = "\ufffd".encode()


def _glyphs() -> dict[str, bytes]:
    """The byte-level alphabet of GPT-2: printable Latin-1 stands for itself, the rest follows from U+0100."""
    shown = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    hidden = [byte for byte in range(256) if byte not in shown]
    pairs = [(byte, byte) for byte in sorted(shown)] + [(byte, 256 + i) for i, byte in enumerate(hidden)]
    return {chr(code): bytes([byte]) for byte, code in pairs}


GLYPHS = _glyphs()


def token_bytes(token: str, spelling: str) -> bytes:
    """UTF-8 bytes of a token.

    Examples
    --------
    >>> token_bytes("Ġcaf", BYTES), token_bytes("▁the", SENTENCEPIECE), token_bytes("<0xC3>", TEXT)
    (b' caf', b' the', b'\\xc3')
    """
    if spelling == BYTES:
        return b"".join(GLYPHS.get(character) or _utf8(character) for character in token)
    if token.startswith("<0x") and AS_BYTES.fullmatch(token):
        return bytes.fromhex(token.replace("<0x", "").replace(">", " "))
    return _utf8(token.replace("▁", " ") if spelling == SENTENCEPIECE else token)


def _utf8(text: str) -> bytes:
    # JSON can spell half of a character pair ("\ud83d"); its bytes are no UTF-8 and are repaired with the others.
    return text.encode("utf-8", "surrogatepass")


def token_text(raw: bytes) -> str:
    """A token's bytes in the spelling *text*: as it reads, or byte by byte if it is no whole text.

    Examples
    --------
    >>> token_text(b" the"), token_text(b"\\xc3")
    (' the', '<0xC3>')
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    # A text that reads like bytes is written as bytes, so that reading it back gives the same.
    if (raw and not text) or AS_BYTES.fullmatch(text):
        return "".join(f"<0x{byte:02X}>" for byte in raw)
    return text


def spelling_of(texts: Iterable[Iterable[str]]) -> str:
    """The spelling of records, judged by what stands for a space in some of their texts.

    Examples
    --------
    >>> spelling_of([["Ġthe", "Ġcat"]]), spelling_of([["a", " Ġ"]]), spelling_of([["▁a"]]), spelling_of([["a"]])
    ('bytes', 'text', 'sentencepiece', 'text')
    """
    spaces, glyphs, marks = 0, 0, 0
    for tokens in texts:
        for token in tokens:
            spaces += " " in token
            glyphs += "Ġ" in token or "Ċ" in token
            marks += "▁" in token
    if spaces >= max(glyphs, marks):
        return TEXT
    return BYTES if glyphs > marks else SENTENCEPIECE


def joined(pieces: list[bytes]) -> tuple[bytes, np.ndarray, int]:
    """Join tokens to a document in UTF-8.

    Bytes that are no UTF-8, such as the rest of a character that was cut off, become U+FFFD.

    Returns
    -------
    document : bytes
    ends : ndarray, uint32, (tokens,)
        End byte of each token. Tokens that share a character, or a U+FFFD, meet inside it.
    repaired : int
        Bytes that were replaced.

    Examples
    --------
    >>> joined([b"a\\xe6", b"\\x97\\xa5"])[0].decode()
    'a日'
    """
    raw = b"".join(pieces)
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    document, places, repaired = bytearray(), np.arange(len(raw) + 1), 0
    start = 0
    while start < len(raw):
        try:
            raw[start:].decode("utf-8")
            break
        except UnicodeDecodeError as error:
            first, end = start + error.start, start + error.end
        document += raw[start:first] + REPLACEMENT
        repaired += end - first
        places[end:] += len(REPLACEMENT) - (end - first)
        start = end
    document += raw[start:]
    return bytes(document), places[ends].astype(np.uint32), repaired
