"""Rows of a data set in blocks that any process can read; what compares rows is settled where all of them pass by.

A block finds of each row its problems or traces, or its fault, in the order of the file. Ids that two questions share
are found by 64-bit hashes: 25 to 48 bytes of memory a row.
"""

import codecs
import itertools
import json
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cotdistill.data.bad_rows import BadRows, row_fault
from cotdistill.data.dataset import Dataset
from cotdistill.data.identity import (
    AS_IT_IS,
    Identity,
    Name,
    RowNames,
    identity_of,
    indices_in,
    problem_in,
    question_key,
    renamed,
)
from cotdistill.data.noted_row import NotedRow
from cotdistill.data.readers import JsonRow, OnBad, has_row_a_line, read_json_lines, read_rows
from cotdistill.data.recognition import Recognition
from cotdistill.data.task import with_options
from cotdistill.errors import UserError
from cotdistill.records import Problem, Trace
from cotdistill.storage.blocks import BLOCK_ROWS, line_blocks

UNTOLD = Identity(0, 0, 0, 0, ())
"""In place of what tells a row from others, where nobody asks."""

Each = Literal["problem", "trace"]
"""What is wanted of a row: its problem, once, or all of its traces."""


class Found(NamedTuple):
    """A row that could be read."""

    row: int
    """Its number among the objects of its block."""
    size: int
    """How many problems or traces it holds."""
    identity: Identity
    question: int
    """Hash of the question with its options; 0 where nobody asks."""


class Bad(NamedTuple):
    """A row that could not."""

    fault: UserError
    text: str


class Unread(NamedTuple):
    """Fields that nothing reads, by their names, of all rows of a block."""

    rows: Counter[str]


Finding = Found | Bad | Unread


@dataclass
class DatasetBlock(ABC):
    """Some rows of a data set."""

    layout: Any  # Any: a RecordedFormat, which stands on a layer above
    each: Each
    recognition: Recognition | None
    names: Mapping[int, Name] = field(default_factory=dict, init=False)
    """Names of its rows, by number, where they are not those that the rows have of themselves."""
    is_told_apart: bool = field(default=False, init=False)
    """Whether it is known already that no two questions of the set share an id."""
    findings: list[Finding] = field(default_factory=list, init=False)
    """Of all rows, once `rows` was gone through."""

    @abstractmethod
    def objects(self, on_bad: OnBad) -> Iterator[tuple[str, str, JsonRow]]:
        """Yield place, id and object of each row."""

    def rows(self) -> Iterator[Any]:  # Any: problems or traces
        """Yield what the rows hold, options below the question."""
        unread = Counter[str]()
        for number, (where, row_id, foreign) in enumerate(self.objects(self._note)):
            row = NotedRow(foreign)
            try:
                problem, indices, values = self._read(row, row_id)
                if self.recognition is not None and (other := self.recognition.fault(foreign)):
                    raise ValueError(other)
            except ValueError as error:
                self._note(row_fault(str(error), where), json.dumps(row, default=str))
                continue
            if left := list(row.unread()):
                unread.update(left)
            identity = UNTOLD if self.is_told_apart else identity_of(problem, indices)
            if name := self.names.get(number):
                values = renamed(values, name)
            has_own_key = problem.choices and not self.is_told_apart
            question = question_key(with_options(problem)) if has_own_key else identity.question
            self.findings.append(Found(number, len(values), identity, question))
            for value in values:
                yield _with_options(value) if problem.choices else value

        self.findings.append(Unread(unread))

    def _read(self, row: JsonRow, row_id: str) -> tuple[Problem, tuple[int, ...], Sequence[Any]]:  # Any: as `rows`
        """Return the problem of a row, the numbers of its answers, and what is wanted of it. Raises: ValueError."""
        if self.each == "problem":
            problem, indices = self.layout.outline(row, row_id)
            return problem, indices, [problem]
        values = self.layout.read(row, row_id)
        return problem_in(values[0]), indices_in(values), values

    def _note(self, fault: UserError, text: str) -> None:
        self.findings.append(Bad(fault, text))


@dataclass
class ObjectBlock(DatasetBlock):
    """Rows that are read already."""

    held: list[tuple[str, str, JsonRow] | Bad]

    def objects(self, on_bad: OnBad) -> Iterator[tuple[str, str, JsonRow]]:
        """Yield place, id and object of each row."""
        for row in self.held:
            if isinstance(row, Bad):
                on_bad(*row)
            else:
                yield row


@dataclass
class LineBlock(DatasetBlock):
    """Lines of a JSONL file."""

    path: Path
    first: int
    """Number of the first line, from 1."""
    data: bytes

    def objects(self, on_bad: OnBad) -> Iterator[tuple[str, str, JsonRow]]:
        """Yield place, id and object of each row. Raises: UserError where the file is not UTF-8."""
        data = self.data.removeprefix(codecs.BOM_UTF8) if self.first == 1 else self.data
        try:
            # Line by line, so that a character of four bytes makes its own line wide and no other one.
            lines = [line.decode() for line in data.split(b"\n")]
        except UnicodeDecodeError:
            for _ in read_rows(self.path, on_bad=_ignore):
                pass  # says where, and which encoding it may be
            raise
        for number, (where, row) in enumerate(
            read_json_lines(self.path, lines, first=self.first, on_bad=on_bad), start=self.first - 1
        ):
            yield where, str(row.get("id", number)), row


class DatasetRows:
    """The problems or the traces of a whole data set, in blocks."""

    def __init__(
        self,
        dataset: Dataset,
        each: Each,
        *,
        bad: BadRows,
        split: str | None = None,
        known: RowNames | None = None,
        ids_are_own: bool = False,
    ) -> None:
        """`known` are the names of the rows, from an earlier reading.

        `ids_are_own` says that no two questions of the set are known to share an id.
        """
        self.dataset = dataset
        self.bad = bad
        self.names = RowNames()
        """Of the rows that are settled."""
        self._known = known
        self._each: Each = each
        self._split = split
        self._pending: deque[DatasetBlock] = deque()
        self._settled = 0
        self._identities = None if ids_are_own else dataset.new_identities()
        self.shared_ids = 0
        """Rows whose id another question has."""

    def blocks(self) -> Iterator[DatasetBlock]:
        """Yield the rows in order. Raises: UserError."""
        for number, block in enumerate(self._blocks()):
            if self._known is not None:
                block.names = self._known.of_block(number)
            block.is_told_apart = self._identities is None
            self._pending.append(block)
            yield block

    def settle(self, findings: Sequence[Finding]) -> list[bool]:
        """Return which values of the next block are wanted. Raises: UserErrors where too many rows are bad."""
        block = self._pending.popleft()
        wanted: list[bool] = []
        for found in findings:
            if isinstance(found, Bad):
                self.bad(*found)
            elif isinstance(found, Unread):
                self.bad.unread.update(found.rows)
            else:
                name = self._own_name(found, block)
                if name is not None:
                    self.names.add(self._settled, found.row, name)
                wanted += [name is not None and self.wants(found, name)] * found.size
        self._settled += 1
        return wanted

    def wants(self, found: Found, name: Name) -> bool:  # noqa: ARG002
        """Return whether a row is wanted that is well: every one."""
        return True

    def finish(self) -> None:
        """Return if no more rows are bad than may be. Raises: UserError, UserErrors."""
        self.bad.check()

    def __iter__(self) -> Iterator[Any]:  # Any: problems or traces
        """Yield what is wanted, read in this process. Raises: UserError, UserErrors."""
        for block in self.blocks():
            values = list(block.rows())
            yield from itertools.compress(values, self.settle(block.findings))
        self.finish()

    def _own_name(self, found: Found, block: DatasetBlock) -> Name | None:
        """Return the name of a row; None where another question has its id, and the row is a bad one."""
        if self._identities is None:
            return AS_IT_IS
        name = self._identities.name(found.identity)
        if name is None:
            self.shared_ids += 1
            where, row_id, row = next(itertools.islice(block.objects(_ignore), found.row, None))
            fault = self._identities.shared_id(problem_in(block.layout.read(row, row_id)[0]))
            self.bad(row_fault(fault, where), json.dumps(row, default=str))
        return name

    def _blocks(self) -> Iterator[DatasetBlock]:
        common = self.dataset.layout, self._each, self.dataset.recognition
        self.dataset.check()
        files = self.dataset.files_of(self._split)
        if files and all(map(_is_lines, files)) and self.dataset.has_plain_rows:
            for path in files:
                for first, data in line_blocks(path):
                    yield LineBlock(*common, path, first, data)
            return
        noted = _Noted()
        for number, (where, row) in enumerate(self.dataset.read_rows(split=self._split, bad=noted)):
            noted.held.append((where, str(row.get("id", number)), row))
            if len(noted.held) == BLOCK_ROWS:
                yield ObjectBlock(*common, noted.take())
        if noted.held:
            yield ObjectBlock(*common, noted.take())


def _ignore(fault: UserError, text: str) -> None:
    """Take a bad row that was noted before."""


class _Noted(BadRows):
    """Notes bad rows between the others, so that they are counted in the order of the file."""

    held: list[tuple[str, str, JsonRow] | Bad]

    def __init__(self) -> None:
        super().__init__()
        self.held = []

    def __call__(self, fault: UserError, text: str) -> None:
        """Note a bad row."""
        self.held.append(Bad(fault, text))

    def take(self) -> list[tuple[str, str, JsonRow] | Bad]:
        """Return what was noted since the last time."""
        taken, self.held = self.held, []
        return taken


def _with_options(value: Problem | Trace) -> Problem | Trace:
    if isinstance(value, Trace):
        return value.model_copy(update={"problem": with_options(value.problem)})
    return with_options(value)


def _is_lines(path: Path) -> bool:
    """Return whether a file certainly holds one object a line."""
    if path.suffix.lower() != ".jsonl":
        return False
    try:
        with path.open("rb") as file:
            head = file.read(1 << 12).removeprefix(b"\xef\xbb\xbf").lstrip()
        return head.startswith(b"{") and b"\r" not in head.replace(b"\r\n", b"") and has_row_a_line(path)
    except (OSError, UserError):
        return False  # whoever reads it says why
