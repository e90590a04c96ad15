"""Worker processes and the blocks that each has: results come back in order, a worker that dies is replaced."""

import logging
import os
import pickle
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from cotdistill.engines._child import Child
from cotdistill.engines._worker import SETUP
from cotdistill.errors import TryAgainLater

log = logging.getLogger(__name__)

T = TypeVar("T")
U = TypeVar("U")

AHEAD = 2
"""Blocks that a worker has at most: the one that it works on, and the next."""
BLOCKS_PER_WORKER = 4
"""Blocks between the one that is handed out and the one whose result is due: more let a slow block hold up no other."""
MOST_DEATHS = 3
"""Workers that may end over one block, or before their first one."""
START = -1
"""In place of a block's number, for a worker that died before its first one."""
END_S = 5.0
"""Time for a worker to end by itself."""


class Worker(Child):
    """One process and the blocks that it has."""

    def __init__(self) -> None:
        super().__init__(
            *("-m", "cotdistill.engines._worker"),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
            output=2,  # a print of another package's verifier is no result of the command
        )
        self.is_ready = False
        self.blocks: deque[int] = deque()
        """Numbers of the blocks that it was sent, the one that it works on first."""


class Pool:
    """Workers that are set up alike, for one work after the other."""

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self._setup: bytes | None = None
        self._workers = {worker.connection: worker for worker in (Worker() for _ in range(processes))}
        self._blocks: dict[int, bytes] = {}
        """What was handed out and has no result yet, by number."""
        self._waiting: deque[int] = deque()
        """Numbers of those that no worker has: theirs died."""
        self._deaths: dict[int, int] = {}
        self._done: dict[int, tuple[bool, Any]] = {}  # Any: a result, or an exception and its traceback

    def close(self) -> None:
        """End the workers, whatever they are doing."""
        for worker in self._workers.values():
            worker.connection.close()
        for worker in self._workers.values():
            worker.end(END_S)

    def is_ready(self) -> bool:
        """Return whether a worker waits for its first block."""
        self._receive(timeout_s=0.0)
        return any(worker.is_ready for worker in self._workers.values())

    def map(self, setup: Callable[[], Callable[[T], U]], blocks: Iterable[T]) -> Iterator[U]:
        """Yield the result of each block, in order; once all are taken, the pool is free for other work."""
        self._set_up(setup)
        numbered = enumerate(blocks)
        is_more, due = True, 0
        while True:
            while is_more and len(self._blocks) + len(self._done) < BLOCKS_PER_WORKER * len(self._workers):
                number, block = next(numbered, (-1, None))
                if is_more := number >= 0:
                    data = pickle.dumps(block, pickle.HIGHEST_PROTOCOL)
                    self._blocks[number] = pickle.dumps((number, data), pickle.HIGHEST_PROTOCOL)
                    self._waiting.append(number)
                    self._hand_out()
                    self._receive(timeout_s=0.0)
            while due in self._done:
                yield self._result(due)
                due += 1
            if self._blocks:
                self._hand_out()
                self._receive(timeout_s=None)
            elif not is_more and not self._done:
                return

    def _set_up(self, setup: Callable[[], Callable[[T], U]]) -> None:
        self._setup = pickle.dumps((SETUP, pickle.dumps(setup, pickle.HIGHEST_PROTOCOL)), pickle.HIGHEST_PROTOCOL)
        for worker in list(self._workers.values()):
            if worker.is_ready:
                self._send(worker, self._setup)

    def _send(self, worker: Worker, message: bytes) -> None:
        try:
            worker.connection.send_bytes(message)
        except OSError:
            self._replace(worker)

    def _result(self, number: int) -> Any:  # Any: what the work makes of a block
        succeeded, result = self._done.pop(number)
        if succeeded:
            return result
        error, lines = result
        error.add_note(f"in a worker process:\n{lines}")
        raise error

    def _hand_out(self) -> None:
        """Send waiting blocks to the workers that have fewest."""
        while self._waiting:
            ready = [worker for worker in self._workers.values() if worker.is_ready and len(worker.blocks) < AHEAD]
            if not ready:
                return
            worker = min(ready, key=lambda worker: len(worker.blocks))
            number = self._waiting.popleft()
            worker.blocks.append(number)
            self._send(worker, self._blocks[number])

    def _receive(self, *, timeout_s: float | None) -> None:
        """Take what the workers have sent; None waits for something to come."""
        for connection in wait(list(self._workers), timeout_s):
            assert isinstance(connection, Connection)
            worker = self._workers[connection]
            try:
                message = connection.recv_bytes()
                if not worker.is_ready:
                    if self._setup is not None:
                        connection.send_bytes(self._setup)
                    worker.is_ready = True
                    continue
            except (EOFError, OSError):
                self._replace(worker)
                continue
            number, *result = pickle.loads(message)
            worker.blocks.remove(number)
            del self._blocks[number]
            self._done[number] = result[0], result[1]

    def _replace(self, worker: Worker) -> None:
        """Start a worker in place of one that died; its blocks wait for others.

        Raises: TryAgainLater where that happened too often.
        """
        del self._workers[worker.connection]
        worker.end(END_S)
        status = worker.process.returncode
        said = f"by signal {-status}" if status < 0 else f"with exit code {status}"
        if worker.blocks or not worker.is_ready:
            at = worker.blocks[0] if worker.blocks else START
            self._deaths[at] = self._deaths.get(at, 0) + 1
            if self._deaths[at] >= MOST_DEATHS:
                raise TryAgainLater(
                    f"{MOST_DEATHS} worker processes ended {'over one block' if at >= 0 else 'at their start'}, "
                    f"the last one {said}",
                    hint="was the memory full? fewer processes need less; the same command goes on",
                )
        log.warning("a worker process ended %s; its rows are done again", said)
        self._waiting.extendleft(reversed(worker.blocks))
        replacement = Worker()
        self._workers[replacement.connection] = replacement
