"""What can be known to be wrong before money or hours are spent: all faults of a run, found together."""

import importlib.util
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cotdistill.data.recorded import recorded
from cotdistill.errors import UserError
from cotdistill.pipeline.inputs import HOLDOUT, RunInputs
from cotdistill.pipeline.training_data import check_rationales_can_be_told, check_sets
from cotdistill.recipe.plan import Step
from cotdistill.recipe.recipe import Recipe
from cotdistill.records import Conversation, Problem, Sampling, Trace
from cotdistill.samplers import Sampler
from cotdistill.scoring.grading import check_judge
from cotdistill.stage import stages
from cotdistill.stages.sample import SampleOptions

log = logging.getLogger(__name__)

TRAIN_PACKAGES = ("torch", "transformers", "accelerate")


class Checks:
    """The checks of a recipe's steps against what they are made of."""

    def __init__(self, inputs: RunInputs) -> None:
        self.inputs = inputs

    def input_faults(self, steps: Iterable[Step]) -> list[UserError]:
        """Return what is wrong with problems, tasks and data sets: without them not even a key can be made."""
        return _faults(steps, self._check_source, self._check_datasets, self._check_tasks)

    def work_faults(self, steps: Iterable[Step]) -> list[UserError]:
        """Return what would stop these steps at their start: a key that is not set, a package, a folder."""
        return _faults(
            steps, self._check_roles, self._check_judge, self._check_packages, self._check_styles, self._check_student
        )

    def _check_roles(self, step: Step) -> None:
        for member in ("teacher", "judge"):
            chosen = getattr(step.recipe, member)
            if member in step.uses and chosen is not None:
                try:
                    built = chosen.build()
                    getattr(built, "check", lambda: None)()
                except UserError as error:
                    raise self.inputs.placed(error, (member,)) from None
                if step.stage.reads is Problem:
                    self._check_sampling(step, built)

    def _check_judge(self, step: Step) -> None:
        if "judge" in step.uses:
            judge = step.recipe.judge
            try:
                check_judge(step.recipe.verifier.build(), judge.build() if judge else None)
            except UserError as error:
                raise self.inputs.placed(error, ("verifier",)) from None

    def _check_sampling(self, step: Step, teacher: Sampler) -> None:
        """Raise where a budget cannot be counted; warn of options that the server is known to ignore."""
        options: SampleOptions = step.options  # type: ignore[assignment]
        if options.budget is not None and options.budget.usd is not None and teacher.prices is None:
            raise UserError(
                "a budget in US dollars needs the teacher's prices",
                self.inputs.recipe.source.where(("sample", "budget", "usd")),
                "add `teacher: {prices: {input: …, output: …}}`, per million tokens, or use `output_tokens`",
            )
        wanted = options.sampling(step.recipe.seed).model_dump(exclude_none=True)
        ignored = [
            name for name, value in wanted.items() if getattr(teacher.effective(Sampling(**wanted)), name) != value
        ]
        if ignored:
            log.warning("%s: ignored by this server, and not sent: %s", step.recipe.name, ", ".join(ignored))

    def _check_packages(self, step: Step) -> None:
        missing = [name for name in getattr(step.options, "packages", ()) if importlib.util.find_spec(name) is None]
        if missing:
            raise UserError(
                f"`{step.stage.name}` needs {', '.join(missing)}",
                self.inputs.recipe.source.where((step.stage.name,)),
                f"pip install 'cotdistill[{step.stage.name}]'",
            )

    def _check_source(self, step: Step) -> None:
        if step.upstream is not None:
            return
        if step.stage.reads in (Problem, Trace):
            if step.stage.reads is Trace:
                try:
                    recorded(self.inputs.recorded(step), self.inputs.catalog)
                except UserError as error:
                    raise self.inputs.placed(error, ("problems", "dataset")) from None
            problems = self.inputs.problems(step.recipe).sampled
            judged = stages()["filter"]
            # The filter's default is to keep what is right: a recipe without the section needs gold answers too.
            options: SampleOptions = step.options  # type: ignore[assignment]
            needs_gold = judged in step.recipe.chain() and step.recipe.section(judged).keep == "correct"  # type: ignore[attr-defined]
            if needs_gold or getattr(options, "until", None) is not None:
                self._check_gold("problems", problems, step.recipe)

    def _check_datasets(self, step: Step) -> None:
        if step.stage.reads is Conversation:
            try:
                check_sets(step, self.inputs.catalog)
            except UserError as error:
                raise self.inputs.placed(error, ("train", "dataset")) from None

    def _check_styles(self, step: Step) -> None:
        if step.stage.writes is Conversation:
            for entry in step.options.entries:  # type: ignore[attr-defined]
                try:
                    entry.style.build().check()
                except UserError as error:
                    raise self.inputs.placed(error, ("convert",)) from None
        if step.stage.reads is Conversation:
            try:
                check_rationales_can_be_told(step)
            except UserError as error:
                raise self.inputs.placed(error, ("train", "on_overlong")) from None

    def _check_student(self, step: Step) -> None:
        if step.stage.name not in ("train", "evaluate"):
            return
        if step.recipe.student is None:
            raise UserError(
                f"`student:` is missing: `{step.stage.name}` needs one", str(self.inputs.recipe.source.path)
            )
        try:
            getattr(step.recipe.student.build(), "check", lambda: None)()
        except UserError as error:
            raise self.inputs.placed(error, ("student", "model")) from None
        self._check_file(step, "deepspeed")
        missing = [name for name in TRAIN_PACKAGES if importlib.util.find_spec(name) is None]
        if missing:
            raise UserError(f"`{step.stage.name}` needs {', '.join(missing)}", hint="pip install 'cotdistill[train]'")

    def _check_file(self, step: Step, key: str) -> None:
        path = getattr(step.options, key, None)
        if isinstance(path, str | Path) and not Path(path).is_file():
            raise UserError(f"no file `{path}`", self.inputs.recipe.source.where(("train", key)))

    def _check_tasks(self, step: Step) -> None:
        if "tasks" in step.uses:
            for name, problems in self.inputs.tasks(step).items():
                # Whoever only keeps away from the questions needs no answers to them.
                if step.stage.name != "evaluate":
                    continue
                if not problems:
                    raise UserError(
                        f"the task `{name}` has no problems",
                        self.inputs.recipe.source.where(("evaluate", "tasks")),
                        "set some aside: `problems: {holdout: 300}`" if name == HOLDOUT else "",
                    )
                self._check_gold(name, problems, step.recipe)

    def _check_gold(self, name: str, problems: Sequence[Problem], recipe: Recipe) -> None:
        """Prove that the gold answers pass the recipe's verifier: what it cannot read it cannot grade."""
        verify = recipe.verifier.build()
        bad = [p for p in problems if p.gold is None or verify(p.gold, p.gold).outcome != "correct"]
        if len(bad) == len(problems):
            gold = "has no gold answer" if bad[0].gold is None else f"has the gold `{bad[0].gold[:40]}`"
            raise UserError(
                f"no gold answer of `{name}` passes the verifier `{recipe.verifier.kind}`; problem {bad[0].id} {gold}",
                self.inputs.recipe.source.where(("problems",)),
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
