"""Records that wait on disk and are read back by number: 8 bytes of memory each."""

import os
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Generic, Self, TypeVar

from cotdistill.records import Record
from cotdistill.storage.encoded import encode

R = TypeVar("R", bound=Record)

READ_ROWS = 256
"""Neighbours that are read at once."""


class RowSpool(Generic[R]):
    """An unnamed file of records: gone with the process, however that ends."""

    def __init__(self, folder: Path, record: type[R]) -> None:
        self._record = record
        self._file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # __exit__ closes it
        self._ends = array("Q", [0])
        self._written = 0
        """Records that a read finds in the file, and not in the buffer before it."""

    @classmethod
    def of_file(cls, file: BinaryIO, ends: "array[int]", record: type[R]) -> Self:
        """Return the records of a file that is written already; `ends` is 0 and the place behind each of them."""
        spool = cls.__new__(cls)
        spool._record, spool._file, spool._ends, spool._written = record, file, ends, len(ends) - 1
        return spool

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, row: R) -> int:
        """Store a record and return its number, from 0."""
        return self.append_bytes(encode(row))

    def append_bytes(self, data: bytes) -> int:
        """Store a record that is encoded already and return its number, from 0."""
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))
        return len(self) - 1

    def __getitem__(self, number: int) -> R:
        """Return the record of that number."""
        return self._record.model_validate_json(self.read_bytes(number))

    def read_bytes(self, number: int) -> bytes:
        """Return the record of that number as it was stored."""
        if number < 0 or number >= len(self):
            raise IndexError(number)
        start, end = self._ends[number], self._ends[number + 1]
        return self._read(start, end)

    def read_all(self, numbers: Sequence[int]) -> Iterator[bytes]:
        """Yield the records of these numbers as they were stored; neighbours are read at once."""
        ends = self._ends
        for place in range(0, len(numbers), READ_ROWS):
            wanted = numbers[place : place + READ_ROWS]
            first = wanted[0]
            if list(wanted) != list(range(first, first + len(wanted))):
                yield from map(self.read_bytes, wanted)
                continue
            start = ends[first]
            data = self._read(start, ends[first + len(wanted)])
            for number in wanted:
                yield data[ends[number] - start : ends[number + 1] - start]

    def _read(self, start: int, end: int) -> bytes:
        if self._written < len(self):
            self._file.flush()
            self._written = len(self)
        return os.pread(self._file.fileno(), end - start, start)
