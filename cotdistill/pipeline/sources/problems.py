"""Problems: what a teacher is asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cotdistill.errors import UserError
from cotdistill.pipeline.inputs import RunInputs, problems_key
from cotdistill.pipeline.sources._upstream import upstream_rows
from cotdistill.recipe.plan import Step
from cotdistill.records import Problem, Record
from cotdistill.stage import Progress
from cotdistill.storage.keys import key_of, key_of_each

Json = Any  # Any: a JSON value


@dataclass(frozen=True)
class ProblemSource:
    """The problems of the recipe, the holdout left out."""

    inputs: RunInputs

    def check(self, step: Step) -> None:
        """Raise UserError where there are no problems, or no gold answers that a stage of the chain needs."""
        if step.upstream is None:
            check_problems(step, self.inputs)

    def key(self, step: Step) -> Mapping[str, Json]:
        """Return the hash of the problems and of what the teacher is asked about each."""
        if step.upstream is not None:
            return {}
        problems = self.inputs.problems(step.recipe).sampled
        teacher = step.recipe.teacher.build() if step.recipe.teacher else None
        try:
            prompts = key_of_each([m.content for m in teacher.messages(p)] for p in problems) if teacher else key_of([])
        except UserError as error:
            raise self.inputs.placed(error, ("teacher",), step.recipe) from None
        return {"rows": {"problems": problems_key(problems), "prompts": prompts}}

    def rows(self, step: Step, run: Path, progress: Progress) -> Iterable[Record]:  # noqa: ARG002
        """Return the problems; rows that could not be read go to the step's folder."""
        if step.upstream is not None:
            return upstream_rows(step.upstream, run, Problem)
        problems = self.inputs.problems(step.recipe)
        problems.bad.write(run / step.folder)
        return problems.sampled


def check_problems(step: Step, inputs: RunInputs) -> None:
    """Raise UserError where there are no problems, or no gold answers that a stage of the chain needs."""
    problems = inputs.problems(step.recipe).sampled
    if any(step.recipe.section(stage).needs_gold() for stage in step.recipe.chain()):
        inputs.check_gold("problems", problems, step.recipe)
