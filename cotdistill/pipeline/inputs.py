"""What a run is made of: its problems, its tasks and its registries of data sets."""

import json
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from cotdistill.data import Catalog, open_catalog
from cotdistill.data.problem_set import ProblemOptions, ProblemSet, load_problems
from cotdistill.errors import RecipeFault, UserError, UserErrors
from cotdistill.recipe.recipe import LoadedRecipe, Recipe
from cotdistill.records import Problem
from cotdistill.storage.keys import key_of

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

    def tasks(self, recipe: Recipe) -> Mapping[str, Sequence[Problem]]:
        """Return the problems that a recipe's evaluation asks, by task: nothing where it evaluates nothing.

        Raises: UserError.
        """
        return {name: self._task(name, recipe) for name in recipe.tasks}

    def tasks_key(self, recipe: Recipe) -> Json:
        """Return what tells these tasks from others."""
        return {name: problems_key(problems) for name, problems in self.tasks(recipe).items()}

    def check_gold(self, name: str, problems: Sequence[Problem], recipe: Recipe) -> None:
        """Raise UserError where no gold answer passes the recipe's verifier: what it cannot read it cannot grade."""
        verify = recipe.verifier.build()
        bad = [p for p in problems if p.gold is None or verify(p.gold, p.gold).outcome != "correct"]
        if len(bad) == len(problems):
            gold = "has no gold answer" if bad[0].gold is None else f"has the gold `{bad[0].gold[:40]}`"
            raise UserError(
                f"no gold answer of `{name}` passes the verifier `{recipe.verifier.kind}`; problem {bad[0].id} {gold}",
                self.recipe.source.where(("problems",)),
                "choose another `verifier:`, name the column that holds the final answer, or `filter: {keep: all}`",
            )
        if bad:
            names = ", ".join(p.id for p in bad[:5])
            log.warning(
                "%s: the gold of %d of %d problems fails its own verifier: %s", name, len(bad), len(problems), names
            )

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
                self._tasks[name] = tuple(self.catalog.find(name).read_problems())
            except UserError as error:
                raise self.placed(error, ("evaluate", "tasks")) from None
        return self._tasks[name]

    def placed(self, error: UserError, loc: tuple[str, ...]) -> UserError:
        """Return the error with its place in the recipe: `loc` where it has none yet, or the key that it names."""
        if isinstance(error, UserErrors):
            return UserErrors([self.placed(fault, loc) for fault in error.faults])
        if isinstance(error, RecipeFault):
            return UserError(error.message, self.recipe.source.where(tuple(error.where.split("."))), error.hint)
        if error.where:
            return error
        return type(error)(error.message, self.recipe.source.where(loc), error.hint)


def _replayed(recipe: Recipe) -> ProblemOptions | None:
    """Return the problems of a replayed teacher: its own file holds them."""
    path = getattr(recipe.teacher, "path", None)
    return ProblemOptions(dataset=str(path)) if path else None


def problems_key(problems: Sequence[Problem]) -> str:
    """Return what tells these problems from others."""
    return key_of(json.dumps([[p.id, p.question, p.gold] for p in problems], ensure_ascii=False))
