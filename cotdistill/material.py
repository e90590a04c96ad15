"""What a run is made of: its problems, tasks, data sets and base weights; and all that can be checked about them."""

import importlib.util
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from cotdistill.catalog import Catalog, open_catalog
from cotdistill.errors import UserError
from cotdistill.plan import Step, by_content
from cotdistill.problem_set import ProblemOptions, ProblemSet, load_problems
from cotdistill.recipe import Cast, Recipe
from cotdistill.records import Checkpoint, Conversation, Problem, Record, Sampling
from cotdistill.runs import key_of, weights_fingerprint
from cotdistill.samplers import Sampler
from cotdistill.stage import Progress, Workspace, stages
from cotdistill.stages.sample import SampleOptions

log = logging.getLogger(__name__)

Json = Any  # Any: a JSON value
HOLDOUT = "holdout"
"""The task that is no registered set: the problems that the recipe sets aside."""
TRAIN_PACKAGES = ("torch", "transformers", "accelerate")


class Material:
    """The inputs of a recipe, read once and only when they are needed."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._problems: dict[str, ProblemSet] = {}
        self._tasks: dict[str, tuple[Problem, ...]] = {}

    @cached_property
    def catalog(self) -> Catalog:
        """The registries of the working directory and beside the recipe, the latter winning."""
        return open_catalog([Path(), self.recipe.folder])

    def problems(self, recipe: Cast) -> ProblemSet:
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
                raise self._placed(error, ("problems",)) from None
        return self._problems[key]

    def tasks(self, step: Step) -> Mapping[str, Sequence[Problem]]:
        """Return the problems that an evaluation asks, by task.

        Raises: UserError.
        """
        names = step.options.tasks  # type: ignore[attr-defined]
        return {name: self._task(name, step.recipe) for name in names}

    def tasks_key(self, step: Step) -> Json:
        """Return what tells these tasks from others."""
        return {name: _hash(problems) for name, problems in self.tasks(step).items()}

    def source_key(self, step: Step) -> Json:
        """Return what tells the input of a chain's first step from another."""
        if step.stage.reads is Problem:
            problems = self.problems(step.recipe).sampled
            teacher = step.recipe.teacher.build() if step.recipe.teacher else None
            prompts = [[m.content for m in teacher.messages(p)] for p in problems] if teacher else []
            return {"problems": _hash(problems), "prompts": key_of(prompts)}
        if step.stage.reads is Conversation:
            name = _dataset(step)
            dataset = self.catalog.find(name)
            return {name: by_content(str(dataset.file)) if dataset.file else dataset.entry.model_dump(mode="json")}
        return {"student": by_content(step.recipe.student.key_options()) if step.recipe.student else None}

    def source(self, step: Step, run: Path, progress: Progress) -> Iterable[Record]:
        """Return the rows that a chain's first step reads."""
        if step.stage.reads is Problem:
            return self.problems(step.recipe).sampled
        if step.stage.reads is Conversation:
            return self.catalog.find(_dataset(step)).conversations()
        return [base_checkpoint(step, run, progress)]

    def converted(self, convert: Step, folder: Path) -> Iterator[Conversation]:
        """Return the conversations of a finished convert step, read as any registered set is."""
        return open_catalog([folder]).find(convert.options.dataset).conversations()  # type: ignore[attr-defined]

    def input_faults(self, steps: Iterable[Step]) -> list[UserError]:
        """Return what is wrong with problems, tasks and data sets: without them not even a key can be made."""
        return _faults(steps, self._check_source, self._check_tasks)

    def work_faults(self, steps: Iterable[Step]) -> list[UserError]:
        """Return what would stop these steps at their start: a key that is not set, a package, a folder."""
        return _faults(steps, self._check_cast, self._check_student)

    def _check_cast(self, step: Step) -> None:
        for member in ("teacher", "judge"):
            chosen = getattr(step.recipe, member)
            if member in step.uses and chosen is not None:
                try:
                    built = chosen.build()
                    getattr(built, "check", lambda: None)()
                except UserError as error:
                    raise self._placed(error, (member,)) from None
                if step.stage.reads is Problem:
                    self._check_sampling(step, built)

    def _check_sampling(self, step: Step, teacher: Sampler) -> None:
        """Raise where a budget cannot be counted; warn of options that the server is known to ignore."""
        options: SampleOptions = step.options  # type: ignore[assignment]
        if options.budget is not None and options.budget.usd is not None and teacher.prices is None:
            raise UserError(
                "a budget in US dollars needs the teacher's prices",
                self.recipe.source.where(("sample", "budget", "usd")),
                "add `teacher: {prices: {input: …, output: …}}`, per million tokens, or use `output_tokens`",
            )
        wanted = options.sampling(step.recipe.seed).model_dump(exclude_none=True)
        ignored = [
            name for name, value in wanted.items() if getattr(teacher.effective(Sampling(**wanted)), name) != value
        ]
        if ignored:
            log.warning("%s: ignored by this server, and not sent: %s", step.recipe.name, ", ".join(ignored))

    def _check_source(self, step: Step) -> None:
        if step.upstream is not None:
            return
        if step.stage.reads is Problem:
            problems = self.problems(step.recipe).sampled
            judged = stages()["filter"]
            # The filter's default is to keep what is right: a recipe without the section needs gold answers too.
            options: SampleOptions = step.options  # type: ignore[assignment]
            needs_gold = judged in step.recipe.chain() and step.recipe.section(judged).keep == "correct"  # type: ignore[attr-defined]
            if needs_gold or options.until is not None:
                self._check_gold("problems", problems, step.recipe)
        elif step.stage.reads is Conversation:
            name = _dataset(step)
            if not name:
                raise UserError(
                    f"`{step.stage.name}` has nothing to read",
                    str(self.recipe.source.path),
                    "add a `teacher:` to sample, or `train: {dataset: …}`",
                )
            try:
                self.catalog.find(name).check()
            except UserError as error:
                raise self._placed(error, ("train", "dataset")) from None

    def _check_student(self, step: Step) -> None:
        if step.stage.name not in ("train", "evaluate"):
            return
        if step.recipe.student is None:
            raise UserError(f"`student:` is missing: `{step.stage.name}` needs one", str(self.recipe.source.path))
        try:
            getattr(step.recipe.student.build(), "check", lambda: None)()
        except UserError as error:
            raise self._placed(error, ("student", "model")) from None
        self._check_file(step, "deepspeed")
        missing = [name for name in TRAIN_PACKAGES if importlib.util.find_spec(name) is None]
        if missing:
            raise UserError(f"`{step.stage.name}` needs {', '.join(missing)}", hint="pip install 'cotdistill[train]'")

    def _check_file(self, step: Step, key: str) -> None:
        path = getattr(step.options, key, None)
        if isinstance(path, str | Path) and not Path(path).is_file():
            raise UserError(f"no file `{path}`", self.recipe.source.where(("train", key)))

    def _check_tasks(self, step: Step) -> None:
        if "tasks" in step.uses:
            for name, problems in self.tasks(step).items():
                if not problems:
                    raise UserError(
                        f"the task `{name}` has no problems",
                        self.recipe.source.where(("evaluate", "tasks")),
                        "set some aside: `problems: {holdout: 300}`" if name == HOLDOUT else "",
                    )
                self._check_gold(name, problems, step.recipe)

    def _check_gold(self, name: str, problems: Sequence[Problem], recipe: Cast) -> None:
        """Prove that the gold answers pass the recipe's verifier: what it cannot read it cannot grade."""
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
                "%s: the gold of %d of %d problems fails its own verifier: %s",
                name,
                len(bad),
                len(problems),
                names,
            )

    def _task(self, name: str, recipe: Cast) -> tuple[Problem, ...]:
        if name == HOLDOUT:
            return self.problems(recipe).holdout
        if recipe.problems is not None and name == recipe.problems.dataset:
            raise UserError(
                f"`{name}` is what the student learns from, and no exam",
                self.recipe.source.where(("evaluate", "tasks")),
                "use `holdout`, or register its test split under another name",
            )
        if name not in self._tasks:
            try:
                self._tasks[name] = tuple(self.catalog.find(name).problems())
            except UserError as error:
                raise self._placed(error, ("evaluate", "tasks")) from None
        return self._tasks[name]

    def _placed(self, error: UserError, loc: tuple[str, ...]) -> UserError:
        """Return the error with its place in the recipe, where it has no place yet."""
        if error.where:
            return error
        return type(error)(error.message, self.recipe.source.where(loc), error.hint)


def _faults(steps: Iterable[Step], *checks: Callable[[Step], None]) -> list[UserError]:
    found: dict[str, UserError] = {}
    for step in steps:
        for check in checks:
            try:
                check(step)
            except UserError as error:
                # Arms share most of their steps: each fault is said once.
                found.setdefault(str(error), error)
    return list(found.values())


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


def _replayed(recipe: Cast) -> ProblemOptions | None:
    """Return the problems of a replayed teacher: its own file holds them."""
    path = getattr(recipe.teacher, "path", None)
    return ProblemOptions(dataset=str(path)) if path else None


def _dataset(step: Step) -> str:
    return getattr(step.options, "dataset", None) or ""


def _hash(problems: Sequence[Problem]) -> str:
    return key_of(json.dumps([[p.id, p.question, p.gold] for p in problems], ensure_ascii=False))
