"""What the student learns from: one module, one loss.

A loss is a function `(batch, *, options…) -> scalar`. It returns a sum over the supervised tokens, each times its
weight where tokens have weights; the worker divides it by the weights (a token without one weighs 1) of the whole
optimiser step over all ranks, so neither padding nor accumulation nor the number of devices weighs in. Tensors end in
their axes: B rows, T places, D hidden units, V vocabulary, N supervised tokens, K candidates for one of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

from cotdistill.records import IGNORED

__all__ = ["IGNORED", "LinearHead", "Loss", "LossBatch", "Tensor", "TopK", "TopKLoss"]

Tensor: TypeAlias = Any  # Any: a torch.Tensor; a recipe is read without torch


class TopK(NamedTuple):
    """What the teacher might have said at each supervised token of a batch, row after row."""

    ids_NK: Tensor
    """Ids of tokens of the student."""
    probs_NK: Tensor
    """Their probabilities, float32: they sum to 1, or are all 0 where the teacher's tokens do not fit."""


@dataclass(frozen=True)
class LinearHead:
    """Weight and bias of a head that is a plain linear layer: logits = hidden states @ weight_VD.T + bias_V."""

    weight_VD: Tensor
    bias_V: Tensor | None = None


@dataclass(frozen=True)
class LossBatch:
    """What a loss is given: hidden states and the way from them to logits, so that it makes only those it needs.

    Padded rows are B rows of T places. Rows that lie end to end are one, B is 1, and a row begins where a position
    is 0. `ids` has one id for each row in both, and `row_BT` says which is that of a place.
    """

    hidden_BTD: Tensor
    """Last hidden states; `hidden_BTD[b, t]` says what stands at t + 1. Where a model changes the logits behind its
    head, these are its logits."""
    head: Callable[[Tensor], Tensor]
    """The model's output head: hidden states (..., D) -> logits (..., V) in the dtype that the model computes in."""
    labels_BT: Tensor
    """`labels_BT[b, t]` is the token that stands at t, or IGNORED where it is not supervised: never a row's first."""
    ids: tuple[str, ...]
    """Id of each row's trace, `<problem id>/<sample index>`."""
    linear: LinearHead | None = None
    """What the head multiplies by and adds, so that a loss need not make all logits at once; None: `head` must be
    asked, as it is something else than a linear layer, or one that is changed while it is at work."""
    teacher_top_k: TopK | None = None
    """The teacher's distributions, for a TopKLoss alone."""
    weights_BT: Tensor | None = None
    """`weights_BT[b, t]` is how much the token at t counts, in float32; None: all that are supervised count alike."""
    positions_BT: Tensor | None = None
    """Place of each token in its row, where rows lie end to end; None where they are padded."""

    @property
    def row_BT(self) -> Tensor:  # noqa: N802 - the name ends in the axes
        """Return for each place the number in `ids` of its row's id."""
        if self.positions_BT is not None:
            return (self.positions_BT == 0).cumsum(-1) - 1
        return self.labels_BT.new_ones(self.labels_BT.shape).cumsum(0) - 1


class Loss(Protocol):
    """A loss with its options bound."""

    def check(self) -> None:
        """Return if what can be known before a run is well. Raises: UserError."""
        ...

    def __call__(self, batch: LossBatch, /) -> Tensor:
        """Return the summed loss of the supervised tokens, a scalar in float32."""
        ...


@runtime_checkable
class TopKLoss(Loss, Protocol):
    """A loss that compares with the teacher's recorded distributions: its batches have `teacher_top_k`."""

    @property
    def k(self) -> int:
        """The most candidates of one token."""
        ...

    @property
    def logprobs(self) -> Path | None:
        """File of the teacher's log-probabilities; None: what the run's own `sample` recorded."""
        ...
