"""Row identities: the id of a row's problem, and the numbers of its answers.

Rows of one question with one gold answer and one id are attempts at one problem. Where they differ in the gold answer
they are problems of their own, `p1` and `p1-4f2a91c0`. No id stands for two questions. What is known of a row is known
by 64-bit hashes: 50 to 70 bytes of memory a problem.
"""

import hashlib
from array import array
from collections.abc import Sequence
from typing import Any, NamedTuple

from cotdistill.records import Problem, Trace
from cotdistill.storage.keys import short_name
from cotdistill.storage.ledger_index import LedgerIndex

LARGEST_GAP = 1 << 10
"""Numbers that may be left out before one and still be taken later."""


def question_key(problem: Problem) -> int:
    """Return 64 bits that tell a question from others: the same words with other options or turns before them are
    another one.
    """
    context = (message.content for message in problem.context)
    return short_name(*context, problem.question, *problem.choices)


class Identity(NamedTuple):
    """What tells a row from others, as hashes that are not 0."""

    id: int
    second: int
    """Of the id that its problem has where the first one is taken by another gold answer."""
    question: int
    gold: int
    """0: it has none."""
    indices: tuple[int, ...]
    """Numbers of its answers, one after the other; none for a problem alone."""


class Name(NamedTuple):
    """What a row is called."""

    is_second: bool
    start: int | None
    """Number of the first of its answers; None: as it is."""
    is_new: bool
    """Whether it is the first row of its problem."""

    @property
    def is_other(self) -> bool:
        """Whether it is called otherwise than it calls itself."""
        return self.is_second or self.start is not None


AS_IT_IS = Name(is_second=False, start=None, is_new=False)
"""The name of a row that calls itself by it."""


def problem_in(value: Problem | Trace) -> Problem:
    """Return the problem that a row of problems or of traces is about."""
    return value.problem if isinstance(value, Trace) else value


def indices_in(values: Sequence[Any]) -> tuple[int, ...]:  # Any: a Problem, or Traces of one
    """Return the numbers of a row's answers."""
    return tuple(value.completion.index for value in values if isinstance(value, Trace))


def identity_of(problem: Problem, indices: tuple[int, ...] = ()) -> Identity:
    """Return what tells the row of a problem from others; `indices` are the numbers of its answers."""
    gold = 0 if problem.gold is None else short_name(problem.gold)
    return Identity(short_name(problem.id), short_name(_second(problem)), question_key(problem), gold, indices)


def renamed(values: Sequence[Any], name: Name) -> list[Any]:  # Any: a Problem, or Traces of one
    """Return what a row holds under its name."""
    if not name.is_other:
        return list(values)
    problem = problem_in(values[0])
    if name.is_second:
        problem = problem.model_copy(update={"id": _second(problem)})
    return [_numbered(v, problem, name.start, n) if isinstance(v, Trace) else problem for n, v in enumerate(values)]


class Identities:
    """The names of a set's rows, in their order."""

    def __init__(self, key: str = "id") -> None:
        """`key` is the column of the ids, for messages."""
        self.key = key
        self._places = LedgerIndex()
        self._questions = array("Q")
        self._golds = array("Q")
        self._next = array("Q")
        self._gaps: dict[int, set[int]] = {}

    def named(self, values: Sequence[Any]) -> list[Any]:  # Any: a Problem, or Traces of one
        """Return what a row holds under an id that is its own, its answers numbered after those of earlier rows.

        Raises: ValueError where another question has the id.
        """
        problem = problem_in(values[0])
        name = self.name(identity_of(problem, indices_in(values)))
        if name is None:
            raise ValueError(self.shared_id(problem))
        return renamed(values, name)

    def shared_id(self, problem: Problem) -> str:
        """Return the fault of a row whose id another question has."""
        return f"{self.key}: expected an id of its own, found `{problem.id}`, which another question has"

    def name(self, row: Identity) -> Name | None:
        """Return the name of a row; None where another question has its id."""
        for is_second, hashed in ((False, row.id), (True, row.second)):
            place = self._places.add(hashed, len(self._golds))
            is_new = place is None
            if place is None:
                place = len(self._golds)
                self._questions.append(row.question)
                self._golds.append(row.gold)
                self._next.append(0)
            if self._questions[place] != row.question:
                return None
            if self._golds[place] == row.gold:
                return Name(is_second, self._start(place, row.indices), is_new)
        raise AssertionError("two gold answers of one problem have one hash")

    def _start(self, place: int, indices: tuple[int, ...]) -> int | None:
        """Return the first number of a row's answers where they cannot keep theirs."""
        if not indices:
            return None
        first, free, gaps = indices[0], self._next[place], self._gaps.get(place, set())
        if first in gaps and len(indices) == 1:
            gaps.remove(first)
            return None
        if first < free:
            self._next[place] = free + len(indices)
            return free
        if 0 < first - free <= LARGEST_GAP:
            self._gaps.setdefault(place, set()).update(range(free, first))
        self._next[place] = indices[-1] + 1
        return None


class RowNames:
    """The rows of a set that are called otherwise than they call themselves: 8 bytes each."""

    def __init__(self) -> None:
        self._blocks: dict[int, array[int]] = {}

    def add(self, block: int, row: int, name: Name) -> None:
        """Note the name of a row of a block."""
        if name.is_other:
            start = 0 if name.start is None else name.start + 1
            self._blocks.setdefault(block, array("Q")).append(row << 44 | start << 1 | name.is_second)

    def of_block(self, block: int) -> dict[int, Name]:
        """Return the names of a block's rows, by their numbers."""
        found = {}
        for packed in self._blocks.get(block, ()):
            start = packed >> 1 & (1 << 43) - 1
            found[packed >> 44] = Name(bool(packed & 1), start - 1 if start else None, is_new=False)
        return found


def _numbered(trace: Trace, problem: Problem, start: int | None, number: int) -> Trace:
    completion = trace.completion
    if start is not None:
        completion = completion.model_copy(update={"index": start + number})
    return trace.model_copy(update={"problem": problem, "completion": completion})


def _second(problem: Problem) -> str:
    gold = (problem.gold or "").encode("utf-8", "surrogatepass")
    return f"{problem.id}-{hashlib.blake2b(gold, digest_size=4).hexdigest()}"
