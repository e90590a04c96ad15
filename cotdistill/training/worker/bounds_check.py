"""A check before the first step that rows which lie end to end see themselves alone, on the device that trains.

Kernels and models differ from device to device and from version to version, and one that looked across a bound would
only learn a little worse. So the first rows are asked twice: end to end, and padded with transformers' own attention.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from cotdistill.errors import UserError
from cotdistill.losses import Tensor

TOKENS = 24
"""Tokens that are asked: the first third is one row, the rest another."""

TOLERANCE, HALF_TOLERANCE = 1e-3, 0.05
"""Largest difference of two logits, by the largest logit there is; two kernels differ by 1 % in bfloat16."""


def check_bounds(model: nn.Module, unwrapped: PreTrainedModel, inputs: Mapping[str, Any], *, is_half: bool) -> None:
    """Return if a batch that lies end to end comes to the logits of its rows alone. Every rank must call it.

    `inputs` is any micro-step; `is_half`: it computes in bfloat16 or float16, whatever its logits are.
    Raises: UserError.
    """
    ids = inputs["input_ids"][0]
    ids = ids.repeat(-(-TOKENS // len(ids)))[:TOKENS]
    lengths = [TOKENS // 3, TOKENS - TOKENS // 3]
    was_training, before = model.training, unwrapped.config._attn_implementation
    model.eval()
    try:
        with torch.no_grad():
            laid = model(**_end_to_end(ids, lengths)).logits[0]
            unwrapped.set_attn_implementation("sdpa")
            apart = model(**_padded(ids, lengths)).logits
    finally:
        unwrapped.set_attn_implementation(before)
        model.train(was_training)
    expected = torch.cat([apart[number, :length] for number, length in enumerate(lengths)])
    difference = ((laid - expected).abs().max() / expected.abs().max()).item()
    is_exact = laid.dtype in (torch.float32, torch.float64) and not is_half
    if not difference <= (TOLERANCE if is_exact else HALF_TOLERANCE):
        raise UserError(
            f"{type(unwrapped).__name__} does not keep rows apart that lie end to end: "
            f"its logits differ by {difference:.1%} from those of padded rows",
            "train.flash_attn",
            "`flash_attn: sdpa` trains it with padded rows",
        )


def _end_to_end(ids: Tensor, lengths: list[int]) -> dict[str, Any]:  # Any: tensors and numbers
    positions = torch.cat([torch.arange(length) for length in lengths]).to(ids.device)
    bounds = torch.tensor([0, lengths[0], sum(lengths)], dtype=torch.int32, device=ids.device)
    return {
        "input_ids": ids[None],
        "position_ids": positions[None],
        "cu_seq_lens_q": bounds,
        "cu_seq_lens_k": bounds,
        "max_length_q": max(lengths),
        "max_length_k": max(lengths),
    }


def _padded(ids: Tensor, lengths: list[int]) -> dict[str, Tensor]:
    rows = nn.utils.rnn.pad_sequence(list(ids.split(lengths)), batch_first=True)
    mask = nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in ids.split(lengths)], batch_first=True)
    return {"input_ids": rows, "attention_mask": mask}
