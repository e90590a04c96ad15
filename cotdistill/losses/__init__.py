"""What the student learns from: one module, one loss.

A loss is a function `(batch, *, options…) -> scalar`. It returns a sum over the supervised tokens; the worker divides
it by the supervised tokens of the whole optimiser step over all ranks, so neither padding nor accumulation nor the
number of devices weighs in. Tensors end in their axes: B rows, T places, D hidden units, V vocabulary, N supervised
tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from cotdistill.records import IGNORED

__all__ = ["IGNORED", "Loss", "LossBatch", "Tensor"]

Tensor: TypeAlias = Any  # Any: a torch.Tensor; a recipe is read without torch


@dataclass(frozen=True)
class LossBatch:
    """What a loss is given: hidden states and the way from them to logits, so that it makes only those it needs."""

    hidden_BTD: Tensor  # noqa: N815
    """Last hidden states; `hidden_BTD[b, t]` says what stands at t + 1. Where a model changes the logits behind its
    head, these are its logits."""
    head: Callable[[Tensor], Tensor]
    """The model's output head: hidden states (..., D) -> logits (..., V) in the dtype that the model computes in."""
    labels_BT: Tensor  # noqa: N815
    """`labels_BT[b, t]` is the token that stands at t, or IGNORED where it is not supervised."""
    ids: tuple[str, ...]
    """Id of each row's trace, `<problem id>/<sample index>`."""


class Loss(Protocol):
    """A loss with its options bound."""

    def check(self) -> None:
        """Return if what can be known before a run is well. Raises: UserError."""
        ...

    def __call__(self, batch: LossBatch, /) -> Tensor:
        """Return the summed loss of the supervised tokens, a scalar in float32."""
        ...
