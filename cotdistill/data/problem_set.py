"""The problems of a run: where the questions come from, and which of them are set aside for evaluation."""

import heapq
import itertools
import logging
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pydantic import Field

from cotdistill.data import BadRows, Catalog
from cotdistill.data.made import made_set
from cotdistill.data.stored_problems import StoredProblems, whole_set
from cotdistill.data.task import with_options
from cotdistill.engines import Engine
from cotdistill.engines.local import LocalEngine
from cotdistill.errors import UserError
from cotdistill.records import Problem
from cotdistill.registry import Options
from cotdistill.storage.keys import draw

log = logging.getLogger(__name__)


class ProblemOptions(Options):
    """Where the questions come from, and which of them are set aside."""

    dataset: str
    """A name of dataset_info.json, a file (JSON, JSON lines, CSV, TSV, Parquet) of question with answer or gold, or a
    set that is made by seed: `demo` and `demo_zh` (word problems), `last_letter` and `coin_flip` (Wei et al. 2022),
    `passages`, or `mixed`."""
    split: str | None = None
    """Split of a hub's data set; default: the entry's own."""
    limit: int | None = Field(None, ge=1)
    """Problems to take, holdout included, from the first on; default: all. A set that is made needs it."""
    holdout: int = Field(0, ge=0)
    """Problems to set aside by seed: never sampled and never trained on, asked in `evaluate`. All arms are asked the
    recipe's own; an arm on other problems learns none of them."""


class ProblemSet(NamedTuple):
    """The problems of a run, disjoint."""

    sampled: Sequence[Problem]
    holdout: tuple[Problem, ...]
    bad: BadRows
    """Rows of the source that could not be read."""

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
        return ProblemSet(left, tuple(exam), self.bad)


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\w+", text.lower()))


def load_problems(options: ProblemOptions, catalog: Catalog, *, seed: int, engine: Engine | None = None) -> ProblemSet:
    """Return the problems of a run, the holdout drawn by hash so that a larger limit keeps it.

    They are kept on disk. `engine` reads a whole file; default: this process. Raises: UserError: nothing there, or
    nothing left to sample.
    """
    bad = BadRows()
    if (made := made_set(options.dataset, catalog)) is not None:
        if options.limit is None:
            raise UserError(f"the problems of `{options.dataset}` are made without end", hint="add `limit:`")
        found = StoredProblems.of(made.problems(options.limit, seed=seed))
    else:
        dataset = catalog.find(options.dataset)
        bad = dataset.new_bad_rows()
        if options.limit is None:
            found = whole_set(dataset, split=options.split, bad=bad, engine=engine or LocalEngine(1))
        else:
            stream = dataset.read_problems(split=options.split, bad=bad, limit=options.limit)
            found = StoredProblems.of(map(with_options, itertools.islice(stream, options.limit)))
        bad.check()
        if bad.found:
            log.warning("%s: %d bad rows are left out: %s", dataset.name, len(bad.found), bad.found[0].fault)
    if not found:
        raise UserError(f"the problem set `{options.dataset}` is empty")
    if options.holdout >= len(found):
        raise UserError(
            f"a holdout of {options.holdout} leaves nothing of {len(found)} problems to sample",
            hint="lower `holdout:` or raise `limit:`",
        )
    if not options.holdout:
        return ProblemSet(found, (), bad)
    aside = {p.id for p in heapq.nsmallest(options.holdout, found, key=lambda p: draw(seed, p.id))}
    return ProblemSet(
        sampled=found.where(lambda problem: problem.id not in aside),
        holdout=tuple(p for p in found if p.id in aside),
        bad=bad,
    )


def _chosen(problems: Sequence[Problem], is_wanted: Callable[[Problem], bool]) -> Sequence[Problem]:
    if isinstance(problems, StoredProblems):
        return problems.where(is_wanted)
    return tuple(filter(is_wanted, problems))
