"""What a round asks the teacher: the first its problems drawn by seed, each other those that its selector ranks."""

import itertools
import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cotdistill.data.stored_problems import StoredProblems
from cotdistill.filters.majority import final_answer
from cotdistill.recipe.plan import Step
from cotdistill.recipe.rounds import RoundOptions
from cotdistill.records import Problem, Trace
from cotdistill.selectors import Selector, Tries, in_drawn_order
from cotdistill.storage.jsonl import RowFile

log = logging.getLogger(__name__)


class Chosen(NamedTuple):
    """The problems of a round."""

    ids: tuple[str, ...]
    """The most wanted first."""
    selected: int
    """How many of them the selector named; the rest is drawn at random."""


def choose(asked: RoundOptions, tries: Sequence[Tries], left: Collection[str], *, seed: int) -> Chosen:
    """Return which of the problems that are `left` a round asks, all of them where they are fewer than it wants."""
    select: Selector | None = asked.select.build() if asked.select is not None else None
    ranked = [i for i in select(tries, seed) if i in left] if select is not None else []
    named = ranked[: asked.problems]
    known = set(named)
    rest = in_drawn_order((i for i in left if i not in known), seed) if len(named) < asked.problems else []
    return Chosen((*named, *rest[: asked.problems - len(named)]), len(named))


def read_tries(traces: Iterable[Trace]) -> list[Tries]:
    """Return what a student tried on each problem; its tries are neighbours."""
    found = []
    for problem_id, of_problem in itertools.groupby(traces, key=lambda trace: trace.problem.id):
        tries = list(of_problem)
        outcomes = tuple(trace.verdict.outcome for trace in tries if trace.verdict is not None)
        found.append(Tries(problem_id, outcomes, tuple(map(final_answer, tries))))
    return found


def first_problems(problems: Sequence[Problem], step: Step) -> Sequence[Problem]:
    """Return what a step asks that no step comes before: all problems, or those that its first round draws."""
    asked = step.turn.asked if step.turn is not None else None
    if asked is None or asked.problems >= len(problems):
        return problems
    return _with_ids(problems, choose(asked, (), [p.id for p in problems], seed=step.recipe.seed).ids)


def round_problems(problems: Sequence[Problem], step: Step, run: Path) -> Sequence[Problem]:
    """Return what a step asks whose upstreams, earlier rounds and a student's tries, are finished."""
    assert step.turn is not None and step.turn.asked is not None
    asked, before = step.turn.asked, _asked_before(step, run)
    tries = [read_tries(RowFile(run / s.folder / s.rows_file, Trace)) for s in _opening(step)]
    left = dict.fromkeys(problem.id for problem in problems if problem.id not in before)
    chosen = choose(asked, [one for found in tries for one in found], left, seed=step.recipe.seed)
    if asked.select is not None and chosen.selected < len(chosen.ids):
        log.warning(
            "%s: `%s` finds %d of %d problems, and %d are drawn at random",
            step.folder, asked.select.kind, chosen.selected, asked.problems, len(chosen.ids) - chosen.selected,
        )  # fmt: skip
    return _with_ids(problems, chosen.ids)


def expected_problems(problems: Sequence[Problem], step: Step) -> Sequence[Problem]:
    """Return problems that stand for those of a round which is not known yet: as many, drawn by seed."""
    assert step.turn is not None and step.turn.asked is not None
    return _with_ids(problems, in_drawn_order((p.id for p in problems), step.recipe.seed)[-step.turn.asked.problems :])


def _opening(step: Step) -> Iterator[Step]:
    return (before for before in step.upstreams if before.stage.opens_round)


def _asked_before(step: Step, run: Path) -> set[str]:
    """Return the ids of the problems that earlier rounds have the teacher's answers to."""
    earlier = (before for before in step.upstreams if before.stage is step.stage)
    return {trace.problem.id for s in earlier for trace in RowFile(run / s.folder / s.rows_file, Trace)}


def _with_ids(problems: Sequence[Problem], ids: Collection[str]) -> Sequence[Problem]:
    """Return the problems with these ids, in their own order."""
    wanted = set(ids)
    if isinstance(problems, StoredProblems):
        return problems.where(lambda problem: problem.id in wanted)
    return tuple(problem for problem in problems if problem.id in wanted)
