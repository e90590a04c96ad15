import json
import tracemalloc

import pytest

from cotdistill.data.readers import REFUSED, read_rows
from cotdistill.errors import UserError


@pytest.mark.parametrize("indent", [None, 0, 2])
def test_an_array_and_a_jsonl_file_read_alike(tmp_path, indent):
    rows = [{"n": i, "text": "]},[{" * i, "nested": [{"a": [1, 2]}]} for i in range(50)]
    array, lines = tmp_path / "a.json", tmp_path / "b.jsonl"
    array.write_text("\ufeff \n" + json.dumps(rows, indent=indent), encoding="utf-8")
    lines.write_text("\n".join(json.dumps(r) for r in rows))
    assert [row for _, row in read_rows(array)] == rows
    assert [row for _, row in read_rows(lines)] == rows


def test_array_rows_longer_than_a_chunk_are_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("cotdistill.data.readers._json.CHUNK_CHARS", 7)
    rows = [{"text": "é" * 40, "n": i} for i in range(5)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    assert [row for _, row in read_rows(path)] == rows


def test_array_rows_know_their_line(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[\n{"a": 1},\n{"a":\n 2},\n{"a": 3}\n]\n')
    assert [where.rpartition(":")[2] for where, _ in read_rows(path)] == ["2", "3", "5"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[\n{"a": 1},\n{"a" 2}\n]', "a.json:4: is not JSON"),
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
        list(read_rows(path))


def test_another_encoding_is_named_with_the_command_that_converts_it(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes('[{"question": "小明有多少?"}]'.encode("gbk"))
    with pytest.raises(UserError, match="iconv -f GBK"):
        list(read_rows(path))


def test_the_values_of_one_object_are_rows(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"0": {"a": 1},\n"1": {"a": 2}}')
    assert list(read_rows(path, is_object=True)) == [(f"{path}:1", {"a": 1}), (f"{path}:2", {"a": 2})]


def test_a_bad_line_is_handed_over_and_the_others_are_read(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"n": 1}\n{"n": NaN}\n{"n": \n[3]\n{"n": "\\ud83d"}\n{"n": "\\ud83d\\ude00"}\r\n')
    bad = []
    rows = list(read_rows(path, on_bad=lambda fault, text: bad.append((fault.where, text))))
    assert [row for _, row in rows] == [{"n": 1}, {"n": "😀"}]
    assert [where.removeprefix(f"{path}:") for where, _ in bad] == ["2: n", "3", "4", "5: n"]
    assert bad[1][1] == '{"n":'


def test_a_huge_line_is_one_row(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": "x" * 5_000_000}) + "\n")
    assert [len(row["text"]) for _, row in read_rows(path)] == [5_000_000]


def test_memory_stays_flat_over_an_array(tmp_path):
    path = tmp_path / "a.json"
    with path.open("w") as file:
        file.write("[" + ",\n".join(json.dumps({"text": "y" * 2000, "n": n}) for n in range(10_000)) + "]")
    tracemalloc.start()
    assert sum(1 for _ in read_rows(path)) == 10_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < path.stat().st_size / 2


def test_the_first_byte_of_another_encoding_is_named_by_its_offset(tmp_path):
    path = tmp_path / "a.jsonl"
    start = '{"question": "ok 🙂"}\n'.encode()
    path.write_bytes(start * 60_000 + '{"question": "数学"}'.encode("gbk"))
    offset = len(start) * 60_000 + len('{"question": "')
    with pytest.raises(
        UserError, match=rf"a\.jsonl:60001: is not UTF-8 \(byte 0x\w\w at offset {offset}\).*iconv -f GBK"
    ):
        list(read_rows(path))


def test_utf16_is_named_for_what_it_is(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"question": "q"}]', encoding="utf-16")
    with pytest.raises(UserError, match="iconv -f UTF-16"):
        list(read_rows(path))


@pytest.mark.parametrize("suffix", sorted(REFUSED))
def test_a_file_of_another_kind_is_refused_with_what_to_do(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"x")
    with pytest.raises(UserError, match=f"a {suffix} file cannot be read"):
        list(read_rows(path))


@pytest.mark.parametrize("indent", [None, 2])
def test_the_one_list_of_an_object_holds_the_rows(tmp_path, indent):
    path = tmp_path / "a.json"
    rows = [{"question": "q1", "data": [1]}, {"question": "q2"}]
    path.write_text(json.dumps({"version": "1", "data": rows, "info": {"by": ["me"]}}, indent=indent))
    assert [row for _, row in read_rows(path)] == rows
    assert indent is None or [where.rpartition(":")[2] for where, _ in read_rows(path)] == ["4", "10"]


@pytest.mark.parametrize(
    "row", [{"data": "text", "n": 1}, {"data": [1, 2]}, {"problem": {"id": "0"}, "completion": {}}, {"0": "a"}]
)
def test_a_single_row_is_a_row_whatever_its_keys(tmp_path, row):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row))
    assert [found for _, found in read_rows(path)] == [row]
    path.write_text(f"{json.dumps(row)}\n\n{json.dumps(row)}\n")
    assert [found for _, found in read_rows(path)] == [row, row]


@pytest.mark.parametrize("indent", [None, 1])
def test_numbered_rows_of_one_object_are_rows(tmp_path, indent):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"0": {"a": 1}, "1": {"a": 2}}, indent=indent))
    assert [row for _, row in read_rows(path)] == [{"a": 1}, {"a": 2}]


def test_a_second_list_of_rows_is_no_row_that_is_lost(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"train": [{"a": 1}],\n "test": [{"a": 2}]}')
    with pytest.raises(UserError, match=r"a\.json:2: test: a second list of rows, beside `train`"):
        list(read_rows(path))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('{"a": 1}\n{"gold": "1", "gold": "2"}\n', "2: gold"),
        ('[{"a": 1},\n{"gold": 1, "b": 2, "gold": 1}]', "2: gold"),
        ('{"data": [\n{"a": {"b": 1, "b": 2}}]}', "2: b"),
    ],
)
def test_a_key_that_a_row_has_twice_is_a_bad_row(tmp_path, text, where):
    path = tmp_path / "a.json"
    path.write_text(text)
    bad = []
    list(read_rows(path, on_bad=lambda fault, text: bad.append(fault)))
    assert [(fault.where.removeprefix(f"{path}:"), fault.message) for fault in bad] == [(where, "duplicate key")]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet", "a.arrow", "a.jsonl.gz"])
def test_an_empty_file_is_a_fault(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(UserError, match=f"{name}: the file is empty"):
        list(read_rows(tmp_path / name))
