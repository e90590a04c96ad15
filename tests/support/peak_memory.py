"""The largest resident memory of another process, by its own count.

`ru_maxrss` of a child is no such count: on Linux it begins with the peak of the process that started it.
"""

import threading
import time
from pathlib import Path

EVERY_S = 0.02


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
        while (peak := self._read()) is not None:
            self._kib = peak
            time.sleep(EVERY_S)

    def _read(self) -> int | None:
        try:
            lines = self._status.read_text().splitlines()
        except OSError:
            return None
        return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)
