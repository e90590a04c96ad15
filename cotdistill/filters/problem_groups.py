"""Problem groups: graded rows that wait on disk until it is known what became of all attempts at their problem.

A problem's pass rate and the choice among its traces need all of them, and a file may hold them far apart. So a row is
graded once, written to an unnamed file, and read back with its problem's others. In memory stay numbers alone: 8 bytes
a row, and 32 for each run of neighbouring rows of one problem.
"""

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from cotdistill.records import Trace
from cotdistill.storage.spool import RowSpool


class Run(NamedTuple):
    """Neighbouring rows of one problem."""

    rows: range
    all_rows: Sequence[int]
    """Every row of the problem, in input order: more than `rows` where they are not all neighbours."""
    pass_rate: float | None
    """Of the whole problem; None where no attempt counts."""


class ProblemGroups(RowSpool[Trace]):
    """Graded rows by number, and which of them belong to one problem."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Trace)
        self._problems = array("Q")
        self._starts = array("Q")
        self._counted = array("Q")
        self._correct = array("Q")

    def append(self, row: Trace) -> int:
        """Store a graded row; all of them are stored before `read_runs` is asked."""
        problem = _hash(row)
        if not self._problems or self._problems[-1] != problem:
            self._problems.append(problem)
            self._starts.append(len(self))
            self._counted.append(0)
            self._correct.append(0)
        if _counts(row):
            self._counted[-1] += 1
            self._correct[-1] += _is_correct(row)
        return super().append(row)

    def read(self, numbers: Sequence[int], *, pass_rate: float | None) -> list[Trace]:
        """Return stored rows with their problem's pass rate."""
        return [self[number].model_copy(update={"pass_rate": pass_rate}) for number in numbers]

    def read_runs(self) -> Iterator[Run]:
        """Yield the rows in input order, run by run."""
        apart = self._apart()
        for place, problem in enumerate(self._problems):
            places = apart.get(problem, [place])
            rows = [number for other in places for number in self._rows(other)]
            counted = sum(self._counted[other] for other in places)
            correct = sum(self._correct[other] for other in places)
            yield Run(self._rows(place), rows, correct / counted if counted else None)

    def _rows(self, place: int) -> range:
        end = self._starts[place + 1] if place + 1 < len(self._starts) else len(self)
        return range(self._starts[place], end)

    def _apart(self) -> dict[int, list[int]]:
        """Return the runs of each problem that has several: nothing where all rows of a problem are neighbours."""
        repeated = {one for one, other in pairwise(sorted(self._problems)) if one == other}
        found: dict[int, list[int]] = {problem: [] for problem in repeated}
        for place, problem in enumerate(self._problems if repeated else ()):
            if problem in repeated:
                found[problem].append(place)
        return found


def _hash(trace: Trace) -> int:
    """Return what tells a problem from others: rows of other makers may use one id for several questions."""
    named = f"{trace.problem.id}\0{trace.problem.question}".encode()
    return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "little")


def _counts(trace: Trace) -> bool:
    """Return whether the attempt tells how hard the problem is: it was judged, and the answer was not shown."""
    return trace.verdict is not None and trace.verdict.outcome != "error" and not trace.completion.is_hinted


def _is_correct(trace: Trace) -> bool:
    return trace.verdict is not None and trace.verdict.outcome == "correct"
