"""Typed JSONL: written whole or not at all, read with file:line in every complaint.

{"problem": {"id": "p1", "question": "…", "gold": "72"}, "completion": {…}, "verdict": null}
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Generic, TypeVar

from pydantic import ValidationError

from cotdistill.errors import UserError, first_fault
from cotdistill.records import Record
from cotdistill.storage.blocks import line_blocks
from cotdistill.storage.encoded import EncodedRow, encode

R = TypeVar("R", bound=Record)


class AtomicFile:
    """A text file that appears under its name only when it is whole: `.partial`, fsync, rename.

    Counts rows and hashes what is written, so that a manifest needs no second reading.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = path.with_name(path.name + ".partial")
        self.rows = 0
        self.size_bytes = 0
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Hex digest of what was written so far."""
        return self._hash.hexdigest()

    def __enter__(self) -> "AtomicFile":
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.partial.open("wb")
        return self

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Name the file in an error of a write, which names none."""
        try:
            yield
        except OSError as error:
            error.filename = error.filename or str(self.partial)
            raise

    def write(self, text: str) -> None:
        """Write text as UTF-8."""
        self.write_bytes(text.encode("utf-8", "surrogatepass"))

    def write_bytes(self, data: bytes) -> None:
        """Write text that is encoded already."""
        self._hash.update(data)
        self.size_bytes += len(data)
        with self._named():
            self._file.write(data)

    def write_row(self, row: Record | EncodedRow) -> None:
        """Write one record as a line."""
        self.rows += 1
        self.write_bytes((row.data if isinstance(row, EncodedRow) else encode(row)) + b"\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            # What was not written yet may fail again, and would hide why.
            with suppress(OSError):
                self._file.close()
            return
        with self._named():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self.partial.replace(self.path)
        sync_folder(self.path.parent)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder outlast a loss of power, where its file system can."""
    with suppress(OSError):
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def write_text(path: Path, text: str) -> None:
    """Write a whole file atomically."""
    with AtomicFile(path) as file:
        file.write(text)


def read(path: Path, record: type[R]) -> Iterator[R]:
    """Yield the rows of a JSONL file in order.

    Raises: UserError that names file, line and key.
    """
    with path.open("rb") as lines:
        yield from _rows(path, lines, record, 1)


@dataclass(frozen=True)
class RowFile(Generic[R]):
    """A JSONL file of one kind of row, to be gone through row by row or in blocks."""

    path: Path
    record: type[R]

    def __iter__(self) -> Iterator[R]:
        """Yield the rows. Raises: UserError that names file, line and key."""
        return read(self.path, self.record)

    def blocks(self) -> Iterator["LineBlock[R]"]:
        """Yield the file in blocks of whole lines, which are read where they are used."""
        for first, data in line_blocks(self.path):
            yield LineBlock(self.path, self.record, first, data)


@dataclass(frozen=True)
class LineBlock(Generic[R]):
    """Some lines of a file."""

    path: Path
    record: type[R]
    first: int
    """Number of the first line, from 1."""
    data: bytes

    def rows(self) -> Iterator[R]:
        """Yield the rows. Raises: UserError that names file, line and key."""
        return _rows(self.path, self.data.split(b"\n"), self.record, self.first)


def _rows(path: Path, lines: Iterable[bytes], record: type[R], first: int) -> Iterator[R]:
    for number, line in enumerate(lines, start=first):
        if line.strip():
            try:
                yield record.model_validate_json(line)
            except ValidationError as error:
                raise _row_error(path, number, error) from None


def _row_error(path: Path, number: int, error: ValidationError) -> UserError:
    return UserError(str(first_fault(error)), f"{path}:{number}")
