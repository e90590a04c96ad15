"""What a stage is handed for each role that it uses, built from the recipe's options."""

from pathlib import Path

from cotdistill.pipeline.inputs import RunInputs
from cotdistill.pipeline.teacher_exam import open_exam
from cotdistill.pipeline.training_data import learned_rows
from cotdistill.recipe.plan import Step
from cotdistill.recipe.recipe import LEARNED, TASKS, TEACHER


def open_role(role: str, step: Step, inputs: RunInputs, run: Path) -> object:
    """Return what a step is handed for a role: the kind that the recipe chooses, of a student its options alone.

    The teacher of an evaluation is its exam; `run` is the run's folder. Raises: UserError: a task cannot be read.
    """
    if role == TASKS:
        return inputs.asked(step)
    if role == LEARNED:
        return learned_rows(step, inputs.catalog, run)
    if role == TEACHER and step.asks_teacher:
        return open_exam(step.recipe)
    chosen = step.recipe.role(role)
    if chosen is None:
        raise AssertionError(f"{step.folder} needs `{role}`, which the check should have asked for")
    return chosen if role == "student" else chosen.build()
