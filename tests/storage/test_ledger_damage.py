"""What others do to a ledger, and what its disk says: nothing passes in silence."""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from cotdistill.errors import TryAgainLater, UserError
from cotdistill.storage.ledger import Ledger
from tests.support.ledger_entries import entry, stored


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "1-sample" / "completions.jsonl"


def test_no_flipped_bit_changes_an_answer_in_silence(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append(entry(text="The answer is 72."))
    whole = path.read_bytes()
    for position in range(len(whole) - 1):
        flipped = bytearray(whole)
        flipped[position] ^= 1
        path.write_bytes(flipped)
        try:
            found = stored(path)
        except UserError:
            continue
        assert found in ([], [entry(text="The answer is 72.")]), flipped


def test_lines_without_a_checksum_are_read_as_they_are(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append(entry(1))
    start, _, _ = path.read_bytes().rpartition(b',"crc32":')
    path.write_bytes(start + b"}\n")
    assert stored(path) == [entry(1)]
    with Ledger(path) as ledger:
        ledger.append(entry(2))
    assert stored(path) == [entry(1), entry(2)]


def test_a_checksum_survives_half_a_character_and_another_line_end(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append(entry(1, text="half \ud83d"))
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert stored(path) == [entry(1, text="half \ud83d")]


def test_blank_lines_are_skipped_and_every_record_is_found(path: Path) -> None:
    with Ledger(path) as ledger:
        for number in (1, 2):
            ledger.append(entry(number))
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"\n" + first + b"\n  \n" + second + b"\n")
    assert stored(path) == [entry(1), entry(2)]
    with Ledger(path) as ledger:
        assert ledger.get(entry(2).key, 0) == entry(2)


def test_a_record_of_a_newer_version_is_named_as_one(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({**entry(1).model_dump(), "mood": "good"}) + "\n")
    with pytest.raises(UserError, match="newer version of cotdistill: it has `mood`"):
        stored(path)


@pytest.mark.parametrize("how", ["removed", "replaced", "folder removed"])
def test_a_ledger_that_is_gone_is_noticed_at_the_next_write(path: Path, how: str) -> None:
    with Ledger(path) as ledger:
        ledger.append(entry(1))
        if how == "folder removed":
            shutil.rmtree(path.parent)
        elif how == "removed":
            path.unlink()
        else:
            other = path.with_name("other")
            other.write_bytes(path.read_bytes())
            other.replace(path)
        with pytest.raises(UserError, match="was removed or replaced while the run was writing it"):
            ledger.append(entry(2))
    if how != "folder removed":
        path.with_name(path.name + ".rescued").replace(path)
        assert stored(path) == [entry(1), entry(2)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("ENOSPC", TryAgainLater), ("EIO", TryAgainLater), ("EROFS", UserError), ("EFBIG", TryAgainLater)],
)
@pytest.mark.parametrize("call", ["write", "fsync", "open"])
def test_what_is_wrong_with_the_disk_is_said_as_it_is(
    path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: type[UserError], call: str
) -> None:
    def fails(*_: object) -> None:
        number = getattr(errno, name)
        raise OSError(number, os.strerror(number))

    place = {"write": "os.write", "open": "os.open", "fsync": "cotdistill.storage.ledger._sync"}[call]
    path.parent.mkdir()
    with pytest.raises(UserError) as caught, monkeypatch.context() as patch:
        if call == "open":
            patch.setattr(place, fails)
        with Ledger(path) as ledger:
            patch.setattr(place, fails)
            ledger.append(entry(1))
    assert type(caught.value) is kind
    assert caught.value.where == str(path)
    said = os.strerror(getattr(errno, name)) if name != "ENOSPC" else "the disk is full"
    assert said in caught.value.message
