"""Reading texts: what is clean comes through unchanged, what is not is repaired or named."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from neurons.lab import readers
from neurons.lab.readers import ReadError, ReadReport, read_texts


def read(*paths, **more):
    report = ReadReport()
    return [text for _, text in read_texts(list(paths), report, **more)], report


def test_every_kind_of_file_in_a_folder_is_read_in_alphabetical_order(tmp_path):
    (tmp_path / "a.txt").write_text("aus Datei für a")
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": "b one"}) + "\n\n" + json.dumps({"text": "b two"}) + "\n")
    (tmp_path / "c.csv").write_text('id,text\n1,"c, with\ntwo lines"\n')
    pq.write_table(pa.table({"text": ["d one", "d two"], "n": [1, 2]}), tmp_path / "d.parquet")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "e.txt.gz").write_bytes(gzip.compress(b"packed"))
    texts, report = read(tmp_path)
    assert texts == ["aus Datei für a", "b one", "b two", "c, with\ntwo lines", "d one", "d two", "packed"]
    assert report.files == {".txt": 2, ".jsonl": 1, ".csv": 1, ".parquet": 1}
    assert not report.skipped


def test_each_text_says_where_it_comes_from(tmp_path):
    path = tmp_path / "b.jsonl"
    path.write_text('{"text": "one"}\n{"text": "two"}\n')
    assert [source for source, _ in read_texts([path], ReadReport())] == [f"{path}:1", f"{path}:2"]


def test_bytes_that_are_no_utf8_are_replaced_and_counted(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"caf\xe9 and \xff\xfe here")
    texts, report = read(tmp_path / "a.txt")
    assert texts == ["caf\ufffd and \ufffd\ufffd here"]
    assert report.repaired_bytes == 3


def test_a_huge_file_comes_in_blocks_that_join_to_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "BLOCK_BYTES", 40)
    text = "première ligne 🙂\nzweite Zeile\n" * 9 + "ligne_sans_fin" * 7
    (tmp_path / "a.txt").write_text(text)
    texts, report = read(tmp_path / "a.txt")
    assert len(texts) > 5
    assert "".join(texts) == text
    assert report.repaired_bytes == 0


def test_windows_line_ends_and_byte_order_marks_disappear(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffone\r\ntwo".encode())
    (tmp_path / "b.txt").write_bytes("drei\n".encode("utf-16"))
    assert read(tmp_path)[0] == ["one\ntwo", "drei\n"]


def test_records_that_cannot_be_used_are_named_with_their_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "good"}\nnot json\n{"other": 1}\n{"text": 5}\n[1]\n{"text": "  "}\n')
    texts, report = read(path)
    assert texts == ["good"]
    assert report.skipped == {"the line is no JSON": 1, "no text under 'text'": 3}
    assert report.empty == 1
    assert report.examples[0] == f"{path}:2: the line is no JSON"


def test_a_line_too_long_to_hold_is_left_out_and_the_next_one_read(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "LONGEST_RECORD", 40)
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "x" * 100}) + "\n" + json.dumps({"text": "short"}) + "\n")
    texts, report = read(tmp_path)
    assert texts == ["short"]
    assert report.skipped == {"the line is longer than 40 characters": 1}


def test_half_a_character_spelled_in_json_becomes_a_question_mark(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "half \\ud83d here"}\n')
    assert read(tmp_path)[0] == ["half ? here"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"", "the file is empty"),
        ("a.txt", b"\x00\x01binary", "the file is binary"),
        ("a.csv", b"id,body\n1,x\n", "no column 'text' among id, body"),
        ("a.pdf", b"%PDF", "files ending in .pdf are not read"),
        ("a.parquet", b"PAR1 but no", "the file could not be read on: ArrowInvalid"),
        ("a.jsonl.gz", b"not packed", "the file could not be read on: BadGzipFile"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "z.txt").write_text("the others")
    texts, report = read(tmp_path)
    assert texts == ["the others"]
    assert next(iter(report.skipped)).startswith(reason)
    assert report.examples[0].startswith(str(tmp_path / name))


def test_another_text_field_can_be_named(tmp_path):
    pq.write_table(pa.table({"body": ["one", None]}), tmp_path / "a.parquet")
    texts, report = read(tmp_path, text_field="body")
    assert texts == ["one"]
    assert report.skipped == {"no text under 'body'": 1}


def test_a_path_that_does_not_exist_or_holds_nothing_is_refused(tmp_path):
    with pytest.raises(ReadError, match="does not exist"):
        read(tmp_path / "nowhere")
    with pytest.raises(ReadError, match="no file to read"):
        read(tmp_path)
