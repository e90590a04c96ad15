"""The problems of a run, kept on disk: some bytes of memory each, however long they are."""

import tempfile
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self, overload

from cotdistill.data import BadRows, Dataset
from cotdistill.data.blocks import Each, Found
from cotdistill.data.dataset_rows import DatasetRows
from cotdistill.data.golds import Golds
from cotdistill.data.identity import Name, RowNames, renamed
from cotdistill.engines import Engine
from cotdistill.engines.rows import map_rows
from cotdistill.records import Problem
from cotdistill.storage.blocks import Block, encoded_blocks
from cotdistill.storage.encoded import encode
from cotdistill.storage.kept import kept
from cotdistill.storage.keys import key_of
from cotdistill.storage.spool import RowSpool


class KeptFacts(NamedTuple):
    """Files of what is found out about problems, one each."""

    file: Path
    """That of the problems; the others are named after it."""
    key: str
    """What the problems were made from."""

    def get(self, name: str, make: Callable[[], bytes]) -> bytes:
        """Return a fact, made where it is not there; `name` says from what beside the problems."""
        key = key_of([self.key, name])
        return kept(self.file.with_name(f"{self.file.name}.{key[:16]}"), key, make)


class StoredProblems(Sequence[Problem]):
    """Problems in an unnamed file of the system's folder for such files (TMPDIR), which is gone with the process."""

    def __init__(
        self,
        spool: RowSpool[Problem],
        numbers: Sequence[int],
        *,
        is_whole_set: bool = False,
        names: RowNames | None = None,
    ) -> None:
        self._spool = spool
        self.is_whole_set = is_whole_set
        """Whether these are all problems that their set holds, and each row of it has an id of its own question."""
        self.names = names
        """Names of the rows of their set; None where not all of its rows were looked at."""
        self._numbers = numbers
        self._remembered: dict[str, str] = {}
        self.kept: KeptFacts | None = None
        """Where what is found out about all of them outlasts the process."""

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> Self:
        """Store problems as they come."""
        spool = RowSpool(Path(tempfile.gettempdir()), Problem)
        for problem in problems:
            spool.append(problem)
        return cls(spool, range(len(spool)))

    def where(self, is_wanted: Callable[[Problem], bool]) -> "StoredProblems":
        """Return those that are wanted; they stay where they are."""
        numbers = array("Q", (n for n in self._numbers if is_wanted(self._spool[n])))
        return self if len(numbers) == len(self) else StoredProblems(self._spool, numbers, names=self.names)

    def at(self, places: Sequence[int]) -> "StoredProblems":
        """Return those at these places; they stay where they are."""
        if len(places) == len(self):
            return self
        return StoredProblems(self._spool, array("Q", (self._numbers[place] for place in places)))

    def remember(self, name: str, make: Callable[[], str]) -> str:
        """Return what is made of all of them, which is made once; `name` says from what else."""
        if name not in self._remembered:
            self._remembered[name] = self._kept(name, lambda: make().encode()).decode()
        return self._remembered[name]

    def number_each(self, name: str, make: Callable[[], "array[int]"]) -> "array[int]":
        """Return 64 bits for each of them, made once; `name` says from what else."""
        return array("Q", self._kept(name, lambda: make().tobytes()))

    def encoded(self) -> Iterator[bytes]:
        """Yield them in order as they are stored."""
        return self._spool.read_all(self._numbers)

    def _kept(self, name: str, make: Callable[[], bytes]) -> bytes:
        return make() if self.kept is None else self.kept.get(name, make)

    def blocks(self) -> Iterator[Block[Problem]]:
        """Yield them in order, block by block."""
        return encoded_blocks(self.encoded(), Problem)

    def __iter__(self) -> Iterator[Problem]:
        return map(Problem.model_validate_json, self.encoded())

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


def whole_set(
    dataset: Dataset, golds: Golds, *, split: str | None, bad: BadRows, by_row: bool, engine: Engine
) -> StoredProblems:
    """Return all problems of a set, options below the question: each question and gold answer once, or by their ids.

    Raises: UserError.
    """
    dataset.check_problems()
    rows = _Problems(dataset, "problem", bad=bad, split=split, golds=golds, by_row=by_row)
    spool = RowSpool(Path(tempfile.gettempdir()), Problem)
    for data in map_rows(engine, _encoder, rows):
        name = rows.wanted.popleft()
        if name.is_second:
            spool.append(*renamed([Problem.model_validate_json(data)], name))
        else:
            spool.append_bytes(data)
    return StoredProblems(spool, range(len(spool)), is_whole_set=not rows.shared_ids, names=rows.names)


class _Problems(DatasetRows):
    """The problems of a set: the first of each question and gold answer, or of each id."""

    def __init__(
        self, dataset: Dataset, each: Each, *, bad: BadRows, split: str | None, golds: Golds, by_row: bool
    ) -> None:
        super().__init__(dataset, each, bad=bad, split=split)
        self.wanted: deque[Name] = deque()
        """Names of the wanted rows that are still to come."""
        self._golds = golds
        self._by_row = by_row

    def wants(self, found: Found, name: Name) -> bool:
        """Return whether the problem is a new one."""
        is_new = self._golds.add(found.identity)
        is_wanted = name.is_new if self._by_row else is_new
        if is_wanted:
            self.wanted.append(name)
        return is_wanted


def _encoder() -> Callable[[Problem], bytes]:
    return encode
