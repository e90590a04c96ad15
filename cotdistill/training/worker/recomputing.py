"""Gradient checkpointing: activations are computed again in the backward pass instead of being kept."""

import logging

import torch
from transformers import PreTrainedModel, TrainingArguments

from cotdistill.training.job import Job
from cotdistill.training.memory import LARGE

log = logging.getLogger(__name__)


def asks_for_recomputing(job: Job) -> bool | None:
    """Return what the job's options say, by transformers' name or its older one; None where it is left to us."""
    said = job.arguments.get("activation_checkpointing")
    older = job.arguments.get("gradient_checkpointing", False)
    return said if said is not None else None if older == "auto" else older


def choose_recomputing(job: Job, arguments: TrainingArguments, model: PreTrainedModel) -> None:
    """Switch gradient checkpointing on for a large model on an accelerator, where it is left to us."""
    if asks_for_recomputing(job) is not None:
        return
    is_on = torch.accelerator.is_available() and model.supports_gradient_checkpointing and is_large(model)
    arguments.gradient_checkpointing = arguments.activation_checkpointing = is_on
    log.info("gradient checkpointing is %s", "on" if is_on else "off")


def is_large(model: PreTrainedModel) -> bool:
    """Return whether a model has more than LARGE parameters; what ZeRO-3 has divided counts whole."""
    count: int = sum(getattr(weights, "ds_numel", weights.numel()) for weights in model.parameters())
    return count > LARGE
