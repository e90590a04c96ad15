"""What the student learns from: one module, one loss.

A loss is a function `(logits_BTV, labels_BT, *, options…) -> scalar` with one axis per letter: batch, time,
vocabulary. It returns a sum over the supervised tokens; the worker divides it by the supervised tokens of the whole
optimiser step over all ranks, so neither padding nor accumulation nor the number of devices weighs in.
"""

from typing import Any, Protocol, TypeAlias

Tensor: TypeAlias = Any  # Any: a torch.Tensor; a recipe is read without torch

IGNORED = -100
"""Label of a token that is not supervised."""


class Loss(Protocol):
    """A loss with its options bound."""

    def check(self) -> None:
        """Return if what can be known before a run is well. Raises: UserError."""
        ...

    def __call__(self, logits_BTV: Tensor, labels_BT: Tensor, /) -> Tensor:  # noqa: N803
        """Return the summed loss of the supervised tokens; `labels_BT[b, t]` is the token that stands at t."""
        ...
