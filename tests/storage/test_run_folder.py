import errno
import json

import pytest

from cotdistill.errors import FolderInUse, UserError
from cotdistill.storage.keys import key_of, weights_fingerprint
from cotdistill.storage.run_folder import (
    LAYOUT,
    Counts,
    Manifest,
    locked,
    read_manifest,
    read_started,
    set_aside,
    write_manifest,
)

MANIFEST = Manifest(
    layout=LAYOUT,
    stage="filter",
    key="k",
    recipe={"options": {"keep": "correct"}},
    outputs={},
    counts=Counts(rows_in=1000, rows_out=850, rejected=150, reasons={"wrong": 120, "unparsed": 30}),
    versions={},
    started="2026-01-01T00:00:00+00:00",
    seconds=1.5,
)


def test_a_manifest_comes_back_as_written(tmp_path):
    assert read_manifest(tmp_path) is None
    write_manifest(tmp_path, MANIFEST)
    assert read_manifest(tmp_path) == MANIFEST
    assert str(MANIFEST.counts) == "1,000 rows in, 850 out (120 wrong, 30 unparsed)"


def test_a_damaged_manifest_is_named(tmp_path):
    (tmp_path / "manifest.json").write_text('{"layout": 2, "stage": "filter"}')
    with pytest.raises(UserError, match=r"manifest\.json: is no manifest: key"):
        read_manifest(tmp_path)


def test_a_manifest_of_another_version_is_one_line(tmp_path):
    before = {"stage": "filter", "key": "k", "recipe": {"options": {}, "cast": {}}, "outputs": {}, "counts": {}}
    (tmp_path / "manifest.json").write_text(json.dumps(before))
    with pytest.raises(UserError, match=r"manifest\.json: was made by another version") as refused:
        read_manifest(tmp_path)
    assert len(refused.value.lines()) == 1


def test_the_order_of_keys_is_no_part_of_a_key():
    assert key_of({"a": 1, "b": [2]}) == key_of({"b": [2], "a": 1}) != key_of({"a": 1, "b": [3]})


def test_a_folder_set_aside_keeps_its_files(tmp_path):
    for _ in range(3):
        (tmp_path / "2-filter").mkdir()
        (tmp_path / "2-filter" / "rows.jsonl").write_text("x")
        assert (set_aside(tmp_path / "2-filter") / "rows.jsonl").read_text() == "x"
    assert len(list(tmp_path.iterdir())) == 3


def test_a_run_folder_has_one_process_at_a_time(tmp_path):
    with locked(tmp_path), pytest.raises(FolderInUse), locked(tmp_path):
        pass
    with locked(tmp_path):
        assert FolderInUse.exit_code == 5


def test_other_weights_have_another_fingerprint(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"a" * 100)
    first = weights_fingerprint(tmp_path)
    assert weights_fingerprint(tmp_path) == first
    (tmp_path / "model.safetensors").write_bytes(b"b" * 100)
    assert weights_fingerprint(tmp_path) != first


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"key": 3}', "{}", "\x00", None])
def test_a_note_of_a_start_that_says_nothing_is_none(tmp_path, text):
    if text is not None:
        (tmp_path / "started.json").write_text(text)
    assert read_started(tmp_path) is None


def test_a_note_of_a_start_says_its_key(tmp_path):
    (tmp_path / "started.json").write_text('{"key": "3f"}')
    assert read_started(tmp_path) == "3f"


@pytest.mark.parametrize("name", ["ENOLCK", "EOPNOTSUPP", "EROFS", "EACCES", "ESTALE", "EIO", "ENOSPC"])
def test_a_lock_that_cannot_be_taken_is_one_line_with_its_place(tmp_path, monkeypatch, name):
    def fails(*_, **__):
        raise OSError(getattr(errno, name), "why")

    monkeypatch.setattr("filelock.FileLock.acquire", fails)
    with pytest.raises(UserError) as caught, locked(tmp_path):
        pass
    assert caught.value.where == str(tmp_path / ".lock")
    assert caught.value.exit_code in (2, 75)


@pytest.mark.parametrize("name", [".lock", ".lock.pid"])
def test_a_folder_where_a_lock_belongs_is_one_line(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(UserError, match="directory"), locked(tmp_path):
        pass
    with pytest.raises(UserError, match="directory"), locked(tmp_path):
        raise AssertionError
