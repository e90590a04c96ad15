"""The largest resident memory of a process, by its own count.

`ru_maxrss` is no such count: on Linux it begins with the peak of whoever started the process, and never goes down.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

EVERY_S = 0.02


@contextmanager
def peak_growth() -> Iterator[Callable[[], int]]:
    """Yield what tells how much the peak of this process has grown inside, in KiB."""
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what is held now
    before = read_peak(Path("/proc/self/status"))
    assert before is not None
    yield lambda: (read_peak(Path("/proc/self/status")) or 0) - before


def read_peak(status: Path) -> int | None:
    """Return the peak of a process in KiB; None where it has ended."""
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


class PeakMemory:
    """Follows a process that has been started, until it ends."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._kib = 0
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def kib(self) -> int:
        """Return the peak of the process, which must have ended or be about to."""
        self._thread.join()
        assert self._kib, "the process ended before its memory was read"
        return self._kib

    def _follow(self) -> None:
        # A process that has ended has no memory to tell of; the kernel keeps the peak of one that runs.
        while (peak := read_peak(self._status)) is not None:
            self._kib = peak
            time.sleep(EVERY_S)
