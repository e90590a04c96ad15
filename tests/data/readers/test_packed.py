"""Compressed files are read as they are, and one that is broken is one fault."""

import bz2
import gzip
import lzma

import pytest

from cotdistill.data.readers import PACKED, read_rows
from cotdistill.errors import UserError


def packed(data, suffix):
    if suffix == ".zst":
        pyarrow = pytest.importorskip("pyarrow")
        sink = pyarrow.BufferOutputStream()
        with pyarrow.CompressedOutputStream(sink, "zstd") as file:
            file.write(data)
        return sink.getvalue().to_pybytes()
    return {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[suffix](data)


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", '{"question": "多少?", "gold": "4"}\n{"question": "b", "gold": "5"}\n'),
        ("a.json", '{"data": [{"question": "多少?", "gold": "4"},\n{"question": "b", "gold": "5"}]}'),
        ("a.csv", "\ufeffquestion;gold\r\n多少?;4\r\nb;5\r\n"),
        ("a.tsv", "question\tgold\n多少?\t4\nb\t5\n"),
    ],
)
def test_a_compressed_file_reads_as_the_file_does(tmp_path, suffix, name, text):
    plain, path = tmp_path / name, tmp_path / f"{name}{suffix}"
    plain.write_text(text, encoding="utf-8", newline="")
    path.write_bytes(packed(text.encode(), suffix))
    found = list(read_rows(path))
    assert [row for _, row in found] == [{"question": "多少?", "gold": "4"}, {"question": "b", "gold": "5"}]
    assert [where.replace(suffix, "") for where, _ in found] == [where for where, _ in read_rows(plain)]


@pytest.mark.parametrize("suffix", PACKED)
def test_a_compressed_file_that_is_cut_off_or_is_none_is_one_fault(tmp_path, suffix):
    path = tmp_path / f"a.jsonl{suffix}"
    whole = packed(b'{"question": "q"}\n' * 5000, suffix)
    for content in (whole[: len(whole) // 2], b'{"question": "q"}\n'):
        path.write_bytes(content)
        with pytest.raises(UserError, match=rf"a\.jsonl{suffix}: cannot be unpacked"):
            list(read_rows(path))


def test_another_encoding_is_named_in_a_compressed_file_too(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress('{"question": "数学"}'.encode("gbk")))
    with pytest.raises(UserError, match=r"is not UTF-8 \(byte 0x\w\w at offset 14\).*iconv -f GBK"):
        list(read_rows(path))
