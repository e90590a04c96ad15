"""Processes of this machine: one for each core that this process may use.

Short work starts none: the first blocks are done in this process, and it goes on with them until the first worker is
ready. A worker is a new Python process, no fork, so that threads and locks of this one cannot stop it.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

from cotdistill.engines._pool import Pool

T = TypeVar("T")
U = TypeVar("U")

START_AFTER_S = 1.0
"""Work that takes less starts no process: a worker needs half as long until it can begin."""


@dataclass(frozen=True)
class LocalEngine:
    """Processes of this machine."""

    processes: int | None = None
    """Workers; None: one for each core that this process may use. 1: all is done in this process."""
    start_after_s: float = START_AFTER_S
    """Seconds of work in this process before workers are started."""

    def map_blocks(self, setup: Callable[[], Callable[[T], U]], blocks: Iterable[T]) -> Iterator[U]:
        """Yield `setup()(block)` for each block, in order; see `Engine`."""
        processes = self.processes or cores()
        rest, started = iter(blocks), time.monotonic()
        with ExitStack() as stack:
            pool: Pool[T, U] | None = None
            if processes == 1 or self.start_after_s > 0:
                function = setup()
                for block in rest:
                    yield function(block)
                    if processes > 1 and pool is None and time.monotonic() - started >= self.start_after_s:
                        pool = stack.enter_context(Pool[T, U](setup, processes))
                    if pool is not None and pool.is_ready():
                        break
                else:
                    return
                del function
            yield from (pool or stack.enter_context(Pool[T, U](setup, processes))).map(rest)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
