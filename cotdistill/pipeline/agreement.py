"""What sections and roles must agree in, each of which is well by itself."""

import logging
from collections.abc import Iterator

from cotdistill.errors import RecipeFault, UserError
from cotdistill.pipeline.inputs import RunInputs
from cotdistill.recipe.plan import Step
from cotdistill.samplers.replay import Replay
from cotdistill.stages.filter import FilterOptions
from cotdistill.stages.sample import SampleOptions

log = logging.getLogger(__name__)


def check_agreement(step: Step, inputs: RunInputs) -> None:
    """Raise RecipeFault where a step asks for what another part of the recipe does not give."""
    check_attempts(step)
    check_recorded(step, inputs)


def check_attempts(step: Step) -> None:
    """Raise RecipeFault where the answers to a problem are looked at together, and each has one answer."""
    if not isinstance(step.options, FilterOptions):
        return
    looked_at = step.options.pass_rate is not None, step.options.votes
    if not any(looked_at):
        return
    asked = next((before.options for before in _before(step) if isinstance(before.options, SampleOptions)), None)
    if asked is None:
        return  # recorded answers: how many there are of a problem, the rows say
    most = max(asked.samples_per_problem, asked.until.max_samples if asked.until else 0)
    if most < 2:
        raise RecipeFault(
            "one answer to a problem has no share that is right" if looked_at[0] else "one answer is no majority",
            "filter.pass_rate" if looked_at[0] else "filter.keep",
            "write `sample: {samples_per_problem: 8}`",
        )


def check_recorded(step: Step, inputs: RunInputs) -> None:
    """Raise RecipeFault where a replayed teacher has no answers to the problems that it is asked."""
    if not isinstance(step.options, SampleOptions) or step.upstream is not None or step.recipe.teacher is None:
        return
    teacher = step.recipe.teacher.build()
    if not isinstance(teacher, Replay):
        return
    try:
        problems = inputs.problems(step.recipe).sampled
        missing = teacher.count_unrecorded(problems)
    except UserError:
        return  # the checks of problems and of the teacher say so
    said = f"{missing:,} of {len(problems):,} problems have no recorded answer in {teacher.path}"
    if missing > step.options.max_failed * len(problems):
        hint = "leave out `problems:` to ask what the file holds, or name the file of these problems"
        raise RecipeFault(said, "teacher.path", hint)
    if missing:
        log.warning("%s: %s", inputs.where(("teacher", "path"), step.recipe), said)


def _before(step: Step) -> Iterator[Step]:
    """Yield the steps that a step's rows come from, the nearest first."""
    while step.upstream is not None:
        step = step.upstream
        yield step
