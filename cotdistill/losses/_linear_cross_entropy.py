"""Cross-entropy of a linear head without its logits: chunks of them are made, used for loss and gradients, and gone.

The logits of 4,096 tokens and 152k words take 2.3 GiB in float32, and their gradient as much again. The loss is the
root of the graph, so what its gradients are is known up to a factor while the logits are at hand: they are formed in
the forward pass, and the backward pass multiplies them by the gradient of the loss, which is where the mean over a
step and the loss scale of float16 come in (Hsu et al. 2024, Liger Kernel, sec. 3.2). The logits are thus made once.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from cotdistill.losses import LinearHead, LossBatch, Tensor

CHUNK_BYTES = {"cpu": 128 * 2**20}
"""Bytes of logits at a time, by the kind of device. On two cores, 152k words and 256 hidden units, 128 MiB take
1.9 s of CPU for loss and gradients of 800 tokens, 64 MiB 2.2 s, 16 MiB 3.5 s, and more than 128 MiB no less."""
DEVICE_CHUNK_BYTES = 512 * 2**20
"""The same on any other device. Each chunk reads and writes the sum of the weights' gradient once: with the 880 tokens
that this is for 152k words, the arithmetic of a chunk takes longer than that. By count, not measured."""


def summed_cross_entropy(
    batch: LossBatch, hidden_ND: Tensor, targets_N: Tensor, weights_N: Tensor | None = None
) -> Tensor:
    """Return the sum over n of `weights_N[n]` x the cross-entropy of `targets_N[n]` given `hidden_ND[n]`, in float32.

    `hidden_ND` are chosen hidden states of the batch, `targets_N` ids, `weights_N` constants; None: all 1. Without any
    tokens it is 0, with gradients of 0.
    """
    if batch.linear is not None:
        return linear_cross_entropy(hidden_ND, batch.linear, targets_N, weights_N)
    logits_NV = _at_least_float32(batch.head(hidden_ND))
    if weights_N is None:
        return torch.nn.functional.cross_entropy(logits_NV, targets_N, reduction="sum")
    return (torch.nn.functional.cross_entropy(logits_NV, targets_N, reduction="none") * weights_N).sum()


def linear_cross_entropy(
    hidden_ND: Tensor,
    head: LinearHead,
    targets_N: Tensor,
    weights_N: Tensor | None = None,
    *,
    chunk_bytes: int | None = None,
) -> Tensor:
    """Return the summed cross-entropy of `hidden_ND @ head.weight_VD.T + head.bias_V`, as above, chunk by chunk.

    Products are formed in the dtype of the hidden states, or of autocast where it is on; logits, softmax and the sum
    of the weights' gradient over chunks are in float32 (float64 for float64). A weight that is frozen gets no
    gradient, and none is formed for it. `chunk_bytes` of float32 logits are made at a time, or one row of them.
    """
    device = hidden_ND.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden_ND.dtype
    row_bytes = 4 * head.weight_VD.shape[0]
    rows = max(1, (chunk_bytes or CHUNK_BYTES.get(device, DEVICE_CHUNK_BYTES)) // row_bytes)
    with torch.autocast(device, enabled=False):
        return _LinearCrossEntropy.apply(
            hidden_ND, head.weight_VD, head.bias_V, targets_N, weights_N, dtype, rows, torch.is_grad_enabled()
        )


class _LinearCrossEntropy(torch.autograd.Function):  # type: ignore[misc]  # torch is not typed
    """The loss, and on the way the gradients of hidden states, weight and bias."""

    @staticmethod
    def forward(
        ctx: Any,  # Any: torch's context of the call
        hidden_ND: Tensor,
        weight_VD: Tensor,
        bias_V: Tensor | None,
        targets_N: Tensor,
        weights_N: Tensor | None,
        dtype: Any,  # Any: a torch.dtype
        rows: int,
        is_learning: bool,
    ) -> Tensor:
        """Return the summed loss; `rows` tokens are looked at together."""
        needed = [is_learning and is_needed for is_needed in ctx.needs_input_grad[:3]]
        exact = torch.promote_types(dtype, torch.float32)
        total, gradients = _chunked(
            hidden_ND.to(dtype),
            weight_VD.to(dtype),
            None if bias_V is None else bias_V.to(exact),
            targets_N,
            torch.ones_like(targets_N, dtype=exact) if weights_N is None else weights_N.to(exact),
            rows=rows,
            needed=needed,
        )
        ctx.gradients = gradients
        ctx.dtypes = [None if given is None else given.dtype for given in (hidden_ND, weight_VD, bias_V)]
        return total

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:  # Any: torch's context of the call
        """Return the gradients x that of the loss, in the dtypes of what they are the gradients of."""
        if ctx.gradients is None:
            raise RuntimeError("the gradients of this loss were formed in place and are used: it has one backward pass")
        gradients, ctx.gradients = ctx.gradients, None
        # In float32 before float16: a loss scale of 65,536 is infinite there.
        scaled = [
            None if found is None else _at_least_float32(found).mul_(gradient).to(dtype)
            for found, dtype in zip(gradients, ctx.dtypes, strict=True)
        ]
        return (*scaled, None, None, None, None, None)


def _chunked(
    hidden_ND: Tensor,
    weight_VD: Tensor,
    bias_V: Tensor | None,
    targets_N: Tensor,
    weights_N: Tensor,
    *,
    rows: int,
    needed: list[bool],
) -> tuple[Tensor, list[Tensor | None]]:
    """Return the summed loss, and the gradients of hidden states, weight and bias that are needed."""
    exact = weights_N.dtype
    total = weights_N.new_zeros(())
    grad_hidden_ND = torch.empty_like(hidden_ND) if needed[0] else None
    grad_weight_VD = torch.zeros_like(weight_VD, dtype=exact) if needed[1] else None
    grad_bias_V = torch.zeros_like(bias_V) if bias_V is not None and needed[2] else None
    # One buffer for all chunks: memory that the system hands out anew is filled with zeros first.
    buffer_CV = weights_N.new_empty(min(rows, len(targets_N)), weight_VD.shape[0])
    for start in range(0, len(targets_N), rows):
        chunk = slice(start, start + rows)
        hidden_CD = hidden_ND[chunk]
        logits_CV = _product(hidden_CD, weight_VD.T, out=buffer_CV[: len(hidden_CD)])
        if bias_V is not None:
            logits_CV += bias_V
        total += _loss_to_gradient(logits_CV, targets_N[chunk, None], weights_N[chunk, None])
        grad_logits_CV = logits_CV.to(hidden_ND.dtype)
        if grad_hidden_ND is not None:
            torch.mm(grad_logits_CV, weight_VD, out=grad_hidden_ND[chunk])
        if grad_weight_VD is not None:
            _add_product(grad_weight_VD, grad_logits_CV.T, hidden_CD)
        if grad_bias_V is not None:
            grad_bias_V += logits_CV.sum(0)
    return total, [grad_hidden_ND, grad_weight_VD, grad_bias_V]


def _loss_to_gradient(logits_CV: Tensor, targets_C1: Tensor, weights_C1: Tensor) -> Tensor:
    """Return the loss of a chunk, and leave in the place of its logits their gradient: w x (softmax - one at t)."""
    chosen_C1 = logits_CV.gather(1, targets_C1)
    largest_C1 = logits_CV.amax(1, keepdim=True)
    logits_CV.sub_(largest_C1).exp_()
    sums_C1 = logits_CV.sum(1, keepdim=True)
    logits_CV.mul_(weights_C1 / sums_C1)
    logits_CV.scatter_add_(1, targets_C1, -weights_C1)
    return ((largest_C1 + sums_C1.log() - chosen_C1) * weights_C1).sum()


def _product(left: Tensor, right: Tensor, *, out: Tensor) -> Tensor:
    """Return the matrix product in `out`, which may be wider in dtype."""
    return torch.mm(left, right, out=out) if out.dtype == left.dtype else out.copy_(left @ right)


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """Add a matrix product to `total`, which may be wider in dtype."""
    if total.dtype == left.dtype:
        total.addmm_(left, right)
    else:
        total += left @ right


def _at_least_float32(tensor: Tensor) -> Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
