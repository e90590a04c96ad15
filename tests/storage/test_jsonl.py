import pytest

from cotdistill.errors import UserError
from cotdistill.records import Problem
from cotdistill.storage.jsonl import AtomicFile, read


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


def test_half_a_character_is_replaced_and_both_halves_are_joined(tmp_path):
    with AtomicFile(tmp_path / "rows.jsonl") as file:
        file.write_row(Problem(id="a", question="\ud83d\ude00 \ud83d", gold="2"))
    [row] = read(tmp_path / "rows.jsonl", Problem)
    assert row == Problem(id="a", question="😀 \ufffd", gold="2")


def test_a_write_that_fails_names_its_file(tmp_path, monkeypatch):
    def fails(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fsync", fails)
    with pytest.raises(OSError, match="Input") as raised, AtomicFile(tmp_path / "rows.jsonl"):
        pass
    assert raised.value.filename == str(tmp_path / "rows.jsonl.partial")
    assert not (tmp_path / "rows.jsonl").exists()
