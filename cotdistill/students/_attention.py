"""Attention for rows that lie end to end: each sees itself alone, told by where rows begin, without any mask.

Registered with transformers under ROWS_APART and without a mask function, so that the model builds none. The model
is called with `cu_seq_lens_q` (rows + 1), the first place of each row and the end of the last, and `max_length_q`, by
the names that transformers uses for FlashAttention; they reach this function through the model's own arguments.
"""

import inspect
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

from cotdistill.errors import UserError
from cotdistill.students._row_bounds import why_padded_by

ROWS_APART = "rows_apart"

UNKNOWN_HERE = ("sliding_window", "softcap", "s_aux", "position_bias", "cache")
"""What some models ask of attention and this one does not do."""

LARGEST_HEAD = 256
"""Hidden units of a head that FlashAttention takes."""


def attend_rows_apart(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    dropout: float = 0.0,
    scaling: float | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    max_length_q: int = 0,
    **others: Any,  # Any: what models tell each other
) -> tuple[torch.Tensor, None]:
    """Return causal attention (1, tokens, heads, units); queries, keys, values are (1, heads, tokens, units).

    Without `cu_seq_lens_q` each row of the batch is one. Keys and values with fewer heads than queries are not
    repeated. Raises: UserError for a model that asks for more than this.
    """
    asked = [name for name in UNKNOWN_HERE if others.get(name) is not None]
    if asked or attention_mask is not None or not others.get("is_causal", getattr(module, "is_causal", True)):
        what = ", ".join(asked) or "a mask of its own"
        raise UserError(f"{type(module).__name__} has {what}", "train.flash_attn", "`flash_attn: sdpa` trains it")
    query, key, value = _in_one_dtype(query, key, value)
    if cu_seq_lens_q is None:
        return _attend(query, key, value, dropout, scaling).transpose(1, 2), None
    if query.device.type == "npu":
        return _on_npu(query, key, value, cu_seq_lens_q, dropout, scaling), None
    is_for_flash = query.is_cuda and query.dtype in (torch.bfloat16, torch.float16)
    if is_for_flash and not dropout and query.shape[-1] <= LARGEST_HEAD and _varlen_attn() is not None:
        return _on_cuda(query, key, value, cu_seq_lens_q, max_length_q, scaling), None
    rows = [
        _attend(query[:, :, start:end], key[:, :, start:end], value[:, :, start:end], dropout, scaling)
        for start, end in pairwise(cu_seq_lens_q.tolist())
    ]
    return torch.cat(rows, dim=2).transpose(1, 2), None


def _attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, dropout: float, scaling: float | None
) -> torch.Tensor:
    is_grouped = query.shape[1] != key.shape[1]
    return scaled_dot_product_attention(
        query, key, value, dropout_p=dropout, is_causal=True, scale=scaling, enable_gqa=is_grouped
    )


def _on_cuda(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bounds: torch.Tensor,
    longest: int,
    scaling: float | None,
) -> torch.Tensor:
    varlen_attn = _varlen_attn()
    assert varlen_attn is not None
    q, k, v = (states[0].transpose(0, 1) for states in (query, key, value))
    is_grouped = q.shape[1] != k.shape[1]
    causal = (-1, 0)
    found = varlen_attn(
        q, k, v, bounds, bounds, longest, longest, scale=scaling, window_size=causal, enable_gqa=is_grouped
    )
    return found[None]


@cache
def _varlen_attn() -> Callable[..., torch.Tensor] | None:
    """Return torch's FlashAttention over rows of any length; None in a torch before it took grouped heads."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    known = inspect.signature(varlen_attn).parameters
    found: Callable[..., torch.Tensor] = varlen_attn
    return found if {"enable_gqa", "window_size"} <= known.keys() else None


def _on_npu(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    bounds: torch.Tensor,
    dropout: float,
    scaling: float | None,
) -> torch.Tensor:
    """Ask npu_fusion_attention in its TND layout, as transformers does. Not tried: no such device was at hand."""
    from transformers.integrations.npu_flash_attention import npu_flash_attn_varlen_func

    q, k, v = (states[0].transpose(0, 1).contiguous() for states in (query, key, value))
    found = npu_flash_attn_varlen_func(q, k, v, bounds, bounds, dropout_p=dropout, softmax_scale=scaling, causal=True)
    return found[None]


def _in_one_dtype(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return all in what the values have: rotary positions may leave float32 where autocast computes in less."""
    device = query.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else value.dtype
    return query.to(dtype), key.to(dtype), value.to(dtype)


def why_padded(model: PreTrainedModel) -> str | None:
    """Return what keeps the model from learning from rows that lie end to end; None where nothing does."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    if reason := why_padded_by(base.config):
        return reason
    # In the order in which they are worth telling.
    obstacles = {
        "its code is not transformers' own": not type(base).__module__.startswith("transformers.models."),
        "it is more than a language model": bool(base.config.sub_configs),
        "its attention cannot be replaced": not base._supports_attention_backend,
        "it keeps a state from token to token": bool(getattr(base, "_is_stateful", False)),
        "it has attention sinks": any(name.endswith("sinks") for name, _ in base.named_parameters()),
        "it takes no positions": "position_ids" not in inspect.signature(base.forward).parameters,
    }
    return next((reason for reason, is_so in obstacles.items() if is_so), None)


def use_rows_apart(model: PreTrainedModel) -> None:
    """Let the model's attention be told where rows begin."""
    AttentionInterface.register(ROWS_APART, attend_rows_apart)
    model.set_attn_implementation(ROWS_APART)
