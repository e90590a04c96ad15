"""Signals that stop work whose parts are elsewhere: they are noted, and looked at between two waits.

Ray's calls do not bear a handler that raises.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from cotdistill.errors import Interrupted

EXIT_CODES = {signal.SIGINT: Interrupted.EXIT_CODE, signal.SIGTERM: 143, signal.SIGHUP: 129}


@dataclass
class Stop:
    """What signals came."""

    count: int = 0
    exit_code: int = 0
    """Of the last one."""

    def look(self) -> None:
        """Return where none came. Raises: Interrupted."""
        if self.count:
            raise Interrupted("stopped", exit_code=self.exit_code)


@contextlib.contextmanager
def stop_signals() -> Iterator[Stop]:
    """Note Ctrl-C, TERM and a terminal that went away; one that is ignored stays so."""
    stop = Stop()

    def note(number: int, _frame: object) -> None:
        stop.count += 1
        stop.exit_code = EXIT_CODES[signal.Signals(number)]

    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in EXIT_CODES if is_main}
    noted = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    try:
        for number in noted:
            signal.signal(number, note)
        yield stop
    finally:
        for number in noted:
            signal.signal(number, before[number])
