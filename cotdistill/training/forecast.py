"""What `check` says of a training's memory: sizes of the base, options and devices brought together."""

import os
from typing import TYPE_CHECKING

from cotdistill.errors import UserError
from cotdistill.storage.model_folder import ModelFolder
from cotdistill.training.checks import local_model
from cotdistill.training.launch.devices import CPU
from cotdistill.training.launch.launch import world
from cotdistill.training.memory import LARGE, Memory, Plan, estimate, read_sizes, shown

if TYPE_CHECKING:
    from cotdistill.training.options import TrainOptions


def forecast(options: "TrainOptions", student: object) -> str | None:
    """Return a line on the memory of each device; None where the base's sizes are not known here."""
    model = local_model(student)
    found = memory(options, student, model) if model is not None else None
    return None if found is None else shown(*found)


def memory(options: "TrainOptions", student: object, model: ModelFolder) -> tuple[Memory, Plan] | None:
    """Return what each device takes, and of what; None where the model is no decoder of the usual kind."""
    try:
        sizes = read_sizes(model)
    except UserError:
        return None  # the student's own check says so
    if sizes is None:
        return None
    place = world(os.environ, processes=options.num_processes)
    asked = options.trainer_arguments()
    is_asked = asked.get("activation_checkpointing", asked.get("gradient_checkpointing"))
    plan = Plan(
        tokens=options.per_device_train_batch_size * options.cutoff_len,
        devices=place.nodes * place.processes,
        is_half=options.bf16 or options.fp16,
        is_checkpointed=place.device != CPU and sizes.weights > LARGE if is_asked == "auto" else bool(is_asked),
        optim=asked.get("optim", "adamw_torch"),
        deepspeed=options.read_deepspeed(),
        lora_rank=getattr(student, "lora_rank", None),
    )
    return estimate(sizes, plan), plan
