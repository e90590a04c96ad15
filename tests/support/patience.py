"""Tests are bounded by steps and counts: the clock here stops only what hangs, on the slowest machine too."""

import time
from collections.abc import Callable

HANGS_S = 3600


def wait_for(condition: Callable[[], object], process: object = None) -> None:
    """Wait until something holds; a process that is given must not end before."""
    end = time.monotonic() + HANGS_S
    while not condition():
        assert time.monotonic() < end, "it hangs"
        assert process is None or process.poll() is None, process.communicate()
        time.sleep(0.005)
