"""Every token knows its bytes, whatever tokenizer made it and whatever the text holds."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurons.lab.corpus import build_corpus, check_cover
from neurons.lab.token_ranges import EncodedText, RangeEncoder
from neurons.lab.tokenizer import TokenizerError, as_plain, open_tokenizer, tokenizer_fingerprint
from neurons.tests.lab.tokenizers_small import MAKES, byte_level, wordpiece

ODD = (
    "the river rose", "letter ", " ", "  ", "   \t", "\n", "\r\n", "\0", "\u200d", "\u200b", "\ufeff",  # joiners, BOM
    "🙂", "👩‍👩‍👧", "🇩🇪", "e\u0301", "é", "\u0301", "a\u0323\u0307", "ﬁ", "½", "Æ", "ß", "İ", "שלום", "مرحبا", "日本語",
    "Ω", "▁", "Ġ", "Ā", "<0x41>", "<unk>", "<|endoftext|>", "[CLS]", "x" * 30, "4", "8%",
)  # fmt: skip
odd_texts = st.lists(st.one_of(st.sampled_from(ODD), st.text(max_size=4)), max_size=14).map("".join)
makes = pytest.mark.parametrize("make", MAKES)


@cache
def make_encoder(make):
    return RangeEncoder(as_plain(MAKES[make]()))


def encode(make, text):
    (encoded,) = make_encoder(make).encode([text])
    return encoded


@makes
@given(text=odd_texts)
def test_ranges_are_in_order_and_cover_the_text(make, text):
    encoded = encode(make, text)
    assert encoded.ids == make_encoder(make).tokenizer.encode(text, add_special_tokens=False).ids
    if encoded.ids:
        check_cover(text.encode(), encoded)


@makes
@given(text=odd_texts)
def test_a_text_encoded_among_others_is_encoded_alike(make, text):
    together = make_encoder(make).encode(["the river", text, "\0🙂"])[1]
    alone = encode(make, text)
    assert (together.ids, together.ends.tolist(), together.way) == (alone.ids, alone.ends.tolist(), alone.way)


@pytest.mark.parametrize("make", ["byte_level", "byte_level_prefix", "gemma", "llama"])
@given(text=odd_texts.filter(lambda text: text and "▁" not in text))
def test_byte_level_tokens_and_byte_fallback_are_exact_to_the_byte(make, text):
    encoded = encode(make, text)
    assert encoded.way != "offsets"
    starts = np.concatenate([[0], encoded.ends[:-1]])
    spelled = make_encoder(make).token_bytes
    for place, (token, start, end) in enumerate(zip(encoded.ids, starts, encoded.ends, strict=True)):
        own = spelled[token][1:] if place == 0 and encoded.way == "prefix" else spelled[token]
        assert text.encode()[start:end] == own


@pytest.mark.parametrize("make", ["neox", "qwen"])
def test_a_normaliser_that_changes_nothing_costs_no_exactness(make):
    assert encode(make, "naïve    café 🙂 日本").way == "bytes"
    assert encode(make, "cafe\u0301 🙂").way == "offsets"


def test_words_have_the_bytes_that_their_tokenizer_says_and_what_lies_before_them():
    text = "The  rivér\0 🙂 é日"
    encoded = encode("wordpiece", text)
    raw, starts = text.encode(), [0, *encoded.ends[:-1].tolist()]
    pieces = [raw[start:end].decode() for start, end in zip(starts, encoded.ends.tolist(), strict=True)]
    names = [make_encoder("wordpiece").tokenizer.id_to_token(token) for token in encoded.ids]
    assert list(zip(names, pieces, strict=True)) == [
        ("the", "The"), ("river", "  rivér"), ("[UNK]", "\0 🙂"), ("e", " é"), ("[UNK]", "日"),
    ]  # fmt: skip


def test_the_tokens_of_one_character_leave_it_to_the_first_of_them():
    encoded = encode("metaspace", "the ﬁ x")  # NFKC makes two letters of the ligature
    names = [make_encoder("metaspace").tokenizer.id_to_token(token) for token in encoded.ids]
    place = names.index("i")
    assert encoded.ends[place] == encoded.ends[place - 1] == len("the ﬁ".encode())


@makes
def test_a_corpus_of_any_tokenizer_has_ranges_that_cover_its_documents(tmp_path, make):
    texts = [f"the river rose {number} times, café 🙂\r\n naïve ½ ﬁ שלום " * 5 + "e\u0301\0" for number in range(9)]
    corpus = build_corpus(tmp_path / "corpus", texts, as_plain(MAKES[make]()), name="odd")
    assert corpus.documents == 9
    assert sum(corpus.meta["ranges"].values()) == 9
    assert (tmp_path / "corpus" / "token_ends.npy").is_file() == (set(corpus.meta["ranges"]) != {"bytes"})
    for document, text in enumerate(texts):
        ranges = corpus.token_ranges(document)
        assert corpus.document_text(document) == text
        assert (ranges[1:, 0] == ranges[:-1, 1]).all()
        assert (ranges[0, 0], ranges[-1, 1]) == (0, len(text.encode()))
        assert ranges[:, 1].tolist() == encode(make, text).ends.tolist()


def test_a_document_without_tokens_is_left_out_and_counted(tmp_path):
    texts = ["\0" * 300 + "\u200b" * 10, "the river rose " * 20]
    corpus = build_corpus(tmp_path / "corpus", texts, as_plain(wordpiece()), name="odd")
    assert (corpus.documents, corpus.meta["report"]["without_tokens"], corpus.meta["report"]["kept"]) == (1, 1, 1)


def test_a_corpus_whose_ranges_do_not_cover_is_refused():
    ids = [1, 2]
    for ends in ([3, 4], [6, 5], [5]):
        with pytest.raises(TokenizerError, match="of 5 or are out of order"):
            check_cover(b"hello", EncodedText(ids, np.array(ends, dtype=np.uint32), "offsets"))


def test_truncation_padding_and_special_names_in_a_text_do_nothing(tmp_path):
    path = tmp_path / "tokenizer.json"
    tokenizer = byte_level()
    plain = tokenizer_fingerprint(tokenizer)
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=50)
    tokenizer.save(str(path))
    opened = open_tokenizer(path)
    text = "the river rose in the night <|endoftext|> and again"
    (encoded,) = RangeEncoder(opened).encode([text])
    assert (encoded.way, encoded.ends[-1]) == ("bytes", len(text))
    assert opened.token_to_id("<|endoftext|>") not in encoded.ids
    assert tokenizer_fingerprint(opened) == plain


def test_a_tokenizer_that_draws_lots_and_a_file_that_is_none_are_refused(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(byte_level().to_str().replace('"dropout":null', '"dropout":0.1'))
    with pytest.raises(TokenizerError, match=r"dropout 0\.1"):
        open_tokenizer(path)
    path.write_text('{"version": "1.0"}')
    with pytest.raises(TokenizerError, match=r"cannot be read as a tokenizer\.json"):
        open_tokenizer(path)
    with pytest.raises(TokenizerError, match="no tokenizer at"):
        open_tokenizer(tmp_path / "none.json")
