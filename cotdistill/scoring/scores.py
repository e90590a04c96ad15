"""From answers to scores: graded by the task's own verifier or the recipe's, with what else a report tells of them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from cotdistill.data.task import Task
from cotdistill.filters.contamination import Place
from cotdistill.records import Score, Thought, Trace
from cotdistill.samplers import Sampler
from cotdistill.scoring.equations import count_equations
from cotdistill.scoring.grading import grade
from cotdistill.scoring.task_grading import TaskGrader, thought_language
from cotdistill.stage import Workspace
from cotdistill.verifiers import Verifier


class Answer(NamedTuple):
    """One answer to a question of a task."""

    task: str
    trace: Trace
    thought: Thought


def make_scores(
    answers: Iterable[Answer],
    tasks: Mapping[str, Task],
    verifier: Verifier,
    judge: Sampler | None,
    work: Workspace,
    *,
    learned: Mapping[Place, str],
) -> Iterator[Score]:
    """Yield the scores of answers, in order.

    `learned` names for each question the row that shares its words with it and was learned from, where one was.
    Raises: UserError and its kinds where a judge gives too few answers.
    """
    graders = {name: TaskGrader(task) for name, task in tasks.items()}
    read: list[tuple[str, Thought]] = []

    def traces() -> Iterator[Trace]:
        for task, trace, thought in answers:
            read.append((task, thought))
            yield graders[task].graded(trace)

    for number, trace in enumerate(grade(traces(), verifier, judge, work)):
        assert trace.verdict is not None
        task, thought = read[number]
        yield Score(
            task=task,
            problem=trace.problem,
            completion=trace.completion,
            verdict=trace.verdict,
            thought=thought,
            equations=count_equations(trace.completion.reasoning or trace.completion.text),
            language=thought_language(trace.completion) if tasks[task].has_languages else "",
            learned_from=learned.get(Place(task, trace.problem.id), ""),
        )
