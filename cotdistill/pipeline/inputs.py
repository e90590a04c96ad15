"""What a run is made of: its problems, its tasks and its registries of data sets."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

from cotdistill.data import Catalog, open_catalog
from cotdistill.data.golds import conflict_faults, gold_check, said_of, same_by
from cotdistill.data.kept_problems import kept_problems
from cotdistill.data.problem_set import ProblemOptions, ProblemSet, load_problems
from cotdistill.data.recorded import content_key
from cotdistill.data.stored_problems import StoredProblems
from cotdistill.data.task import Task
from cotdistill.data.task_reader import TaskReader
from cotdistill.engines import Engine
from cotdistill.engines.local import LocalEngine
from cotdistill.engines.rows import map_rows
from cotdistill.errors import RecipeFault, UserError, UserErrors, raise_all
from cotdistill.pipeline.problem_keys import problem_fields, problems_key
from cotdistill.recipe.plan import Step
from cotdistill.recipe.recipe import TASKS, LoadedRecipe, Recipe
from cotdistill.records import Problem, Trace
from cotdistill.registry import KindOptions
from cotdistill.scoring.harness.local_data import HarnessExam, open_exam
from cotdistill.stages.average import CHOICE
from cotdistill.stages.evaluate import EvaluateOptions
from cotdistill.storage.keys import by_content, code_key, draw, key_of
from cotdistill.yamlfile import Loc

log = logging.getLogger(__name__)

Json = Any  # Any: a JSON value
HOLDOUT = "holdout"
"""The task that is no registered set: the problems that the recipe sets aside."""


class RunInputs:
    """The inputs of a recipe, read once and only when they are needed."""

    def __init__(self, recipe: LoadedRecipe, *, kept_in: Path | None = None) -> None:
        """`kept_in` is the folder in which large sets of problems are kept for the next start."""
        self.recipe = recipe
        self._kept_in = kept_in
        self._problems: dict[str, ProblemSet] = {}
        self._contents: dict[str, Json] = {}
        self._tasks: dict[str, Task] = {}
        self._exams: dict[str, HarnessExam] = {}

    @cached_property
    def catalog(self) -> Catalog:
        """The registries of the working directory, beside the recipe and named by it, the last one winning.

        Raises: UserError.
        """
        try:
            return open_catalog([Path(), self.recipe.folder], self.recipe.main.data)
        except UserError as error:
            raise self.placed(error, ("data", "registry")) from None

    def content_key(self, name: str) -> Json:
        """Return what tells the files of a data set from others; they are read once."""
        if name not in self._contents:
            self._contents[name] = content_key(self.catalog.find(name))
        return self._contents[name]

    def problems(self, recipe: Recipe) -> ProblemSet:
        """Return the problems of an arm; the exam is the recipe's, and an arm on other problems learns none of it.

        Raises: UserError.
        """
        options = recipe.problems or _replayed(recipe)
        if options is None:
            raise UserError("`problems:` is missing", str(self.recipe.source.path), "say which questions to ask")
        verifier = recipe.verifier.model_dump(mode="json")
        key = key_of([options.model_dump(mode="json"), recipe.seed, self._is_recorded(recipe, options), verifier])
        if key not in self._problems:
            try:
                self._problems[key] = self._load_problems(options, recipe)
            except UserError as error:
                raise self.placed(error, ("problems",), recipe) from None
        return self._problems[key]

    def _load_problems(self, options: ProblemOptions, recipe: Recipe) -> ProblemSet:
        main = self.recipe.main
        common = main.problems or _replayed(main)
        if common is None or (common, main.seed) == (options, recipe.seed):
            return self._kept_problems(options, recipe)
        exam = self.problems(main).holdout
        return self._kept_problems(options.model_copy(update={"holdout": 0}), recipe).without(exam)

    def _kept_problems(self, options: ProblemOptions, recipe: Recipe) -> ProblemSet:
        by_row, is_same = self._is_recorded(recipe, options), same_by(recipe.verifier.build())
        read = partial(load_problems, options, self.catalog, seed=recipe.seed, by_row=by_row, is_same=is_same)
        # Rows that bring their answers are read for those, too.
        folder = None if by_row else self._kept_in
        found = partial(read, engine=self.engine)
        return kept_problems(options, self.catalog, found, folder=folder, seed=recipe.seed, verifier=recipe.verifier)

    def _is_recorded(self, recipe: Recipe, options: ProblemOptions) -> bool:
        """Return whether the rows of these problems bring the answers that are learned from."""
        own = _replayed(recipe)
        if recipe.teacher is None or own is None:
            return recipe.teacher is None
        return Path(own.dataset) == Path(self.catalog.file(options.dataset) or options.dataset)

    @property
    def engine(self) -> Engine:
        """What reads and checks the problems: as many processes as the filter has."""
        return LocalEngine(self.recipe.main.filter.processes if self.recipe.main.filter else None)

    def tasks(self, recipe: Recipe) -> Mapping[str, Task]:
        """Return the tasks that a recipe's evaluation names, whole: nothing where it evaluates nothing.

        Raises: UserError, UserErrors: everything that is missing.
        """
        if recipe.evaluate is not None and recipe.evaluate.mode == "harness":
            return self._harness_exam(recipe.evaluate)
        found: dict[str, Task] = {}
        faults: dict[str, UserError] = {}
        for name in recipe.tasks:
            try:
                found[name] = self._task(name, recipe)
            except UserError as error:
                placed = self.placed(error, ("evaluate", TASKS))
                each = placed.faults if isinstance(placed, UserErrors) else [placed]
                # Two tasks may ask one set, which is missing once.
                faults.update({fault.message: fault for fault in each if fault.message not in faults})
        raise_all(list(faults.values()))
        return found

    def _harness_exam(self, options: EvaluateOptions) -> HarnessExam:
        """Return lm-eval's tasks. Raises: UserError."""
        key = options.harness.model_dump_json() + str(options.tasks)
        if key not in self._exams:
            try:
                self._exams[key] = open_exam(options.tasks, self.catalog, options.harness)
            except UserError as error:
                raise self.placed(error, ("evaluate", TASKS)) from None
        return self._exams[key]

    def exam(self, recipe: Recipe) -> Mapping[str, Task]:
        """Return what a recipe's evaluation asks: its tasks, each cut off at `limit`; lm-eval cuts off its own.

        Raises: UserError, UserErrors: everything that is missing.
        """
        tasks = self.tasks(recipe)
        if isinstance(tasks, HarnessExam):
            return tasks
        limit = recipe.evaluate.limit if recipe.evaluate else None
        counted = {name: self._of_table(task, recipe) for name, task in tasks.items()}
        return {name: task.first(limit, seed=self.recipe.main.seed) for name, task in counted.items()}

    def choice(self, recipe: Recipe) -> tuple[Problem, ...]:
        """Return the half of the holdout that one of several averages is chosen on. Raises: UserError."""
        holdout = tuple(self.problems(recipe).holdout)
        drawn = sorted(holdout, key=lambda problem: draw(self.recipe.main.seed, CHOICE, problem.id))
        half = {problem.id for problem in drawn[: len(drawn) // 2]}
        return tuple(problem for problem in holdout if problem.id in half)

    def _of_table(self, task: Task, recipe: Recipe) -> Task:
        """Return what of a task a table counts: of the holdout the half that nothing is chosen on."""
        arms = (arm.recipe for arm in self.recipe.arms)
        if task.name != HOLDOUT or not any(arm.average is not None and arm.average.chooses for arm in arms):
            return task
        chosen_on = {problem.id for problem in self.choice(recipe)}
        return replace(task, problems=tuple(p for p in task.problems if p.id not in chosen_on))

    def asked(self, step: Step) -> Mapping[str, Task]:
        """Return the tasks as a step needs them: what it asks, or all that it keeps away from. Raises: UserError."""
        return self.exam(step.recipe) if TASKS in step.stage.requires else self.tasks(step.recipe)

    def tasks_key(self, step: Step) -> Json:
        """Return what tells the tasks of a step from others; where it keeps away from them, the questions alone."""
        key = _task_key if TASKS in step.stage.requires else _questions_key
        return {name: key(task) for name, task in self.asked(step).items()}

    def check_gold(
        self, name: str, problems: Sequence[Problem], recipe: Recipe, *, verifier: KindOptions | None = None
    ) -> None:
        """Raise UserError where no gold answer passes its verifier: what it cannot read it cannot grade.

        `verifier` is a task's own; default: the recipe's.
        """
        chosen = verifier or recipe.verifier
        failing, first = self._failing_golds(problems, chosen)
        if failing == len(problems):
            problem, gold = first[0]
            said = "has no gold answer" if gold is None else f"has the gold `{gold}`"
            raise UserError(
                f"no gold answer of `{name}` passes the verifier `{chosen.kind}`; problem {problem} {said}",
                self.where(("evaluate", TASKS) if verifier else ("problems",), recipe),
                "choose another `verifier:`, name the column that holds the final answer, or `filter: {keep: all}`",
            )
        if failing:
            where = self.where(("problems",), recipe) if name == "problems" else name
            text = "%s: %d of %d problems have no gold answer that `%s` can read: %s"
            log.warning(text, where, failing, len(problems), chosen.kind, "; ".join(map(_said_of, first)))

    def _failing_golds(self, problems: Sequence[Problem], verifier: KindOptions) -> tuple[int, list[list[str | None]]]:
        """Return how many gold answers a verifier cannot read, and the first five, behind their problems."""

        def check() -> str:
            found = filter(None, map_rows(self.engine, partial(gold_check, verifier.build()), problems))
            first = list(islice(found, 5))  # a large set without gold answers fails in every row
            return json.dumps([len(first) + sum(1 for _ in found), first])

        name = f"golds {key_of([by_content(verifier), code_key(verifier.of_kind.target)])}"
        failing, first = json.loads(problems.remember(name, check) if isinstance(problems, StoredProblems) else check())
        return failing, first

    def check_conflicts(self, recipe: Recipe, *, are_judged: bool) -> None:
        """Raise UserErrors where questions have several gold answers and answers are judged by them; else warn."""
        conflicts = self.problems(recipe).conflicts
        is_allowed = recipe.problems is not None and recipe.problems.allow_conflicts
        if conflicts and are_judged and not is_allowed:
            raise_all(conflict_faults(conflicts, self.where(("problems",), recipe)))
        if conflicts:
            log.warning("%s; the first: %s: %s", said_of(conflicts), conflicts[0].where, conflicts[0])

    def _task(self, name: str, recipe: Recipe) -> Task:
        if name == HOLDOUT:
            return Task(HOLDOUT, self.problems(recipe).holdout)
        if recipe.problems is not None and recipe.problems.dataset in self._reader.sets_of(name):
            raise UserError(
                f"`{name}` is what the student learns from, and cannot be a task",
                hint='use `holdout`, or name its test split in the entry: `"task": {"sets": …}`',
            )
        if name not in self._tasks:
            self._tasks[name] = self._reader.read(name)
        return self._tasks[name]

    @cached_property
    def _reader(self) -> TaskReader:
        return TaskReader(self.catalog)

    def where(self, loc: Loc, recipe: Recipe | None = None) -> str:
        """Return `file:line: key` of a value, in the arm that overrides it; `recipe` is the arm's."""
        source = self.recipe.source if recipe is None else self.recipe.source_of(recipe)
        return source.where(loc)

    def placed(self, error: UserError, loc: Loc, recipe: Recipe | None = None) -> UserError:
        """Return the error with its place in the recipe: `loc` where it has none yet, or the key that it names.

        `recipe` is that of the arm that has it; default: what all arms share.
        """
        if isinstance(error, UserErrors):
            return UserErrors([self.placed(fault, loc, recipe) for fault in error.faults])
        if isinstance(error, RecipeFault):
            loc = tuple(int(key) if key.isdigit() else key for key in error.where.split("."))
            return UserError(error.message, self.where(loc, recipe), error.hint)
        if error.where:
            return error
        return type(error)(error.message, self.where(loc, recipe), error.hint)


def _replayed(recipe: Recipe) -> ProblemOptions | None:
    """Return the problems of a replayed teacher: its own file holds them."""
    path = getattr(recipe.teacher, "path", None)
    return ProblemOptions(dataset=str(path)) if path else None


def _said_of(failing: Sequence[str | None]) -> str:
    problem, gold = failing
    return f"problem {problem} has none" if gold is None else f"problem {problem} has `{gold}`"


def _questions_key(task: Task) -> Json:
    return problems_key(task.problems)


def _task_key(task: Task) -> Json:
    """Return what tells a task from others: its problems, and how they are asked and graded where it says so."""
    problems, said = problems_key(task.problems), by_content(task.options)
    shots = {group: [_shot_key(shot) for shot in found] for group, found in task.shots.items()}
    if not said and not shots:
        return problems
    return {"problems": problems, **said, **({"shots": key_of(shots)} if shots else {})}


def _shot_key(shot: Trace) -> list[Json]:
    return [*problem_fields(shot.problem), shot.completion.reasoning, shot.completion.text]
