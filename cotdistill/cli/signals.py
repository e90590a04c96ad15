"""A TERM signal ends a command as Ctrl-C does: what it has started is ended, and it says how to go on."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from cotdistill.errors import Interrupted

TERMINATED = 128 + signal.SIGTERM


@contextlib.contextmanager
def stopped_by_term() -> Iterator[None]:
    """Let a TERM signal stop what runs inside; stages that let what is in flight arrive have handlers of their own.

    Raises: Interrupted with exit code 143.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return
    received: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        received.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        if received:
            raise Interrupted("stopped: what is finished stays finished", exit_code=TERMINATED) from None
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)
