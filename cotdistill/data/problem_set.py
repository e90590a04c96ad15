"""The problems of a run: where the questions come from, and which of them are set aside for evaluation."""

import heapq
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import eq
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from cotdistill.data import BadRows, Catalog, Columns
from cotdistill.data.earlier_run import Where, missed_questions, problem_options
from cotdistill.data.golds import GoldConflict, Golds, SameGold, find_conflicts
from cotdistill.data.identity import identity_of, question_key
from cotdistill.data.made import made_set
from cotdistill.data.stored_problems import StoredProblems, whole_set
from cotdistill.data.task import with_options
from cotdistill.engines import Engine
from cotdistill.engines.local import LocalEngine
from cotdistill.errors import UserError
from cotdistill.records import Problem
from cotdistill.registry import Options
from cotdistill.storage.keys import draw
from cotdistill.storage.ledger_index import LedgerIndex

log = logging.getLogger(__name__)


class ProblemOptions(Options):
    """Where the questions come from, and which of them are set aside."""

    dataset: str
    """A name of dataset_info.json; a file, folder or pattern of files (JSON, JSON lines, CSV, TSV, Parquet, Arrow) of
    question with answer or gold; or a set that is made by seed: `demo` and `demo_zh` (word problems), `last_letter`
    and `coin_flip` (Wei et al. 2022), `passages`, `mixed`, or what the demo student knows: `one_step`,
    `who_is_it`, `at_first`."""
    columns: Columns = Columns()
    """Columns whose names are not the usual ones, by what they hold, as `{question: prompt, gold: response}`: they go
    before those of the set's entry. The same names as in dataset_info.json; `answer` or `reasoning` make recorded
    answers of the rows."""
    split: str | None = None
    """Split of a hub's data set; default: the entry's own."""
    limit: int | None = Field(None, ge=1)
    """Problems to take, holdout included, from the first on; default: all. A set that is made needs it."""
    allow_conflicts: bool = False
    """Whether one question may have several gold answers: each row is then judged by its own. Otherwise a recipe that
    judges answers (`filter: {keep: correct}`, `sample: {until: …}`) names such rows and stops before it starts."""
    holdout: int = Field(0, ge=0)
    """Problems to set aside by seed: never sampled and never trained on, asked in `evaluate`. All arms are asked the
    recipe's own; an arm on other problems learns none of them."""
    run: Path | None = None
    """Folder of an earlier run, `runs/x`: only what its student missed is sampled, by its newest rollout or else by its
    tasks but the holdout. Its problems are taken where no `dataset` is named; the same `seed` sets the same aside."""
    where: Where | None = None
    """What of that run: `student_wrong`, no try is right; `student_unsure`, some are, or their answers differ."""

    @model_validator(mode="before")
    @classmethod
    def _of_run(cls, given: Any) -> Any:  # Any: not validated yet
        if not isinstance(given, dict) or not (given.get("run") or given.get("where")):
            return given
        for key, other, value in (("run", "where", "student_wrong"), ("where", "run", "runs/first")):
            if not given.get(other):
                raise PydanticCustomError("half_of_a_run", f"needs `{other}:` beside it, as `{value}`", {"key": key})
        if given.get("dataset") or not isinstance(given["run"], str | Path):
            return given
        try:
            return {**problem_options(Path(given["run"])), **given}
        except UserError as fault:
            raise PydanticCustomError("no_run", f"{fault.where}: {fault.message}", {"key": "run"}) from None


class ProblemSet(NamedTuple):
    """The problems of a run, disjoint."""

    sampled: Sequence[Problem]
    holdout: tuple[Problem, ...]
    bad: BadRows
    """Rows of the source that could not be read."""
    conflicts: tuple[GoldConflict, ...] = ()
    """Rows that say something else of a question than an earlier one."""
    repeated: int = 0
    """Rows that ask nothing new, and are left out."""

    def tell(self, name: str) -> None:
        """Log what of the set of this name was not taken as it is."""
        if self.repeated:
            log.warning("%s: %d duplicate question%s, asked once", name, self.repeated, "s" * (self.repeated > 1))
        if self.bad.unread:
            log.info("%s: fields that nothing reads: %s", name, self.bad.unread_said)
        if self.bad.found:
            log.warning("%s: %d bad rows are left out: %s", name, len(self.bad.found), self.bad.found[0].fault)

    def without(self, exam: Sequence[Problem]) -> "ProblemSet":
        """Return the problems with this exam in place of their own; its questions are not learned from.

        Two questions are one that differ in case, marks or spaces alone. Raises: UserError where none is left.
        """
        asked = {_words(problem.question) for problem in exam}
        left = _chosen(self.sampled, lambda problem: _words(problem.question) not in asked)
        if not left:
            raise UserError(f"all {len(self.sampled)} problems are asked in the exam, and none is left to learn from")
        if len(left) < len(self.sampled):
            log.info(
                "%d of %d problems are asked in the exam and left out", len(self.sampled) - len(left), len(self.sampled)
            )
        return self._replace(sampled=left, holdout=tuple(exam))


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.lower()))


def load_problems(
    options: ProblemOptions,
    catalog: Catalog,
    *,
    seed: int,
    by_row: bool = False,
    is_same: SameGold = eq,
    engine: Engine | None = None,
) -> ProblemSet:
    """Return the problems of a run, the holdout drawn by hash so that a larger limit keeps it.

    Each question once, and once more where a row gives it another gold answer. `by_row` keeps every row whose id is its
    own, for rows that bring their answers with them. `is_same` compares two gold answers. They are kept on disk.
    `engine` reads a whole file; default: this process. Raises: UserError: nothing there, or nothing left to sample.
    """
    bad, golds = BadRows(), Golds()
    conflicts: tuple[GoldConflict, ...] = ()
    repeated = 0
    if (made := made_set(options.dataset, catalog)) is not None:
        if options.limit is None:
            raise UserError(f"the set `{options.dataset}` is unlimited", hint="add `limit:`")
        found = StoredProblems.of(made.problems(options.limit, seed=seed))
    else:
        dataset = catalog.find(options.dataset, columns=options.columns)
        bad = dataset.new_bad_rows()
        if options.limit is None:
            found = whole_set(
                dataset, golds, split=options.split, bad=bad, by_row=by_row, engine=engine or LocalEngine(1)
            )
        else:
            rows = dataset.read_each_problem(split=options.split, bad=bad, limit=options.limit)
            first = _first_questions(rows, golds, options.limit, by_row=by_row)
            found = StoredProblems.of(map(with_options, first))
        bad.check()
        repeated = 0 if by_row or dataset.entry.holds == "traces" else golds.repeated
        conflicts = tuple(find_conflicts(dataset, golds, is_same, dataset.new_bad_rows(), split=options.split))
        if golds.alike and not by_row:
            found = found.where(lambda problem: (question_key(problem), problem.gold) not in golds.alike)
    if not found:
        raise UserError(f"the problem set `{options.dataset}` is empty")
    problems = _set_aside(found, options.holdout, seed)._replace(bad=bad, conflicts=conflicts, repeated=repeated)
    problems.tell(options.dataset)
    return problems if options.run is None or options.where is None else _missed(problems, options.run, options.where)


def _missed(problems: ProblemSet, run: Path, where: Where) -> ProblemSet:
    """Return the problems that the student of an earlier run missed. Raises: UserError where none is left."""
    missed = missed_questions(run, where)
    left = _chosen(problems.sampled, lambda problem: question_key(problem) in missed)
    if not left:
        raise UserError(f"none of the {len(problems.sampled)} problems is one that the run's student missed", str(run))
    log.info("%s: %d of %d problems: %s", run, len(left), len(problems.sampled), where)
    return problems._replace(sampled=left)


def _first_questions(rows: Iterable[Problem], golds: Golds, limit: int, *, by_row: bool) -> Iterator[Problem]:
    """Yield the problems of the first questions, up to where the first one too many is asked."""
    ids: set[str] = set()
    for problem in rows:
        if len(golds) == limit and problem not in golds:
            break
        is_new = golds.add(identity_of(problem))
        if by_row:
            is_new = problem.id not in ids
            ids.add(problem.id)
        if is_new:
            yield problem


def _set_aside(found: StoredProblems, count: int, seed: int) -> ProblemSet:
    """Return the problems, as many questions set aside as wanted: none of their rows is left to sample."""
    if not count:
        return ProblemSet(found, (), BadRows())
    seen = LedgerIndex()
    questions = found.where(lambda problem: _is_new(question_key(problem), seen))
    if count >= len(questions):
        raise UserError(
            f"a holdout of {count} leaves nothing of {len(questions)} problems to sample",
            hint="lower `holdout:` or raise `limit:`",
        )
    drawn = {p.id for p in heapq.nsmallest(count, questions, key=lambda p: draw(seed, p.id))}
    holdout = tuple(p for p in questions if p.id in drawn)
    aside = {question_key(p) for p in holdout}
    return ProblemSet(found.where(lambda problem: question_key(problem) not in aside), holdout, BadRows())


def _is_new(key: int, seen: LedgerIndex) -> bool:
    before = len(seen)
    seen.add(key, 0)
    return len(seen) > before


def _chosen(problems: Sequence[Problem], is_wanted: Callable[[Problem], bool]) -> Sequence[Problem]:
    if isinstance(problems, StoredProblems):
        return problems.where(is_wanted)
    return tuple(filter(is_wanted, problems))
