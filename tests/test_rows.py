import json

import pytest

from cotdistill.errors import UserError
from cotdistill.records import Problem
from cotdistill.rows import AtomicFile, read, read_json_rows


def test_rows_come_back_as_written(tmp_path):
    rows = [Problem(id="a", question="1 + 1?\n\u2028", gold="2"), Problem(id="b", question="多少?", gold=None)]
    with AtomicFile(tmp_path / "rows.jsonl") as file:
        for row in rows:
            file.write_row(row)
    assert list(read(tmp_path / "rows.jsonl", Problem)) == rows
    assert file.rows == 2


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "rows.jsonl"
    with pytest.raises(RuntimeError), AtomicFile(path) as file:
        file.write_row(Problem(id="a", question="q"))
        raise RuntimeError
    assert not path.exists()


def test_an_error_names_file_line_and_key(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id": "a", "question": "q"}\n{"id": "b"}\n')
    with pytest.raises(UserError, match=r"rows\.jsonl:2: question"):
        list(read(path, Problem))


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_an_array_and_a_jsonl_file_read_alike(tmp_path, indent):
    rows = [{"n": i, "text": "]},[{" * i, "nested": [{"a": [1, 2]}]} for i in range(50)]
    array, lines = tmp_path / "a.json", tmp_path / "b.jsonl"
    array.write_text("\ufeff \n" + json.dumps(rows, indent=indent), encoding="utf-8")
    lines.write_text("\n".join(json.dumps(r) for r in rows))
    assert [row for _, row in read_json_rows(array)] == rows
    assert [row for _, row in read_json_rows(lines)] == rows


def test_array_rows_longer_than_a_chunk_are_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("cotdistill.rows.CHUNK_CHARS", 7)
    rows = [{"text": "é" * 40, "n": i} for i in range(5)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    assert [row for _, row in read_json_rows(path)] == rows


def test_array_rows_know_their_line(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[\n{"a": 1},\n{"a":\n 2},\n{"a": 3}\n]\n')
    assert [where.rpartition(":")[2] for where, _ in read_json_rows(path)] == ["2", "3", "5"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[\n{"a": 1},\n{"a" 2}\n]', "a.json:3: is not JSON"),
        ('[\n{"a": 1}\n', "has no end"),
        ("[1, 2]", "must be an object, not int"),
        ('{"a": 1}\n{"a": \n', "a.json:2: is not JSON"),
        ('"text"\n', "must be an object, not str"),
    ],
)
def test_bad_json_is_named_with_its_line(tmp_path, text, message):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        list(read_json_rows(path))


def test_another_encoding_is_named_with_the_command_that_mends_it(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes('[{"question": "小明有多少?"}]'.encode("gbk"))
    with pytest.raises(UserError, match="iconv -f GBK"):
        list(read_json_rows(path))
