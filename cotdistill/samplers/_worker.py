"""One model on one device: takes from the desk what it has room for, and says what came to its end."""

from collections.abc import Callable, Sequence
from typing import Protocol

import torch

from cotdistill.errors import UserError
from cotdistill.samplers._asks import Orders, Said
from cotdistill.samplers._endings import Endings
from cotdistill.samplers._generation import Batch, has_plain_cache
from cotdistill.samplers._local_model import Source, load_weights
from cotdistill.samplers._whole_batches import WholeBatches


class Exchange(Protocol):
    """The desk's side of a worker: `Desk.exchange` with the worker's number bound, or a pipe to it."""

    def __call__(self, said: Sequence[Said], room: int, *, is_idle: bool) -> Orders:
        """Hand in answers and return what is next."""
        ...


class Worker:
    """Weights on a device, answering."""

    def __init__(
        self,
        source: Source,
        endings: Endings,
        *,
        device: str,
        batch_size: int,
        is_closed: Callable[[], bool] = lambda: False,
    ) -> None:
        """Load the weights. Raises: UserError."""
        self.device = torch.device(device)
        self._use_device()
        weights = load_weights(source, device)
        self.whole = WholeBatches(weights, endings, batch_size, is_closed=is_closed)
        self.batch = Batch(weights, endings, batch_size) if has_plain_cache(weights) else None

    def serve(self, exchange: Exchange) -> None:
        """Answer until the desk closes. Raises: UserError where the device's memory does not hold the batch."""
        self._use_device()
        said: list[Said] = []
        while True:
            orders = exchange(said, self._room, is_idle=not self._count)
            if orders.is_closed:
                return
            try:
                said = self._go_on(orders)
            except torch.OutOfMemoryError:
                raise UserError(
                    f"the memory of {self.device} does not hold {self._count} answers at a time",
                    hint="choose a smaller batch_size; what is answered is stored",
                ) from None

    @property
    def _count(self) -> int:
        return len(self.whole.rows) + (len(self.batch.rows) if self.batch else 0)

    @property
    def _room(self) -> int:
        """Rows that may join, whichever way they are answered."""
        return min(self.whole.room, self.batch.room) if self.batch else self.whole.room

    def _go_on(self, orders: Orders) -> list[Said]:
        self.whole.drop(orders.dropped)
        self.whole.add([ask for ask in orders.asks if self.batch is None or ask.is_search])
        if self.batch is None:
            return self.whole.step()
        self.batch.drop(orders.dropped)
        self.batch.add([ask for ask in orders.asks if not ask.is_search])
        return [*self.whole.step(), *self.batch.step()]

    def _use_device(self) -> None:
        """Make the device the thread's own: kernels of other packages are launched there."""
        if self.device.type != "cpu" and self.device.index is not None:
            torch.accelerator.set_device_index(self.device.index)
