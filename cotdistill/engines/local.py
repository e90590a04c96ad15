"""Processes of this machine: one for each core that this process may use.

Short work starts none: the first blocks are done in this process, and it goes on with them until the first worker is
ready. A worker is a new Python process, no fork, so that threads and locks of this one cannot stop it.
"""

import atexit
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from cotdistill.engines._pool import Pool

T = TypeVar("T")
U = TypeVar("U")

START_AFTER_S = 1.0
"""Work that takes less starts no process: a worker needs half as long until it can begin."""


IDLE_S = 5.0
"""How long workers wait for other work."""


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
        if processes == 1:
            yield from map(setup(), blocks)
            return
        rest, pool = iter(blocks), _take_idle(processes)
        try:
            if pool is None and self.start_after_s > 0:
                function, end = setup(), time.monotonic() + self.start_after_s
                for block in rest:
                    yield function(block)
                    if pool is None and time.monotonic() >= end:
                        pool = Pool(processes)
                    if pool is not None and pool.is_ready():
                        break
                else:
                    return
                del function
            pool = pool or Pool(processes)
            yield from pool.map(setup, rest)
            _keep_idle(pool)
            pool = None
        finally:
            if pool is not None:
                pool.close()


_idle: list[Pool] = []
"""At most one: workers that have nothing to do, and may have soon."""


def _take_idle(processes: int) -> Pool | None:
    """Return the workers that the work before has left, where they are as many."""
    try:
        pool = _idle.pop()
    except IndexError:
        return None
    if pool.processes == processes:
        return pool
    pool.close()
    return None


def _keep_idle(pool: Pool) -> None:
    """Keep workers for a moment: one pass over the rows often follows another."""
    end_idle()
    _idle.append(pool)
    timer = threading.Timer(IDLE_S, _end, [pool])
    timer.daemon = True
    timer.start()


def _end(pool: Pool) -> None:
    """End workers that nobody has taken since."""
    try:
        _idle.remove(pool)
    except ValueError:
        return
    pool.close()


@atexit.register
def end_idle() -> None:
    """End workers that have nothing to do; they end by themselves a moment later."""
    for pool in list(_idle):
        _end(pool)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
