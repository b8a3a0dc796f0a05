"""Corpora lose nothing, repeat nothing and give every byte a token."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurons.lab.corpus import DOCUMENT_CHARS, ImportReport, build_corpus, cut_text, unique_documents
from neurons.lab.embedded import _docstrings, embedded_documents
from neurons.lab.token_ranges import RangeEncoder
from neurons.lab.tokenizer import BOS_ID, TokenizerError, load_tokenizer, train_tokenizer
from neurons.store.corpus import CorpusError, CorpusStore, split_of

WORDS = "stone river cloud green silver window garden morning letter number yellow paper".split()


def make_texts(count=60):
    """Documents that differ, with characters of one to four bytes."""
    turn = itertools.cycle(WORDS)
    return [f"Document {n} — 日本 🙂.\n\n" + " ".join(next(turn) for _ in range(50 + n % 7)) for n in range(count)]


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(make_texts(), vocab_size=320)


@pytest.fixture
def corpus(tmp_path, tokenizer):
    return build_corpus(tmp_path / "corpus", make_texts(), tokenizer, name="small")


@given(st.text(alphabet="ab \n", max_size=400), st.integers(min_value=4, max_value=60))
def test_cutting_loses_nothing_and_keeps_the_limit(text, longest):
    pieces = list(cut_text(text, longest=longest))
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= longest for piece in pieces)


def test_a_text_is_cut_at_an_empty_line_if_there_is_one():
    text = "a" * 30 + "\n\n" + "b b " * 10
    assert next(cut_text(text, longest=50)) == "a" * 30 + "\n\n"


def test_documents_that_differ_in_white_space_only_count_once():
    report, text = ImportReport(), "word " * 60
    kept = list(unique_documents([text, text.replace(" ", "\n"), text.upper(), "short"], report))
    assert kept == [text]
    assert (report.read, report.kept, report.duplicates, report.too_short) == (4, 1, 2, 1)


def test_every_byte_of_a_document_belongs_to_exactly_one_token(corpus):
    for document in range(corpus.documents):
        ranges = corpus.token_ranges(document)
        assert ranges[0, 0] == 0
        assert (ranges[1:, 0] == ranges[:-1, 1]).all()
        assert ranges[-1, 1] == len(corpus.document_bytes(document))


def test_documents_come_back_as_they_went_in(corpus):
    assert [corpus.document_text(document) for document in range(corpus.documents)] == make_texts()


def test_token_ranges_hold_the_bytes_of_their_tokens(corpus, tokenizer):
    raw, lengths = corpus.document_bytes(3), RangeEncoder(tokenizer).lengths()
    for token, (start, end) in zip(corpus.document_tokens(3), corpus.token_ranges(3), strict=True):
        assert end - start == lengths[token]
        if (text := tokenizer.decode([int(token)])).isascii():
            assert raw[start:end].decode() == text
    assert lengths[BOS_ID] == 0


def test_splits_are_disjoint_complete_and_follow_the_document(corpus):
    splits = corpus.splits
    together = sorted(int(document) for ids in splits.values() for document in ids)
    assert together == list(range(corpus.documents))
    for number, name in enumerate(("train", "validation", "harvest")):
        assert all(split_of(corpus.document_bytes(int(document))) == number for document in splits[name])


def test_the_fingerprint_changes_with_the_order_and_with_a_border(tmp_path, tokenizer):
    texts = make_texts(6)
    moved = [texts[0] + texts[1][:9], texts[1][9:], *texts[2:]]
    corpora = [
        build_corpus(tmp_path / str(number), variant, tokenizer, name="x")
        for number, variant in enumerate([texts, texts, texts[::-1], moved])
    ]
    first, again, reversed_order, moved_border = (corpus.fingerprint for corpus in corpora)
    assert first == again
    assert len({first, reversed_order, moved_border}) == 3


def test_an_interrupted_import_leaves_no_corpus(tmp_path, tokenizer):
    def texts():
        yield from make_texts(5)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_corpus(tmp_path / "corpus", texts(), tokenizer, name="x")
    with pytest.raises(CorpusError, match="import the corpus again"):
        CorpusStore.open(tmp_path / "corpus")
    assert build_corpus(tmp_path / "corpus", make_texts(5), tokenizer, name="x").documents == 5


def test_a_corpus_is_not_overwritten(corpus, tokenizer):
    with pytest.raises(CorpusError, match="holds a corpus already"):
        build_corpus(corpus.folder, make_texts(), tokenizer, name="x")


def test_an_import_without_a_usable_document_says_why(tmp_path, tokenizer):
    with pytest.raises(CorpusError, match="2 pieces read \\(2 shorter than 200"):
        build_corpus(tmp_path / "corpus", ["a", "b"], tokenizer, name="x")


def test_a_tokenizer_without_our_first_token_is_refused(tmp_path, tokenizer):
    path = tmp_path / "tokenizer.json"
    path.write_text(tokenizer.to_str().replace("<|bos|>", "<|end|>"))
    with pytest.raises(TokenizerError, match="None"):
        load_tokenizer(path)


def test_digits_stand_alone_and_no_token_runs_over_a_line_break(tokenizer):
    texts = [tokenizer.decode([token]) for token in range(1, tokenizer.get_vocab_size())]
    assert not [text for text in texts if len(text) > 1 and any(mark.isdigit() for mark in text)]
    assert not [text for text in texts if "\n" in text and text.strip("\n")]


def test_docstrings_are_found_cleaned_and_cut():
    long = f'"""{"First line. " * 20}\n\n        Indented.\n    """'
    source = f'class A:\n    {long}\n    def f(self):\n        """Short."""\n'
    (found,) = _docstrings(source)
    assert found.endswith("Indented.")
    assert all(len(piece) <= DOCUMENT_CHARS for piece in _docstrings(f'"""{"word " * 2000}"""'))
    assert _docstrings("this is no Python (") == []


def test_the_embedded_corpus_has_docstrings_source_and_many_scripts():
    report = ImportReport()
    documents = list(itertools.islice(embedded_documents(report), 4000))
    assert any(document.startswith(("import ", '"""', "from ")) for document in documents)
    assert len(set(documents)) > 3000
