"""Group commit: one fdatasync for all records that were written while the last one ran, in a thread of its own.

Measured: an fdatasync takes 0.4 to 4 ms, and the loop that reads a thousand streams stands still as long.
"""

import asyncio
from collections.abc import Callable


class GroupCommit:
    """Waits for the disk on behalf of many writers."""

    def __init__(self, sync: Callable[[], None]) -> None:
        """`sync` returns once everything written so far is on disk; it runs in a thread."""
        self._sync = sync
        self._next: asyncio.Future[None] | None = None
        self._running: asyncio.Task[None] | None = None

    async def durable(self) -> None:
        """Return once everything written before this call is on disk. Raises what `sync` raises."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        await asyncio.shield(self._next)

    async def _run(self) -> None:
        while (waiting := self._next) is not None:
            self._next = None
            (error,) = await asyncio.gather(asyncio.to_thread(self._sync), return_exceptions=True)
            if waiting.cancelled():
                continue
            if error is None:
                waiting.set_result(None)
            else:
                waiting.set_exception(error)
        self._running = None
