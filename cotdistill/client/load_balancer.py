"""Load balancer: least requests in flight, each server with a circuit breaker and, if asked for, a limit of its own.

A server's limit, where it is to be found out, doubles while answers come, is cut to 0.8 once per episode of HTTP 429,
and from then on grows by a twentieth per round of answers (slow start as in TCP, RFC 5681; the numbers are those of
inspect_ai). Other failures only pause the growth: a server that breaks is not one that is asked too fast.

A server that fails five times in a row without an answer is taken as down: one request at a time probes it, with
growing waits, while the other servers go on.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cotdistill.client.concurrency import NotSent, SendGate
from cotdistill.errors import UserError

log = logging.getLogger(__name__)

FIRST_LIMIT = 32
MOST = 1000
"""Highest limit that is tried: the connections of one process."""
CUT = 0.8
GROWTH = 1.05
GROWTH_PAUSE_S = 10.0
BREAK_AFTER = 5
"""Failures in a row: fewer happen by chance at a gateway that restarts one of its workers."""


@dataclass(eq=False)
class Backend:
    """One server, as seen by what became of the requests to it. Times by the loop's monotonic clock."""

    name: str
    probe_wait_s: Callable[[int], float]
    """Seconds to wait before the n-th probe."""
    limit: float = math.inf
    """Requests in flight at a time."""
    is_limit_sought: bool = False
    in_flight: int = 0
    refusal: UserError | None = None
    """Why nothing more is sent here: the key, the balance, the model or its name."""
    has_answered: bool = False
    forbidden: int = 0
    """HTTP 403 without an answer in between."""
    rejected: int = 0
    """Requests refused for good without an answer in between."""
    paused_until_s: float = 0.0
    failures: int = 0
    """Without an answer in between."""
    probes: int = 0
    """Sent since it was found down."""
    down_since_s: float | None = None
    _failed_at_s: float = -math.inf
    """When the last failure was counted: what was sent before it is the same event."""
    _is_slow_start: bool = True
    _answers: int = 0
    _cut_at_s: float = -math.inf
    _grows_from_s: float = 0.0

    @property
    def is_down(self) -> bool:
        """Whether it is only probed."""
        return self.failures >= BREAK_AFTER

    def is_free(self, now_s: float) -> bool:
        """Return whether a request may be sent now."""
        if self.refusal is not None or now_s < self.paused_until_s:
            return False
        return self.in_flight + 1 <= self.limit or self.is_down

    def acquired(self, now_s: float) -> None:
        """Count a request that is sent now; one to a server that is down is a probe, and the next one waits."""
        self.in_flight += 1
        if self.is_down:
            self.probes += 1
            self.paused_until_s = now_s + self.probe_wait_s(self.probes + 1)

    def came_back(self) -> None:
        """Take a server that was down as well again."""
        log.info("%s answers again", self.name)
        self.paused_until_s = 0.0
        self.failures = self.probes = 0
        self.down_since_s = None

    def answered(self, now_s: float, *, is_answer: bool = True) -> None:
        """Count an answer, or a request that was refused for good; grow after a round of them at the limit."""
        if self.is_down:
            self.came_back()
        self.failures = self.probes = 0
        self.down_since_s = None
        if is_answer:
            self.has_answered, self.forbidden, self.rejected = True, 0, 0
        else:
            self.rejected += 1
        if not self.is_limit_sought or now_s < self._grows_from_s:
            return
        if self.in_flight + 1 <= self.limit:
            # The limit is not what holds it back, so nothing is learned about it.
            return
        self._answers += 1
        if self._answers >= self.limit:
            self._answers = 0
            grown = self.limit * 2 if self._is_slow_start else max(self.limit + 1, self.limit * GROWTH)
            self.limit = min(grown, MOST)

    def rate_limited(self, sent_s: float, now_s: float, *, pause_s: float | None) -> None:
        """Take in a 429: pause as long as the server asks, and cut the limit once per episode."""
        if pause_s is not None:
            self.paused_until_s = max(self.paused_until_s, now_s + pause_s)
        if not self.is_limit_sought or sent_s < self._cut_at_s:
            # Sent before the last cut: the same episode.
            return
        self._is_slow_start, self._answers, self._cut_at_s = False, 0, now_s
        self.limit = max(1.0, min(self.limit, self.in_flight + 1) * CUT)

    def failed(self, now_s: float, *, is_unreachable: bool, sent_s: float = math.inf) -> None:
        """Count a failure; from the fifth in a row, or where no connection is made, the server is down.

        What was in flight together fails together: requests sent before the last counted failure are no further one.
        """
        self._answers, self._grows_from_s = 0, now_s + GROWTH_PAUSE_S
        if self.down_since_s is None:
            self.down_since_s = now_s
        was_down = self.is_down
        if is_unreachable:
            self.failures = BREAK_AFTER
        elif sent_s >= self._failed_at_s:
            self.failures += 1
            self._failed_at_s = now_s
        if self.is_down and not was_down:
            self.paused_until_s = max(self.paused_until_s, now_s + self.probe_wait_s(1))


class LoadBalancer:
    """The servers of one client, and the requests that wait for a free one."""

    def __init__(self, backends: Sequence[Backend], gate: SendGate) -> None:
        self.all = tuple(backends)
        self._gate = gate
        self._waiting: deque[tuple[asyncio.Future[Backend], Backend | None]] = deque()
        self._alarm: asyncio.TimerHandle | None = None

    async def acquire(self, *, but: Backend | None = None) -> Backend:
        """Return a free server, counted as in flight: the one with the fewest, `but` only if there is no other.

        Raises: UserError where all servers refused; NotSent where the run stops first.
        """
        self._check_refused()
        if self._gate.is_closed:
            raise NotSent
        slot: asyncio.Future[Backend] = asyncio.get_running_loop().create_future()
        self._waiting.append((slot, but))
        self.wake()
        if slot.done():
            return slot.result()
        try:
            return await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled() and slot.exception() is None:
                self.release(slot.result())
            raise

    def has_other(self, backend: Backend) -> bool:
        """Return whether a request may go to another server without waiting for the end of a pause."""
        now_s = asyncio.get_running_loop().time()
        return any(o.refusal is None and now_s >= o.paused_until_s for o in self.all if o is not backend)

    def release(self, backend: Backend) -> None:
        """Count a request as ended, and let the next ones go."""
        backend.in_flight -= 1
        self.wake()

    def wake(self) -> None:
        """Let waiting requests go as far as servers are free; let all go with their error where none will ever be."""
        if not self._waiting:
            return
        try:
            self._check_refused()
        except UserError as error:
            self._end_all(error)
            return
        # One reading of the clock: a pause that ended between two would be neither over nor waited for.
        now_s = asyncio.get_running_loop().time()
        while self._waiting:
            slot, but = self._waiting[0]
            if slot.done():
                self._waiting.popleft()
                continue
            backend = self._best(but, now_s)
            if backend is None:
                break
            self._waiting.popleft()
            backend.acquired(now_s)
            slot.set_result(backend)
        self._set_alarm(now_s)

    async def reject_when_closed(self) -> None:
        """Send the waiting requests away as soon as the run stops."""
        await self._gate.closing.wait()
        self._end_all(NotSent())

    def _best(self, but: Backend | None, now_s: float) -> Backend | None:
        free = [backend for backend in self.all if backend.is_free(now_s)]
        # The one that just failed this request has the fewest in flight for a bad reason.
        others = [backend for backend in free if backend is not but] or free
        return min(others, key=lambda backend: backend.in_flight, default=None)

    def _check_refused(self) -> None:
        refusals = [backend.refusal for backend in self.all]
        if refusals[-1] is not None and all(refusals):
            raise refusals[-1]

    def _end_all(self, error: Exception) -> None:
        while self._waiting:
            slot, _ = self._waiting.popleft()
            if not slot.done():
                slot.set_exception(error)

    def _set_alarm(self, now_s: float) -> None:
        """Look again when the first pause ends that was not over at this time."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        ends = [o.paused_until_s for o in self.all if o.refusal is None and o.paused_until_s > now_s]
        if ends and self._waiting:
            self._alarm = asyncio.get_running_loop().call_at(min(ends), self.wake)
