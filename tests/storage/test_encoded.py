import json

import pytest

from cotdistill.records import Problem, Rejected, Trace
from cotdistill.storage.blocks import blocks_of
from cotdistill.storage.encoded import EncodedRow, encode, encode_text, rejected
from cotdistill.storage.jsonl import AtomicFile, RowFile, read
from tests.support.traces import trace

TEXTS = ["plain", 'quotes " and \\', "line\nend\u2028\x01", "é 七 🙂", ""]


@pytest.mark.parametrize("text", TEXTS)
def test_a_rejected_row_is_written_as_the_record_is(text):
    row = trace(text=text, question=text + "?")
    found = rejected("wrong", encode_text(text), encode(row))
    assert found.data == encode(Rejected(kind="wrong", reason=text, row=row))
    assert found.decode() == Rejected(kind="wrong", reason=text, row=row)
    assert EncodedRow(encode(row), Trace).decode() == row


def test_half_a_character_is_replaced():
    assert json.loads(encode(Problem.model_construct(id="a", question="x\ud83d", gold=None)))["question"] != "x\ud83d"
    assert json.loads(encode_text("x\ud83d\ude00")) == "x😀"


def test_a_file_in_blocks_holds_its_rows(tmp_path, monkeypatch):
    rows = [trace(text=text * n, index=n) for n, text in enumerate(TEXTS * 9)]
    with AtomicFile(tmp_path / "rows.jsonl") as file:
        for row in rows[:20]:
            file.write_row(row)
        for row in rows[20:]:
            file.write_row(EncodedRow(encode(row), Trace))
    assert list(read(tmp_path / "rows.jsonl", Trace)) == rows
    monkeypatch.setattr("cotdistill.storage.blocks.BLOCK_BYTES", 700)
    blocks = list(blocks_of(RowFile(tmp_path / "rows.jsonl", Trace)))
    assert len(blocks) > 5
    assert [row for block in blocks for row in block.rows()] == rows
    assert [row for block in blocks_of(iter(rows)) for row in block.rows()] == rows


def test_a_row_that_cannot_be_read_is_named_with_its_line_in_any_block(tmp_path, monkeypatch):
    monkeypatch.setattr("cotdistill.storage.blocks.BLOCK_BYTES", 300)
    lines = [encode(trace(index=n)) for n in range(9)]
    lines[6] = b'{"problem": 1}'
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join([*lines[:2], b"", *lines[2:]]))
    with pytest.raises(Exception, match=r"rows\.jsonl:8: problem") as one:
        list(read(path, Trace))
    with pytest.raises(type(one.value)) as other:
        [row for block in blocks_of(RowFile(path, Trace)) for row in block.rows()]
    assert str(other.value) == str(one.value)
