import pytest

from cotdistill.data.readers import read_rows
from cotdistill.errors import UserError

pyarrow = pytest.importorskip("pyarrow")


def test_rows_come_in_order_over_row_groups_with_lists_and_objects(tmp_path):
    from pyarrow import parquet

    wanted = [{"n": n, "turns": [{"role": "user", "content": f"q{n}"}], "gold": None} for n in range(1000)]
    path = tmp_path / "p.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(wanted), path, row_group_size=300)
    found = list(read_rows(path))
    assert [row for _, row in found] == wanted
    assert (found[0][0], found[-1][0]) == (f"{path}:1", f"{path}:1000")


@pytest.mark.parametrize("content", [b"PAR1", b'{"question": "q"}', b"PAR1" * 100])
def test_what_is_no_parquet_is_one_fault(tmp_path, content):
    path = tmp_path / "p.parquet"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"p\.parquet: is no Parquet file"):
        list(read_rows(path))


@pytest.mark.parametrize("kind", ["stream", "file"])
def test_arrow_files_of_both_kinds_are_read(tmp_path, kind):
    wanted = [{"n": n, "turns": [{"role": "user", "content": f"q{n}"}]} for n in range(700)]
    path = tmp_path / "p.arrow"
    table = pyarrow.Table.from_pylist(wanted)
    new = pyarrow.ipc.new_stream if kind == "stream" else pyarrow.ipc.new_file
    with new(str(path), table.schema) as writer:
        writer.write_table(table)
    found = list(read_rows(path))
    assert [row for _, row in found] == wanted
    assert found[-1][0] == f"{path}:700"


@pytest.mark.parametrize("content", [b"ARROW1", b"ARROW1" * 20, b'{"question": "q"}'])
def test_what_is_no_arrow_file_is_one_fault(tmp_path, content):
    path = tmp_path / "p.arrow"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"p\.arrow: is no Arrow file"):
        list(read_rows(path))
