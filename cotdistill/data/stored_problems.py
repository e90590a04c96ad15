"""The problems of a run, kept on disk: some bytes of memory each, however long they are."""

import functools
import logging
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self, overload

from cotdistill.data import BadRows, Dataset
from cotdistill.data.blocks import DatasetRows, Found
from cotdistill.engines import Engine
from cotdistill.engines.rows import map_rows
from cotdistill.records import Problem
from cotdistill.storage.blocks import Block, encoded_blocks
from cotdistill.storage.encoded import encode
from cotdistill.storage.ledger_index import LedgerIndex
from cotdistill.storage.spool import RowSpool

log = logging.getLogger(__name__)


class StoredProblems(Sequence[Problem]):
    """Problems in an unnamed file of the system's folder for such files (TMPDIR), which is gone with the process."""

    def __init__(self, spool: RowSpool[Problem], numbers: Sequence[int], *, is_whole_set: bool = False) -> None:
        self._spool = spool
        self.is_whole_set = is_whole_set
        """Whether these are all problems that their set holds."""
        self._numbers = numbers
        self._remembered: dict[str, str] = {}

    @classmethod
    def of(cls, problems: Iterable[Problem], *, is_whole_set: bool = False) -> Self:
        """Store problems as they come."""
        spool = RowSpool(Path(tempfile.gettempdir()), Problem)
        for problem in problems:
            spool.append(problem)
        return cls(spool, range(len(spool)), is_whole_set=is_whole_set)

    def where(self, is_wanted: Callable[[Problem], bool]) -> "StoredProblems":
        """Return those that are wanted; they stay where they are."""
        numbers = array("Q", (n for n in self._numbers if is_wanted(self._spool[n])))
        return self if len(numbers) == len(self) else StoredProblems(self._spool, numbers)

    def remember(self, name: str, make: Callable[[], str]) -> str:
        """Return what is made of all of them, which is made once."""
        if name not in self._remembered:
            self._remembered[name] = make()
        return self._remembered[name]

    def blocks(self) -> Iterator[Block[Problem]]:
        """Yield them in order, block by block."""
        return encoded_blocks((self._spool.read_bytes(n) for n in self._numbers), Problem)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, number: int) -> Problem: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[Problem]: ...
    def __getitem__(self, number: int | slice) -> Problem | Sequence[Problem]:
        """Return the problem of that number, or those of a slice."""
        if isinstance(number, slice):
            return StoredProblems(self._spool, self._numbers[number])
        return self._spool[self._numbers[number]]


def whole_set(dataset: Dataset, *, split: str | None, bad: BadRows, engine: Engine) -> StoredProblems:
    """Return all problems of a set, each question once, options below it. Raises: UserError."""
    dataset.check_problems()
    rows = _Questions(dataset, "problem", bad=bad, split=split)
    spool = RowSpool(Path(tempfile.gettempdir()), Problem)
    for data in map_rows(engine, _encoder, rows):
        spool.append_bytes(data)
    if rows.doubles and dataset.entry.holds != "traces":
        log.warning("%s: %d duplicate questions are asked once", dataset.name, rows.doubles)
    return StoredProblems(spool, range(len(spool)), is_whole_set=True)


class _Questions(DatasetRows):
    """The problems of a set, the first of each question."""

    doubles = 0

    def wants(self, found: Found) -> bool:
        """Return whether the question is a new one."""
        if self._seen.find(found.asked) is not None:
            self.doubles += 1
            return False
        self._seen.add(found.asked, 0)
        return True

    @functools.cached_property
    def _seen(self) -> LedgerIndex:
        return LedgerIndex()


def _encoder() -> Callable[[Problem], bytes]:
    return encode
