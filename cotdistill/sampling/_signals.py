"""The signals that stop a run and let what is in flight arrive: Ctrl-C, TERM, and a terminal that went away."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator

from cotdistill.errors import Interrupted

EXIT_CODES = {signal.SIGINT: Interrupted.EXIT_CODE, signal.SIGTERM: 143, signal.SIGHUP: 129}


@contextlib.contextmanager
def stop_signals(stop: Callable[[int], None]) -> Iterator[None]:
    """Call `stop` with the exit code of each signal that comes, in the running loop."""
    loop = asyncio.get_running_loop()
    # Under nohup a terminal that went away is no reason to stop.
    codes = {n: code for n, code in EXIT_CODES.items() if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN}
    before = {number: signal.getsignal(number) for number in codes}
    for number, code in codes.items():
        loop.add_signal_handler(number, stop, code)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            if handler is not None:
                signal.signal(number, handler)
