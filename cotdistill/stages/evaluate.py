"""evaluate: let the student answer held-out problems, and grade it by the verifier that filtered its teacher."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from cotdistill.client.costs import Budget
from cotdistill.data.task import Task
from cotdistill.errors import UserError
from cotdistill.filters.contamination import Place
from cotdistill.records import Checkpoint, Conversation, Problem, Sampling, Score, Trace
from cotdistill.registry import NOT_IN_KEY, KindOptions
from cotdistill.samplers import Request, Sampler
from cotdistill.sampling.completions import read_completion
from cotdistill.sampling.exam import TeacherExam
from cotdistill.sampling.pool import PoolOptions, request_key, run_jobs, single_request
from cotdistill.scoring.contamination import learned_questions
from cotdistill.scoring.grading import grade
from cotdistill.scoring.statistics import wilson
from cotdistill.scoring.task_grading import TaskGrader, thought_language
from cotdistill.stage import StageOptions, Workspace, stage
from cotdistill.storage.jsonl import AtomicFile, write_text
from cotdistill.storage.ledger import Ledger
from cotdistill.storage.run_folder import LEDGER, POINTS, ROWS, SCORES
from cotdistill.students import Student
from cotdistill.styles import Style
from cotdistill.training.options import MODEL_PACKAGES
from cotdistill.verifiers import Verifier


class EvaluateOptions(StageOptions):
    """What the student is asked."""

    install_extra = "train"

    tasks: tuple[str, ...] = Field(("holdout",), min_length=1)
    """`holdout`, or names of tasks or problem sets in dataset_info.json."""
    limit: int | None = Field(None, ge=1)
    """Problems asked of each group of each task, drawn by seed, the same for every arm; a larger limit keeps them, and
    translations of one question are drawn together. Default: all."""
    baseline: bool = True
    """Ask the untrained student too: without it nothing says what was gained."""
    teacher: Annotated[bool, NOT_IN_KEY] = False
    """Ask the recipe's teacher the same problems, by the options of `sample:`, once each: how good it is is what
    students are measured by."""
    teacher_budget: Annotated[Budget | None, NOT_IN_KEY] = None
    """What the teacher's answers to these problems may cost, as `{usd: 5}`; `sample.budget` does not count them."""
    checkpoints: Annotated[Literal["last", "all"], NOT_IN_KEY] = "last"
    """`all`: the student as it was at every point that `train.save_steps` or `save_strategy: epoch` saved is kept and
    asked too, for accuracy over steps. Each takes the disk of a whole student."""
    max_tokens: int = Field(4096, ge=1)
    """Longest answer in tokens; one that is cut off counts as no answer."""
    num_beams: int = Field(1, ge=1)
    """Beginnings kept in the search for the most probable answer (beam search); 1: each token the most probable one."""
    batch_size: Annotated[int, NOT_IN_KEY] = Field(64, ge=1)
    """Problems answered at a time, as many as the device's memory holds."""

    def packages(self) -> tuple[str, ...]:
        """Return what a student answers with."""
        return MODEL_PACKAGES


@stage(rejects=None, is_incremental=True)
def evaluate(
    checkpoints: Iterable[Checkpoint],
    options: EvaluateOptions,
    work: Workspace,
    *,
    tasks: Mapping[str, Task],
    style: Style,
    verifier: Verifier,
    student: KindOptions,
    judge: Sampler | None = None,
    learned: Iterable[Conversation] | None = None,
    teacher: TeacherExam | None = None,
) -> Iterator[Score]:
    """Let the student answer problems that it has not seen, and grade the answers.

    With `teacher` it is the one that answers: there is no checkpoint then, no style and no student.
    """
    if teacher is not None:
        yield from _grade_teacher(teacher, tasks, work, verifier, judge)
        return
    checkpoint, *points = checkpoints
    for point in points:
        inner = replace(work, folder=work.folder / POINTS / f"step-{point.steps}")
        inner.folder.mkdir(parents=True, exist_ok=True)
        with AtomicFile(inner.folder / ROWS) as file:
            asked = evaluate(
                [point], options, inner, tasks=tasks, style=style, verifier=verifier, student=student, judge=judge
            )
            for score in asked:
                file.write_row(score)
    folder = work.run / checkpoint.path
    answering: Student = student.build()
    sampler: Sampler = answering.sampler(
        str(folder) if folder.is_dir() else checkpoint.path, batch_size=options.batch_size
    )
    beams = options.num_beams if options.num_beams > 1 else None
    sampling = Sampling(max_tokens=options.max_tokens, temperature=0, num_beams=beams)
    total = sum(len(task.problems) for task in tasks.values())
    with Ledger(work.folder / LEDGER) as ledger:
        requests = [
            (name, Request(problem, style.prompt(task.asked(problem), task.shots_for(problem)), sampling, 0))
            for name, task in tasks.items()
            for problem in task.problems
        ]
        keys = [request_key(request, checkpoint.fingerprint) for _, request in requests]
        with work.progress("evaluating", total=total, unit="answers") as advance:
            advance(sum((key, 0) in ledger for key in keys))
            result = run_jobs(
                sampler,
                (
                    single_request(request)
                    for (_, request), key in zip(requests, keys, strict=True)
                    if (key, 0) not in ledger
                ),
                ledger,
                identity=checkpoint.fingerprint,
                options=PoolOptions(concurrency=4 * options.batch_size, on_done=advance),
            )
        if result.failed:
            raise UserError(
                f"{len(result.failed)} of {total} problems got no answer: {next(iter(result.failed.values()))}"
            )
        outcomes: dict[str, Counter[str]] = {task: Counter() for task in tasks}
        graders = {name: TaskGrader(task) for name, task in tasks.items()}
        answers = (
            graders[task].graded(_answer(request.problem, ledger, key, style))
            for (task, request), key in zip(requests, keys, strict=True)
        )
        shared = learned_questions(tasks, learned)
        for (task, _), trace in zip(requests, grade(answers, verifier, judge, work), strict=True):
            assert trace.verdict is not None
            outcomes[task][trace.verdict.outcome] += 1
            yield Score(
                task=task,
                problem=trace.problem,
                completion=trace.completion,
                verdict=trace.verdict,
                language=thought_language(trace.completion) if tasks[task].has_languages else "",
                learned_from=shared.get(Place(task, trace.problem.id), ""),
            )
    _write_report(work, outcomes, tasks)


def _grade_teacher(
    teacher: TeacherExam, tasks: Mapping[str, Task], work: Workspace, verifier: Verifier, judge: Sampler | None
) -> Iterator[Score]:
    """Yield the teacher's scores, graded as its students' are."""
    graders = {name: TaskGrader(task) for name, task in tasks.items()}
    answers = [(task, graders[task].graded(trace)) for task, trace in teacher.answers(tasks, work)]
    outcomes: dict[str, Counter[str]] = {task: Counter() for task in tasks}
    graded = grade((trace for _, trace in answers), verifier, judge, work)
    for (task, _), trace in zip(answers, graded, strict=True):
        assert trace.verdict is not None
        outcomes[task][trace.verdict.outcome] += 1
        yield Score(task=task, problem=trace.problem, completion=trace.completion, verdict=trace.verdict)
    _write_report(work, outcomes, tasks)


def _answer(problem: Problem, ledger: Ledger, key: str, style: Style) -> Trace:
    """Return a stored answer, read in the student's own style."""
    entry = ledger.get(key, 0)
    completion = read_completion(entry)
    output = style.split(entry.response["choices"][0]["message"]["content"])
    status = "truncated" if completion.status == "truncated" else "ok" if output.text.strip() else "empty_answer"
    read = completion.model_copy(update={"reasoning": output.reasoning, "text": output.text, "status": status})
    return Trace(problem=problem, completion=read)


def _write_report(work: Workspace, outcomes: Mapping[str, Counter[str]], tasks: Mapping[str, Task]) -> None:
    report = {}
    for task, counts in outcomes.items():
        n = counts.total()
        low, high = wilson(counts["correct"], n)
        report[task] = {
            "n": n,
            "accuracy": counts["correct"] / n if n else 0.0,
            "ci95": [low, high],
            "outcomes": dict(sorted(counts.items())),
            # What the report does not see in the rows.
            **tasks[task].marks,
        }
    write_text(work.folder / SCORES, json.dumps({"tasks": report}, indent=1) + "\n")
