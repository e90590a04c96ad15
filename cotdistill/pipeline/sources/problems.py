"""Problems: what a teacher is asked."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cotdistill.errors import UserError
from cotdistill.pipeline.inputs import RunInputs
from cotdistill.pipeline.problem_keys import asked_keys, problems_key
from cotdistill.pipeline.rounds import expected_problems, first_problems, round_problems
from cotdistill.recipe.plan import Step
from cotdistill.records import Problem, Record
from cotdistill.registry import KindOptions
from cotdistill.samplers.replay import Replay
from cotdistill.stage import Progress
from cotdistill.stages.sample import SampleOptions
from cotdistill.storage.keys import ListDigest
from cotdistill.storage.run_folder import read_manifest

log = logging.getLogger(__name__)

Json = Any  # Any: a JSON value


@dataclass(frozen=True)
class ProblemSource:
    """The problems of the recipe, the holdout left out."""

    inputs: RunInputs
    _keys: dict[tuple[str, str], Json] = field(default_factory=dict)
    """By the problems and the teacher's options: of a large set they take seconds."""
    _drawn: dict[str, Sequence[Problem]] = field(default_factory=dict)
    """What first rounds ask, by the signatures of their steps."""

    def check(self, step: Step) -> None:
        """Raise UserError where there are no problems, or no gold answers that a stage of the chain needs."""
        if step.upstream is None:
            check_problems(step, self.inputs)
            _tell_of_unasked(step, self.inputs)

    def key(self, step: Step) -> Mapping[str, Json]:
        """Return the hash of the problems and of what the teacher is asked about each."""
        if step.upstream is not None:
            return {}
        problems = self._first(step)
        options = step.recipe.teacher
        name = problems_key(problems), options.model_dump_json() if options else ""
        if name not in self._keys:
            try:
                self._keys[name] = self._asked(problems, options)
            except UserError as error:
                raise self.inputs.placed(error, ("teacher",), step.recipe) from None
        return {"rows": self._keys[name]}

    def _asked(self, problems: Sequence[Problem], teacher: KindOptions | None) -> Json:
        if teacher is None:
            return {"problems": problems_key(problems), "prompts": ListDigest().hex()}
        return asked_keys(problems, teacher, self.inputs.engine)

    def rows(self, step: Step, run: Path, progress: Progress) -> Iterable[Record]:  # noqa: ARG002
        """Return the problems; rows that could not be read go to the step's folder."""
        problems = self.inputs.problems(step.recipe)
        if step.upstreams:
            return round_problems(problems.sampled, step, run)
        problems.bad.write(run / step.folder)
        return self._first(step)

    def expected(self, step: Step, run: Path) -> Sequence[Problem]:
        """Return what a step will ask; as many others where that is not known yet."""
        if not step.upstreams:
            return self._first(step)
        problems = self.inputs.problems(step.recipe).sampled
        is_known = all(read_manifest(run / before.folder) is not None for before in step.upstreams)
        return round_problems(problems, step, run) if is_known else expected_problems(problems, step)

    def _first(self, step: Step) -> Sequence[Problem]:
        if step.signature not in self._drawn:
            self._drawn[step.signature] = first_problems(self.inputs.problems(step.recipe).sampled, step)
        return self._drawn[step.signature]


def _tell_of_unasked(step: Step, inputs: RunInputs) -> None:
    """Warn of recorded completions that no sample asks for."""
    teacher = step.recipe.teacher.build() if step.recipe.teacher else None
    if not isinstance(teacher, Replay) or not isinstance(step.options, SampleOptions):
        return
    samples = max(step.options.samples_per_problem, step.options.until.max_samples if step.options.until else 0)
    try:
        unasked, needed = teacher.count_unasked(inputs.problems(step.recipe).sampled, samples)
    except UserError:
        return  # the check of the teacher says it
    if unasked:
        said = "%s: %d recorded answers are not asked for: `sample: {samples_per_problem: %d}` asks for all of them"
        log.warning(said, teacher.path, unasked, needed)


def check_problems(step: Step, inputs: RunInputs) -> None:
    """Raise UserError where there are no problems, or no gold answers that a stage of the chain needs."""
    problems = inputs.problems(step.recipe).sampled
    are_judged = any(step.recipe.section(stage).needs_gold() for stage in step.recipe.chain())
    are_judged |= any(asked.needs_gold for asked in step.recipe.schedule)
    inputs.check_conflicts(step.recipe, are_judged=are_judged)
    if are_judged:
        inputs.check_gold("problems", problems, step.recipe)
