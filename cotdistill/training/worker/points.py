"""The student as it was at each saved point, so that it can be asked there; beside the points to go on from.

4-train/points/step-100/  config.json  model.safetensors  tokenizer.json  training.json
"""
# ruff: noqa: ARG002 - the Trainer passes all of its state to every callback.

import shutil
from collections.abc import Callable

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.integrations.deepspeed import set_hf_deepspeed_config

from cotdistill.students import Student
from cotdistill.training.job import Job
from cotdistill.training.worker.saving import write


class PointsCallback(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Writes a student at every point that is saved, before that point counts as whole: none can be missed."""

    trainer: Trainer
    """Set once it is made, which takes its callbacks."""

    def __init__(self, job: Job, student: Student, *, dtype: str | None, seconds: Callable[[], float]) -> None:
        self.job = job
        self.student = student
        self.dtype = dtype
        self.seconds = seconds

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object) -> None:
        """Write the student of this step; that of the last one is the trained student itself."""
        if self.job.points is None or state.global_step >= state.max_steps:
            return
        point = self.job.model_copy(update={"output": self.job.points / f"step-{state.global_step}"})
        if state.is_world_process_zero:
            # A start that was cut off wrote it before it wrote where to go on from.
            shutil.rmtree(point.output, ignore_errors=True)
            self.job.points.mkdir(parents=True, exist_ok=True)
        on_each_node, args.save_on_each_node = args.save_on_each_node, False
        # What is drawn next does not depend on whether points are kept.
        with torch.random.fork_rng():
            write(self.trainer, self.student, point, dtype=self.dtype, seconds=self.seconds())
        args.save_on_each_node = on_each_node
        if (config := getattr(args, "hf_deepspeed_config", None)) is not None:
            # An adapter is merged into a base that is loaded whole, for which this was unset.
            set_hf_deepspeed_config(config)
