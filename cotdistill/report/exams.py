"""Whether evaluations may stand side by side: the same questions, asked alike, graded by the same verifier."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cotdistill.report.data import ArmReport
from cotdistill.stages.evaluate import EvaluateOptions
from cotdistill.storage.keys import differences, shown
from cotdistill.storage.run_folder import read_manifest

Json = Any  # Any: a JSON value

NOT_ASKED_BY = frozenset(
    ("tasks", "limit", "baseline", "teacher", "checkpoints", "batch_size", "sampler", "concurrency", "budget")
)
"""Options of `evaluate` that change neither how a question is put nor how it is answered; which are asked is
compared question by question."""


class Exam(NamedTuple):
    """What an arm was asked, and how."""

    settings: Mapping[str, Json]
    """`evaluate`, `verifier` and `judge`, as in the recipe."""
    tasks: Mapping[str, Json]
    """What tells each task's problems, words and verifier from others; empty where a run does not say."""
    problems: Mapping[str, frozenset[str]]
    """Ids of the problems of each task."""
    attempts: Mapping[str, int]
    """At each problem of a task."""


def read_exam(run: Path, arm: ArmReport) -> Exam:
    """Return what an evaluated arm was asked."""
    manifest = read_manifest(run / arm.stages["evaluate"].folder)
    assert manifest is not None and arm.scores is not None, f"{arm.name} is not evaluated"
    said: Mapping[str, Json] = manifest.recipe
    # An option that a run of an earlier version does not know had the value that is now its default.
    options = EvaluateOptions().model_dump(mode="json") | dict(said.get("options") or {})
    roles = said.get("roles") or {}
    tasks = (said.get("inputs") or {}).get("tasks")
    return Exam(
        settings={
            "evaluate": {name: value for name, value in options.items() if name not in NOT_ASKED_BY},
            **{role: roles.get(role) for role in ("verifier", "judge")},
        },
        tasks=tasks if isinstance(tasks, dict) else {},
        problems={task: frozenset(results) for task, results in arm.scores.results.items()},
        attempts={task: tally.attempts for task, tally in arm.scores.tasks.items()},
    )


def what_differs(one: Exam, other: Exam, only: Collection[str]) -> Iterator[str]:
    """Yield a phrase for each difference of two exams; `only`: the tasks that count, empty for all."""
    for path, here, there in differences(dict(one.settings), dict(other.settings)):
        yield f"{'.'.join(path)}: {shown(here)} -> {shown(there)}"
    names = [name for name in dict.fromkeys((*one.problems, *other.problems)) if not only or name in only]
    for name in names:
        here, there = one.problems.get(name), other.problems.get(name)
        if here is None or there is None:
            yield f"{name}: asked -> not asked" if there is None else f"{name}: not asked -> asked"
        elif here != there:
            yield f"{name}: {len(here):,} questions -> {len(there):,}, {len(here & there):,} of them the same"
        elif one.attempts[name] != other.attempts[name]:
            yield f"{name}: {one.attempts[name]} answers to each question -> {other.attempts[name]}"
        elif name in one.tasks and name in other.tasks and one.tasks[name] != other.tasks[name]:
            yield f"{name}: another text, prompt or verifier of the same questions"
