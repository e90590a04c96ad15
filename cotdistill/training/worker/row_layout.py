"""How rows lie in a batch: end to end where the model's attention can be told where each begins, else padded."""

import logging
from typing import NamedTuple

from transformers import PreTrainedModel

from cotdistill.errors import UserError
from cotdistill.students import Collator, NeedsPadding, Student
from cotdistill.training.job import Job
from cotdistill.training.worker.dealing import Deal, deal_end_to_end, deal_padded

log = logging.getLogger(__name__)

PADDED_WITH = {"sdpa": "sdpa", "disabled": "eager"}
"""Values of `flash_attn` that ask for padded rows, and transformers' name of the attention that they ask for."""


class RowLayout(NamedTuple):
    """What makes rows into batches, and how they are dealt."""

    collator: Collator
    deal: Deal


def lay_out_rows(job: Job, student: Student, model: PreTrainedModel) -> RowLayout:
    """Return how the job's rows lie, and set the model's attention. Raises: UserError: it cannot be as asked."""
    padded = RowLayout(student.collator(job.pad_id), deal_padded)
    if job.flash_attn in PADDED_WITH:
        try:
            model.set_attn_implementation(PADDED_WITH[job.flash_attn])
        except (ImportError, ValueError) as error:
            raise UserError(str(error).partition("\n")[0], "train.flash_attn") from error
        log.info("rows are padded and masked: `flash_attn: %s`", job.flash_attn)
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
