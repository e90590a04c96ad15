"""Models of several runs in one table: the same exam or none."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from cotdistill.errors import UserError
from cotdistill.report.as_json import comparison_json, regression_json, tally_json
from cotdistill.report.data import ArmReport, JsonRow, ReportData
from cotdistill.report.exams import read_exam, what_differs
from cotdistill.report.pairs import Regression, all_pairs, regressions
from cotdistill.report.read import read_run
from cotdistill.report.scores import Pair
from cotdistill.report.tally import Tally


class Model(NamedTuple):
    """An evaluated arm of a run; its report's name is the one that it has in the table."""

    run: Path
    name: str
    """Of the arm in its run."""
    arm: ArmReport

    @property
    def rows(self) -> Path:
        """Folder of its graded answers."""
        return self.run / self.arm.stages["evaluate"].folder


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Models that were asked the same."""

    models: tuple[Model, ...]
    tasks: tuple[str, ...]
    pairs: tuple[Pair, ...]
    regressions: tuple[Regression, ...]
    """General tasks that an arm does worse than its own student did before training."""
    teachers: tuple[Model, ...] = ()
    """The teachers of the runs, whether they are compared or not."""

    @property
    def reference(self) -> Model:
        """What the others are shown against: the first untrained student, or else the first model."""
        return next((model for model in self.models if model.arm.is_untrained), self.models[0])

    def cell(self, model: Model, task: str) -> Tally | None:
        """Return a model's result in a task; None where it was not asked."""
        return model.arm.scores.tasks.get(task) if model.arm.scores else None

    def mean(self, model: Model) -> float | None:
        """Return the unweighted mean of a model's accuracies, 0..1; None where it was not asked all tasks."""
        found = [
            tally.accuracy for task in self.tasks if (tally := self.cell(model, task)) and tally.accuracy is not None
        ]
        return sum(found) / len(found) if len(found) == len(self.tasks) else None


def read_contest(targets: Sequence[str], *, only: Collection[str] = ()) -> Contest:
    """Return the models that `RUN` and `RUN:ARM` name; `only`: the tasks to compare, empty for all.

    Raises: UserError where a name is unknown, nothing is evaluated, or the exams differ.
    """
    runs: dict[Path, ReportData] = {}
    chosen: dict[tuple[Path, str], ArmReport] = {}
    for target in targets:
        run, name = _split(target)
        if run not in runs:
            runs[run] = read_run(run)
        for arm in _arms(runs[run], name, target):
            chosen[run, arm.name] = arm
    labels = _labels(list(runs))
    models = tuple(_model(run, arm, labels[run]) for (run, _), arm in chosen.items())
    _check_exams(models, only)
    arms = [model.arm for model in models]
    tasks = tuple(
        dict.fromkeys(task for arm in arms if arm.scores for task in arm.scores.tasks if not only or task in only)
    )
    if missing := [task for task in only if task not in tasks]:
        raise UserError(f"no model was asked `{missing[0]}`", "--task", f"asked: {', '.join(tasks) or _asked(arms)}")
    return Contest(
        models=models,
        tasks=tasks,
        pairs=tuple(all_pairs([_restricted(arm, tasks) for arm in arms])),
        regressions=_regressions(runs, models, tasks),
        teachers=tuple(
            _model(run, arm, labels[run])
            for run, data in runs.items()
            for arm in data.arms
            if arm.kind == "teacher" and arm.scores and arm.scores.n
        ),
    )


def as_json(contest: Contest) -> JsonRow:
    """Return the table as JSON values; accuracies and shares 0..1, differences in percentage points."""
    return {
        "tasks": list(contest.tasks),
        "models": [
            {
                "name": model.arm.name,
                "run": str(model.run),
                "arm": model.name,
                "kind": model.arm.kind,
                "mean_accuracy": contest.mean(model),
                "tasks": [
                    {"task": task, **tally_json(tally)}
                    for task in contest.tasks
                    if (tally := contest.cell(model, task))
                ],
            }
            for model in contest.models
        ],
        "pairs": [{"arm": pair.arm, **comparison_json(pair.comparison)} for pair in contest.pairs],
        "regressions": [regression_json(found) for found in contest.regressions],
    }


def _split(target: str) -> tuple[Path, str]:
    """Return the run's folder and the arm's name, empty for all of its arms."""
    if not Path(target).is_dir() and ":" in target:
        run, _, name = target.rpartition(":")
        return Path(run), name
    return Path(target), ""


def _arms(data: ReportData, name: str, target: str) -> list[ArmReport]:
    evaluated = [arm for arm in data.arms if arm.scores and arm.scores.n]
    if not name:
        if not evaluated:
            raise UserError("has no evaluated arm", target, "evaluate it with `cotdistill-cli run`")
        return evaluated
    found = [arm for arm in data.arms if name in (arm.name, arm.of)]
    if not found:
        names = [arm.name for arm in data.arms]
        near = get_close_matches(name, names, n=3) or names
        raise UserError(f"has no arm `{name}`", target, f"arms: {', '.join(near)}")
    if missing := [arm.name for arm in found if arm not in evaluated]:
        raise UserError(f"`{missing[0]}` is not evaluated yet", target, "go on with `cotdistill-cli run`")
    return found


def _labels(runs: Sequence[Path]) -> dict[Path, str]:
    """Return what stands before an arm's name: nothing for one run, its folder's name, its path where names repeat."""
    if len(runs) == 1:
        return {runs[0]: ""}
    names = [run.resolve().name for run in runs]
    return {run: f"{name if names.count(name) == 1 else run}:" for run, name in zip(runs, names, strict=True)}


def _model(run: Path, arm: ArmReport, label: str) -> Model:
    return Model(run, arm.name, replace(arm, name=f"{label}{arm.name}"))


def _check_exams(models: Sequence[Model], only: Collection[str]) -> None:
    """Raise where a model of another run was asked what no model of the first run was asked."""
    first, *others = models
    exams = {model.arm.name: read_exam(model.run, model.arm) for model in models}
    known = [exams[model.arm.name] for model in models if model.run == first.run]
    for model in others:
        if model.run == first.run:
            continue
        found = [list(what_differs(exam, exams[model.arm.name], only)) for exam in known]
        if all(found):
            fewest = min(found, key=len)
            raise UserError(
                f"was not examined like {first.arm.name}: {'; '.join(fewest)}",
                model.arm.name,
                "compare what was asked alike; `--task NAME` leaves other tasks out",
            )


def _restricted(arm: ArmReport, tasks: Collection[str]) -> ArmReport:
    """Return the arm with these tasks alone."""
    if arm.scores is None:
        return arm
    kept = {task: results for task, results in arm.scores.results.items() if task in tasks}
    return replace(arm, scores=replace(arm.scores, results=kept))


def _regressions(
    runs: dict[Path, ReportData], models: Sequence[Model], tasks: Collection[str]
) -> tuple[Regression, ...]:
    shown = {(model.run, model.name): model.arm.name for model in models}
    return tuple(
        drop._replace(arm=shown[run, drop.arm])
        for run, data in runs.items()
        for drop in regressions(data.arms)
        if (run, drop.arm) in shown and drop.task in tasks
    )


def _asked(arms: Sequence[ArmReport]) -> str:
    return ", ".join(dict.fromkeys(task for arm in arms if arm.scores for task in arm.scores.tasks))
