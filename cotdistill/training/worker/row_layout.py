"""How rows lie in a batch: end to end where the model's attention can be told where each begins, else padded."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import torch
from transformers import PreTrainedModel

from cotdistill.errors import UserError
from cotdistill.students import Collator, NeedsPadding, Student
from cotdistill.training.job import Job
from cotdistill.training.worker.dealing import Deal, deal_end_to_end, deal_padded

log = logging.getLogger(__name__)

PADDED_WITH = {"sdpa": "sdpa", "disabled": "eager"}
"""Values of `flash_attn` that ask for padded rows, and transformers' name of the attention that they ask for."""


SHORT_TOKENS, MANY_ROWS = 128, 16
"""Where a micro-step has so many rows, shorter than this on average, a CPU, which attends row by row, spends more on
calls than padding costs: 32 rows of 55 tokens took 126 ms a step end to end and 97 ms padded (0.46 M weights, two
cores)."""


class RowLayout(NamedTuple):
    """What makes rows into batches, and how they are dealt."""

    collator: Collator
    deal: Deal


def lay_out_rows(job: Job, student: Student, model: PreTrainedModel, lengths: Sequence[int]) -> RowLayout:
    """Return how rows of these lengths lie, and set the model's attention. Raises: UserError: it cannot be as asked."""
    padded = RowLayout(student.collator(job.pad_id), deal_padded)
    if job.flash_attn in PADDED_WITH:
        try:
            model.set_attn_implementation(PADDED_WITH[job.flash_attn])
        except (ImportError, ValueError) as error:
            raise UserError(str(error).partition("\n")[0], "train.flash_attn") from error
        log.info("rows are padded and masked: `flash_attn: %s`", job.flash_attn)
        return padded
    if _are_cheaper_padded(job, lengths):
        log.info("rows are padded and masked: they are short, and a CPU attends row by row")
        return padded
    try:
        laid = RowLayout(student.end_to_end_collator(model), deal_end_to_end)
    except NeedsPadding as error:
        name = type(model).__name__
        if job.bin_tokens is not None:
            raise UserError(f"rows of {name} cannot be packed: {error}", "train.packing", "leave it out") from None
        if job.flash_attn == "fa2":
            raise UserError(f"{name} needs padded rows: {error}", "train.flash_attn", "write `auto`") from None
        log.info("rows are padded and masked: %s: %s", name, error)
        return padded
    log.info("rows lie end to end, without padding or mask")
    return laid


def _are_cheaper_padded(job: Job, lengths: Sequence[int]) -> bool:
    """Return whether padding is the better choice, where the choice is left to us."""
    is_free = job.flash_attn == "auto" and job.bin_tokens is None and not torch.accelerator.is_available()
    is_many = job.arguments.get("per_device_train_batch_size", 1) >= MANY_ROWS
    return is_free and is_many and sum(lengths) < SHORT_TOKENS * len(lengths)
