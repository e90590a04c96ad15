"""Append-only store of every completion received: raw, one record a line, durable before it is counted.

    {"key":"9f…","index":0,"problem_id":"p1","response":{"choices":[…]},"latency_s":41.2,…,"crc32":"5f0c21aa"}

Key and index stand first in a line, so that a file is opened without parsing the answers in it; the checksum of all
before it stands last (see `ledger_line`).
"""

import logging
import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from pydantic import Field

from cotdistill.errors import TryAgainLater, UserError, disk_fault
from cotdistill.records import Record
from cotdistill.storage.jsonl import sync_folder
from cotdistill.storage.ledger_index import LedgerIndex, entry_name
from cotdistill.storage.ledger_line import ledger_line, parsed_line

log = logging.getLogger(__name__)

JsonRow = dict[str, Any]  # Any: a foreign JSON row

LINE_START = re.compile(rb'\{"key":"([0-9a-f]{64})","index":([0-9]{1,9}),')

SPACE_HINT = "make space, then run the same command again"

READ_BYTES = 1 << 20

_sync = getattr(os, "fdatasync", os.fsync)
"""macOS has no fdatasync."""


class LedgerEntry(Record):
    """One completion as it was received."""

    key: str = Field(pattern="^[0-9a-f]{64}$")
    """Identity of the request: see `completion_key`."""
    index: int = Field(ge=0, lt=10**9)
    """Which of the samples of this request, from 0."""
    problem_id: str
    response: JsonRow
    """As the server sent it; a streamed one merged into the same shape."""
    latency_s: float = 0.0
    first_content_s: float | None = None
    attempts: int = 1
    attempt_errors: tuple[str, ...] = ()
    """What went wrong in the attempts before the one that was answered, in order."""
    applied: JsonRow = {}
    """The sampling options that were sent and that the server is not known to ignore."""
    is_borrowed: bool = False
    """Whether it was paid for in another ledger of the run, and is counted there."""
    prompt_tokens: int = 0
    """About how many the prompt has, where the server counted none."""
    host: str = ""
    """Who answered, where there are several servers."""
    received: str = ""
    """UTC, ISO 8601."""


class Ledger:
    """The completions of one run, by key and index. One process writes at a time: the run folder's lock.

    Memory: at most 48 bytes a record, whatever its length (see `ledger_index`).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._end = 0
        self._index = LedgerIndex()
        """Where the first record of a key and index begins; later ones are duplicates."""
        self._file: BinaryIO | None = None
        """Of a ledger that is written: answers are read back one by one."""

    @classmethod
    def snapshot(cls, path: Path) -> "Ledger":
        """Return what is stored at this moment, to be read alone: another process may be writing, or none has yet."""
        ledger = cls(path)
        if path.exists():
            ledger._end = ledger._load()
        return ledger

    def __enter__(self) -> "Ledger":
        """Open or create the file; a torn last record is put aside into `<name>.torn`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise disk_fault(error, self.path) from None
        sync_folder(self.path.parent)
        try:
            self._end = self._load()
            self._mend(self._end)
            self._file = self.path.open("rb")
        except BaseException:
            os.close(self._fd)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)
        if self._file is not None:
            self._file.close()
            self._file = None

    def __len__(self) -> int:
        """Number of distinct completions."""
        return len(self._index)

    def __contains__(self, completion: tuple[str, int]) -> bool:
        """Whether the completion with this key and index is stored."""
        return self.has(entry_name(*completion))

    def has(self, name: int) -> bool:
        """Whether the completion of this name is stored; see `entry_name`."""
        return self._index.find(name) is not None

    def append(self, entry: LedgerEntry) -> None:
        """Store a completion; it is on disk when this returns. One that is there already stays the first.

        Raises: TryAgainLater: no space; the file ends with its last whole record and can be appended to.
        """
        self.write(entry)
        self.sync()

    def write(self, entry: LedgerEntry) -> None:
        """Store a completion that is on disk only after the next `sync`.

        Raises: TryAgainLater: no space; the file ends with its last whole record and can be appended to.
        """
        line = ledger_line(entry)
        self._write(line, self._end)
        self._take_in(entry, self._end + len(line))

    def sync(self) -> None:
        """Wait until everything written is on disk; may run in a thread beside `write`.

        Raises: TryAgainLater, UserError: it cannot be written, or the file is no longer there.
        """
        try:
            _sync(self._fd)
        except OSError as error:
            raise disk_fault(error, self.path) from None
        self._check_place()

    def _check_place(self) -> None:
        """Raise UserError where the open file is no longer the one under its name: what it holds is saved first."""
        opened = os.fstat(self._fd)
        try:
            named = self.path.stat()
        except OSError:
            named = None
        if named is not None and (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino):
            return
        aside = self.path.with_name(self.path.name + ".rescued")
        try:
            with aside.open("wb") as file, os.fdopen(os.dup(self._fd), "rb") as lost:
                lost.seek(0)
                shutil.copyfileobj(lost, file)
                file.flush()
                os.fsync(file.fileno())
            hint = f"what it held is in {aside.name}: move that to {self.path.name} before the next start"
        except OSError as error:
            hint = f"what it held could not be saved: {error.strerror}"
        raise UserError("was removed or replaced while the run was writing it", str(self.path), hint)

    def get(self, key: str, index: int) -> LedgerEntry:
        """Return a stored completion.

        Raises: KeyError where it is not stored; UserError where its line was changed since.
        """
        offset = self._index.find(entry_name(key, index))
        if offset is None:
            raise KeyError((key, index))
        if self._file is None:
            with self.path.open("rb") as file:
                line = _line_at(file, offset)
        else:
            line = _line_at(self._file, offset)
        try:
            return self._parsed(line, 0)
        except UserError:
            # Only now is it worth counting lines.
            return self._parsed(line, self._line_number(offset))

    def read_entries(self) -> Iterator[LedgerEntry]:
        """Yield the completions in the order they were stored, each key and index once: the first.

        Raises: UserError that names file and line.
        """
        if not self._end:
            return
        with self.path.open("rb", buffering=READ_BYTES) as file:
            offset = 0
            for number, line in enumerate(file, start=1):
                if offset >= self._end:
                    return
                if not line.isspace():
                    entry = self._parsed(line, number)
                    if self._index.find(entry_name(entry.key, entry.index)) == offset:
                        yield entry
                offset += len(line)

    def _load(self) -> int:
        """Take in the keys of all whole records; return where they end."""
        offset = 0
        with self.path.open("rb", buffering=READ_BYTES) as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    break
                if start := LINE_START.match(line):
                    self._index.add(entry_name(start[1].decode(), int(start[2])), offset)
                elif not line.isspace():
                    entry = self._parsed(line, number)
                    self._index.add(entry_name(entry.key, entry.index), offset)
                offset += len(line)
        return offset

    def _mend(self, end: int) -> None:
        """Cut off what follows the last whole record; its bytes are kept beside the ledger."""
        torn = self._bytes_after(end)
        if not torn:
            return
        try:
            entry = parsed_line(torn, str(self.path), LedgerEntry)
        except UserError:
            aside = self.path.with_name(self.path.name + ".torn")
            log.warning("%s: a torn record of %d bytes is moved to %s", self.path, len(torn), aside.name)
            self._put_aside(torn, aside)
            os.ftruncate(self._fd, end)
        else:
            # Only the line's end was lost: the answer itself is whole.
            self._write(b"\n", end + len(torn))
            self.sync()
            self._take_in(entry, end + len(torn) + 1)

    def _take_in(self, entry: LedgerEntry, end: int) -> None:
        self._index.add(entry_name(entry.key, entry.index), self._end)
        self._end = end

    def _write(self, data: bytes, end: int) -> None:
        """Write after the file's end, `end`; or leave the file as it was."""
        try:
            written = os.write(self._fd, data)
            # A full disk makes a write short without an error.
            if written == len(data):
                return
            reason = f"only {written} of {len(data)} bytes could be written: the disk is full"
            fault: UserError = TryAgainLater(reason, str(self.path), SPACE_HINT)
        except OSError as error:
            fault = disk_fault(error, self.path)
        os.ftruncate(self._fd, end)
        raise fault

    def _put_aside(self, torn: bytes, aside: Path) -> None:
        try:
            with aside.open("ab") as file:
                file.write(torn + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise disk_fault(error, aside) from None

    def _line_number(self, offset: int) -> int:
        with self.path.open("rb") as file:
            return sum(chunk.count(b"\n") for chunk in _chunks(file, offset)) + 1

    def _bytes_after(self, offset: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read()

    def _parsed(self, line: bytes, number: int) -> LedgerEntry:
        return parsed_line(line, f"{self.path}:{number}", LedgerEntry)


def _line_at(file: BinaryIO, offset: int) -> bytes:
    file.seek(offset)
    return file.readline()


def _chunks(file: BinaryIO, end: int) -> Iterator[bytes]:
    """Yield the bytes of a file up to `end`."""
    while (left := end - file.tell()) > 0:
        yield file.read(min(left, READ_BYTES))


def utc_now() -> str:
    """Return the time for `LedgerEntry.received`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
