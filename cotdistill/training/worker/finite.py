"""Whether a step's loss is a number, without waiting for the device: seen one step later, and before every save."""

import math
from collections import deque
from typing import Any, NamedTuple

import torch

from cotdistill.errors import UserError
from cotdistill.losses import Tensor
from cotdistill.training.worker.head_loss import MeanLoss


class _Copied(NamedTuple):
    step: int
    loss: Tensor
    """On the CPU once `arrived`."""
    arrived: Any  # Any: a torch.Event; None where there was nothing to wait for


class WatchedLoss(MeanLoss):
    """A MeanLoss that remembers the losses of the present step on this rank."""

    step_loss: Tensor | None = None

    def __call__(self, outputs: Any, labels: Tensor, num_items_in_batch: Tensor) -> Tensor:  # Any: ModelOutput
        """Return this micro-step's part of the mean over the optimiser step."""
        loss = super().__call__(outputs, labels, num_items_in_batch)
        part = loss.detach()
        self.step_loss = part if self.step_loss is None else self.step_loss + part
        return loss

    def take(self) -> Tensor | None:
        """Return the sum since it was last asked."""
        loss, self.step_loss = self.step_loss, None
        return loss


class FiniteCheck:
    """Looks at each step's loss while the device is at work on the next one."""

    def __init__(self) -> None:
        self._copied: deque[_Copied] = deque()

    def note(self, step: int, loss: Tensor | None) -> None:
        """Take the loss of a step that may still be at work, and look at the one before. Raises: UserError."""
        self.look()
        if loss is None:
            return
        arrived = None
        if loss.device.type != "cpu":
            loss = loss.to("cpu", non_blocking=True)
            arrived = torch.accelerator.current_stream().record_event()
        self._copied.append(_Copied(step, loss, arrived))

    def look(self) -> None:
        """Raise UserError for the first step whose loss is no number; waits for those at work."""
        while self._copied:
            step, loss, arrived = self._copied.popleft()
            if arrived is not None:
                arrived.synchronize()
            refuse_nan("loss", float(loss), step=step)


def refuse_nan(what: str, value: float, *, step: int) -> None:
    """Raise UserError where a loss or a gradient is no number."""
    if not math.isfinite(value):
        raise UserError(
            f"the {what} is {value} at step {step}",
            hint="lower `learning_rate`, or use `bf16: true` instead of fp16",
        )
