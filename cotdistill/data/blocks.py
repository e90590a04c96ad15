"""Rows of a data set in blocks that any process can read.

A block finds of each row its problems or traces, or its fault, in the order of the file.
"""

import codecs
import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cotdistill.data.bad_rows import row_fault
from cotdistill.data.identity import Identity, Name, identity_of, indices_in, problem_in, question_key, renamed
from cotdistill.data.noted_row import NotedRow
from cotdistill.data.readers import JsonRow, OnBad, read_json_lines, read_rows
from cotdistill.data.recognition import Recognition
from cotdistill.data.task import with_options
from cotdistill.errors import UserError
from cotdistill.records import Problem, Trace

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

    layout: Any  # Any: a Format, better a RecordedFormat, which stands on a layer above
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
                problem, indices, values = self.read(row, row_id)
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

    def read(self, row: JsonRow, row_id: str) -> tuple[Problem, tuple[int, ...], Sequence[Any]]:  # Any: as `rows`
        """Return the problem of a row, the numbers of its answers, and what is wanted of it. Raises: ValueError."""
        is_problem = self.each == "problem"
        if is_problem and hasattr(self.layout, "outline"):
            problem, indices = self.layout.outline(row, row_id)
            return problem, indices, [problem]
        values = self.layout.read(row, row_id)
        problem = problem_in(values[0])
        return problem, indices_in(values), [problem] if is_problem else values

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
            for _ in read_rows(self.path, on_bad=ignore):
                pass  # says where, and which encoding it may be
            raise
        for number, (where, row) in enumerate(
            read_json_lines(self.path, lines, first=self.first, on_bad=on_bad), start=self.first - 1
        ):
            yield where, str(row.get("id", number)), row


def ignore(fault: UserError, text: str) -> None:
    """Take a bad row that was noted before."""


def _with_options(value: Problem | Trace) -> Problem | Trace:
    if isinstance(value, Trace):
        return value.model_copy(update={"problem": with_options(value.problem)})
    return with_options(value)
