"""What is kept for the next start: there whole and from the same things, or not there."""

import pytest

from cotdistill.storage.kept import keep, kept, open_kept

KEY, OTHER = "a" * 64, "b" * 64
DATA = b"first\nsecond\n"


def not_made():
    raise AssertionError("it is kept")


def test_what_was_made_once_is_read(tmp_path):
    path = tmp_path / "x" / "facts"
    assert kept(path, KEY, lambda: DATA) == DATA
    assert kept(path, KEY, not_made) == DATA


def test_what_was_made_from_something_else_is_replaced(tmp_path):
    path = tmp_path / "facts"
    keep(path, KEY, [DATA])
    assert kept(path, OTHER, lambda: b"new") == b"new"
    assert open_kept(path, KEY) is None
    assert kept(path, OTHER, not_made) == b"new"


def test_nothing_is_kept_as_well(tmp_path):
    assert kept(tmp_path / "facts", KEY, lambda: b"") == b""
    assert kept(tmp_path / "facts", KEY, not_made) == b""


def test_a_flipped_bit_anywhere_and_a_cut_or_longer_file_is_not_there(tmp_path):
    path = tmp_path / "facts"
    keep(path, KEY, [DATA])
    whole = path.read_bytes()
    flipped = [whole[:n] + bytes([whole[n] ^ 1 << n % 8]) + whole[n + 1 :] for n in range(len(whole))]
    for damaged in (*flipped, *(whole[:n] for n in range(len(whole))), whole + b"\n", b"x" + whole, whole * 2):
        path.write_bytes(damaged)
        assert open_kept(path, KEY) is None
    path.write_bytes(whole)
    assert kept(path, KEY, not_made) == DATA


def test_where_the_disk_refuses_it_is_made_each_time_and_nothing_is_left(tmp_path):
    (tmp_path / "file").write_text("")
    assert kept(tmp_path / "file" / "facts", KEY, lambda: DATA) == DATA
    (tmp_path / "facts").mkdir()
    assert kept(tmp_path / "facts", KEY, lambda: DATA) == DATA
    assert {path.name for path in tmp_path.iterdir()} == {"file", "facts"}


def test_what_stops_in_the_middle_replaces_nothing(tmp_path):
    path = tmp_path / "facts"
    keep(path, KEY, [DATA])

    def parts():
        yield b"other"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keep(path, OTHER, parts())
    assert kept(path, KEY, not_made) == DATA
    assert list(tmp_path.iterdir()) == [path]


def test_two_that_keep_the_same_leave_one_whole_file(tmp_path):
    path = tmp_path / "facts"

    def parts():
        yield b"slow"
        keep(path, OTHER, [DATA])
        yield b"er"

    keep(path, KEY, parts())
    assert kept(path, OTHER, not_made) == DATA or kept(path, KEY, not_made) == b"slower"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_goes_with_the_next_one(tmp_path):
    (tmp_path / "facts.0a1b2c3d.partial").write_bytes(b"half")
    keep(tmp_path / "facts", KEY, [DATA])
    assert [path.name for path in tmp_path.iterdir()] == ["facts"]
