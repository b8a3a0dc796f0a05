"""Tokens as records spell them, and the text that they make together."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from neurons.store.pieces import character_groups, snippet_of
from neurons.store.records.tokens import (
    BYTES,
    GLYPHS,
    SENTENCEPIECE,
    TEXT,
    joined,
    spelling_of,
    token_bytes,
    token_text,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def cut(raw: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(raw) + 1) for place in places), len(raw)]
    return [raw[first:last] for first, last in pairwise(edges)]


def test_the_byte_alphabet_is_that_of_byte_level_tokenizers():
    assert sorted(GLYPHS) == sorted(pre_tokenizers.ByteLevel.alphabet())
    assert sorted(GLYPHS.values()) == [bytes([byte]) for byte in range(256)]
    pieces = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str("日本 né\n")
    assert token_bytes(pieces[0][0], BYTES).decode() == "日本 né\n"


@given(TEXTS, st.lists(st.integers(0, 200), max_size=12))
def test_any_cut_of_a_text_is_spelt_and_read_back(text, places):
    raw = text.encode()
    pieces = cut(raw, places)
    assert [token_bytes(token_text(piece), TEXT) for piece in pieces] == pieces
    document, ends, repaired = joined(pieces)
    assert (document, repaired) == (raw, 0)
    assert ends.tolist() == np.cumsum([len(piece) for piece in pieces]).tolist()


@given(st.lists(st.binary(max_size=5), min_size=1, max_size=12))
def test_bytes_that_are_no_text_are_repaired_and_every_token_keeps_its_place(pieces):
    document, ends, _ = joined(pieces)
    assert document.decode() == b"".join(pieces).decode("utf-8", "replace")
    assert ends[-1] == len(document)
    assert (np.diff(ends.astype(int)) >= 0).all()
    if document:
        ranges = np.stack([np.concatenate([[0], ends[:-1]]), ends], axis=1).astype(np.int32)
        snippet = snippet_of(0, document, ranges, first=0, peak=0, values=np.ones(len(pieces), dtype=np.float32))
        assert "".join(text for text, _ in snippet.pieces) == document.decode()


def test_a_token_that_reads_like_bytes_is_not_taken_for_them():
    assert token_text(b"<0x41>") == "<0x3C><0x30><0x78><0x34><0x31><0x3E>"
    assert token_bytes("<0x41>", SENTENCEPIECE) == b"A"
    assert token_bytes("<0x41> is A", TEXT) == b"<0x41> is A"


def test_half_a_character_pair_is_repaired():
    document, _, repaired = joined([token_bytes("a\ud83d", TEXT), token_bytes("b", TEXT)])
    assert document.decode().startswith("a\ufffd")
    assert document.endswith(b"b")
    assert repaired == 3


def test_the_spelling_is_judged_by_what_stands_for_a_space():
    assert spelling_of([["Ġof", "Ġthe"], ["âĢĵ", "Ċ"]]) == BYTES
    assert spelling_of([["<bos>", "▁of", "▁the", "\n"]]) == SENTENCEPIECE
    assert spelling_of([[" of", " the", " Ġ"]]) == TEXT
    assert spelling_of([]) == TEXT


def test_a_token_without_bytes_belongs_to_the_piece_before_it():
    ranges = np.array([[0, 0], [0, 1], [1, 1], [1, 2], [2, 2]])
    assert character_groups(b"ab", ranges).tolist() == [0, 0, 0, 1, 1]
