"""`mode: harness`: a checkpoint's answers to lm-eval's tasks, as rows and a summary in the stage's folder."""

import json
import logging
from collections.abc import Iterator
from typing import Any

from cotdistill.errors import UserError
from cotdistill.records import Score
from cotdistill.scoring.harness.ask import RESULTS, Answered, Student, ask
from cotdistill.scoring.harness.local_data import HarnessExam
from cotdistill.scoring.harness.options import HarnessOptions
from cotdistill.scoring.harness.rows import JudgedBy, judged_by, scores, summary
from cotdistill.scoring.harness.tasks import HarnessTask
from cotdistill.stage import Workspace
from cotdistill.storage.jsonl import write_text
from cotdistill.storage.run_folder import SCORES

log = logging.getLogger(__name__)

Json = Any  # Any: a JSON value


def evaluate_by_harness(
    exam: HarnessExam, student: Student, options: HarnessOptions, work: Workspace, *, limit: int | None
) -> Iterator[Score]:
    """Yield a row per question; `report.json` and `harness.json` stand beside them.

    Raises: UserError: a task or the model cannot be loaded, or no task says of single answers whether they are right.
    """
    answered = ask(exam, student, options, limit=limit, folder=work.folder)
    # The marks are what the report does not see in the rows.
    by_task = {name: {**entry, **exam[name].marks} for name, entry in report(exam, answered, options).items()}
    found = {"mode": "harness", "tasks": by_task}
    write_text(work.folder / SCORES, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    count = 0
    for task in exam.tasks:
        by = _judges(task, answered, options)
        for subtask in task.subtasks:
            if subtask.name not in by:
                log.warning("%s: its metrics are not 0 or 1 per answer; %s has them", subtask.name, RESULTS)
                continue
            samples, decides = answered.samples[subtask.name], by[subtask.name]
            for score in scores(
                task.name, subtask, samples, decides, identity=student.fingerprint, tokens=answered.tokens
            ):
                count += 1
                yield score
    if not count:
        raise UserError(
            "no task has a metric that is 0 or 1 per answer, so there are no rows to compare",
            str(work.folder / RESULTS),
            "its numbers are there; add a task that has one",
        )


def report(exam: HarnessExam, answered: Answered, options: HarnessOptions) -> dict[str, Json]:
    """Return each task's number, the rule that it is made by, and lm-eval's own numbers."""
    results = answered.results["results"]
    return {task.name: summary(task, results, _judges(task, answered, options)) for task in exam.tasks}


def _judges(task: HarnessTask, answered: Answered, options: HarnessOptions) -> dict[str, JudgedBy]:
    """Return what decides in each of the tasks that have a metric of single answers."""
    found = {sub.name: judged_by(answered.samples[sub.name], options.filter) for sub in task.subtasks}
    return {name: by for name, by in found.items() if by is not None}
