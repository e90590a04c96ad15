"""Gold answers that contradict each other: one question, and rows that say different things of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import NamedTuple

from cotdistill.data.bad_rows import BadRows
from cotdistill.data.dataset import Dataset
from cotdistill.data.identity import Identity, question_key
from cotdistill.data.task import with_options
from cotdistill.errors import UserError
from cotdistill.records import Problem, Trace, Verdict
from cotdistill.storage.ledger_index import LedgerIndex

SameGold = Callable[[str, str], bool]
"""Returns whether two gold answers that are spelled differently say the same: 72 and 72.0."""

SHOWN = 10
"""Conflicts that an error lists; more say nothing new."""
QUESTION_CHARS = 60
MOST_GOLDS = 1 << 14
"""Gold answers of which it is remembered whether they pass their own verifier."""


class GoldConflict(NamedTuple):
    """Two rows that ask one question and disagree in its answer."""

    question: str
    where: str
    gold: str
    first_where: str
    """Place of the row before it."""
    first_gold: str

    def __str__(self) -> str:
        """One line without the place: `the gold is `70`, and `72` at p.jsonl:1: `How many …``."""
        return f"the gold is `{self.gold}`, and `{self.first_gold}` at {self.first_where}: `{self.question}`"


@dataclass
class Golds:
    """The gold answers of each question, by hashes."""

    conflicts: set[int] = field(default_factory=set)
    """Questions with several that are spelled differently, by `question_key`."""
    alike: set[tuple[int, str | None]] = field(default_factory=set)
    """Questions, options below them, with a gold answer that says what an earlier one says: known once the conflicts
    are found."""
    repeated: int = 0
    """Rows that say nothing new."""
    _first: LedgerIndex = field(default_factory=LedgerIndex)
    _others: dict[int, set[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many questions there are."""
        return len(self._first)

    def __contains__(self, problem: Problem) -> bool:
        """Return whether the question is known."""
        return self._first.find(question_key(problem)) is not None

    def add(self, row: Identity) -> bool:
        """Return whether a row is new: its question is, or its gold answer as it is spelled."""
        is_new = self._add(row)
        self.repeated += not is_new
        return is_new

    def _add(self, row: Identity) -> bool:
        known = self._first.add(row.question, row.gold)
        if known is None:
            return True
        others = self._others.get(row.question, set())
        if row.gold in (0, known) or row.gold in others:
            return False
        self._others[row.question] = others | {row.gold}
        if known or others:
            self.conflicts.add(row.question)
        return True


def same_by(verify: Callable[[str, str], Verdict]) -> SameGold:
    """Return what compares two gold answers as a verifier does that grades by them."""
    return lambda gold, other: verify(gold, other).outcome == "correct"


def gold_check(verify: Callable[[str, str], Verdict]) -> Callable[[Problem], tuple[str, str | None] | None]:
    """Return what returns a problem and the beginning of its gold answer where that fails its own verifier."""
    # Most golds are a few numbers.
    passes = lru_cache(MOST_GOLDS)(lambda gold: verify(gold, gold).outcome == "correct")
    return partial(_failing_gold, passes)


def _failing_gold(passes: Callable[[str], bool], problem: Problem) -> tuple[str, str | None] | None:
    if problem.gold is not None and passes(problem.gold):
        return None
    return f"{problem.id} (`{' '.join(problem.question.split())[:40]}`)", problem.gold and problem.gold[:40]


def find_conflicts(
    dataset: Dataset, golds: Golds, is_same: SameGold, bad: BadRows, *, split: str | None = None
) -> Iterator[GoldConflict]:
    """Yield the rows that say something else of a question than the first one that asks it, in file order.

    The set is read again, but for questions that are known to have several golds nothing is kept of it.
    """
    first: dict[int, tuple[str, str]] = {}
    said: dict[int, list[str]] = {}
    for where, value in dataset.read_samples(split=split, bad=bad) if golds.conflicts else ():
        problem = value.problem if isinstance(value, Trace) else value
        if not isinstance(problem, Problem) or problem.gold is None or question_key(problem) not in golds.conflicts:
            continue
        key, gold = question_key(problem), problem.gold
        known = said.setdefault(key, [])
        if key not in first:
            first[key] = where, gold
        elif gold in known:
            continue
        elif any(is_same(other, gold) for other in known):
            golds.alike.add((question_key(with_options(problem)), gold))
            continue
        else:
            question = " ".join(problem.question.split())[:QUESTION_CHARS]
            yield GoldConflict(question, where, gold, *first[key])
        known.append(gold)


def said_of(conflicts: Sequence[GoldConflict]) -> str:
    """Return how many questions there are with several golds: `2 questions have several gold answers`."""
    count = len({(conflict.question, conflict.first_where) for conflict in conflicts})
    return f"{count} question{'s have' if count > 1 else ' has'} several gold answers"


def conflict_faults(conflicts: Sequence[GoldConflict], where: str) -> list[UserError]:
    """Return what is wrong where answers are judged by them: the first conflicts, then how many there are.

    `where` is the place of the option that allows them.
    """
    shown = [UserError(str(conflict), conflict.where) for conflict in conflicts[:SHOWN]]
    total = f"{said_of(conflicts)}, and right answers would be judged by a wrong one"
    hint = "fix the rows, or `problems: {allow_conflicts: true}` judges each row by its own gold"
    return [*shown, UserError(total, where, hint)]
