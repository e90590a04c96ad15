"""What a run is made of: its problems, tasks, data sets and base weights."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from cotdistill.data import Catalog, open_catalog
from cotdistill.data.problem_set import ProblemOptions, ProblemSet, load_problems
from cotdistill.data.recorded import content_key, recorded_traces
from cotdistill.errors import UserError, UserErrors
from cotdistill.pipeline.training_data import TrainingRows, registered_key
from cotdistill.recipe.plan import Step, task_names
from cotdistill.recipe.recipe import LoadedRecipe, Recipe
from cotdistill.records import Checkpoint, Conversation, Problem, Record, Trace
from cotdistill.stage import Progress, Workspace
from cotdistill.storage.keys import by_content, key_of, weights_fingerprint

log = logging.getLogger(__name__)

Json = Any  # Any: a JSON value
HOLDOUT = "holdout"
"""The task that is no registered set: the problems that the recipe sets aside."""


class RunInputs:
    """The inputs of a recipe, read once and only when they are needed."""

    def __init__(self, recipe: LoadedRecipe) -> None:
        self.recipe = recipe
        self._problems: dict[str, ProblemSet] = {}
        self._tasks: dict[str, tuple[Problem, ...]] = {}

    @cached_property
    def catalog(self) -> Catalog:
        """The registries of the working directory, beside the recipe and named by it, the last one winning.

        Raises: UserError.
        """
        try:
            return open_catalog([Path(), self.recipe.folder], self.recipe.main.data)
        except UserError as error:
            raise self.placed(error, ("data", "registry")) from None

    def problems(self, recipe: Recipe) -> ProblemSet:
        """Return the problems of an arm.

        Raises: UserError.
        """
        options = recipe.problems or _replayed(recipe)
        if options is None:
            raise UserError("`problems:` is missing", str(self.recipe.source.path), "say which questions to ask")
        key = options.model_dump_json() + str(recipe.seed)
        if key not in self._problems:
            try:
                self._problems[key] = load_problems(options, self.catalog, seed=recipe.seed)
            except UserError as error:
                raise self.placed(error, ("problems",)) from None
        return self._problems[key]

    def tasks(self, step: Step) -> Mapping[str, Sequence[Problem]]:
        """Return the problems that the recipe's evaluation asks, by task: nothing where it evaluates nothing.

        Raises: UserError.
        """
        names = getattr(step.options, "tasks", None) or task_names(step.recipe)
        return {name: self._task(name, step.recipe) for name in names}

    def tasks_key(self, step: Step) -> Json:
        """Return what tells these tasks from others."""
        return {name: _hash(problems) for name, problems in self.tasks(step).items()}

    def source_key(self, step: Step) -> Json:
        """Return what tells the input of a chain's first step from another."""
        if step.stage.reads is Problem:
            problems = self.problems(step.recipe).sampled
            teacher = step.recipe.teacher.build() if step.recipe.teacher else None
            try:
                prompts = [[m.content for m in teacher.messages(p)] for p in problems] if teacher else []
            except UserError as error:
                raise self.placed(error, ("teacher",)) from None
            return {"problems": _hash(problems), "prompts": key_of(prompts)}
        if step.stage.reads is Trace:
            options = self.recorded(step)
            content = content_key(self.catalog.find(options.dataset))
            return {"problems": _hash(self.problems(step.recipe).sampled), options.dataset: content}
        if step.stage.reads is Conversation:
            return self.datasets_key(step)
        return {"student": by_content(step.recipe.student.key_options()) if step.recipe.student else None}

    def source(self, step: Step, run: Path, progress: Progress) -> Iterable[Record]:
        """Return the rows that a chain's first step reads."""
        folder = run / step.folder
        if step.stage.reads is Problem:
            problems = self.problems(step.recipe)
            problems.bad.write(folder)
            return problems.sampled
        if step.stage.reads is Trace:
            sampled = self.problems(step.recipe).sampled
            return recorded_traces(self.recorded(step), self.catalog, sampled, folder)
        return [base_checkpoint(step, run, progress)]

    def conversations(self, step: Step, run: Path) -> TrainingRows:
        """Return what a train step learns from: what `convert` wrote, registered sets, or both by their shares."""
        return TrainingRows(step, self.catalog, run)

    def datasets_key(self, step: Step) -> Json:
        """Return what tells the registered sets of a train step from others; empty where it reads none."""
        return registered_key(step, self.catalog)

    def recorded(self, step: Step) -> ProblemOptions:
        """Return the problems whose recorded answers are the traces of a step without a teacher. Raises: UserError."""
        if step.recipe.problems is None:
            raise UserError(
                f"`{step.stage.name}` has nothing to read",
                str(self.recipe.source.path),
                "add a `teacher:` to sample, or name a set of traces in `problems:`",
            )
        return step.recipe.problems

    def _task(self, name: str, recipe: Recipe) -> tuple[Problem, ...]:
        if name == HOLDOUT:
            return self.problems(recipe).holdout
        if recipe.problems is not None and name == recipe.problems.dataset:
            raise UserError(
                f"`{name}` is what the student learns from, and cannot be a task",
                self.recipe.source.where(("evaluate", "tasks")),
                "use `holdout`, or register its test split under another name",
            )
        if name not in self._tasks:
            try:
                self._tasks[name] = tuple(self.catalog.find(name).problems())
            except UserError as error:
                raise self.placed(error, ("evaluate", "tasks")) from None
        return self._tasks[name]

    def placed(self, error: UserError, loc: tuple[str, ...]) -> UserError:
        """Return the error with its place in the recipe, where it has no place yet."""
        if error.where or isinstance(error, UserErrors):
            return error
        return type(error)(error.message, self.recipe.source.where(loc), error.hint)


def base_checkpoint(step: Step, run: Path, progress: Progress) -> Checkpoint:
    """Return the untrained student of a step, made where it must be made."""
    student = step.recipe.student
    if student is None:
        raise AssertionError("the check lets no baseline pass without a student")
    base = Workspace(run, run, step.recipe.seed, progress).base(student)
    path = Path(base)
    return Checkpoint(
        path=str(path.relative_to(run)) if path.is_relative_to(run) else base,
        fingerprint=weights_fingerprint(path) if path.is_dir() else base,
    )


def _replayed(recipe: Recipe) -> ProblemOptions | None:
    """Return the problems of a replayed teacher: its own file holds them."""
    path = getattr(recipe.teacher, "path", None)
    return ProblemOptions(dataset=str(path)) if path else None


def _hash(problems: Sequence[Problem]) -> str:
    return key_of(json.dumps([[p.id, p.question, p.gold] for p in problems], ensure_ascii=False))
