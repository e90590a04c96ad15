"""Questions that nearly say what another problem's question says.

MinHash with bands names the candidates, and an exact comparison with the question itself decides. Sketches and
questions are on disk; the memory is 64 MiB and 8 bytes a question.
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from cotdistill.filters import Reason
from cotdistill.filters._bands import BandTable
from cotdistill.filters.golds import canonical
from cotdistill.filters.shingles import jaccard, shingles, word_runs
from cotdistill.records import Problem, Trace
from cotdistill.storage.spool import RowSpool


class SeenQuestions:
    """The questions that were learned from so far; without a threshold it has no use and does nothing."""

    def __init__(self, folder: Path, threshold: float | None) -> None:
        self._threshold = threshold or 1.0
        self._questions = RowSpool(folder, Problem)
        self._table = BandTable(folder, threshold) if threshold is not None else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._questions.__exit__(kind, error, trace)
        if self._table is not None:
            self._table.close()

    def reasons_against(self, traces: Sequence[Trace]) -> list[Reason | None]:
        """Return for the traces of one problem which earlier question it repeats; remember the question of a new one.

        One that differs in its gold answer asks something else, however few of its words differ; 72 and 72.0 are one
        answer.
        """
        if not traces or self._table is None:
            return [None] * len(traces)
        problem = traces[0].problem
        keys = self._table.keys(word_runs(problem.question), str(canonical(problem.gold)))
        reason = self._reason_against(problem, self._table.candidates(keys))
        if reason is None:
            self._table.add(keys, self._questions.append(problem))
        return [reason] * len(traces)

    def _reason_against(self, problem: Problem, candidates: list[int]) -> Reason | None:
        own, gold = shingles(problem.question), canonical(problem.gold)
        for number in candidates:
            other = self._questions[number]
            if canonical(other.gold) == gold and (like := jaccard(own, shingles(other.question))) >= self._threshold:
                text = f"the question is {like:.2f} like that of problem {other.id} (limit {self._threshold:g})"
                return Reason("near_duplicate", text)
        return None
