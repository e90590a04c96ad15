"""A stop that loses no step: asked for by a file, agreed on by all ranks at a step's end, saved as a checkpoint."""
# ruff: noqa: ARG002 - the Trainer passes all of its state to every callback.

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from cotdistill.errors import Interrupted
from cotdistill.training.job import Job
from cotdistill.training.worker.process import STOPPED


class StopCallback(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Ends training after a step, with a checkpoint, once the job's stop file is there."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.stopped_at: int | None = None
        """Step after which training was stopped; None: it was not."""
        self.group: torch.distributed.ProcessGroup | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """Open a group in which ranks agree."""
        if torch.distributed.is_initialized() and args.world_size > 1:
            # On the CPU: asking a device at every step would wait for all that it has still to do.
            self.group = torch.distributed.new_group(backend="gloo")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> TrainerControl:
        """Stop on all ranks or on none; after the last step the student is saved instead."""
        asked = torch.tensor(int(state.is_local_process_zero and self.job.stop.exists()))
        if self.group is not None:
            torch.distributed.all_reduce(asked, group=self.group)
        if asked and state.global_step < state.max_steps:
            control.should_save = control.should_training_stop = True
            self.stopped_at = state.global_step
        return control

    def raise_if_stopped(self) -> None:
        """Raise Interrupted where training was stopped; its checkpoint is written."""
        if self.stopped_at is not None:
            raise Interrupted(f"training stopped and saved after step {self.stopped_at}", exit_code=STOPPED)
