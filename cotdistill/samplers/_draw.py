"""Drawing many completions into a ledger: one pool of workers that pull from one iterator.

Never one task per row: memory stays flat at any number of prompts.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cotdistill.errors import Interrupted, UserError
from cotdistill.ledger import Ledger, LedgerEntry, completion_key, utc_now
from cotdistill.samplers import Draw, Request, Sampler, Unanswered


@dataclass
class Drawing:
    """What one round of drawing did."""

    answered: int = 0
    failed: dict[tuple[str, int], str] = field(default_factory=dict)
    """Problem id and sample index -> why there is no answer."""


def draw_all(
    sampler: Sampler,
    requests: Iterator[Request],
    ledger: Ledger,
    *,
    identity: str,
    concurrency: int,
    on_answer: Callable[[], None],
) -> Drawing:
    """Draw what the ledger does not hold yet; every answer is on disk before it is counted.

    `identity` names the weights that answer. The first Ctrl-C lets the running answers arrive, the second does not.
    Raises: UserError and its kinds, Interrupted; the answers in flight arrive first.
    """
    missing = (r for r in requests if (request_key(r, identity), r.index) not in ledger)
    pool = _Pool(sampler, missing, ledger, identity, on_answer)
    return asyncio.run(pool.run(concurrency))


def request_key(request: Request, identity: str) -> str:
    """Return the identity of a request's completions."""
    return completion_key(identity, request.messages, request.sampling)


class _Pool:
    def __init__(
        self,
        sampler: Sampler,
        requests: Iterator[Request],
        ledger: Ledger,
        identity: str,
        on_answer: Callable[[], None],
    ) -> None:
        self.sampler = sampler
        self.requests = requests
        self.ledger = ledger
        self.identity = identity
        self.on_answer = on_answer
        self.drawing = Drawing()
        self.stopped_by: UserError | Interrupted | None = None

    async def run(self, concurrency: int) -> Drawing:
        first = next(self.requests, None)
        if first is None:
            # Nothing is missing: no connection is opened and no weights are loaded.
            return self.drawing
        self.requests = _chain(first, self.requests)
        async with self.sampler.session() as draw:
            workers = [asyncio.create_task(self._work(draw)) for _ in range(concurrency)]
            with self._signals(workers):
                await asyncio.gather(*workers, return_exceptions=False)
        if self.stopped_by is not None:
            raise self._with_count(self.stopped_by)
        return self.drawing

    async def _work(self, draw: Draw) -> None:
        while self.stopped_by is None and (request := next(self.requests, None)) is not None:
            try:
                reply = await draw(request)
                self.ledger.append(
                    LedgerEntry(
                        key=request_key(request, self.identity),
                        index=request.index,
                        problem_id=request.problem.id,
                        response=reply.response,
                        latency_s=reply.latency_s,
                        first_content_s=reply.first_content_s,
                        attempts=reply.attempts,
                        received=utc_now(),
                    )
                )
            except Unanswered as reason:
                self.drawing.failed[request.problem.id, request.index] = str(reason)
            except UserError as stop:
                self.stopped_by = self.stopped_by or stop
            except asyncio.CancelledError:
                return
            else:
                self.drawing.answered += 1
                self.on_answer()

    @contextlib.contextmanager
    def _signals(self, workers: list[asyncio.Task[None]]) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def stop(exit_code: int) -> None:
            if self.stopped_by is not None:
                for worker in workers:
                    worker.cancel()
            self.stopped_by = Interrupted("stopped while sampling", exit_code=exit_code)

        codes = {signal.SIGINT: 130, signal.SIGTERM: 143}
        for number, code in codes.items():
            loop.add_signal_handler(number, stop, code)
        try:
            yield
        finally:
            for number in codes:
                loop.remove_signal_handler(number)

    def _with_count(self, stop: UserError | Interrupted) -> UserError | Interrupted:
        stored = f"{len(self.ledger)} answers are stored; the same command goes on from there"
        if isinstance(stop, Interrupted):
            return Interrupted(f"{stop.message}: {stored}", exit_code=stop.exit_code)
        return type(stop)(stop.message, stop.where, f"{stop.hint}; {stored}" if stop.hint else stored)


def _chain(first: Request, rest: Iterator[Request]) -> Iterator[Request]:
    yield first
    yield from rest
