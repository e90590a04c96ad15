import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cotdistill.errors import TryAgainLater, UserError
from cotdistill.records import Message, Sampling
from cotdistill.storage.keys import completion_key
from cotdistill.storage.ledger import Ledger
from tests.support.ledger_entries import entry, stored

ASKED = [Message(role="user", content="How many clips?")]


@contextmanager
def room_for(size_bytes: int) -> Iterator[None]:
    """No file can grow beyond a size, as on a full disk: the write that reaches it is short."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "1-sample" / "completions.jsonl"


def test_what_was_appended_is_there_in_order_and_after_reopening(path: Path) -> None:
    entries = [entry(2), entry(1), entry(2, index=1)]
    with Ledger(path) as ledger:
        for one in entries:
            ledger.append(one)
        assert list(ledger.read_entries()) == entries
    with Ledger(path) as ledger:
        assert list(ledger.read_entries()) == entries
        assert len(ledger) == 3
        assert (entries[2].key, 1) in ledger
        assert (entries[2].key, 2) not in ledger
        assert (entries[1].key, 1) not in ledger


def test_a_record_is_one_line_that_other_tools_can_read(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append(entry(text="a\nb\u2028c"))
    [line] = path.read_bytes().splitlines()
    assert json.loads(line)["response"]["choices"][0]["message"]["content"] == "a\nb\u2028c"
    assert line.startswith(b'{"key":"')


def test_the_first_answer_wins(path: Path) -> None:
    with Ledger(path) as ledger:
        for text in ("first", "second"):
            ledger.append(entry(text=text))
        assert list(ledger.read_entries()) == [entry(text="first")]
    assert stored(path) == [entry(text="first")]


def test_an_answer_is_on_disk_when_append_returns(path: Path) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from cotdistill.storage.ledger import Ledger, LedgerEntry
        with Ledger(Path({str(path)!r})) as ledger:
            for index in range(50):
                ledger.append(LedgerEntry(key="a" * 64, index=index, problem_id="p", response={{}}))
            os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [one.index for one in stored(path)] == list(range(50))


def test_a_record_torn_at_any_byte_is_put_aside_and_the_rest_is_kept(path: Path) -> None:
    with Ledger(path) as ledger:
        for number in (1, 2):
            ledger.append(entry(number))
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    torn = path.with_name("completions.jsonl.torn")
    for end in range(first, len(whole) - 1):
        path.write_bytes(whole[:end])
        torn.unlink(missing_ok=True)
        with Ledger(path) as ledger:
            assert list(ledger.read_entries()) == [entry(1)]
            ledger.append(entry(3))
        assert stored(path) == [entry(1), entry(3)]
        assert torn.exists() == (end > first)
        assert not torn.exists() or torn.read_bytes() == whole[first:end] + b"\n"


def test_a_record_that_lost_only_its_line_end_is_kept(path: Path) -> None:
    with Ledger(path) as ledger:
        for number in (1, 2):
            ledger.append(entry(number))
    path.write_bytes(path.read_bytes()[:-1])
    with Ledger(path) as ledger:
        ledger.append(entry(3))
    assert stored(path) == [entry(1), entry(2), entry(3)]
    assert not path.with_name("completions.jsonl.torn").exists()


def test_a_full_disk_loses_the_record_in_flight_and_nothing_else(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append(entry(1))
        size = path.stat().st_size
        length = size
        for room in range(size, size + length, 7):
            with room_for(room), pytest.raises(TryAgainLater) as caught:
                ledger.append(entry(2))
            assert caught.value.exit_code == 75
            assert caught.value.where == str(path)
            assert path.stat().st_size == size
            assert (entry(2).key, 0) not in ledger
        ledger.append(entry(2))
        assert list(ledger.read_entries()) == [entry(1), entry(2)]
    assert stored(path) == [entry(1), entry(2)]


def test_a_torn_record_is_not_cut_off_before_its_bytes_are_safe(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"key": "torn')
    with room_for(0), pytest.raises(TryAgainLater), Ledger(path):
        pass
    assert path.read_bytes() == b'{"key": "torn'


@pytest.mark.parametrize("line", [b"not JSON", b"[1]", b'{"key": "ab"}', b'{"key":"', b"\x00\x00"])
def test_a_line_that_is_no_record_is_named(path: Path, line: bytes) -> None:
    with Ledger(path) as ledger:
        ledger.append(entry(1))
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(UserError) as caught, Ledger(path):
        pass
    assert caught.value.where == f"{path}:2"


def test_a_line_that_was_damaged_since_is_named_by_its_number(path: Path) -> None:
    with Ledger(path) as ledger:
        for number in (1, 2, 3):
            ledger.append(entry(number))
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join([*lines[:2], b"#" * (len(lines[2]) - 1) + b"\n"]))
        with pytest.raises(UserError) as caught:
            ledger.get(entry(3).key, 0)
    assert caught.value.where == f"{path}:3"


def test_a_snapshot_reads_whole_records_and_leaves_the_file_alone(path: Path) -> None:
    assert list(Ledger.snapshot(path).read_entries()) == []
    with Ledger(path) as ledger:
        ledger.append(entry(1))
    torn = path.read_bytes() + b'{"key": "torn'
    path.write_bytes(torn)
    assert list(Ledger.snapshot(path).read_entries()) == [entry(1)]
    assert path.read_bytes() == torn


def test_a_record_written_with_other_white_space_is_read(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps(entry(1).model_dump()) + "\n")
    with Ledger(path) as ledger:
        assert (entry(1).key, 0) in ledger
        assert list(ledger.read_entries()) == [entry(1)]


def test_half_a_character_is_stored_and_read_again(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append(entry(text="→ \ud83d"))
    path.read_text(encoding="utf-8")
    assert stored(path) == [entry(text="→ \ud83d")]


def test_reading_goes_on_with_what_is_appended_meanwhile(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.append(entry(1))
        entries = ledger.read_entries()
        assert next(entries) == entry(1)
        ledger.append(entry(2))
        assert list(entries) == [entry(2)]


@pytest.mark.slow
def test_100000_records_are_opened_without_being_parsed_and_in_flat_memory(path: Path) -> None:
    path.parent.mkdir()
    line = json.dumps(entry(text="x" * 25_000).model_dump(), separators=(",", ":")).encode()
    with path.open("wb") as file:
        for number in range(100_000):
            file.write(b'{"key":"' + f"{number:064x}"[::-1].encode() + line[72:] + b"\n")
    script = """
        import itertools, json, sys, time
        from pathlib import Path
        from cotdistill.storage.ledger import Ledger
        from tests.support.peak_memory import peak_growth
        path, started = Path(sys.argv[1]), time.process_time()
        with path.open("rb") as file:
            for line in itertools.islice(file, 10_000):
                json.loads(line)
        parsed_s, started = time.process_time() - started, time.process_time()
        with peak_growth() as grown_kib, Ledger(path) as ledger:
            assert len(ledger) == 100_000
        sys.stdout.write(f"{time.process_time() - started} {parsed_s} {grown_kib()}")
    """
    run = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    opened_s, parsed_s, grown_kib = map(float, subprocess.check_output(run).split())
    os.truncate(path, 0)
    assert opened_s < 5 * parsed_s, "parsing a tenth of the records took so long"
    assert grown_kib < 40 * 1024


@pytest.mark.parametrize(
    "other",
    [
        completion_key("r2", ASKED, Sampling()),
        completion_key("r1", [Message(role="system", content="How many clips?")], Sampling()),
        completion_key("r1", [Message(role="user", content="How many clips? ")], Sampling()),
        completion_key("r1", [*ASKED, *ASKED], Sampling()),
        completion_key("r1", ASKED, Sampling(temperature=0.0)),
        completion_key("r1", ASKED, Sampling(top_p=1)),
        completion_key("r1", ASKED, Sampling(seed=0)),
        completion_key("r1", ASKED, Sampling(max_tokens=8192)),
    ],
)
def test_whatever_changes_the_answers_changes_the_key(other: str) -> None:
    assert completion_key("r1", ASKED, Sampling()) != other


def test_the_key_stays_the_same_for_ever() -> None:
    key = completion_key("r1", ASKED, Sampling(temperature=1, max_tokens=8192))
    assert key == completion_key("r1", tuple(ASKED), Sampling(max_tokens=8192, temperature=1.0, seed=None))
    assert key == "3609947c136e4569c47515846268077d5bca25baf97b2fde5e6f1427e0282de6"


def test_a_question_with_half_a_character_has_a_key() -> None:
    assert completion_key("r1", [Message.model_construct(role="user", content="\ud83d")], Sampling())
