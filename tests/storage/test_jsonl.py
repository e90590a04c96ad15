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
