"""Concurrency limit and stop signal: what a pool of requests passes to the connections that serve it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BeforeValidator

from cotdistill.storage.broken_attempts import BrokenAttempt

MOST_AT_ONCE = 4096
"""Connections that one process can hold on machines as they are set up."""


def _concurrency(value: object) -> object:
    is_number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_AT_ONCE
    if value != "auto" and not is_number:
        raise ValueError(f"should be a number from 1 to {MOST_AT_ONCE:,}, or `auto`")
    return value


Concurrency = Annotated[int | Literal["auto"], BeforeValidator(_concurrency)]
"""An option: requests in flight at a time, or `auto`, as many as each endpoint bears. One message for both halves."""


def max_in_flight(concurrency: Literal["auto"] | int) -> int | None:
    """Return the limit that the option asks for; None: each endpoint's own, to be found out."""
    return None if concurrency == "auto" else concurrency


class NotSent(Exception):
    """The request was not sent, or not again, because the run is stopping: it is asked when the run goes on."""


@dataclass(frozen=True)
class SendGate:
    """Concurrency limit, and the gate that closes when the run stops."""

    concurrency: int | None = None
    """Requests in flight; None: as many as each endpoint bears, found out by trying."""
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    on_broken: Callable[[BrokenAttempt], None] = lambda _: None
    """Called with every attempt that began to answer, and so is billed, and broke."""
    is_budget_spent: Callable[[], bool] = lambda: False
    """Looked at before each further attempt; what it finds spent closes the gate."""

    @property
    def is_closed(self) -> bool:
        """Whether what is not sent yet stays unsent."""
        return self.closing.is_set()

    def close(self) -> None:
        """Let nothing more be sent; what was sent may arrive."""
        self.closing.set()

    async def sleep(self, seconds: float) -> None:
        """Wait, unless the gate closes first. Raises: NotSent."""
        try:
            async with asyncio.timeout(seconds):
                await self.closing.wait()
        except TimeoutError:
            return
        raise NotSent
