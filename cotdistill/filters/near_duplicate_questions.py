"""Questions that nearly say what another problem's question says.

MinHash with locality-sensitive hashing (Broder 1997; datasketch) names the candidates, and an exact comparison with
the question itself, read back from disk, decides. The memory holds hashes and numbers, no text.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cotdistill.errors import UserError
from cotdistill.filters import Reason
from cotdistill.filters.shingles import jaccard, shingles, word_runs
from cotdistill.records import Problem, Trace
from cotdistill.storage.spool import RowSpool

BANDS = 6
"""More bands find more and cost memory: 6 of them take 7 to 21 MiB for 10,000 questions,
the most at 0.9."""
RECALL = 0.95
"""Share of the pairs at the threshold that become candidates; above the threshold it is more."""


class SeenQuestions:
    """The questions that were learned from so far; without a threshold it has no use and does nothing."""

    def __init__(self, folder: Path, threshold: float | None) -> None:
        self._threshold = threshold or 1.0
        self._questions = RowSpool(folder, Problem)
        if threshold is not None:
            self._index, self._empty = _sketches(threshold)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._questions.__exit__(kind, error, trace)

    def reasons_against(self, traces: Sequence[Trace]) -> list[Reason | None]:
        """Return for the traces of one problem which earlier question it repeats; remember the question of a new one.

        One that differs in its gold answer asks something else, however few of its words differ.
        """
        if not traces:
            return []
        problem = traces[0].problem
        reason = self._reason_against(problem)
        if reason is None:
            self._index.insert(self._questions.append(problem), self._sketch(problem), check_duplication=False)
        return [reason] * len(traces)

    def _reason_against(self, problem: Problem) -> Reason | None:
        own = shingles(problem.question)
        for number in sorted(self._index.query(self._sketch(problem))):
            other = self._questions[number]
            if other.gold == problem.gold and (like := jaccard(own, shingles(other.question))) >= self._threshold:
                text = f"the question is {like:.2f} like that of problem {other.id} (limit {self._threshold:g})"
                return Reason("near_duplicate", text)
        return None

    def _sketch(self, problem: Problem) -> Any:  # Any: a datasketch.MinHash
        sketch = self._empty.copy()
        sketch.update_batch([" ".join(run).encode() for run in word_runs(problem.question)])
        return sketch


def rows_per_band(threshold: float) -> int:
    """Return how many hashes a band may hold so that RECALL of the pairs at the threshold share one of BANDS bands."""
    if threshold >= 1:
        return 32
    least = 1 - (1 - RECALL) ** (1 / BANDS)
    return max(1, min(32, math.floor(math.log(least) / math.log(threshold))))


def _sketches(threshold: float) -> tuple[Any, Any]:  # Any: datasketch's own types
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        raise UserError("`filter.near_duplicates` needs datasketch", hint="pip install 'cotdistill[filter]'") from None
    rows = rows_per_band(threshold)
    index = MinHashLSH(threshold=threshold, num_perm=BANDS * rows, params=(BANDS, rows))
    return index, MinHash(num_perm=BANDS * rows, seed=1)
