"""The one queue that all workers of a model take from: the longest first, and whoever has room next."""

import asyncio
import bisect
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cotdistill.client.concurrency import NotSent, SendGate
from cotdistill.samplers._asks import Ask, Orders, Said

CROWD_S = 0.02
"""How long an idle worker waits for more company: callers that come together are a few milliseconds apart."""


@dataclass(eq=False)
class _Waiting:
    """An ask, and where its answer goes."""

    ask: Ask
    answer: "asyncio.Future[tuple[Said, float]]"
    taken_s: float = 0.0

    def settle(self, result: tuple[Said, float] | BaseException) -> None:
        """Give the caller its answer, from any thread."""
        self.answer.get_loop().call_soon_threadsafe(self._set, result)

    def _set(self, result: tuple[Said, float] | BaseException) -> None:
        if self.answer.done():
            return
        if isinstance(result, BaseException):
            self.answer.set_exception(result)
        else:
            self.answer.set_result(result)


class Desk:
    """Callers ask in one event loop, workers take in threads of their own."""

    def __init__(self, gate: SendGate, *, workers: int = 1) -> None:
        self.gate = gate
        self.workers = workers
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        """Sorted: the longest last."""
        self._held: dict[int, dict[int, _Waiting]] = {}
        """Worker -> number of an ask -> what it answers now."""
        self._dropped: set[int] = set()
        self._broken: BaseException | None = None
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether nobody asks any more."""
        return self._is_closed

    async def ask(self, ask: Ask) -> tuple[Said, float]:
        """Return an answer and the seconds that it took. Raises: NotSent, and what stopped a worker."""
        if self.gate.is_closed:
            raise NotSent
        waiting = _Waiting(ask, asyncio.get_running_loop().create_future())
        with self._changed:
            if self._broken is not None:
                raise self._broken
            bisect.insort(self._waiting, waiting, key=lambda w: w.ask.most_tokens)
            self._changed.notify_all()
        try:
            return await waiting.answer
        except asyncio.CancelledError:
            self._forget(waiting)
            raise

    async def send_back_when_stopping(self) -> None:
        """Once the run stops, send back what no worker has begun; what is begun may come to its end."""
        await self.gate.closing.wait()
        with self._changed:
            waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.settle(NotSent())

    def exchange(self, worker: int, said: Sequence[Said], room: int, *, is_idle: bool) -> Orders:
        """Take a worker's answers and return what it does next; an idle one waits for work."""
        with self._changed:
            held = self._held.setdefault(worker, {})
            for one in said:
                waiting = held.pop(one.number, None)
                if waiting is not None:
                    self._dropped.discard(one.number)
                    waiting.settle((one, time.monotonic() - waiting.taken_s))
            if is_idle:
                self._wait_for_company(room)
            dropped = frozenset(self._dropped & held.keys())
            self._dropped -= dropped
            for number in dropped:
                del held[number]
            # No worker takes all where others have nothing: the last ones are shared out.
            share = -(-len(self._waiting) // self.workers)
            taken = [self._waiting.pop() for _ in range(min(room, share))]
            now = time.monotonic()
            for waiting in taken:
                waiting.taken_s = now
                held[waiting.ask.number] = waiting
            return Orders([waiting.ask for waiting in taken], dropped, self._is_closed)

    def fail(self, error: BaseException) -> None:
        """Give every caller, now and later, what stopped a worker."""
        with self._changed:
            self._broken = error
            held = [one for asks in self._held.values() for one in asks.values()]
            waiting, self._waiting = self._waiting, []
        for one in [*held, *waiting]:
            one.settle(error)

    def close(self) -> None:
        """Send the workers home."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _wait_for_company(self, room: int) -> None:
        while not self._waiting and not self._is_closed:
            self._changed.wait()
        while not self._is_closed and (count := len(self._waiting)) < room:
            self._changed.wait(CROWD_S)
            if len(self._waiting) == count:
                return

    def _forget(self, waiting: _Waiting) -> None:
        with self._changed:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            elif any(waiting.ask.number in held for held in self._held.values()):
                self._dropped.add(waiting.ask.number)
