"""What the steps of a training take: tokens counted on the way, and the multiplications and additions they cost.

For each weight and token a training step takes 2 forwards, 2 for the gradient of its input, 2 for its own where it
learns (Kaplan et al. 2020, sec. 2.1); attention takes 12 for each layer, unit and pair of tokens of which one sees
the other (Chowdhery et al. 2022, app. B, without the pairs that the causal mask hides). The output head works for
supervised tokens alone. What gradient checkpointing computes twice counts once.
"""

import re
from typing import NamedTuple

import torch
from torch import nn
from transformers import PreTrainedModel

from cotdistill.losses import Tensor

PEAKS = {
    r"\bA[18]00\b": 312e12,
    r"\bH100 NVL": 835e12,
    r"\bH100 PCIe": 756e12,
    r"\bH(100|200|800)\b(?!.*(NVL|PCIe))": 989e12,
    r"\bH20\b": 148e12,
    r"\bB200\b": 2250e12,
    r"\bL40S\b": 362e12,
    r"\bA40\b": 149.7e12,
    r"\bA10\b": 125e12,
}
"""Name of a device, as a regular expression -> multiplications and additions a second in bfloat16, matrices without
zeros left out: NVIDIA's data sheets as others quote them, half of what they give "with sparsity". The first that fits
holds. Devices for which figures differ by source have no entry: of an Ascend 910B 320e12 are said and 328e12 were
measured; L4 and H200 NVL likewise."""


class Work(NamedTuple):
    """What steps were made of, over all ranks."""

    tokens: int
    """Of prompts and answers, without padding."""
    pairs: int
    """Pairs of tokens in attention of which one sees the other, in each layer."""
    supervised: int


class TokenCount:
    """Counts tokens and pairs of every training forward of a model, without waiting for the device."""

    def __init__(self, model: nn.Module) -> None:
        self.counted: Tensor | None = None
        model.register_forward_pre_hook(self._count, with_kwargs=True)

    def take(self) -> tuple[int, int]:
        """Return tokens and pairs over all ranks since it was last asked; every rank must ask."""
        if self.counted is None:
            return 0, 0
        counted, self.counted = self.counted, None
        if torch.distributed.is_initialized():
            torch.distributed.all_reduce(counted)
        tokens, pairs = counted.tolist()
        return tokens, pairs

    def _count(self, model: nn.Module, args: tuple[object, ...], given: dict[str, Tensor]) -> None:
        ids = given.get("input_ids", args[0] if args else None)
        if not model.training or not isinstance(ids, torch.Tensor):
            return
        counted = torch.stack(tokens_and_pairs(ids, given.get("attention_mask"), given.get("position_ids")))
        self.counted = counted if self.counted is None else self.counted + counted


def tokens_and_pairs(ids: Tensor, mask: Tensor | None, positions: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return how many tokens a batch has, and pairs of which one sees the other; both scalars.

    A token at position p of its row, from 0, sees p + 1 tokens. Positions tell the rows where several stand in one.
    """
    if positions is not None and positions.numel() == ids.numel():
        lengths = positions.reshape(ids.shape) + 1
        is_token = torch.ones_like(ids, dtype=torch.bool) if mask is None or mask.shape != ids.shape else mask.bool()
        return is_token.sum(), (lengths * is_token).sum()
    if mask is not None and mask.dim() == 2:
        lengths = mask.sum(-1)
    else:
        lengths = torch.full(ids.shape[:-1], ids.shape[-1], device=ids.device)
    return lengths.sum(), (lengths * (lengths + 1) // 2).sum()


class FlopModel:
    """How many multiplications and additions the steps of a model take."""

    def __init__(self, model: PreTrainedModel) -> None:
        config = model.config.get_text_config()
        self.is_known = not config.is_encoder_decoder and all(hasattr(config, name) for name in SIZES)
        self.is_known &= not any(hasattr(config, name) for name in EXPERTS)
        if not self.is_known:
            return
        embedding, head = model.get_input_embeddings(), model.get_output_embeddings()
        apart = {id(part.weight) for part in (embedding, head) if part is not None}
        body = [weight for weight in model.parameters() if _dimensions(weight) > 1 and id(weight) not in apart]
        self.per_token = sum(map(_cost, body))
        self.per_supervised = _cost(head.weight) if head is not None else 0
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.per_pair: int = 12 * config.num_hidden_layers * config.num_attention_heads * width

    def flops(self, work: Work) -> int | None:
        """Return what steps took; None where not every weight works for every token."""
        if not self.is_known:
            return None
        body, head = self.per_token * work.tokens, self.per_supervised * work.supervised
        return body + head + self.per_pair * work.pairs


SIZES = ("num_hidden_layers", "num_attention_heads", "hidden_size")
EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
"""Options of configs whose models choose weights by token."""


def peak_flops(device: str) -> float | None:
    """Return what a device can do a second in bfloat16, by its name; None where that is not known."""
    return next((peak for pattern, peak in PEAKS.items() if re.search(pattern, device)), None)


def _dimensions(weight: nn.Parameter) -> int:
    return len(getattr(weight, "ds_shape", weight.shape))


def _cost(weight: nn.Parameter) -> int:
    size = getattr(weight, "ds_numel", weight.numel())  # ZeRO-3 leaves an empty tensor behind
    return int(size) * (6 if weight.requires_grad else 4)
